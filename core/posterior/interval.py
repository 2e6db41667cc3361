"""How sure the implicit posterior is: an interval on each of its bars that holds exact Bayes's value.

The model errs, so that resampling its probes would say too little: what is wanted is how far the reading is from exact
Bayes, by what the reading itself knows. So it is learned from documents apart, where exact Bayes is known, and evened
out over how open those left the task (`core.posterior.fit_interval`). Of a state with features φ the reach is an angle

    τ(φ) = exp(v · tanh(φ U + u) + v_0) − 10⁻³

and the interval of a bar of weight w is sin²(asin √w ∓ τ), kept to 0 … 1: on that scale a share's error does not depend
on the share. τ is fitted so that all bars of a state hold at once in about 94 % of states, in every row of entropy of
the exact posterior (`core.posterior.openness`). The features are of the reading alone: its entropy, residual, three
largest weights, n, whether there is an instruction, and of its weak prior the entropy and the leader's weight.

It covers the model's error and the reading's together, on documents as the mixture writes them, after up to six
demonstrations. It says nothing of other checkpoints, nor of the least-squares solver, which have none.

Source: ours, after Koenker and Bassett 1978 for quantile regression, Vovk 2012 for coverage within classes of what is
predicted, and Fisher 1922 for the scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.models.embedded import EMBEDDED
from core.posterior.fitted import belonging, load_fitted
from core.statistics.distributions import entropy

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
FILE = EMBEDDED / "posterior_interval.npz"
SOLVER = "em"  # whose weights they belong to
LEVEL = 0.94  # share of states whose bars all hold that the fit aims at, in every row
MOST = 6  # demonstrations of the documents it is fitted on; more count as that many
SMALL = 1e-3  # added to what goes into a logarithm
TAILS = 8  # sums of all but the 1 … 8 largest weights are bars too: screens draw what has no colour as one


@dataclass(frozen=True)
class IntervalModel:
    """Weights of τ, and what it was fitted on.

    Attributes:
        centre, scale: (P,) of the features.
        inner, inner_bias: (P, h) and (h,), U and u.
        outer: (h + 1,) v and v_0.
        fingerprint: of the model's weights.
        tasks: (F,) names.
        documents: how many it was fitted on.
    """

    centre: Floats
    scale: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    fingerprint: str
    tasks: tuple[str, ...]
    documents: int

    def reach(self, found: Floats) -> Floats:
        """τ in radians of states with these features, (N, P) -> (N,)."""
        hidden = np.tanh((found - self.centre) / self.scale @ self.inner + self.inner_bias)
        angle: Floats = np.exp(hidden @ self.outer[:-1] + self.outer[-1]) - SMALL
        return np.clip(angle, 0.0, np.pi / 2)

    def save(self, path: Path = FILE) -> None:
        """Write it."""
        np.savez_compressed(
            path,
            centre=self.centre,
            scale=self.scale,
            inner=self.inner,
            inner_bias=self.inner_bias,
            outer=self.outer,
            fingerprint=np.array(self.fingerprint),
            tasks=np.array(self.tasks),
            documents=np.array(self.documents),
        )

    @classmethod
    def made_of(cls, found: Mapping[str, Any]) -> IntervalModel:
        """From what `save` wrote."""
        return cls(
            found["centre"],
            found["scale"],
            found["inner"],
            found["inner_bias"],
            found["outer"],
            str(found["fingerprint"]),
            tuple(str(name) for name in found["tasks"]),
            int(found["documents"]),
        )


def features(weights: Floats, before: Floats, residual: Floats, n: NDArray[np.integer], instructed: bool) -> Floats:
    """What the reach is worked out from, (N, 9).

    Args:
        weights: (N, F) decoded.
        before: (N, F) weights before labels, not normalised.
        residual: (N,) of the answers, nats.
        n: (N,) demonstrations.
        instructed: whether the prompt begins with an instruction.
    """
    largest = -np.sort(-weights, axis=1)[:, :3]
    whole = before.sum(1, keepdims=True)
    first = np.divide(before, whole, out=np.zeros_like(before), where=whole > 0)
    leader = np.take_along_axis(first, weights.argmax(1)[:, None], axis=1)[:, 0]
    columns = [
        np.log(entropy(weights) + SMALL),
        np.log(residual + SMALL),
        *largest.T,
        np.minimum(n, MOST),
        np.full(len(weights), float(instructed)),
        leader,
        entropy(first),
    ]
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def distance(exact: Floats, weights: Floats) -> Floats:
    """The reach at which all bars hold, (N,): the largest |asin √P(T) − asin √w_T| over tasks and tails, radians."""
    order = np.argsort(-weights, axis=1)
    pairs = []
    for values in (exact, weights):
        ranked = np.take_along_axis(values, order, axis=1)
        tails = np.maximum(1.0 - np.cumsum(ranked[:, :TAILS], axis=1), 0.0)
        pairs.append(np.arcsin(np.sqrt(np.clip(np.concatenate([values, tails], axis=1), 0.0, 1.0))))
    most: Floats = np.abs(pairs[0] - pairs[1]).max(1)
    return most


def load_interval(path: Path = FILE) -> IntervalModel | None:
    """The intervals that come with the embedded model, or None where there are none that can be read."""
    return load_fitted(path, IntervalModel.made_of)


def interval_of(model: LanguageModel, path: Path = FILE) -> IntervalModel | None:
    """The intervals of this model; None where its mixture is unknown, or they are of other weights or tasks."""
    return belonging(load_interval(path), model)
