"""Exact Bayes on GINC prompts, under two likelihoods (docs/methods.md §1.16).

"pretraining": the whole prompt is one chain from a concept's own start, as a pretraining document is. A prompt is not
such a chain, since the value jumps at every delimiter, and a floor on transitions lets it have a likelihood at all.

"prompt-aware": the chain starts anew at every delimiter, at a slot that all examples share and a uniform value, which
is how prompts are made (other starts have the floor's probability). The latent is then the concept and that slot, with
uniform prior.

Emission is deterministic, so of the states only those that emit the word seen carry weight; every step is a product of
small pieces of the transition matrix, and nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import StudyError
from core.hidden_markov.ginc import CONCEPTS, DELIMITER, FLOOR, SLOTS, VALUES, Ginc, draw_prompts, ginc, with_floor
from core.hidden_markov.model import Floats, HMMMixture, Ints
from core.runtime.progress import Stop, check, counting
from core.statistics.curves import Curve, curve_of
from core.statistics.distributions import softmax

NUMBERS = (0, 1, 2, 4, 8, 16, 32, 64)
Likelihood = Literal["pretraining", "prompt-aware"]
LIKELIHOODS: tuple[Likelihood, ...] = ("pretraining", "prompt-aware")


@dataclass(frozen=True)
class Prediction:
    """What exact Bayes says at each n = 0, 1, 2, 4 … up to the examples there are.

    Attributes:
        words: (B, N) likeliest y.
        posterior: (B, N, concepts) P(concept | prompt).
        log_likelihood: (B, N) log of the prompt's probability under the mixture, −∞ where it has none.
    """

    words: Ints
    posterior: Floats
    log_likelihood: Floats


class _Chain:
    """Transitions between the states that emit one word and those that emit the next.

    `emitters` (V, w) lists each word's states, padded with a state beyond the last that is never entered.
    """

    def __init__(self, mixture: HMMMixture) -> None:
        m, s = mixture.initial.shape
        emits = mixture.emission[0] > 0  # (S, V), the same for all concepts
        width = int(emits.sum(axis=0).max())
        self.emitters = np.full((mixture.observations, width), s)
        for word in range(mixture.observations):
            places = np.flatnonzero(emits[:, word])
            self.emitters[word, : len(places)] = places
        self.transition = np.zeros((m, s + 1, s + 1))
        self.transition[:, :s, :s] = mixture.transition
        self.initial = np.concatenate([mixture.initial, np.zeros((m, 1))], axis=1)
        self.emission = mixture.emission[0]

    def between(self, words: Ints, following: Ints) -> Floats:
        """P(h' | h) for the emitters of each word and of the next one, (M, B, w, w)."""
        found: Floats = self.transition[:, self.emitters[words][:, :, None], self.emitters[following][:, None, :]]
        return found

    def next_word(self, words: Ints, weights: Floats) -> Floats:
        """Σ_m P(next word, …) from weights (M, B, w) on the emitters of the words, (B, V), not normalised."""
        spread = np.zeros((*weights.shape[:2], self.transition.shape[2]))
        np.put_along_axis(spread, np.broadcast_to(self.emitters[words], weights.shape), weights, axis=2)
        ahead = (spread @ self.transition).sum(axis=0)[:, :-1]  # the padding state has no weight and is left out
        spoken: Floats = ahead @ self.emission
        return spoken

    def starts(self, words: Ints, floor: float) -> Floats:
        """P(h_1, o_1) for the emitters of o_1 when all examples start at slot 1, 2 …, (slots, B, w)."""
        states = self.emitters[words]
        own = states % SLOTS == np.arange(1, SLOTS)[:, None, None]
        chances = np.where(own, 1 / VALUES, floor) / (1 + floor * VALUES * (SLOTS - 1))
        inside: Floats = np.where(states < VALUES * SLOTS, chances, 0.0)
        return inside


def predict(
    mixture: HMMMixture, words: Ints, likelihood: Likelihood, floor: float = FLOOR, stop: Stop | None = None
) -> Prediction:
    """Exact Bayes after n = 0, 1, 2, 4 … examples.

    Args:
        mixture: the concepts it believes in.
        words: (B, E, k) examples; after n of them, the query is the x of the next.
        likelihood: "pretraining" or "prompt-aware".
        floor: smallest transition probability.
        stop: asked now and then.

    Raises:
        Cancelled: `stop` said so.
    """
    chain = _Chain(with_floor(mixture, floor) if floor > 0 else mixture)
    by = _one_chain if likelihood == "pretraining" else _anew
    return by(chain, words, np.log(mixture.prior), [n for n in NUMBERS if n < words.shape[1]], floor, stop)


def _one_chain(
    chain: _Chain, words: Ints, log_prior: Floats, numbers: list[int], floor: float, stop: Stop | None
) -> Prediction:
    count, examples, length = words.shape
    ended = np.concatenate([words, np.full((count, examples, 1), DELIMITER)], axis=2).reshape(count, -1)
    log_weight = np.repeat(log_prior[:, None], count, axis=1)  # (M, B) log P(m) P(o_1 … o_t | m)
    found = []
    for t in range(max(numbers) * (length + 1) + length - 1):
        check(stop)
        now = ended[:, t]
        if t == 0:
            weights = chain.initial[:, chain.emitters[now]]
        else:
            weights = np.einsum("mbi,mbij->mbj", weights, chain.between(ended[:, t - 1], now))
        weights, log_weight = _rescaled(weights, log_weight)
        if t % (length + 1) == length - 2 and t // (length + 1) in numbers:
            found.append(_conclude(chain, now, weights, log_weight))
    return _stacked(found)


def _anew(
    chain: _Chain, words: Ints, log_prior: Floats, numbers: list[int], floor: float, stop: Stop | None
) -> Prediction:
    count, _, length = words.shape
    shown = words[:, : max(numbers)].reshape(-1, length)
    later = _from_each_start(chain, shown, stop)  # (M, B · n, w)
    with np.errstate(divide="ignore"):
        examples = np.log(np.einsum("mbi,sbi->msb", later, chain.starts(shown[:, 0], floor)))
    examples = examples.reshape(CONCEPTS, SLOTS - 1, count, -1)
    prior = log_prior[:, None, None] - np.log(SLOTS - 1)
    found = []
    for n in numbers:
        check(stop)
        query = words[:, n, :-1]
        log_weight = prior + examples[..., :n].sum(axis=3)  # (M, slots, B)
        weights = np.repeat(chain.starts(query[:, 0], floor)[None], CONCEPTS, axis=0)  # (M, slots, B, w)
        weights, log_weight = _rescaled(weights, log_weight)
        for t in range(1, length - 1):
            weights = np.einsum("msbi,mbij->msbj", weights, chain.between(query[:, t - 1], query[:, t]))
            weights, log_weight = _rescaled(weights, log_weight)
        top = log_weight.max(axis=1)
        share = np.exp(log_weight - np.where(np.isfinite(top), top, 0.0)[:, None])
        merged = (weights * share[..., None]).sum(axis=1)
        found.append(_conclude(chain, query[:, -1], *_rescaled(merged, np.where(np.isfinite(top), top, -np.inf))))
    return _stacked(found)


def _from_each_start(chain: _Chain, words: Ints, stop: Stop | None) -> Floats:
    """P(o_2 … o_k | h_1) for the emitters of o_1, by the backward recursion, (M, B, w)."""
    later = np.ones((CONCEPTS, *chain.emitters[words[:, -1]].shape))
    for t in range(words.shape[1] - 2, -1, -1):
        check(stop)
        later = np.einsum("mbij,mbj->mbi", chain.between(words[:, t], words[:, t + 1]), later)
    return later


def _rescaled(weights: Floats, log_weight: Floats) -> tuple[Floats, Floats]:
    """Weights of total one over the last axis, and what was taken out of them as a logarithm."""
    total = weights.sum(axis=-1)
    with np.errstate(divide="ignore"):
        log_total = np.log(total)
    return np.divide(weights, total[..., None], out=np.zeros_like(weights), where=total[..., None] > 0), (
        log_weight + log_total
    )


def _conclude(chain: _Chain, words: Ints, weights: Floats, log_weight: Floats) -> tuple[Ints, Floats, Floats]:
    posterior = softmax(log_weight.T)  # (B, M)
    spoken = chain.next_word(words, weights * posterior.T[:, :, None])
    return spoken.argmax(axis=1), posterior, np.logaddexp.reduce(log_weight, axis=0)


def _stacked(found: list[tuple[Ints, Floats, Floats]]) -> Prediction:
    words, posterior, likelihood = zip(*found, strict=True)
    return Prediction(np.stack(words, axis=1), np.stack(posterior, axis=1), np.stack(likelihood, axis=1))


@dataclass(frozen=True)
class GincAccuracy:
    """Accuracy of exact Bayes at each n, means over data sets with intervals.

    Attributes:
        vocabulary, length: V and k.
        kind: "seen" or "unseen" concepts.
        numbers: (N,) values of n.
        accuracy: one curve a likelihood.
        certainty: mean posterior of the prompt's own concept, likewise; for unseen concepts, which have none, the
            largest posterior of any.
        impossible: share of prompts without any likelihood as one chain where transitions have no floor.
    """

    vocabulary: int
    length: int
    kind: str
    numbers: tuple[int, ...]
    accuracy: tuple[Curve, ...]
    certainty: tuple[Curve, ...]
    impossible: Curve


def ginc_accuracy(
    vocabulary: int,
    length: int,
    kind: str = "seen",
    *,
    prompts: int = 250,
    worlds: int = 10,
    numbers: tuple[int, ...] = NUMBERS,
    stop: Stop | None = None,
) -> GincAccuracy:
    """Exact Bayes' accuracy on fresh data sets.

    Args:
        vocabulary, length, kind: as in `ginc` and `draw_prompts`.
        prompts: prompts of each data set; the same ones serve every n, as their first n examples.
        worlds: data sets; intervals are over them.
        numbers: values of n, of 0, 1, 2, 4 … 64.

    Raises:
        StudyError: a vocabulary or length that makes no data set, or an n that is not among those.
        Cancelled: `stop` said so.
    """
    if not set(numbers) <= set(NUMBERS) or list(numbers) != [n for n in NUMBERS if n <= max(numbers)]:
        raise StudyError("Numbers of examples go 0, 1, 2, 4 … up to at most 64, without a gap.")
    hits, certainty, impossible = [], [], []
    with counting(worlds, "data sets") as advance:
        for seed in range(worlds):
            world: Ginc = ginc(vocabulary, seed)
            generator = np.random.default_rng([seed, vocabulary, length, kind == "seen"])
            drawn = draw_prompts(world, kind, length, max(numbers) + 1, prompts, generator)
            right = drawn.labels[:, list(numbers)]
            said = [predict(world.seen, drawn.words, way, stop=stop) for way in LIKELIHOODS]
            hits.append([(one.words == right).mean(axis=0) for one in said])
            certainty.append([_certainty(one.posterior, drawn.concepts, kind) for one in said])
            bare = predict(world.seen, drawn.words, "pretraining", floor=0.0, stop=stop)
            impossible.append(np.isneginf(bare.log_likelihood).mean(axis=0))
            advance(seed + 1)

    def curves(values: list[list[Floats]], span: tuple[float, float] | None = None) -> tuple[Curve, ...]:
        table = np.array(values)  # (worlds, likelihoods, N)
        return tuple(curve_of(way, table[:, i], span=span) for i, way in enumerate(LIKELIHOODS))

    return GincAccuracy(
        vocabulary,
        length,
        kind,
        tuple(numbers),
        curves(hits, (0.0, 1.0)),
        curves(certainty),
        curve_of("no likelihood without a floor", np.array(impossible)),
    )


def _certainty(posterior: Floats, concepts: Ints, kind: str) -> Floats:
    own = posterior[np.arange(len(concepts)), :, concepts] if kind == "seen" else posterior.max(axis=2)
    mean: Floats = own.mean(axis=0)
    return mean
