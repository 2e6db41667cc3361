"""Posteriors as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.posterior.comparing import FLOORS, gains
from core.posterior.fitting import sign
from core.statistics.distributions import entropy
from core.statistics.intervals import around
from core.study.demonstrations import Demonstration
from core.study.outcome import MixtureFit, Posterior


def posterior_records(
    posteriors: Mapping[str, Posterior], shown: Sequence[Demonstration], fit: MixtureFit | None = None
) -> list[dict[str, Any]]:
    """Every number of the posteriors, a row a posterior, n and task; low and high are the ends of its interval.

    Args:
        posteriors: by kind.
        shown: (k,) the demonstrations, in order.
        fit: what no task of the mixture explains, where that is known.
    """
    rows = []
    for kind, post in posteriors.items():
        added, spread = gains(post.weights, "average", FLOORS[kind]), entropy(post.weights)
        ends = None if post.reach is None else around(post.weights, post.reach[:, None])
        for n, weights in enumerate(post.weights):
            row = shown[n - 1] if n else None
            for t, task in enumerate(post.tasks):
                rows.append(
                    {
                        "posterior": kind,
                        "n": n,
                        "input": row.input if row else "",
                        "label": row.label if row else "",
                        "task": task,
                        "weight": weights[t],
                        "low": ends[0][n, t] if ends is not None else "",
                        "high": ends[1][n, t] if ends is not None else "",
                        "nats added": added[n - 1, t] if n else "",
                        "entropy": spread[n],
                        "log evidence": post.log_evidence[n] if post.log_evidence is not None else "",
                        "residual": post.residual[n] if post.residual is not None else "",
                        "condition": post.condition[n] if post.condition is not None else "",
                        "fit": sign(post, n, fit),
                    }
                )
    return rows
