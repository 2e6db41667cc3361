"""Two linear maps over frozen vectors, trained so that a query lands near the demonstrations that help it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import Matrix
from core.runtime.progress import Stop, check, counting

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
WIDTH = 64
STEPS = 300
BATCH = 16
RATE = 1e-2
SHARPNESS = 10.0


@dataclass(frozen=True)
class BiEncoder:
    """score(x, i) = (A e(x)) · (B e(x_i, y_i)).

    Attributes:
        query: A, (h, d).
        demonstration: B, (h, d).
        losses: (steps,) of the training.
    """

    query: NDArray[np.float32]
    demonstration: NDArray[np.float32]
    losses: Floats

    def scores(self, query: Matrix, demonstrations: Matrix) -> Floats:
        """(n,) of a (1, d) query with (n, d) demonstrations."""
        left = np.asarray(query @ self.query.T.astype(np.float64))
        right = np.asarray(demonstrations @ self.demonstration.T.astype(np.float64))
        found: Floats = (right @ left[0]).astype(np.float64)
        return found


@dataclass(frozen=True)
class Lesson:
    """What one training query teaches: its place, and places of demonstrations that help and that do not."""

    query: int
    helpful: tuple[int, ...]
    harmful: tuple[int, ...]


def train(
    queries: Matrix, demonstrations: Matrix, lessons: Sequence[Lesson], seed: int, stop: Stop | None = None
) -> BiEncoder:
    """Minimise −log e^{s(x, i⁺)} / (Σ over all i⁺ and i⁻ of the batch) (Rubin et al. 2022, equation 4).

    Each step draws a batch of lessons and of each one helpful and one harmful demonstration; those of the other
    lessons of the batch count as harmful too, unless they are the lesson's own helpful one. Both maps start at
    the same random projection, scaled so that an untrained score is about ten times the cosine. Adam, 300 steps.

    Args:
        queries, demonstrations: (n, d) unit rows.
        lessons: which rows help which.
        seed: of the start and the batches.
        stop: asked before every step.

    Raises:
        Cancelled: `stop` said so.
    """
    import torch

    rng = np.random.default_rng(seed)
    start = _rotation(queries.shape[1], rng) * np.sqrt(SHARPNESS)
    left = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    right = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    adam = torch.optim.Adam([left, right], lr=RATE)
    losses = np.empty(STEPS if lessons else 0)
    with counting(len(losses), "steps", inner=True) as advance:
        for step in range(len(losses)):
            check(stop)
            batch = [lessons[int(i)] for i in rng.permutation(len(lessons))[:BATCH]]
            helpful = [one.helpful[int(rng.integers(len(one.helpful)))] for one in batch]
            harmful = [one.harmful[int(rng.integers(len(one.harmful)))] for one in batch]
            shown = np.array([*helpful, *harmful])
            own = torch.tensor(shown[None, :] == np.array(helpful)[:, None])
            own[torch.arange(len(batch)), torch.arange(len(batch))] = False
            asked = _dense(queries, [one.query for one in batch]) @ left.T
            answers = _dense(demonstrations, shown.tolist()) @ right.T
            similarity = (asked @ answers.T).masked_fill(own, float("-inf"))  # (B, 2B)
            loss = torch.nn.functional.cross_entropy(similarity, torch.arange(len(batch)))
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            losses[step] = float(loss.detach())
            advance(step + 1)
    return BiEncoder(left.detach().numpy(), right.detach().numpy(), losses)


def _rotation(d: int, rng: np.random.Generator) -> Floats:
    """(h, d) orthonormal rows, h = min(64, d); where d is a large vocabulary, random rows that are nearly so."""
    width = min(WIDTH, d)
    if d > 4_096:
        rows: Floats = rng.normal(size=(width, d)) / np.sqrt(width)
        return rows
    q, r = np.linalg.qr(rng.normal(size=(d, width)))
    rotated: Floats = (q * np.sign(np.diag(r))).T * np.sqrt(d / width)
    return rotated


def _dense(matrix: Matrix, places: list[int]) -> Tensor:
    import torch

    rows = matrix[places]
    return torch.tensor(np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows), dtype=torch.float32)
