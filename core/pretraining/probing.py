"""Probes: inputs on which tasks disagree, and what each family would answer to them, to decode a posterior by."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.pretraining.domain import IN_RANGE, NOISE, STRAY, Floats

if TYPE_CHECKING:
    from core.pretraining.mixture import Block, Mixture

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
        joint: (k + 1, Q, F, A) p(x_q, y_a | F, D_n), zero past a probe's own answers, and zero for the families of
            domains that cannot hold x_q. A distribution q over the answers at probe x_q decodes as
            q(a) ∝ Σ_F w_F joint[n, q, F, a].
    """

    probes: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    joint: Floats


def live_block(mixture: Mixture, demonstrations: Pairs) -> Block:
    """The domain that the demonstrations most probably come from; without any, the first domain."""
    if not demonstrations:
        return mixture.blocks[0]
    weights = mixture.latent_posterior(demonstrations)
    return max(mixture.blocks, key=lambda block: float(weights[block.start : block.end].sum()))


def choose_probes(mixture: Mixture, demonstrations: Pairs, count: int, seed: int) -> tuple[str, ...]:
    """Inputs of the live domain, none shown, that tell its tasks apart, greedily.

    Every pick maximises Σ_{T,S} w_T w_S c_TS [f_T(x) ≠ f_S(x)] over the LIVE tasks of largest weight w, half prior and
    half posterior. A pair's c starts at one and falls by SEPARATED each time a probe separates it, so that pairs that
    nothing has told apart come first.
    """
    block = live_block(mixture, demonstrations)
    rng = random.Random(f"probes/{block.domain.name}/{seed}")
    shown = {x for x, _ in demonstrations}
    found = dict.fromkeys(block.domain.draw_input(rng) for _ in range(CANDIDATES))
    candidates = [x for x in found if x not in shown and block.domain.knows(x)]
    # Half prior, half posterior: the live tasks must be told apart, and the dead ones from them.
    prior = np.exp(block.domain.log_prior)
    posterior = mixture.latent_posterior(demonstrations)[block.tasks]
    weights = prior / prior.sum() + posterior / max(posterior.sum(), math.ulp(0.0))
    live = np.argsort(-weights, kind="stable")[:LIVE]
    value = np.outer(weights[live], weights[live])
    differ = []
    for x in candidates:
        answers = block.domain.answers(x)
        likeliest = np.take_along_axis(answers.index, answers.share.argmax(axis=1)[:, None], axis=1)[live, 0]
        differ.append(likeliest[:, None] != likeliest[None, :])
    picked: list[int] = []
    while len(picked) < min(count, len(candidates)):
        gains = [-1.0 if i in picked else float((value * apart).sum()) for i, apart in enumerate(differ)]
        picked.append(int(np.argmax(gains)))
        value = np.where(differ[picked[-1]], value * SEPARATED, value)
    return tuple(candidates[i] for i in picked)


def components(mixture: Mixture, demonstrations: Pairs, probes: Sequence[str], instruction: str = "") -> Components:
    """Evaluate every family at every probe, n = 0 … k."""
    log_joint = mixture.log_joint(demonstrations, instruction)
    total = len(demonstrations)
    blocks = [block for block in mixture.blocks if any(block.domain.knows(x) for x in probes)]
    answers = tuple(_answers(blocks, x) for x in probes)
    width = max((len(words) for words in answers), default=0)
    joint = np.zeros((total + 1, len(probes), len(mixture.families), width))
    for block in blocks:
        inside = np.exp(log_joint[:, block.tasks] - log_joint[:, block.tasks].max(axis=1, keepdims=True))
        families = mixture.family_of[block.tasks]
        table = _table(mixture, block, probes, answers, width)  # (T, Q, A)
        for family in np.unique(families):
            rows = families == family
            within = inside[:, rows]
            # Families that the evidence excludes keep their prior over their own latents rather than a 0/0.
            sums = within.sum(axis=1, keepdims=True)
            prior = np.exp(block.domain.log_prior[rows])
            within = np.where(sums > 1e-280, within / np.maximum(sums, 1e-300), prior / prior.sum())
            joint[:, :, family, :] = np.tensordot(within, table[rows], axes=(1, 0))
        _add_codebooks(mixture, block, demonstrations, probes, answers, joint)
    return Components(tuple(probes), answers, joint)


def _answers(blocks: Sequence[Block], x: str) -> tuple[str, ...]:
    """Everything that a task or a codebook of these domains may answer to x, most often answered first."""
    mass: dict[str, float] = {}
    for block in blocks:
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


def _table(
    mixture: Mixture, block: Block, probes: Sequence[str], answers: Sequence[Sequence[str]], width: int
) -> Floats:
    """p(x_q, y_a | T) of a domain's tasks, (T, Q, A)."""
    domain = block.domain
    out = np.zeros((len(domain.log_prior), len(probes), width))
    noise = {
        y: IN_RANGE * domain.range_share(y) + (1 - IN_RANGE) * math.exp(mixture.anything.log_text(y))
        for y in {y for words in answers for y in words}
    }
    for q, x in enumerate(probes):
        if not domain.knows(x):
            continue
        found = domain.answers(x)
        place = {word: i for i, word in enumerate(found.words)}
        column = np.full(len(found.words) + 1, -1)
        for a, y in enumerate(answers[q]):
            out[:, q, a] = NOISE * noise[y]
            if y in place:
                column[place[y]] = a
        targets = column[found.index]  # (T, S)
        rows = np.arange(len(targets))
        clean = np.zeros(len(targets) * width)
        for s in range(targets.shape[1]):
            ok = targets[:, s] >= 0
            flat = targets[ok, s] + rows[ok] * width
            np.add.at(clean, flat, (1 - NOISE) * found.share[ok, s])
        out[:, q] += clean.reshape(len(targets), width)
        stray = math.log(STRAY) + mixture.anything.log_text(x)
        out[:, q] *= np.exp(np.logaddexp(math.log(1 - STRAY) + domain.log_input(x), stray))[:, None]
    return out


def _add_codebooks(
    mixture: Mixture,
    block: Block,
    demonstrations: Pairs,
    probes: Sequence[str],
    answers: Sequence[Sequence[str]],
    joint: Floats,
) -> None:
    """Codebook families: a probe that was not shown has a fresh code, whatever n; only p(x_q) moves with n."""
    for i, book in enumerate(block.codebooks):
        family = mixture.family_of[block.codebook(i)]
        state = book.fresh()
        for n in range(len(demonstrations) + 1):
            for q, x in enumerate(probes):
                seen = x in state.seen
                if n and not seen:
                    # Same labels as before, rescaled by the urn: p(x) = α base / (α + n).
                    joint[n, q, family] = joint[0, q, family] * (
                        state.input_probability(x) / book.fresh().input_probability(x)
                    )
                    continue
                labels = state.label_probabilities(x, answers[q])
                joint[n, q, family, : len(labels)] = np.array(labels) * state.input_probability(x)
            if n < len(demonstrations):
                state = state.after(*demonstrations[n])
