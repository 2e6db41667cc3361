"""What exact Bayes says of every answer of a document, so that training can aim at it instead of at the draw.

Over draws y ~ p, the mean gradient of −log q(y) is that of −Σ_y p(y) log q(y). So the drawn answer may be replaced by
exact Bayes's distribution given the same context: the aim is the same, and the noise of the draw is gone. As the aim is
conditional on the context, it holds whatever the contexts are drawn from.

One pass over a document keeps log P(T, D_n) of the domains that are still in the running.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.mixture.codebook import ALPHA, CodebookState
from core.mixture.domain import IN_RANGE, NOISE, STRAY, EnumeratedDomain, Floats
from core.mixture.mixture import Block, Mixture
from core.mixture.reviews import ReviewDomain
from core.pretraining.first_token import FirstToken
from core.pretraining.review_tokens import ReviewTokens

HOPELESS = 16.0  # nats below the best latent at which a domain leaves the running: 1e-7
SMALL = 2e-5  # a token of less probability is left to p_any
END = -1  # stands for the token after an input
NEARLY_ALL = 0.98  # share of the evidence that one kind of domain must have for its inputs to be foreseen


@dataclass
class DomainState:
    """A domain in the running: log P(T, D_n) of its latents, and the states of its codebooks."""

    block: Block
    joint: Floats
    states: tuple[CodebookState, ...]
    tasks: int  # its latents that are not codebooks


@dataclass(frozen=True)
class Aim:
    """A distribution over tokens: `probabilities` of `ids`, and the rest spread like p_any."""

    ids: np.ndarray[tuple[int], np.dtype[np.int32]]
    probabilities: np.ndarray[tuple[int], np.dtype[np.float32]]
    rest: float


class Teacher:
    """Aims for the answers of documents of a mixture."""

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture
        self.first = FirstToken(mixture)
        self.anything = self.first.anything
        self._range_ids: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._inputs: dict[str, np.ndarray[tuple[int, int], np.dtype[np.int64]]] = {}
        for block in mixture.blocks:
            domain = block.domain
            self._range_ids[domain.name] = np.array([self.first.ids[word] for word in domain.range_words])
            if isinstance(domain, EnumeratedDomain):
                self._inputs[domain.name] = _padded([self._ids(text) for text in domain.inputs])
            if isinstance(domain, ReviewDomain):
                self._reviews = ReviewTokens(domain, self.first.ids)

    def _ids(self, text: str) -> list[int]:
        return [self.first.ids[token] for token in self.first.tokens_of(text)]

    def _start(self, instruction: str) -> list[DomainState]:
        prior = self.mixture.log_prior + self.mixture.log_instruction(instruction)
        return [
            DomainState(
                block,
                prior[block.start : block.end],
                tuple(CodebookState(book) for book in block.codebooks),
                block.first_codebook - block.start,
            )
            for block in self.mixture.blocks
        ]

    def _after(self, running: list[DomainState], x: str, y: str) -> list[DomainState]:
        """The running one demonstration later."""
        log_any = self.mixture.anything.log_text(x)
        anything = np.exp([self.mixture.anything.log_text(y)])
        for one in running:
            labels = one.block.label_probabilities(x, [y], one.states, anything)[:, 0]
            one.joint = one.joint + one.block.log_inputs(x, one.states, log_any) + np.log(labels)
            one.states = tuple(state.after(x, y) for state in one.states)
        best = max(float(one.joint.max()) for one in running)
        return [one for one in running if one.joint.max() > best - HOPELESS]

    def forward(self, pairs: Sequence[tuple[str, str]], instruction: str = "") -> Iterator[Aim]:
        """For every answer of a document written x → y, the aim of its first token."""
        running = self._start(instruction)
        for x, y in pairs:
            yield self._label(running, x)
            running = self._after(running, x, y)

    def _label(self, running: list[DomainState], x: str) -> Aim:
        """p(first token of y | x, D)."""
        log_any = self.mixture.anything.log_text(x)
        logs = [one.joint + one.block.log_inputs(x, one.states, log_any) for one in running]
        out, rest = np.zeros(len(self.anything)), 0.0
        for one, weights in zip(running, _shares(logs), strict=True):
            tasks, domain = weights[: one.tasks], one.block.domain
            total = float(tasks.sum())
            level = 1.0
            if domain.knows(x):
                level = NOISE
                answers = domain.answers(x)
                mass = np.bincount(answers.index.ravel(), (tasks[:, None] * answers.share).ravel(), len(answers.words))
                for word, p in zip(answers.words, mass.tolist(), strict=True):
                    out[self.first.first(word)] += (1 - NOISE) * p
            ranges = domain.range_mass(tasks)
            out += np.bincount(self._range_ids[domain.name], level * IN_RANGE * ranges, len(out))
            rest += level * (total - IN_RANGE * float(ranges.sum()))
            for book, state, weight in zip(one.block.codebooks, one.states, weights[one.tasks :], strict=True):
                if weight > SMALL:
                    out += weight * self.first.book(book, state, x)
        return self._aim(out, rest)

    def _aim(self, out: Floats, rest: float) -> Aim:
        total = out.sum() + rest
        ids = np.flatnonzero(out > SMALL * total)
        probabilities = (out[ids] / total).astype(np.float32)
        return Aim(ids.astype(np.int32), probabilities, max(0.0, 1.0 - float(probabilities.sum())))

    def backward(self, pairs: Sequence[tuple[str, str]], instruction: str, end: int) -> Iterator[list[Aim] | None]:
        """For every input of a document written y → x, the aims of its tokens; `end` is the token after an input.

        None where they are not foreseen: spelled words, strays, and documents whose domain is still open to reviews.
        """
        running = self._start(instruction)
        for x, y in pairs:
            yield self._input(running, x, y, end)
            running = self._after(running, x, y)

    def _input(self, running: list[DomainState], x: str, y: str, end: int) -> list[Aim] | None:
        anything = math.exp(self.mixture.anything.log_text(y))
        weights = _shares([one.joint for one in running])
        evidence = [self._evidence(one, w, y, anything) for one, w in zip(running, weights, strict=True)]
        total = sum(evidence)
        kinds: dict[type, float] = {}
        for one, p in zip(running, evidence, strict=True):
            kinds[type(one.block.domain)] = kinds.get(type(one.block.domain), 0.0) + p / total
        if kinds.get(ReviewDomain, 0.0) > NEARLY_ALL:
            place = next(i for i, one in enumerate(running) if isinstance(one.block.domain, ReviewDomain))
            return self._review(running[place], weights[place], x, y, anything, end)
        if kinds.get(EnumeratedDomain, 0.0) > NEARLY_ALL:
            return self._enumerated(running, weights, x, y, anything, end)
        return None

    def _evidence(self, one: DomainState, weights: Floats, y: str, anything: float) -> float:
        """Σ_T w_T p(y|T, history)."""
        domain = one.block.domain
        noise = IN_RANGE * domain.range_share(y) + (1 - IN_RANGE) * anything
        tasks = (1 - NOISE) * domain.label_mass(y) + NOISE * noise
        books = sum(
            float(w) * state.label_marginal(y) for w, state in zip(weights[one.tasks :], one.states, strict=True)
        )
        return float(weights[: one.tasks] @ tasks) + books

    def _enumerated(
        self, running: list[DomainState], weights: list[Floats], x: str, y: str, anything: float, end: int
    ) -> list[Aim] | None:
        inputs: list[tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], Floats]] = []
        for one, w in zip(running, weights, strict=True):
            domain = one.block.domain
            if not isinstance(domain, EnumeratedDomain) or w.sum() < SMALL:
                continue
            mass = domain.inputs_with(y, w[: one.tasks], anything)
            for weight, state in zip(w[one.tasks :].tolist(), one.states, strict=True):
                if weight > SMALL:
                    mass = mass + weight * _codebook_inputs(domain, state, y)
            inputs.append((self._inputs[domain.name], mass))
        out = []
        target = self._ids(x)
        for j, token in enumerate(target):
            dense = np.zeros(len(self.anything))
            for ids, p in inputs:
                column = np.where(ids[:, j] == END, end, ids[:, j])
                dense += np.bincount(column, p, len(dense))
            stray = STRAY * float(dense.sum()) / (1 - STRAY) if j == 0 else 0.0
            out.append(self._aim(dense, stray))
            alike = [(ids, p, ids[:, j] == token) for ids, p in inputs if ids.shape[1] > j + 1]
            inputs = [(ids[same], p[same]) for ids, p, same in alike if same.any()]
            if not inputs:
                return None  # a stray
        return out

    def _review(self, one: DomainState, weights: Floats, x: str, y: str, anything: float, end: int) -> list[Aim] | None:
        domain = one.block.domain
        assert isinstance(domain, ReviewDomain)
        classes = domain.classes_with(y, weights[: one.tasks], anything)
        even, seen = 0.0, []
        for weight, state in zip(weights[one.tasks :].tolist(), one.states, strict=True):
            book = state.codebook
            fresh = (1 - NOISE) * book.code(y) + NOISE * book.noise(y)
            even += weight * ALPHA / (ALPHA + state.count) * fresh
            seen += [
                (self._ids(text), weight * len(ys) / (ALPHA + state.count) * state.label_probability(text, y))
                for text, ys in state.seen.items()
            ]
        found = self._reviews.distributions(classes, even, seen, self._ids(x), end)
        return None if found is None else [self._aim(dense, 0.0) for dense in found]


def _padded(rows: Sequence[list[int]]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Token ids of texts, one a row, each followed by `END` to the longest's end."""
    out = np.full((len(rows), max(map(len, rows)) + 1), END)
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out


def _codebook_inputs(domain: EnumeratedDomain, state: CodebookState, y: str) -> Floats:
    """p(x, y | history) of a codebook for every input of its domain, (X,)."""
    book = state.codebook
    fresh = (1 - NOISE) * book.code(y) + NOISE * book.noise(y)
    out: Floats = (1 - STRAY) * ALPHA * domain.base / (ALPHA + state.count) * fresh
    for text in state.seen:
        if domain.knows(text):
            out[domain.place(text)] = state.input_probability(text) * state.label_probability(text, y)
    return out


def _shares(logs: Sequence[Floats]) -> list[Floats]:
    """Softmax over all domains together."""
    top = max(float(log.max()) for log in logs)
    weights = [np.exp(log - top) for log in logs]
    total = sum(float(w.sum()) for w in weights)
    return [w / total for w in weights]
