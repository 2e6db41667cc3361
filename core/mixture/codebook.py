"""Codebooks: the inputs of one document are tied to random labels, so that only its own context tells.

Inputs follow a Pólya urn over the domain's base (so they come back), and each distinct input's code is drawn once:

    p(x_{n+1} | x_1..n) = (α base(x) + #{i: x_i = x}) / (α + n)
    code(x) ~ θ = (1 − ODD) U(labels) + ODD p_any,   y | code = (1 − NOISE) [y = code] + NOISE u(y)

The codes are integrated out in closed form, input by input.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache

from core.mixture.anyword import AnyText
from core.mixture.domain import IN_RANGE, NOISE, STRAY, Domain
from core.mixture.families import KIND_PRIOR, Family

ALPHA = 3.0
ODD = 0.05
INSTRUCTION = "Remember the code."


class Codebook:
    """One codebook family: a domain's inputs, and a list of labels."""

    def __init__(self, name: str, domain: Domain, labels: tuple[str, ...], share: float, anything: AnyText) -> None:
        prior = domain.prior * KIND_PRIOR["codebook"] * share
        self.family = Family(name, domain.name, "codebook", INSTRUCTION, prior)
        self.domain, self.labels = domain, labels
        self._set = frozenset(labels)
        self._any = anything

    def noise(self, label: str) -> float:
        """u(y)."""
        return IN_RANGE * (label in self._set) / len(self.labels) + (1 - IN_RANGE) * math.exp(self._any.log_text(label))

    def code(self, label: str) -> float:
        """θ(y)."""
        return (1 - ODD) * (label in self._set) / len(self.labels) + ODD * math.exp(self._any.log_text(label))

    def from_labels(self, label: str) -> float:
        """P(a code was drawn from the labels | it is y)."""
        return (1 - ODD) * (label in self._set) / len(self.labels) / self.code(label)

    def base(self, text: str) -> float:
        """base(x), strays included."""
        return _base(self, text)

    def work_out_base(self, text: str) -> float:
        """`base`, which keeps it: a run asks for the same few texts after every demonstration."""
        stray = STRAY * math.exp(self._any.log_text(text))
        return stray + ((1 - STRAY) * math.exp(self.domain.log_base(text)) if self.domain.knows(text) else 0.0)

    def fresh(self) -> CodebookState:
        """The state before any demonstration."""
        return CodebookState(self)

    def draw(self, count: int, rng: random.Random) -> list[tuple[str, str]]:
        """`count` inputs and their codes, before label noise."""
        codes: dict[str, str] = {}
        inputs: list[str] = []
        for n in range(count):
            if rng.random() * (ALPHA + n) < n:
                inputs.append(rng.choice(inputs))
            else:
                inputs.append(self._any.draw(rng) if rng.random() < STRAY else self.domain.draw_input(rng))
            if inputs[-1] not in codes:
                codes[inputs[-1]] = self._any.draw(rng) if rng.random() < ODD else rng.choice(self.labels)
        return [(x, codes[x]) for x in inputs]


@lru_cache(maxsize=65_536)
def _base(book: Codebook, text: str) -> float:
    return book.work_out_base(text)


@lru_cache(maxsize=65_536)
def fresh_label(book: Codebook, label: str) -> float:
    """p(y | x) of an input that was not shown: the same for all."""
    return (1 - NOISE) * book.code(label) + NOISE * book.noise(label)


class CodebookState:
    """What a codebook has seen."""

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook
        self.seen: dict[str, tuple[str, ...]] = {}
        self.count = 0

    def after(self, x: str, y: str) -> CodebookState:
        """The state one demonstration later; this one stays as it is."""
        state = CodebookState(self.codebook)
        state.seen = {**self.seen, x: (*self.seen.get(x, ()), y)}
        state.count = self.count + 1
        return state

    def input_probability(self, x: str) -> float:
        """p(x | history)."""
        return (ALPHA * self.codebook.base(x) + len(self.seen.get(x, ()))) / (ALPHA + self.count)

    def codes(self, x: str) -> tuple[dict[str, float], float]:
        """Posterior of the code of x: (on the labels seen with it, what is left for all others)."""
        book, ys = self.codebook, self.seen.get(x, ())
        noises = {y: NOISE * book.noise(y) for y in set(ys)}
        # In logs: a product over hundreds of repeats of one input underflows.
        logs = {
            v: math.log(book.code(v)) + sum(math.log(noises[y] + (1 - NOISE) * (y == v)) for y in ys)
            for v in dict.fromkeys(ys)
        }
        unseen = 1 - sum(book.code(v) for v in logs)
        log_rest = math.log(unseen) + sum(math.log(noises[y]) for y in ys)
        top = max([log_rest, *logs.values()])
        weights = {v: math.exp(value - top) for v, value in logs.items()}
        rest = math.exp(log_rest - top)
        total = sum(weights.values()) + rest
        return {v: w / total for v, w in weights.items()}, rest / total

    def label_probabilities(self, x: str, labels: Sequence[str]) -> list[float]:
        """p(y | x, history) for each label."""
        if x not in self.seen:
            return [fresh_label(self.codebook, y) for y in labels]
        weights, rest = self.codes(x)
        book = self.codebook
        unseen = 1 - sum(book.code(v) for v in weights)
        out = []
        for y in labels:
            clean = weights[y] if y in weights else rest * book.code(y) / unseen
            out.append((1 - NOISE) * clean + NOISE * book.noise(y))
        return out

    def label_probability(self, x: str, y: str) -> float:
        """p(y | x, history)."""
        return self.label_probabilities(x, [y])[0] if x in self.seen else fresh_label(self.codebook, y)

    def label_marginal(self, y: str) -> float:
        """p(y | history) = Σ_x p(x | history) p(y | x, history): the inputs seen, and any other."""
        seen = [(self.input_probability(x), self.label_probability(x, y)) for x in self.seen]
        fresh = 1 - sum(p for p, _ in seen)
        unseen = (1 - NOISE) * self.codebook.code(y) + NOISE * self.codebook.noise(y)
        return sum(p * q for p, q in seen) + fresh * unseen
