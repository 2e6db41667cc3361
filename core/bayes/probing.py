"""Probes: inputs on which tasks disagree, and what each family would answer to them, to decode a posterior by."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.mixture.codebook import ALPHA, Codebook, CodebookState
from core.mixture.domain import IN_RANGE, NOISE, STRAY, Floats

if TYPE_CHECKING:
    from core.mixture.mixture import Block, Mixture

CANDIDATES = 64  # inputs looked at for each probe set
LARGEST_ANSWERS = 64
LIVE = 32  # tasks that probes are chosen to tell apart
SEPARATED = 0.3
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Components:
    """What each family would say at each probe after n demonstrations.

    Attributes:
        probes: (Q,) inputs.
        answers: for each probe its candidate answers, at most A.
        families: (f,) places of the families that can hold some probe, ascending; the others say nothing here.
        joint: (k + 1, Q, f, A) p(x_q, y_a | F, D_n), zero past a probe's own answers, and zero for the families of
            domains that cannot hold x_q. A distribution q over the answers at probe x_q decodes as
            q(a) ∝ Σ_F w_F joint[n, q, F, a].
    """

    probes: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    families: NDArray[np.intp]
    joint: Floats


def live_block(mixture: Mixture, demonstrations: Pairs) -> Block:
    """The domain that the demonstrations most probably come from; without any, the first domain."""
    if not demonstrations:
        return mixture.blocks[0]
    weights = mixture.latent_posterior(demonstrations)
    return max(mixture.blocks, key=lambda block: float(weights[block.start : block.end].sum()))


@singledispatch
def choose_probes(mixture: Mixture, demonstrations: Pairs, count: int = 8, seed: int = 0) -> tuple[str, ...]:
    """Inputs of the live domain, none shown, that tell its tasks apart, greedily.

    Every pick maximises Σ_{T,S} w_T w_S c_TS [f_T(x) ≠ f_S(x)] over the LIVE tasks of largest weight w, half prior and
    half posterior. A pair's c starts at one and falls by SEPARATED each time a probe separates it, so that pairs that
    nothing has told apart come first.
    """
    block = live_block(mixture, demonstrations)
    drawn, likeliest = _candidates(mixture, mixture.blocks.index(block), seed)
    shown = {x for x, _ in demonstrations}
    free = np.array([i for i, x in enumerate(drawn) if x not in shown], dtype=np.intp)
    # Half prior, half posterior: the live tasks must be told apart, and the dead ones from them.
    prior = np.exp(block.domain.log_prior)
    posterior = mixture.latent_posterior(demonstrations)[block.tasks]
    weights = prior / prior.sum() + posterior / max(posterior.sum(), math.ulp(0.0))
    live = np.argsort(-weights, kind="stable")[:LIVE]
    value = np.outer(weights[live], weights[live])
    answers = likeliest[np.ix_(free, live)]  # (candidates, LIVE)
    differ = answers[:, :, None] != answers[:, None, :]
    left = np.ones(len(free), dtype=bool)
    picked: list[int] = []
    while len(picked) < min(count, len(free)):
        gains = np.where(left, (differ * value).sum((1, 2)), -1.0)
        picked.append(int(np.argmax(gains)))
        left[picked[-1]] = False
        value = np.where(differ[picked[-1]], value * SEPARATED, value)
    return tuple(drawn[free[i]] for i in picked)


@lru_cache(maxsize=32)
def _candidates(mixture: Mixture, place: int, seed: int) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """CANDIDATES inputs of a domain, each once, and the likeliest answer of every task to each, (inputs, T)."""
    domain = mixture.blocks[place].domain
    rng = random.Random(f"probes/{domain.name}/{seed}")
    drawn = tuple(x for x in dict.fromkeys(domain.draw_input(rng) for _ in range(CANDIDATES)) if domain.knows(x))
    rows = []
    for x in drawn:
        found = domain.answers(x)
        rows.append(np.take_along_axis(found.index, found.share.argmax(axis=1)[:, None], axis=1)[:, 0])
    return drawn, np.array(rows, dtype=np.intp).reshape(len(drawn), len(domain.log_prior))


@singledispatch
def components(mixture: Mixture, demonstrations: Pairs, probes: Sequence[str], instruction: str = "") -> Components:
    """Evaluate every family at every probe, n = 0 … k."""
    log_joint = mixture.log_joint(demonstrations, instruction)
    touched = tuple(i for i, block in enumerate(mixture.blocks) if any(block.domain.knows(x) for x in probes))
    answers = tuple(_answers(mixture, touched, x) for x in probes)
    width = max((len(words) for words in answers), default=0)
    spans = [mixture.family_of[mixture.blocks[place].start : mixture.blocks[place].end] for place in touched]
    kept = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *spans])).astype(np.intp)
    place_of = np.full(len(mixture.families), -1)
    place_of[kept] = np.arange(len(kept))
    joint = np.zeros((len(demonstrations) + 1, len(probes), len(kept), width))
    for place in touched:
        block = mixture.blocks[place]
        tables = [_table(mixture, place, x, words) for x, words in zip(probes, answers, strict=True)]
        inside = np.exp(log_joint[:, block.tasks] - log_joint[:, block.tasks].max(axis=1, keepdims=True))
        families = mixture.family_of[block.tasks]
        starts = np.flatnonzero(np.diff(families, prepend=-1))  # the latents of a family are contiguous
        for family, a, b in zip(families[starts], starts, [*starts[1:], len(families)], strict=True):
            within = inside[:, a:b]
            # Families that the evidence excludes keep their prior over their own latents rather than a 0/0.
            sums = within.sum(axis=1, keepdims=True)
            prior = np.exp(block.domain.log_prior[a:b])
            within = np.where(sums > 1e-280, within / np.maximum(sums, 1e-300), prior / prior.sum())
            for q, table in enumerate(tables):
                if table is not None:
                    joint[:, q, place_of[family], : table.shape[1]] = within @ table[a:b]
        _add_codebooks(mixture, block, demonstrations, probes, answers, joint, place_of)
    return Components(tuple(probes), answers, kept, joint)


@lru_cache(maxsize=256)
def _answers(mixture: Mixture, touched: tuple[int, ...], x: str) -> tuple[str, ...]:
    """Everything that a task or a codebook of these domains may answer to x, most often answered first."""
    mass: dict[str, float] = {}
    for block in (mixture.blocks[i] for i in touched):
        if block.domain.knows(x):
            found = block.domain.answers(x)
            weights = np.exp(block.domain.log_prior)[:, None] * found.share * block.domain.prior
            sums = np.zeros(len(found.words))
            np.add.at(sums, found.index, weights)
            for word, p in zip(found.words, sums.tolist(), strict=True):
                mass[word] = mass.get(word, 0.0) + p
        for book in block.codebooks[:1]:
            for label in book.labels:
                mass.setdefault(label, 0.0)
    return tuple(sorted(mass, key=lambda word: (-mass[word], word))[:LARGEST_ANSWERS])


@lru_cache(maxsize=96)
def _table(mixture: Mixture, place: int, x: str, answers: tuple[str, ...]) -> Floats | None:
    """p(x, y_a | T) of a domain's tasks, (T, A); None where it cannot read x."""
    domain = mixture.blocks[place].domain
    if not domain.knows(x):
        return None
    shares = domain.range_shares(answers)
    anything = np.exp([mixture.anything.log_text(y) for y in answers])
    found = domain.answers(x)
    column = np.full(len(found.words), -1)
    places = {word: a for a, word in enumerate(answers)}
    for i, word in enumerate(found.words):
        column[i] = places.get(word, -1)
    targets = column[found.index]  # (T, S)
    rows = np.broadcast_to(np.arange(len(targets))[:, None], targets.shape)
    hit = targets >= 0
    clean = np.zeros((len(targets), len(answers)))
    if targets.shape[1] == 1:  # one answer a task, so no place is met twice
        clean[rows[hit], targets[hit]] = found.share[hit]
    else:
        np.add.at(clean, (rows[hit], targets[hit]), found.share[hit])
    labels = (1 - NOISE) * clean + NOISE * (IN_RANGE * shares + (1 - IN_RANGE) * anything)
    stray = math.log(STRAY) + mixture.anything.log_text(x)
    table: Floats = labels * np.exp(np.logaddexp(math.log(1 - STRAY) + domain.log_input(x), stray))[:, None]
    table.setflags(write=False)
    return table


def _add_codebooks(
    mixture: Mixture,
    block: Block,
    demonstrations: Pairs,
    probes: Sequence[str],
    answers: Sequence[tuple[str, ...]],
    joint: Floats,
    place_of: NDArray[np.intp],
) -> None:
    """p(x_q, y_a | codebook, D_n): a probe not shown has a fresh code, whatever n, and only p(x_q) moves with n."""
    for q, x in enumerate(probes):
        seen = seen_labels(demonstrations, x)
        for i, book in enumerate(block.codebooks):
            family = place_of[mixture.family_of[block.codebook(i)]]
            inputs = urn(book, x, seen)
            if seen[-1]:
                said = np.array([said_of(book, x, labels, answers[q]) for labels in seen])
            else:
                said = said_of(book, x, (), answers[q])
            joint[:, q, family, : len(answers[q])] = said * inputs[:, None]


def seen_labels(demonstrations: Pairs, x: str) -> list[tuple[str, ...]]:
    """The labels that x was shown with among the first n demonstrations, n = 0 … k."""
    seen: list[tuple[str, ...]] = [()]
    for text, label in demonstrations:
        seen.append((*seen[-1], label) if text == x else seen[-1])
    return seen


def urn(book: Codebook, x: str, seen: Sequence[tuple[str, ...]]) -> Floats:
    """p(x | codebook, D_n) = (α base(x) + how often x was shown) / (α + n), (k + 1,)."""
    counts = np.array([len(labels) for labels in seen], dtype=np.float64)
    shares: Floats = (ALPHA * book.base(x) + counts) / (ALPHA + np.arange(len(seen)))
    return shares


@lru_cache(maxsize=4096)
def said_of(book: Codebook, x: str, labels: tuple[str, ...], answers: tuple[str, ...]) -> Floats:
    """p(y_a | x, what x was shown with), (A,); what else was shown decides nothing."""
    if not labels and x:
        return said_of(book, "", (), answers)  # a fresh code is the same whatever the input
    state = CodebookState(book)
    if labels:
        state.seen = {x: labels}
    said = np.array(state.label_probabilities(x, answers))
    said.setflags(write=False)
    return said
