"""The forward algorithm, batched over sequences and over the models of a mixture, and what follows from it.

With a_1 = initial and D_o = diag(emission[:, o]),

    c_t = a_t · emission[:, o_t],    a_{t+1} = (a_t D_{o_t} / c_t) transition,    log P(o_1 … o_t) = Σ log c_t

so a_{t+1} = P(h_{t+1} | o_1 … o_t) is a distribution at every step and nothing underflows (Rabiner 1989, §V.A).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.errors import StudyError
from core.hidden_markov.model import Floats, HMMMixture, Ints
from core.statistics.distributions import softmax


@dataclass(frozen=True)
class Forward:
    """What the forward algorithm knows after a prefix of B sequences.

    Attributes:
        log_likelihood: (M, B) log P(o_1 … o_t | m) in nats; −∞ where the model cannot say the prefix.
        ahead: (M, B, S) P(h_{t+1} | o_1 … o_t, m), the state that emits the next token; zeros where −∞.
    """

    log_likelihood: Floats
    ahead: Floats

    def posterior(self, prior: Floats) -> Floats:
        """P(m | o_1 … o_t), (B, M); the prior where no model can say the prefix."""
        with np.errstate(divide="ignore"):
            joint = np.log(prior) + self.log_likelihood.T
        silent = np.isneginf(joint).all(axis=1, keepdims=True)
        weights: Floats = np.where(silent, prior, softmax(joint))
        return weights

    def predictive(self, mixture: HMMMixture) -> Floats:
        """P(o_{t+1} | o_1 … o_t) = Σ_m P(m | o_1 … o_t) P(o_{t+1} | o_1 … o_t, m), (B, V)."""
        weights = self.posterior(mixture.prior)
        mixed: Floats = np.einsum("bm,mbv->bv", weights, self.ahead @ mixture.emission)
        return mixed


def begin(mixture: HMMMixture, batch: int) -> Forward:
    """Before the first token."""
    m, s = mixture.initial.shape
    ahead = np.broadcast_to(mixture.initial[:, None], (m, batch, s))
    return Forward(np.zeros((m, batch)), np.array(ahead))


def advance(mixture: HMMMixture, before: Forward, tokens: Ints) -> Forward:
    """After one more token of every sequence; `tokens` (B,)."""
    joint = before.ahead * mixture.emission[:, :, tokens].transpose(0, 2, 1)  # (M, B, S)
    scale = joint.sum(axis=2)
    ahead = np.divide(joint, scale[:, :, None], out=np.zeros_like(joint), where=scale[:, :, None] > 0)
    with np.errstate(divide="ignore"):
        return Forward(before.log_likelihood + np.log(scale), ahead @ mixture.transition)


def read(mixture: HMMMixture, sequences: ArrayLike) -> Forward:
    """The forward algorithm over whole sequences, (B, L).

    Raises:
        StudyError: an observation that the mixture does not have.
    """
    tokens = _checked(mixture, sequences)
    state = begin(mixture, len(tokens))
    for t in range(tokens.shape[1]):
        state = advance(mixture, state, tokens[:, t])
    return state


def log_likelihood(mixture: HMMMixture, sequences: ArrayLike) -> Floats:
    """log P(o_1 … o_L | m) in nats, (M, B), for sequences (B, L).

    Raises:
        StudyError: an observation that the mixture does not have.
    """
    return read(mixture, sequences).log_likelihood


def posterior(mixture: HMMMixture, sequences: ArrayLike) -> Floats:
    """P(m | o_1 … o_n) for n = 0 … L, (B, L + 1, M), by Bayes' rule (docs/methods.md §1.15); sequences (B, L).

    Raises:
        StudyError: an observation that the mixture does not have.
    """
    tokens = _checked(mixture, sequences)
    state = begin(mixture, len(tokens))
    rows = [state.posterior(mixture.prior)]
    for t in range(tokens.shape[1]):
        state = advance(mixture, state, tokens[:, t])
        rows.append(state.posterior(mixture.prior))
    return np.stack(rows, axis=1)


def predictive(mixture: HMMMixture, sequences: ArrayLike) -> Floats:
    """P(o_{L+1} | o_1 … o_L) under the mixture, (B, V); sequences (B, L).

    Raises:
        StudyError: an observation that the mixture does not have.
    """
    return read(mixture, sequences).predictive(mixture)


def sample(
    mixture: HMMMixture,
    components: ArrayLike,
    length: int,
    generator: np.random.Generator,
    start: ArrayLike | None = None,
) -> tuple[Ints, Ints]:
    """Draw one sequence from each of the components named.

    Args:
        components: (B,) which model each sequence comes from.
        length: tokens L of each.
        generator: the source of chance.
        start: (B,) first states; drawn from `initial` where not given.

    Returns:
        Observations (B, L) and states (B, L).
    """
    which = np.asarray(components, dtype=np.int64)
    states = np.zeros((len(which), length), dtype=np.int64)
    tokens = np.zeros((len(which), length), dtype=np.int64)
    now = draw(mixture.initial[which], generator) if start is None else np.asarray(start, dtype=np.int64)
    for t in range(length):
        if t:
            now = draw(mixture.transition[which, now], generator)
        states[:, t] = now
        tokens[:, t] = draw(mixture.emission[which, now], generator)
    return tokens, states


def draw(rows: Floats, generator: np.random.Generator) -> Ints:
    """One place of every row, (B,), with the probabilities of that row, (B, N)."""
    edges = np.cumsum(rows, axis=1)
    # a row may sum to a hair less than one; scaling keeps places without probability out of reach
    chance = generator.random(len(rows)) * edges[:, -1]
    places: Ints = (edges <= chance[:, None]).sum(axis=1, dtype=np.int64)
    return places


def _checked(mixture: HMMMixture, sequences: ArrayLike) -> Ints:
    tokens = np.asarray(sequences, dtype=np.int64)
    if tokens.ndim != 2:
        raise StudyError("Sequences come as a table, one a row, all of the same length.")
    if tokens.size and not (tokens.min() >= 0 and tokens.max() < mixture.observations):
        raise StudyError(f"An observation is a number from 0 to {mixture.observations - 1}.")
    return tokens
