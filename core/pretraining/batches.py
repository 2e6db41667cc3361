"""Batches of documents, each drawn from (seed, step) alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.mixture.documents import REVERSED, Document, draw_document
from core.mixture.mixture import Mixture
from core.pretraining.chain_of_thought import Form, draw_reasoned, scored_places
from core.pretraining.teacher import Aim, Teacher
from core.pretraining.writer import Writer

GIVEN_SHARE = 0.1  # share of the given tokens (not answers) that carry a loss
BACKWARD_WEIGHT = 0.5  # of a token of an input in a document written y → x, whose inputs may be long
STEP_WEIGHT = 0.3  # of a token of an answer with its steps, which has many, most of them plain to foresee
GROWING_WEIGHT = 2.0  # of a label in a document of growing sums, which has few
END = 0  # stands in a stored aim for the token after an answer, which its template decides

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Emphasis:
    """A domain drawn more often than its prior: as an aim is conditional on its context, this moves no optimum.

    Attributes:
        domain: its name.
        share: of all documents.
        backward: share of these that are written y → x.
    """

    domain: str
    share: float
    backward: float = REVERSED


@dataclass(frozen=True)
class Menu:
    """What documents are drawn from, beside the mixture.

    Attributes:
        codebooks: share of codebooks.
        emphasis: domains drawn more often.
        reasoned: share of reasoned documents.
    """

    codebooks: float = 0.0
    emphasis: tuple[Emphasis, ...] = field(default=())
    reasoned: float = 0.0


MIXTURE_ALONE = Menu()


@dataclass(frozen=True)
class TrainingExample:
    """A document and what exact Bayes says of its answers.

    Attributes:
        document: drawn.
        aims: for every pair, the aims of its answer's first tokens; empty where the draw itself is the aim.
        natural: whether it was drawn from the mixture, so that its given tokens may carry a loss.
        form, plain: of a reasoned document, its form and how many of its pairs are in the plain one.
    """

    document: Document
    aims: tuple[tuple[Aim, ...], ...]
    natural: bool
    form: Form | None = None
    plain: int = 0


@dataclass(frozen=True)
class Group:
    """Documents of like length, padded to one.

    Attributes:
        tokens: (documents, longest) ids.
        scored: (n,) flat places whose next token carries a loss.
        targets: (n,) those next tokens.
        weights: (n,) of each.
        aims: (n,) distribution to aim at instead of the target, or None.
    """

    tokens: Ints
    scored: Ints
    targets: Ints
    weights: NDArray[np.float32]
    aims: tuple[Aim | None, ...]


def draw_example(
    mixture: Mixture, teacher: Teacher | None, rng: random.Random, menu: Menu = MIXTURE_ALONE
) -> TrainingExample:
    """A document of the mixture, or of what the menu puts beside it."""
    family, backward = None, REVERSED
    if menu.codebooks and rng.random() < menu.codebooks:
        family = rng.choice([f.name for f in mixture.details if f.kind == "codebook"])
    elif menu.emphasis or menu.reasoned:
        left = rng.random() - menu.reasoned
        if left < 0:
            document, form, plain = draw_reasoned(mixture, rng)
            return TrainingExample(document, (), False, form, plain)
        for one in menu.emphasis:
            left -= one.share
            if left < 0:
                inside = [f for f in mixture.details if f.domain == one.domain]
                family = rng.choices([f.name for f in inside], [f.prior for f in inside])[0]
                backward = one.backward
                break
    document = draw_document(mixture, rng, family=family, reversed_share=backward)
    aims: tuple[tuple[Aim, ...], ...] = ()
    if teacher is not None and document.reversed:
        aims = tuple(tuple(some or ()) for some in teacher.backward(document.pairs, document.instruction, END))
    elif teacher is not None:
        aims = tuple((aim,) for aim in teacher.forward(document.pairs, document.instruction))
    return TrainingExample(document, aims, family is None)


def draw_batch(
    mixture: Mixture, writer: Writer, seed: int, step: int, documents: int, groups: int, menu: Menu = MIXTURE_ALONE
) -> list[Group]:
    """The batch of a step, aimed at its own draws."""
    rng = random.Random(f"{seed}/{step}")
    examples = [draw_example(mixture, None, rng, menu) for _ in range(documents)]
    return collate(examples, writer, rng, groups)


def collate(examples: Sequence[TrainingExample], writer: Writer, rng: random.Random, groups: int) -> list[Group]:
    """Examples as padded groups; `rng` decides which given tokens carry a loss."""
    written = [(example, *writer.write(example.document)) for example in examples]
    written.sort(key=lambda one: len(one[1]))
    out = []
    for g in range(groups):
        some = written[g * len(written) // groups : (g + 1) * len(written) // groups]
        longest = len(some[-1][1])
        tokens = np.zeros((len(some), longest), np.int64)
        places: list[int] = []
        weights: list[float] = []
        aims: list[Aim | None] = []
        for row, (example, ids, spans) in enumerate(some):
            tokens[row, : len(ids)] = ids
            found = _scored(example, len(ids), spans, writer, rng)
            places += [row * longest + place for place, _, _ in found]
            weights += [weight for _, weight, _ in found]
            aims += [aim for _, _, aim in found]
        scored = np.array(places)
        targets = tokens.ravel()[scored + 1]
        out.append(Group(tokens, scored, targets, np.array(weights, np.float32), tuple(aims)))
    return out


def _scored(
    example: TrainingExample, length: int, spans: Sequence[tuple[int, int]], writer: Writer, rng: random.Random
) -> list[tuple[int, float, Aim | None]]:
    """Places whose next token carries a loss, its weight, and its aim where that is not the token itself."""
    document = example.document
    if example.form is not None:
        weight = GROWING_WEIGHT if example.form == "growing" else STEP_WEIGHT
        return [(place, weight, None) for place in scored_places(example.form, example.plain, spans)]
    weight = BACKWARD_WEIGHT if example.aims and document.reversed else 1.0
    answers: dict[int, Aim | None] = {}
    for n, (start, end) in enumerate(spans):
        aims = example.aims[n] if example.aims else ()
        for j, place in enumerate(range(start - 1, end - 1)):
            answers[place] = _with_end(aims[j], writer, document) if j < len(aims) else None
    share = GIVEN_SHARE if example.natural or not example.aims else 0.0
    return [
        (place, weight if place in answers else 1.0, answers.get(place))
        for place in range(length - 1)
        if place in answers or rng.random() < share
    ]


def _with_end(aim: Aim, writer: Writer, document: Document) -> Aim:
    """The aim with its template's own token for the end of an answer."""
    if not len(aim.ids) or aim.ids[0] != END:
        return aim
    ids = aim.ids.copy()
    ids[0] = writer.ids(document.template.end)[0]
    return Aim(ids, aim.probabilities, aim.rest)
