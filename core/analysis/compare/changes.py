"""What differs between two studies, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.analysis.compare.matching import match, moves, several
from core.ordering import orderings
from core.reasoning import reasonings, writes
from core.runtime.registry import AnyRegistry, Entry
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections, source_of
from core.study.cleaning import shorten, tidied
from core.study.demonstrations import Demonstration
from core.study.prompts import Template, same_affixes
from core.study.study import Head, Hypothesis, ModelChoice, Study, TaskPrior

WORDS = {
    "gold": "The right answer",
    "selection_seed": "The seed of the selection",
    "ordering_seed": "The seed of the ordering",
    "calibration_seed": "The seed of the calibration",
    "shortlist": "The number of rows looked at closely",
    "mmr_lambda": "λ of MMR",
    "organisations": "The number of sets tried",
    "selection_probes": "The number of inputs that sets are tried on",
    "validation": "The number of rows held out",
    "concept_tokens": "The number of concept tokens",
    "probes": "The number of probes",
    "probe_source": "Where probes come from",
    "scoring": "The scorer",
    "normalisation": "The normalisation of scores",
    "label_prior": "P(y) of the channel",
    "open_ended": "Answering in its own words",
    "matching": "How an answer in its own words is compared",
    "longest": "The number of tokens written at most",
    "chained": "Chaining of hypotheses",
    "posterior_solver": "The solver of the implicit posterior",
    "hidden_layer": "The layer of the hidden-state kernel",
    "similarity": "The similarity of hidden states",
    "bandwidth": "The bandwidth of an RBF kernel",
    "span": "What the attention kernel reads",
    "pooling": "How the attention kernel pools tokens",
    "token_head": "The head shown token by token",
    "posteriors": "What posteriors are computed",
}
MENUS: dict[str, AnyRegistry] = {
    "selection": selections,
    "ordering": orderings,
    "scoring": scorers,
    "calibration": calibrations,
    "reasoning": reasonings,
}
ALWAYS = {"model", "query", "gold", "labels", "template", "instruction", "heads", "hidden_layer", "similarity", *MENUS}


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes:
        field: of `Study`.
        sentence: what is so in A and what in B.
        read: False where neither study reads that field, so that it decides nothing.
    """

    field: str
    sentence: str
    read: bool = True


def changes(a: Study, b: Study) -> tuple[Change, ...]:
    """Everything that differs between two studies, field by field in the order of `Study`.

    White space around texts is not read by `run`, so it is no difference.
    """
    a, b = tidied(a), tidied(b)
    found: list[Change] = []
    for field in Study.model_fields:
        one, other = getattr(a, field), getattr(b, field)
        if one != other:
            read = _reads(a, field) or _reads(b, field)
            found += [Change(field, sentence, read) for sentence in _sentences(field, one, other)]
    return tuple(found)


def _sentences(field: str, a: Any, b: Any) -> Iterable[str]:
    special = SPECIAL.get(field)
    if special is not None:
        return special(a, b)
    if field in MENUS:
        a, b = (_title(MENUS[field], name) for name in (a, b))
    name = WORDS.get(field, f"The {field.replace('_', ' ')}")
    return [f"{name} is {_value(a)} in A and {_value(b)} in B."]


def _reads(study: Study, field: str) -> bool:
    """Whether a field decides anything of a study's outcome."""
    if field == "demonstrations" and study.selection in selections:
        return source_of(study) == field
    if field in ("input_pattern", "questions"):
        return False  # the inputs are written already; no run reads questions
    if field == "chained":
        return bool(study.hypotheses)
    if field in ("matching", "longest"):
        return writes(study)
    if field == "pool" and not study.labels:
        return True  # its labels are candidates
    if field in ALWAYS or not any(field in entry.reads for registry in MENUS.values() for entry in registry):
        return True
    used = [_entry(registry, getattr(study, menu)) for menu, registry in MENUS.items()]
    return any(entry is not None and field in entry.reads for entry in used)


def _entry(registry: AnyRegistry, name: str) -> Entry[Any] | None:
    return registry.find(name) if name in registry else None  # a link may name what this version lacks


def _title(registry: AnyRegistry, name: str) -> str:
    entry = _entry(registry, name)
    return name if entry is None else entry.title


def _value(value: Any) -> str:
    """A value in words; nothing is "none"."""
    if value is None or value == "" or value == ():
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        shown = ", ".join(
            ".".join(map(str, v)) if isinstance(v, tuple) else f"“{shorten(str(v), 24)}”" for v in value[:6]
        )
        return f"{shown} and {len(value) - 6} more" if len(value) > 6 else shown
    return f"“{shorten(value)}”" if isinstance(value, str) else str(value)


def _models(a: ModelChoice, b: ModelChoice) -> Iterator[str]:
    for field, words in (("name", "The model"), ("dtype", "The number format"), ("device", "The device")):
        one, other = getattr(a, field), getattr(b, field)
        if one != other:
            yield f"{words} is {_value(one)} in A and {_value(other)} in B."


def _rows(where: str) -> Callable[[Sequence[Demonstration], Sequence[Demonstration]], Iterable[str]]:
    """Sentences on two tables, each beginning with `where`."""

    def tell(a: Sequence[Demonstration], b: Sequence[Demonstration]) -> Iterator[str]:
        matched = match(a, b)
        yield from moves(matched, len(a), len(b), where)
        left_out = []
        for pair in matched:
            if pair.a is not None and pair.b is not None and a[pair.a].excluded != b[pair.b].excluded:
                out, into = ("A", "B") if a[pair.a].excluded else ("B", "A")
                left_out.append(f"{where}“{shorten(pair.input)}” is left out in {out} and used in {into}.")
        yield from several(left_out, where, "used on one side only")
        other_steps = [
            f"{where}“{shorten(pair.input)}” has other steps in A than in B."
            for pair in matched
            if pair.a is not None and pair.b is not None and a[pair.a].steps != b[pair.b].steps
        ]
        yield from several(other_steps, where, "with other steps")

    return tell


def _labels(a: Sequence[str], b: Sequence[str]) -> Iterator[str]:
    if not a or not b:
        one, other = (_value(tuple(labels)) if labels else "those that the tables have" for labels in (a, b))
        yield f"The candidate labels are {one} in A and {other} in B."
        return
    for side, lacking in (("A", [y for y in a if y not in b]), ("B", [y for y in b if y not in a])):
        if lacking:
            yield f"Candidates only in {side}: {_value(tuple(lacking))}."
    if set(a) == set(b):
        yield "The candidate labels are the same, in another order."


CHATS = {"turns": "in a chat, a turn each", "one turn": "in one turn of a chat"}


def _templates(a: Template, b: Template) -> Iterator[str]:
    if not same_affixes(a, b):
        yield from _affixes(a, b)
    if a.chat != b.chat:
        ways = [CHATS[side.chat.style] if side.chat is not None else "without a chat template" for side in (a, b)]
        others = " of another model" if a.chat is not None and b.chat is not None and a.chat.key != b.chat.key else ""
        yield f"The model is asked {ways[0]} in A and {ways[1]}{others} in B."
    if a.words != b.words:
        one, other = (tuple(f"{label} as {word}" for label, word in side.words) for side in (a, b))
        written = [f"written {_value(words)}" if words else "written as they are" for words in (one, other)]
        yield f"Labels are {written[0]} in A and {written[1]} in B."
    elif same_affixes(a, b) and a.chat == b.chat:
        yield f"The template is called “{shorten(a.name)}” in A and “{shorten(b.name)}” in B, and writes the same."


def _affixes(a: Template, b: Template) -> Iterator[str]:
    forward = [f"{side.input_prefix}x{side.label_prefix}y{side.end}" for side in (a, b)]
    channel = [f"{side.channel_label_prefix}y{side.channel_input_prefix}x" for side in (a, b)]
    one, other = (text.replace("\n", "⏎") for text in (forward if forward[0] != forward[1] else channel))
    yield f"The template is {a.name} in A, “{one}”, and {b.name} in B, “{other}”."


def _shots(a: int | None, b: int | None) -> Iterator[str]:
    one, other = ("all" if n is None else f"at most {n}" for n in (a, b))
    yield f"Of the demonstrations chosen {one} are shown in A and {other} in B."


def _numbers(a: int, b: int) -> Iterator[str]:
    yield f"{a} demonstrations are taken from the pool in A and {b} in B."


def _hypotheses(a: Sequence[Hypothesis], b: Sequence[Hypothesis]) -> Iterator[str]:
    of_a, of_b = {row.name: row for row in a}, {row.name: row for row in b}
    for side, here, there in (("A", of_a, of_b), ("B", of_b, of_a)):
        lacking = tuple(name for name in here if name not in there)
        if lacking:
            yield f"Hypotheses only in {side}: {_value(lacking)}."
    for name in of_a.keys() & of_b.keys():
        for field in Hypothesis.model_fields:
            one, other = getattr(of_a[name], field), getattr(of_b[name], field)
            if field == "words":
                one, other = (tuple(f"{label} = {word}" for label, word in words) for words in (one, other))
            if one != other:
                yield f"The {field} of the hypothesis “{shorten(name)}” is {_value(one)} in A and {_value(other)} in B."
    if [row.name for row in a] != [row.name for row in b] and sorted(r.name for r in a) == sorted(r.name for r in b):
        yield "The hypotheses are the same, in another order."


def _heads(a: Sequence[Head], b: Sequence[Head]) -> Iterator[str]:
    one, other = (f"of the heads {_value(tuple(heads))}" if heads else "of all heads" for heads in (a, b))
    yield f"The attention kernel is the mean {one} in A and {other} in B."


def _prior(a: Sequence[TaskPrior], b: Sequence[TaskPrior]) -> Iterator[str]:
    of_a, of_b = ({entry.task: entry.weight for entry in side} for side in (a, b))
    for task in dict.fromkeys((*of_a, *of_b)):
        one, other = (f"{side[task]:.4g}" if task in side else "the mixture's own" for side in (of_a, of_b))
        if one != other:
            yield f"The prior of the task “{shorten(task)}” is {one} in A and {other} in B."


SPECIAL: dict[str, Callable[[Any, Any], Iterable[str]]] = {
    "model": _models,
    "demonstrations": _rows(""),
    "pool": _rows("Pool: "),
    "questions": _rows("Questions: "),
    "labels": _labels,
    "template": _templates,
    "k": _numbers,
    "shots": _shots,
    "hypotheses": _hypotheses,
    "heads": _heads,
    "prior": _prior,
}
