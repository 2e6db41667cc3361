"""What influence is measured on: one number v for every set of demonstrations shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.bayes.answer import bayes_answer
from core.errors import StudyError
from core.ordering import order
from core.pipeline.run import check_query
from core.runtime.progress import Stop, check, counting
from core.scoring.labels import check_count, every_label
from core.scoring.together import score, score_together
from core.selection import rows_of, select
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, Outcome
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Quantity = Literal["log-odds", "probability", "log-probability", "score"]
Rows = tuple[Demonstration, ...]

TEXTS = 1_500  # texts in one call of the model: progress and Cancel come between calls, and the trie stays small
FLOOR = 1e-300  # a probability that underflows counts as this much, so that logarithms stay finite


@dataclass(frozen=True)
class InfluenceQuestion:
    """What was shown, and what is asked of it. Candidates stay the same whatever is taken away.

    Attributes:
        study: tidied; says how a prompt is written and scored.
        shown: (n,) the demonstrations in the order shown.
        labels: (L,) the candidates.
        target: place in `labels` of the label that v is about.
        quantity: which number v is, see `value_of`.
    """

    study: Study
    shown: Rows
    labels: tuple[str, ...]
    target: int
    quantity: Quantity = "log-odds"

    @property
    def label(self) -> str:
        """The label that v is about."""
        return self.labels[self.target]


@dataclass(frozen=True)
class Values:
    """v of N prompts.

    Attributes:
        model: (N,) the model's v.
        answers: (N,) place of the label that the model answers.
        bayes: (N,) v under exact Bayes, NaN where no candidate has any probability; None where no mixture is known.
    """

    model: Floats
    answers: Places
    bayes: Floats | None


def question_of(outcome: Outcome, target: str | None = None, quantity: Quantity = "log-odds") -> InfluenceQuestion:
    """The question about an outcome's demonstrations.

    Args:
        target: the label that v is about; None for the model's answer with all demonstrations.

    Raises:
        StudyError: no demonstration is shown, the target is no candidate, or it is the only one.
    """
    best = outcome.answer.best if target is None else target.strip()
    return _checked(tidied(outcome.study), outcome.demonstrations, outcome.answer.labels, best, quantity)


def question(
    study: Study,
    model: LanguageModel,
    target: str | None = None,
    quantity: Quantity = "log-odds",
    stop: Stop | None = None,
) -> InfluenceQuestion:
    """The same from a study: select, order, find the candidates, and the model's answer where `target` is None.

    It is one of many that are held against each other, so its candidates are all that are found, as in an evaluation.

    Raises:
        StudyError, PromptTooLong, Cancelled: as `run` and `question_of` do.
    """
    study = tidied(study)
    check_query(study, model)
    chosen = select(study, model, stop)
    labels = every_label(study, model, rows_of(study, chosen))
    if not study.labels:
        check_count(labels)
    shown = rows_of(study, order(study, model, chosen, stop))
    best = score(study, model, shown, labels, stop).best if target is None else target.strip()
    return _checked(study, shown, labels, best, quantity)


def _checked(study: Study, shown: Rows, labels: tuple[str, ...], target: str, quantity: Quantity) -> InfluenceQuestion:
    if quantity not in get_args(Quantity):
        raise StudyError(f"There is no value called “{quantity}”; choose one of {', '.join(get_args(Quantity))}.")
    if not shown:
        raise StudyError("Influence is about demonstrations, and none is shown.")
    if target not in labels:
        raise StudyError(f"“{target}” is not among the candidate labels, so nothing can be said of its value.")
    if len(labels) < 2 and quantity != "score":
        raise StudyError("There is one candidate label, and it is certain whatever is shown; name at least two.")
    return InfluenceQuestion(study, tuple(shown), tuple(labels), labels.index(target), quantity)


def value_of(answer: Answer, target: int, quantity: Quantity) -> float:
    """v, from a distribution p over the candidates.

    log-odds         ln p(y) − ln Σ_{y'≠y} p(y'), in nats: adds up where evidence does
    probability      p(y), renormalised over the candidates as in the view of the answer
    log-probability  ln p(y) of the same, in nats
    score            what the scorer gave y: direct, ln p(y | D, x) over all that the model may write

    Probabilities below 1e-300 count as 1e-300.
    """
    if quantity == "score":
        return float(answer.scores[target])
    p = answer.probabilities
    mine = float(p[target])
    if quantity == "probability":
        return mine
    logged = float(np.log(max(mine, FLOOR)))
    if quantity == "log-probability":
        return logged
    others = float(np.delete(p, target).sum())
    return logged - float(np.log(max(others, FLOOR)))


def values(
    items: Sequence[tuple[InfluenceQuestion, Rows]],
    model: LanguageModel,
    *,
    bayes: bool = True,
    stop: Stop | None = None,
) -> Values:
    """v of each question with other demonstrations shown than its own, the model's and exact Bayes's.

    Items are scored in the order of their text, some 1,500 texts a call, so that prompts that share a beginning go
    through the model together. Equal prompts are scored once a call.

    Args:
        items: N (question, demonstrations in order).
        bayes: whether exact Bayes is wanted, where the mixture is known.

    Raises:
        PromptTooLong: a prompt does not fit, for instance since a longer label took another's place.
        Cancelled: `stop` answered True.
    """
    known = bayes and model.mixture is not None
    found = Values(
        np.full(len(items), np.nan),
        np.zeros(len(items), dtype=np.intp),
        np.full(len(items), np.nan) if known else None,
    )
    done = 0
    with counting(len(items), "prompts", at_once=TEXTS) as advance:
        for batch in _batches(items):
            check(stop)
            requests = [(asked.study, rows, asked.labels) for asked, rows in (items[i] for i in batch)]
            for i, answer in zip(batch, score_together(requests, model, stop), strict=True):
                asked, rows = items[i]
                found.model[i] = value_of(answer, asked.target, asked.quantity)
                found.answers[i] = int(np.argmax(answer.scores))
                if found.bayes is not None:
                    check(stop)
                    truth = bayes_answer(asked.study, model, rows, asked.labels)
                    if truth is not None:
                        found.bayes[i] = value_of(truth, asked.target, asked.quantity)
            done += len(batch)
            advance(done)
    return found


def _batches(items: Sequence[tuple[InfluenceQuestion, Rows]]) -> list[list[int]]:
    """Places of the items, neighbours in the dictionary of their texts together."""
    keys = [([(d.input, d.label) for d in rows], asked.study.query) for asked, rows in items]
    batches: list[list[int]] = []
    texts = TEXTS
    for place in sorted(range(len(items)), key=keys.__getitem__):
        size = len(items[place][0].labels)
        if texts + size > TEXTS:
            batches.append([])
            texts = 0
        batches[-1].append(place)
        texts += size
    return batches
