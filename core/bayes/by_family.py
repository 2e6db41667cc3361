"""What every family of a known mixture says of the demonstrations and of the query, on its own and before any prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.mixture.mixture import accumulate
from core.statistics.distributions import softmax

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

Floats = NDArray[np.float64]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ByFamily:
    """For n = 0 … k demonstrations, every family T with what it hides summed out.

    Attributes:
        log_joint: (k + 1, F) log P(T) p(I|T) p(D_n|T) in nats.
        log_input: (k + 1, F) log p(x | T, D_n), x the query.
        answers: (k + 1, F, L) p(y | x, T, D_n); a row sums to at most one over the labels.
    """

    log_joint: Floats
    log_input: Floats
    answers: Floats

    def posterior(self, log_factors: Floats) -> Floats:
        """P'(T|D_n) ∝ P(T|D_n) π'_T/π_T, (k + 1, F)."""
        return softmax(self.log_joint + log_factors)

    def log_evidence(self, log_factors: Floats) -> Floats:
        """log P'(D_n), (k + 1,), given the instruction: 0 for n = 0."""
        total = np.logaddexp.reduce(self.log_joint + log_factors, axis=1)
        relative: Floats = total - total[0]
        return relative

    def at_query(self, weights: Floats) -> Floats:
        """Of weights (k + 1, F) before the query is read, those after it: w_T p(x|T,D_n), each row normalised."""
        with np.errstate(divide="ignore"):
            return softmax(np.log(weights) + self.log_input)

    def shares(self, weights: Floats) -> Floats:
        """P(T|D_n,x) p(y|x,T,D_n), (k + 1, F, L): what each task adds to the predictive under `weights`."""
        added: Floats = self.at_query(weights)[..., None] * self.answers
        return added


def by_family(mixture: Mixture, pairs: Pairs, query: str, labels: Sequence[str], instruction: str = "") -> ByFamily:
    """Sum the latents t of every family: log p(D_n|T) = log Σ_t P(t|T) p(D_n|t), and so on.

    Within a family the sums are taken relative to its likeliest latent, so that a family that the demonstrations have
    all but ruled out still says what it would answer.

    Args:
        pairs: (k) demonstrations as (input, label), in order.
        query: x.
        labels: (L,) candidate answers.
        instruction: what the prompt opens with.
    """
    joint, states = accumulate(mixture, pairs, instruction)  # (k + 1, latents)
    log_joint, log_input, answers = [], [], []
    for row, state in zip(joint, states, strict=True):
        before = _log_sums(mixture, row)
        after = row + mixture.log_inputs(query, state)
        best = _peaks(mixture, after)[mixture.family_of]
        within = np.exp(after - best)  # (latents,)
        likely = mixture.label_probabilities(query, labels, state)  # (latents, L)
        log_joint.append(before)
        log_input.append(_log_sums(mixture, after) - before)
        answers.append(mixture.by_family((within[:, None] * likely).T).T / mixture.by_family(within)[:, None])
    return ByFamily(np.array(log_joint), np.array(log_input), np.array(answers))


def _peaks(mixture: Mixture, values: Floats) -> Floats:
    """The largest value of each family, (latents,) → (F,)."""
    first = np.flatnonzero(np.diff(mixture.family_of, prepend=-1))
    peaks: Floats = np.maximum.reduceat(values, first)
    return peaks


def _log_sums(mixture: Mixture, values: Floats) -> Floats:
    """log Σ exp over the latents of each family, (latents,) → (F,)."""
    peaks = _peaks(mixture, values)
    sums: Floats = peaks + np.log(mixture.by_family(np.exp(values - peaks[mixture.family_of])))
    return sums
