"""A family of templates that say the same in other signs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product

from core.analysis.format.escapes import show_typed
from core.errors import StudyError
from core.study.prompts import TEMPLATES, Template, in_place_of, same_affixes
from core.study.study import Study

NAMES = (("Input", "Label"), ("Input", "Output"), ("Q", "A"), ("Question", "Answer"), ("Text", "Class"), ("x", "y"))
CASES: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower)
AFTER_NAME = (": ", " - ", " = ", ":: ", " ", ":\n")
JOINS = ("\n", " ", ", ", " | ", "\t")
BETWEEN = (" -> ", " = ", " | ", ": ", " => ", ", ", " : ", " - ", "\t", "\n")
ENDS = ("\n", "\n\n", "; ", " || ")


def grammar() -> Iterator[Template]:
    """Every template of the grammar, each once, the ready-made ones left out.

    plain   x · between · y · end                              between ∈ `BETWEEN`
    named   name_x · after · x · join · name_y · after · y · end   names in three cases

    The channel form swaps the halves. Left out is what could not be read back: an end that is also the join or the
    separator, so that one demonstration could not be told from two.
    """
    seen = {_affixes(template) for template in TEMPLATES.values()}
    for template in (*_plain(), *_named()):
        if _affixes(template) not in seen:
            seen.add(_affixes(template))
            yield template


def _plain() -> Iterator[Template]:
    for between, end in product(BETWEEN, ENDS):
        if between.strip(" ") != end.strip(" ") and not (between == "\n" and end == "\n\n"):
            yield _called(Template(label_prefix=between, end=end, channel_input_prefix=between))


def _named() -> Iterator[Template]:
    for (x, y), case, after, join, end in product(NAMES, CASES, AFTER_NAME, JOINS, ENDS):
        before_x, before_y = case(x) + after, case(y) + after
        if join.strip(" ") and join.strip(" ") == end.strip(" ") and len(before_y.strip()) < 2:
            continue
        yield _called(
            Template(
                input_prefix=before_x,
                label_prefix=join + before_y,
                end=end,
                channel_label_prefix=before_y,
                channel_input_prefix=join + before_x,
            )
        )


def describe(template: Template) -> str:
    """The forward form on one line, "Q: x↵A: y↵↵"."""
    return f"{show_typed(template.input_prefix)}x{show_typed(template.label_prefix)}y{show_typed(template.end)}"


def family(study: Study, count: int, seed: int) -> tuple[Template, ...]:
    """`count` templates: the study's own, the ready-made ones, and a sample of the grammar without replacement.

    All have the study's words for labels and its chat. The first n of a larger family are the smaller one.

    Args:
        count: at least six, or five where the study's template is a ready-made one.
        seed: draws the sample.

    Raises:
        StudyError: fewer are asked for than are always among them.
    """
    own, known = study.template, tuple(TEMPLATES.values())
    first = known if any(same_affixes(own, template) for template in known) else (own, *known)
    if count < len(first):
        raise StudyError(f"A family has at least {len(first)} templates: the ready-made ones and the study's own.")
    others = [template for template in grammar() if not same_affixes(template, own)]
    random.Random(f"family/{seed}").shuffle(others)
    whole = (*first, *others)[:count]
    return tuple(in_place_of(own, template) for template in whole)


def _called(template: Template) -> Template:
    return template.model_copy(update={"name": describe(template)})


def _affixes(template: Template) -> tuple[str, ...]:
    return tuple(str(value) for name, value in template if name not in ("name", "words", "chat"))
