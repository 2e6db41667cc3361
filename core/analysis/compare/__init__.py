"""Two outcomes held against each other: B minus A, with everything aligned by name and nothing guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.compare.aligning import Aligned, align
from core.analysis.compare.changes import MENUS, Change, changes
from core.analysis.compare.matching import Match, match, moves
from core.analysis.compare.prompts import Piece, prompt_difference
from core.attention import START
from core.ordering import orderings
from core.runtime.registry import AnyRegistry
from core.scoring import scorers
from core.study.outcome import Answer, Attention, Kernel, Outcome, Posterior

__all__ = [
    "Aligned",
    "AttentionDifference",
    "Change",
    "Difference",
    "KernelDifference",
    "Match",
    "Piece",
    "PosteriorDifference",
    "align",
    "changes",
    "difference",
    "match",
    "prompt_difference",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PosteriorDifference:
    """One kind of posterior after all demonstrations of each side.

    Attributes:
        kind: "exact", "implicit" or "instruction".
        n_a, n_b: how many demonstrations each has seen.
        tasks: P(T | D) of both over the union of their tasks.
        log_evidence_a, log_evidence_b: log P(D) in nats, or None where it is not defined.
    """

    kind: str
    n_a: int
    n_b: int
    tasks: Aligned
    log_evidence_a: float | None
    log_evidence_b: float | None


@dataclass(frozen=True)
class KernelDifference:
    """Weights of one kernel, by demonstration; NaN where a side does not show that demonstration.

    Attributes:
        name: of the kernel.
        detail_a, detail_b: which heads, layer, similarity.
        a, b: (M,) K_i / ΣK in the order of `Difference.demonstrations`.
        raw_a, raw_b: (M,) K_i.
        best_a, best_b: the label that each side's kernel regression answers, or None.
    """

    name: str
    detail_a: str
    detail_b: str
    a: Floats
    b: Floats
    raw_a: Floats
    raw_b: Floats
    best_a: str | None
    best_b: str | None

    @property
    def change(self) -> Floats:
        """(M,) b − a."""
        return self.b - self.a


@dataclass(frozen=True)
class AttentionDifference:
    """Attention of the last prompt token on the same spans; NaN where a side lacks the span.

    Attributes:
        spans: (S,) "instruction" (where either has one), "query", or the place of a demonstration in
            `Difference.demonstrations` as a number.
        mean_a, mean_b: (S,) mean over all heads of all layers.
        heads_a, heads_b: (layers, heads, S), or None where the models differ: their heads are not the same heads.
    """

    spans: tuple[str | int, ...]
    mean_a: Floats
    mean_b: Floats
    heads_a: Floats | None
    heads_b: Floats | None


@dataclass(frozen=True)
class Difference:
    """What B has that A has not, and by how much. Every difference is B − A.

    Attributes:
        changes: what differs in the studies, field by field.
        shown: what differs in the demonstrations shown, where that is more than the studies say.
        answer: the models' probabilities.
        bayes: exact Bayes's, where both sides have it.
        best_a, best_b: the models' answers.
        demonstrations: (M,) those shown by either side, matched by their text.
        posteriors: by kind, those that both sides have.
        kernels: by name, those that both sides have.
        attention: None where a side has none.
        prompt: the two prompts as one text, what is only in A or only in B marked.
        notes: what was not compared and why, and what a difference does not mean: one sentence each.
    """

    changes: tuple[Change, ...]
    shown: tuple[str, ...]
    answer: Aligned
    bayes: Aligned | None
    best_a: str
    best_b: str
    demonstrations: tuple[Match, ...]
    posteriors: dict[str, PosteriorDifference]
    kernels: dict[str, KernelDifference]
    attention: AttentionDifference | None
    prompt: tuple[Piece, ...]
    notes: tuple[str, ...]


def difference(a: Outcome, b: Outcome) -> Difference:
    """B − A: labels, tasks and kernels aligned by name, demonstrations by their text.

    A name that one side lacks has no value there (NaN), and so no difference. Total variation and KL are then taken
    over the names that both have, each side renormalised over them. Two outcomes of different models can be compared
    in everything but single heads.

    Args:
        a, b: two outcomes; their demonstrations, labels, tasks and models may all differ.
    """
    matched = match(a.demonstrations, b.demonstrations)
    both = [kind for kind in a.posteriors if kind in b.posteriors]
    shared = [name for name in a.kernels if name in b.kernels]
    return Difference(
        changes=changes(a.study, b.study),
        shown=_shown(a, b, matched),
        answer=_answers(a.answer, b.answer),
        bayes=None if a.bayes is None or b.bayes is None else _answers(a.bayes, b.bayes),
        best_a=a.answer.best,
        best_b=b.answer.best,
        demonstrations=matched,
        posteriors={kind: _posterior(a.posteriors[kind], b.posteriors[kind]) for kind in both},
        kernels={name: _kernel(a.kernels[name], b.kernels[name], matched) for name in shared},
        attention=None if a.attention is None or b.attention is None else _attention(a, b, matched),
        prompt=prompt_difference(a.prompt, b.prompt),
        notes=tuple(_notes(a, b)),
    )


def _answers(a: Answer, b: Answer) -> Aligned:
    return align(a.labels, a.probabilities, b.labels, b.probabilities)


def _posterior(a: Posterior, b: Posterior) -> PosteriorDifference:
    evidence = [None if side.log_evidence is None else float(side.log_evidence[-1]) for side in (a, b)]
    tasks = align(a.tasks, a.weights[-1], b.tasks, b.weights[-1])
    return PosteriorDifference(a.kind, len(a.weights) - 1, len(b.weights) - 1, tasks, *evidence)


def _kernel(a: Kernel, b: Kernel, matched: tuple[Match, ...]) -> KernelDifference:
    places_a, places_b = [pair.a for pair in matched], [pair.b for pair in matched]
    return KernelDifference(
        a.name,
        a.detail,
        b.detail,
        _at(a.normalised, places_a),
        _at(b.normalised, places_b),
        _at(a.raw, places_a),
        _at(b.raw, places_b),
        a.best,
        b.best,
    )


def _at(values: Floats, places: list[int | None]) -> Floats:
    """(…, M): the columns of `values` (…, n) at these places, NaN where there is no place."""
    out = np.full((*values.shape[:-1], len(places)), np.nan)
    for column, place in enumerate(places):
        if place is not None:
            out[..., column] = values[..., place]
    return out


def _same_heads(a: Outcome, b: Outcome) -> bool:
    """Whether both are of one checkpoint, in one number format or in two."""
    formats = a.study.model.dtype, b.study.model.dtype
    return a.fingerprint == b.fingerprint or (a.model == b.model and formats[0] != formats[1])


def _attention(a: Outcome, b: Outcome, matched: tuple[Match, ...]) -> AttentionDifference:
    assert a.attention is not None
    assert b.attention is not None
    both = {*a.attention.spans, *b.attention.spans}
    front = [name for name in (START, "instruction") if name in both]
    spans: tuple[str | int, ...] = (*front, *range(len(matched)), "query")
    heads_a = _at(a.attention.pooled, _columns(a.attention, spans, [pair.a for pair in matched]))
    heads_b = _at(b.attention.pooled, _columns(b.attention, spans, [pair.b for pair in matched]))
    same = _same_heads(a, b) and heads_a.shape == heads_b.shape
    return AttentionDifference(
        spans,
        heads_a.mean((0, 1)),
        heads_b.mean((0, 1)),
        heads_a if same else None,
        heads_b if same else None,
    )


def _columns(attention: Attention, spans: tuple[str | int, ...], places: list[int | None]) -> list[int | None]:
    """Where each span stands among those of one side."""
    lookup = {name: column for column, name in enumerate(attention.spans)}
    names = [
        span if isinstance(span, str) else None if (place := places[span]) is None else str(place + 1) for span in spans
    ]
    return [None if name is None else lookup.get(name) for name in names]


def _shown(a: Outcome, b: Outcome, matched: tuple[Match, ...]) -> tuple[str, ...]:
    """What differs among the demonstrations shown, where a strategy and not the table alone decides it."""
    decided = any(side.chosen.source != "demonstrations" or side.study.ordering != orderings.plain for side in (a, b))
    return moves(matched, len(a.demonstrations), len(b.demonstrations), "Shown: ", "place") if decided else ()


def _read_by(*menus: AnyRegistry) -> set[str]:
    return {field for menu in menus for entry in menu for field in entry.reads}


def _notes(a: Outcome, b: Outcome) -> list[str]:
    """What a reader of B − A must know."""
    notes = []
    if a.study.query.strip() != b.study.query.strip():
        notes.append("The queries differ, so the answers are to two questions.")
    # Fields that say what a probability is: the calibration, and what scorers alone read.
    scored = {"calibration"} | _read_by(scorers) - _read_by(*(menu for menu in MENUS.values() if menu is not scorers))
    if a.study.scoring != b.study.scoring:
        names = [scorers.find(side.study.scoring).title for side in (a, b)]
        notes.append(f"A is scored by {names[0]} and B by {names[1]}: their probabilities are two kinds of number.")
    elif any(change.read and change.field in scored for change in changes(a.study, b.study)):
        notes.append("Labels are scored in two ways, so the probabilities are two kinds of number.")
    for words, sides in (("exact Bayes", (a.bayes, b.bayes)), ("attention", (a.attention, b.attention))):
        notes += _one_sided(words, sides[0] is not None, sides[1] is not None)
    for kind in dict.fromkeys((*a.posteriors, *b.posteriors)):
        notes += _one_sided(f"the {kind} posterior", kind in a.posteriors, kind in b.posteriors)
    for name in dict.fromkeys((*a.kernels, *b.kernels)):
        notes += _one_sided(f"the {name} kernel", name in a.kernels, name in b.kernels)
        if name in a.kernels and name in b.kernels and a.kernels[name].detail != b.kernels[name].detail:
            notes.append(f"The {name} kernel is {a.kernels[name].detail} in A, and {b.kernels[name].detail} in B.")
    if a.attention is not None and b.attention is not None and not _same_heads(a, b):
        notes.append("The models differ, so their heads are not the same heads: attention is compared as a mean.")
    return notes


def _one_sided(what: str, in_a: bool, in_b: bool) -> list[str]:
    if in_a == in_b:
        return []
    return [f"{what[0].upper()}{what[1:]} is known in {'A' if in_a else 'B'} only, so it is not compared."]
