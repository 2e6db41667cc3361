"""A domain: a set of inputs and the latents (tasks, each fully specified) that may generate their labels.

For a latent T of a domain: x ~ (1 − STRAY) p(x|T) + STRAY p_any(x), and for the inputs it knows

    p(y|x,T) = (1 − NOISE) Σ_s share_T(s|x) [y = answer_T(s, x)] + NOISE u_T(y)
    u_T(y)   = IN_RANGE [y ∈ range T] / |range T| + (1 − IN_RANGE) p_any(y)

where s runs over the classes that x may have (one, but for reviews).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.mixture.families import CLASS_BALANCES, KIND_PRIOR, Balances, DomainSpec, Family, Kind
from core.mixture.lexicon import label_pairs

NOISE = 0.04
IN_RANGE = 0.75
STRAY = 0.01

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TaskAnswers:
    """What every latent of a domain answers to one input.

    Attributes:
        words: distinct answers.
        index: (T, S) places in `words`.
        share: (T, S) probability of each, before label noise; rows sum to one.
    """

    words: tuple[str, ...]
    index: Ints
    share: Floats


class Domain(Protocol):
    """What the mixture asks of a domain. T latents, all arrays (T,)."""

    name: str
    prior: float
    families: tuple[Family, ...]
    family_of: Ints
    log_prior: Floats  # log P(latent | domain, not a codebook)

    def knows(self, text: str) -> bool:
        """Whether x is one of the domain's inputs."""
        ...

    def writes(self, text: str) -> bool:
        """Whether a task of the domain can draw x other than as a stray; such an x is known, too."""
        ...

    def log_input(self, text: str) -> Floats:
        """log p(x|T) before strays, for an x that the domain knows."""
        ...

    def log_base(self, text: str) -> float:
        """log p(x) of the inputs that the domain's codebook draws from, before strays."""
        ...

    def answers(self, text: str) -> TaskAnswers:
        """What each latent answers to x, for an x that the domain knows."""
        ...

    def range_share(self, label: str) -> Floats:
        """[y ∈ range T] / |range T|, (T,)."""
        ...

    def range_shares(self, labels: Sequence[str]) -> Floats:
        """`range_share` of each label, (T, L)."""
        ...

    def range_square(self) -> Floats:
        """Σ_y ([y ∈ range T] / |range T|)², zero for a range that holds every text."""
        ...

    @property
    def range_words(self) -> tuple[str, ...]:
        """The words of all ranges; ranges that hold every text are left out."""
        ...

    def range_mass(self, weights: Floats) -> Floats:
        """Σ_T w_T / |range T| by `range_words`."""
        ...

    def label_mass(self, label: str) -> Floats:
        """p(y|T) before strays: Σ_x p(x|T) Σ_s share(s|x) [y = answer(s, x)], noise left out."""
        ...

    def draw(self, latent: int, rng: random.Random) -> tuple[str, str]:
        """x ~ p(x|T) and its label before noise."""
        ...

    def draw_input(self, rng: random.Random) -> str:
        """An input for the codebook."""
        ...

    def draw_in_range(self, latent: int, rng: random.Random) -> str | None:
        """A label uniform over the range of T, or None where the range is every text."""
        ...


class Split:
    """Inputs in two classes, shared by all latents that read them.

    Attributes:
        classes: (X,) 0 or 1.
        members: the inputs of either class.
    """

    def __init__(self, classes: tuple[int, ...]) -> None:
        self.classes = np.array(classes)
        self.members = tuple(tuple(np.flatnonzero(self.classes == c).tolist()) for c in (0, 1))

    def log_input(self, balance: float) -> Floats:
        """log p(x), (X,), where class 0 has probability `balance` and x is uniform within its class."""
        per_class = np.log([balance, 1 - balance]) - np.log([len(members) for members in self.members])
        spread: Floats = per_class[self.classes]
        return spread


@dataclass(frozen=True)
class Latent:
    """A fully specified task on enumerable inputs.

    Attributes:
        family: place among the domain's families.
        prior: P(latent | domain, not a codebook).
        words: distinct answers; `index` (X,) is the place of each input's among them.
        split: classes of the inputs (or their halves, for a map of a domain that has two); None when x is uniform.
        balance: P(class 0), read when there is a split.
    """

    family: int
    prior: float
    words: tuple[str, ...]
    index: Ints
    split: Split | None = None
    balance: float = 0.5


def concept_latents(labels: tuple[str, str], balances: Balances) -> list[tuple[Kind, float, tuple[str, str], float]]:
    """The latents of a two-class concept: (kind, prior within kind, labels of the classes, P(class 0))."""
    ordered = [pair for first, second in label_pairs() for pair in ((first, second), (second, first))]
    kinds: list[tuple[Kind, list[tuple[str, str]]]] = [
        ("natural", [labels]),
        ("flipped", [(labels[1], labels[0])]),
        ("arbitrary", ordered),
    ]
    return [
        (kind, weight / len(names), pair, balance)
        for kind, names in kinds
        for pair in names
        for balance, weight in balances
    ]


def kind_shares(has_concepts: bool) -> dict[Kind, float]:
    """P(kind | domain, not a codebook)."""
    kinds: tuple[Kind, ...] = ("map", "natural", "flipped", "arbitrary") if has_concepts else ("map",)
    total = sum(KIND_PRIOR[kind] for kind in kinds)
    return {kind: KIND_PRIOR[kind] / total for kind in kinds}


CONCEPT_SUFFIX: dict[Kind, str] = {"natural": "", "flipped": " (flipped)", "arbitrary": " (arbitrary)"}


class EnumeratedDomain:
    """A domain whose inputs are listed."""

    def __init__(self, spec: DomainSpec, balances: Balances = CLASS_BALANCES) -> None:
        self.name, self.prior, self.inputs = spec.name, spec.prior, spec.inputs
        families, latents = _latents(spec, balances)
        self.families = tuple(families)
        self.latents = tuple(latents)
        self.family_of = np.array([latent.family for latent in latents])
        self.log_prior = np.log([latent.prior for latent in latents])
        self._place = {text: i for i, text in reversed(list(enumerate(spec.inputs)))}
        self._halves = Split(spec.halves) if spec.halves else None
        even = np.full(len(spec.inputs), -math.log(len(spec.inputs)))
        self._log_base = even if self._halves is None else self._halves.log_input(0.5)
        self.base = np.exp(self._log_base)  # (X,) p(x) of what the codebook draws from
        self._build_tables()

    def _build_tables(self) -> None:
        words = sorted({word for latent in self.latents for word in latent.words})
        self._answers: dict[str, TaskAnswers] = {}
        self._words = tuple(words)
        self._word_place = {word: i for i, word in enumerate(words)}
        x, t = len(self.inputs), len(self.latents)
        self._table = np.zeros((t, x), dtype=np.int64)  # (T, X) answer of each latent to each input
        self._log_input = np.full((t, x), -math.log(x))  # (T, X)
        self._range = np.zeros((t, len(words)))  # (T, W) [w ∈ range T] / |range T|
        self._ranges: list[tuple[str, ...]] = []
        for i, latent in enumerate(self.latents):
            places = np.array([self._word_place[word] for word in latent.words])
            self._table[i] = places[latent.index]
            self._ranges.append(tuple(sorted(latent.words)))
            self._range[i, places] = 1 / len(places)
            if latent.split is not None:
                self._log_input[i] = latent.split.log_input(latent.balance)
        self._input = np.exp(self._log_input)
        # (T, W) p(y|T) before noise
        rows = zip(self._table, self._input, strict=True)
        self._mass = np.array([np.bincount(answers, p, len(words)) for answers, p in rows])

    def knows(self, text: str) -> bool:
        return text in self._place

    def writes(self, text: str) -> bool:
        return text in self._place

    def place(self, text: str) -> int:
        """Place of an input that the domain knows; of its first where it is listed twice."""
        return self._place[text]

    def log_input(self, text: str) -> Floats:
        column: Floats = self._log_input[:, self._place[text]]
        return column

    def log_base(self, text: str) -> float:
        return float(self._log_base[self._place[text]])

    def answers(self, text: str) -> TaskAnswers:
        found = self._answers.get(text)
        if found is None:
            column = self._table[:, self._place[text]]
            distinct, index = np.unique(column, return_inverse=True)
            words = tuple(self._words[i] for i in distinct)
            found = self._answers[text] = TaskAnswers(words, index.reshape(-1, 1), np.ones((len(column), 1)))
        return found

    def inputs_with(self, label: str, weights: Floats, anything: float) -> Floats:
        """Σ_T w_T p(x|T) p(y|x,T) for every input, before strays, (X,); `anything` is p_any(y)."""
        live = np.flatnonzero(weights > weights.max() * 1e-7)
        w, inputs = weights[live], self._input[live]
        noise = NOISE * (IN_RANGE * self.range_share(label)[live] + (1 - IN_RANGE) * anything)
        out: Floats = (w * noise) @ inputs
        place = self._word_place.get(label)
        if place is not None:
            out += (1 - NOISE) * (w[:, None] * inputs * (self._table[live] == place)).sum(axis=0)
        return out

    def range_share(self, label: str) -> Floats:
        return self._column(self._range, label)

    def range_shares(self, labels: Sequence[str]) -> Floats:
        places = np.array([self._word_place.get(label, -1) for label in labels], dtype=np.intp)
        shares: Floats = np.take(self._range, places, axis=1)
        shares[:, places < 0] = 0.0
        return shares

    def range_square(self) -> Floats:
        square: Floats = (self._range**2).sum(axis=1)
        return square

    @property
    def range_words(self) -> tuple[str, ...]:
        return self._words

    def range_mass(self, weights: Floats) -> Floats:
        mass: Floats = weights @ self._range
        return mass

    def label_mass(self, label: str) -> Floats:
        return self._column(self._mass, label)

    def _column(self, matrix: Floats, label: str) -> Floats:
        place = self._word_place.get(label)
        return np.zeros(len(self.latents)) if place is None else matrix[:, place]

    def draw(self, latent: int, rng: random.Random) -> tuple[str, str]:
        one = self.latents[latent]
        if one.split is None:
            i = int(rng.random() * len(self.inputs))
        else:
            i = rng.choice(one.split.members[rng.random() >= one.balance])
        return self.inputs[i], one.words[one.index[i]]

    def draw_input(self, rng: random.Random) -> str:
        if self._halves is None:
            return rng.choice(self.inputs)
        return self.inputs[rng.choice(rng.choice(self._halves.members))]

    def draw_in_range(self, latent: int, rng: random.Random) -> str | None:
        return rng.choice(self._ranges[latent])


def _latents(spec: DomainSpec, balances: Balances) -> tuple[list[Family], list[Latent]]:
    shares = kind_shares(bool(spec.concepts))
    # The codebook takes its share of the domain; `Family.prior` is P(family) over the whole mixture.
    enumerated = spec.prior * (1 - KIND_PRIOR["codebook"])
    families: list[Family] = []
    latents: list[Latent] = []
    total = sum(m.weight for m in spec.maps)
    halves = Split(spec.halves) if spec.halves else None
    for m in spec.maps:
        prior = shares["map"] * m.weight / total
        words = tuple(dict.fromkeys(m.answers))
        place = {word: i for i, word in enumerate(words)}
        latents.append(Latent(len(families), prior, words, np.array([place[y] for y in m.answers]), halves))
        families.append(Family(m.name, spec.name, "map", m.instruction, enumerated * prior))
    for concept in spec.concepts:
        places: dict[Kind, int] = {}
        split = Split(concept.classes)
        for kind in ("natural", "flipped", "arbitrary"):
            places[kind] = len(families)
            prior = shares[kind] / len(spec.concepts)
            name = concept.name + CONCEPT_SUFFIX[kind]
            families.append(Family(name, spec.name, kind, concept.instruction, enumerated * prior))
        for kind, within, labels, balance in concept_latents(concept.labels, balances):
            prior = within * shares[kind] / len(spec.concepts)
            latents.append(Latent(places[kind], prior, labels, split.classes, split, balance))
    return families, latents
