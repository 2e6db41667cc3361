"""What a task is: a family (named, with a prior and an instruction) and its latents (what exactly it answers)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["map", "natural", "flipped", "arbitrary", "codebook"]

# P(kind of task | domain), shared out over the families of that kind.
KIND_PRIOR: dict[Kind, float] = {"map": 0.56, "natural": 0.10, "flipped": 0.08, "arbitrary": 0.15, "codebook": 0.11}

# Three possible class balances of a two-class task: (P(class 0), prior). An unknown balance is what makes the direct
# and the channel score differ under Bayes: seven labels of eight alike, and a review that speaks weakly for the other
# class is outvoted by the balance inferred.
Balances = tuple[tuple[float, float], ...]
CLASS_BALANCES: Balances = ((0.08, 0.36), (0.5, 0.28), (0.92, 0.36))

# The same, and how clear reviews are, in the mixture that training begins with.
EARLY_BALANCES: Balances = ((0.2, 0.25), (0.5, 0.5), (0.8, 0.25))
EARLY_CLEAR = 0.92


@dataclass(frozen=True)
class Family:
    """A family of tasks, one bar of the posterior.

    Attributes:
        name: unique name, such as "French" or "sentiment (flipped)".
        domain: the domain whose inputs it reads.
        kind: "map" (a fixed function), a two-class concept with natural, flipped or arbitrary labels, or "codebook"
            (inputs tied to random labels for one document).
        instruction: the sentence that may open one of its documents.
        prior: P(family).
    """

    name: str
    domain: str
    kind: Kind
    instruction: str
    prior: float


@dataclass(frozen=True)
class MapSpec:
    """A fixed function on a domain: its answer for every input."""

    name: str
    instruction: str
    answers: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class ConceptSpec:
    """A two-class concept on a domain: the class of every input and the natural names of the classes."""

    name: str
    instruction: str
    classes: tuple[int, ...]
    labels: tuple[str, str]


@dataclass(frozen=True)
class DomainSpec:
    """A domain of enumerable inputs and the tasks on them.

    Attributes:
        name: name of the domain.
        prior: P(domain).
        inputs: (X,) the inputs; x is uniform over them, or over the inputs of its class.
        maps, concepts: the tasks.
        halves: (X,) 0 or 1, where the inputs fall into two parts that come equally often however many each holds; x is
            uniform within its part, for maps and for the codebook. Empty where there are none.
    """

    name: str
    prior: float
    inputs: tuple[str, ...]
    maps: tuple[MapSpec, ...]
    concepts: tuple[ConceptSpec, ...] = field(default=())
    halves: tuple[int, ...] = ()
