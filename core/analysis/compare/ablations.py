"""Ready-made ablations: from a study, another that differs in one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import StudyError
from core.ordering import orderings
from core.scoring import scorer_of, scorers
from core.selection import source_of
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.prompts import TEMPLATES, in_place_of, ready_made
from core.study.study import Study


@dataclass(frozen=True)
class Ablation:
    """One change of a study.

    Attributes:
        name: what differs afterwards, in three words.
        about: one sentence on what the comparison shows.
        change: a study that differs from the one given; StudyError says why there is none.
    """

    name: str
    about: str
    change: Callable[[Study], Study]


def flipped(study: Study) -> Study:
    """Every label of the table in use becomes the next one that is in use there, in order of appearance; two swap.

    Raises:
        StudyError: there are no two labels.
    """
    source = source_of(study)
    rows: tuple[Demonstration, ...] = getattr(study, source)
    labels = list(dict.fromkeys(row.label.strip() for row in rows if usable(row)))
    if len(labels) < 2:
        raise StudyError("There are no two labels to flip.")
    following = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    new = [
        row.model_copy(update={"label": following[row.label.strip()]}) if row.label.strip() in following else row
        for row in rows
    ]
    return study.model_copy(update={source: tuple(new)})


def reversed_order(study: Study) -> Study:
    """The demonstrations in reverse order.

    Raises:
        StudyError: a strategy decides the order, or there are no two demonstrations.
    """
    other = orderings.find(study.ordering).reverse
    if other:
        return study.model_copy(update={"ordering": other})
    if study.ordering != orderings.plain or source_of(study) != "demonstrations":
        raise StudyError("A strategy decides the order: pick demonstrations by hand and keep them as given to turn it.")
    if len({(row.input, row.label) for row in study.demonstrations if usable(row)}) < 2:
        raise StudyError("There are no two demonstrations to exchange.")
    return study.model_copy(update={"demonstrations": study.demonstrations[::-1]})


def doubled(study: Study) -> Study:
    """The last demonstration twice.

    Raises:
        StudyError: the demonstrations come from the pool, or there is none.
    """
    place = _last_usable(study)
    rows = study.demonstrations
    return study.model_copy(update={"demonstrations": (*rows[: place + 1], rows[place], *rows[place + 1 :])})


def one_fewer(study: Study) -> Study:
    """The last demonstration left out, or, from the pool, k less by one.

    Raises:
        StudyError: there is none.
    """
    if source_of(study) == "pool":
        if not study.k:
            raise StudyError("No demonstration is shown, so none can be left out.")
        return study.model_copy(update={"k": study.k - 1})
    place = _last_usable(study)
    rows = list(study.demonstrations)
    rows[place] = rows[place].model_copy(update={"excluded": True})
    return study.model_copy(update={"demonstrations": tuple(rows)})


def other_direction(study: Study) -> Study:
    """The first scorer of the other direction: channel, p(x | y), in place of direct, p(y | x), and the other way."""
    forward = scorers.find(study.scoring).direction == "forward"
    return study.model_copy(update={"scoring": scorer_of("channel" if forward else "forward")})


def other_template(study: Study) -> Study:
    """The next of the ready-made templates."""
    names = list(TEMPLATES)
    name = ready_made(study.template)
    following = TEMPLATES[names[(names.index(name) + 1) % len(names)] if name in names else names[0]]
    return study.model_copy(update={"template": in_place_of(study.template, following)})


def _last_usable(study: Study) -> int:
    if source_of(study) != "demonstrations":
        raise StudyError("The demonstrations are chosen from the pool: pick them by hand to change one.")
    places = [i for i, row in enumerate(study.demonstrations) if usable(row)]
    if not places:
        raise StudyError("There is no demonstration to change.")
    return places[-1]


ABLATIONS = (
    Ablation("Labels flipped", "Does the answer follow the labels shown, or the words themselves?", flipped),
    Ablation("Order reversed", "Exact Bayes does not care for the order; the model does.", reversed_order),
    Ablation("Last one doubled", "A posterior sharpens with a repetition; does the model?", doubled),
    Ablation("One fewer", "What the last demonstration adds to the answer.", one_fewer),
    Ablation("Other scorer", "The label given the input, or the input given the label.", other_direction),
    Ablation("Other template", "The same content, written in another way.", other_template),
)
