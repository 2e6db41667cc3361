"""Fit the intervals of the embedded model's implicit posterior, anew for every checkpoint.

    python -m core.posterior.fit_interval              four minutes of one core; writes beside the checkpoint
    python -m core.posterior.fit_interval --quick      few documents, to see that it runs; writes nothing

Quantile regression of log distance on a state's features: the minimum over U, u, v of the mean of
ρ_α(log(10⁻³ + distance) − log(10⁻³ + τ(φ))), ρ_α(r) = max(α r, (α − 1) r), by Adam. α is one number for every row of
openness of the exact posterior (and one for n = 0), moved until every row is covered as `LEVEL` says: coverage within
each class of the answer, not only on average. Documents are drawn from the mixture with a seed of their own; every
second one is fitted, and all of them move α. What is covered on documents that took no part,
`benchmarks.embedded_open` says.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from core.bayes.exact import ExactBayes
from core.mixture.documents import draw_document
from core.mixture.mixture import Mixture
from core.models.loading import load_model
from core.posterior.fitted import options
from core.posterior.implicit import read_implicit
from core.posterior.interval import FILE, LEVEL, MOST, SMALL, IntervalModel, distance, features
from core.posterior.openness import NAMES, row_of
from core.study.demonstrations import Demonstration
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
DOCUMENTS = 3_500
HIDDEN, RATE, STEPS = 16, 0.01, 4_000
EVERY, GAIN = 10, 0.2  # α moves every so many steps, by so much of what a row lacks


@dataclass(frozen=True)
class IntervalStates:
    """Readings of documents after 0 … 6 demonstrations, and how far exact Bayes is from each.

    Attributes:
        found: (N, P) features.
        apart: (N,) `distance`, radians.
        row: (N,) of openness; the last is n = 0.
        document: (N,) of which document.
    """

    found: Floats
    apart: Floats
    row: NDArray[np.intp]
    document: NDArray[np.intp]


def draw_readings(model: LanguageModel, mixture: Mixture, count: int, seed: int) -> IntervalStates:
    """The states of `count` documents."""
    rng = random.Random(f"posterior interval/{seed}")
    parts = []
    for number in range(count):
        document = draw_document(mixture, rng, count=MOST + 1, reversed_share=0.0)
        *pairs, (query, _) = document.pairs
        rows = tuple(Demonstration(input=x, label=y) for x, y in pairs)
        study = Study(demonstrations=rows, query=query, template=document.template, instruction=document.instruction)
        bayes = ExactBayes(Question.of(study, rows, ()), mixture)
        found = read_implicit(bayes, model)
        reading = found.posterior
        assert reading.residual is not None
        exact = bayes.under_mixture[0]
        n = np.arange(len(exact))
        seen = features(reading.weights, found.before, reading.residual, n, bool(document.instruction))
        row = np.where(n == 0, len(NAMES), row_of(exact))
        parts.append((seen, distance(exact, reading.weights), row, np.full(len(exact), number)))
    return IntervalStates(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def fit(states: IntervalStates, model: LanguageModel, mixture: Mixture) -> IntervalModel:
    """τ of these states."""
    torch.manual_seed(0)
    learned = torch.from_numpy(states.document % 2 == 0)
    centre, scale = states.found.mean(0), states.found.std(0) + 1e-6
    x = torch.from_numpy((states.found - centre) / scale)
    y = torch.from_numpy(np.log(states.apart + SMALL))
    rows, count = torch.from_numpy(states.row), len(NAMES) + 1
    inner = (torch.randn((x.shape[1], HIDDEN), dtype=torch.float64) / x.shape[1] ** 0.5).requires_grad_(True)
    bias = torch.zeros(HIDDEN, dtype=torch.float64, requires_grad=True)
    outer = torch.zeros(HIDDEN + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([inner, bias, outer], RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS, RATE / 10)
    alpha = torch.full((count,), LEVEL, dtype=torch.float64)
    held = torch.nn.functional.one_hot(rows, count).double()

    def angle(of: torch.Tensor) -> torch.Tensor:
        return torch.tanh(of @ inner + bias) @ outer[:-1] + outer[-1]

    for step in range(STEPS):
        short = y[learned] - angle(x[learned])
        level = alpha[rows[learned]]
        optimiser.zero_grad()
        loss = torch.maximum(level * short, (level - 1) * short).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % EVERY == EVERY - 1:
            with torch.no_grad():
                covered = (y <= angle(x)).double() @ held / held.sum(0).clamp(min=1)
                alpha = (alpha + GAIN * (LEVEL - covered)).clamp(0.02, 0.999)
    learnt = (inner.detach().numpy(), bias.detach().numpy(), outer.detach().numpy())
    documents = len(set(states.document.tolist()))
    return IntervalModel(centre, scale, *learnt, model.fingerprint, tuple(mixture.families), documents)


def covered(states: IntervalStates, found: IntervalModel) -> list[str]:
    """The share of states whose bars all hold, in every row, and of how many."""
    holds = states.apart <= found.reach(states.found)
    rows = (states.row == row for row in range(len(NAMES)))
    return [
        f"{name}: {holds[some].mean():.3f} of {some.sum()}"
        for name, some in zip(NAMES, rows, strict=True)
        if some.any()
    ]


def main() -> None:
    """Command line."""
    chosen = options(__doc__, DOCUMENTS, FILE)
    model = load_model("embedded")
    assert model.mixture is not None
    states = draw_readings(model, model.mixture, chosen.documents, chosen.seed)
    found = fit(states, model, model.mixture)
    print("share of states whose bars all hold, by entropy", *covered(states, found), sep="\n")
    if not chosen.quick:
        found.save(chosen.to)
        print(chosen.to, chosen.to.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
