"""On the embedded model's own answers: the solvers end where they say, and where scipy and plain EM end."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.embedded_open import DEMONSTRATIONS, question_of
from core import load_model
from core.bayes.exact import ExactBayes
from core.mixture.documents import draw_document
from core.mixture.mixture import load_mixture
from core.posterior.decoding import DECODERS, decode_em
from core.posterior.evidence import ask, gather
from core.posterior.implicit import alive_prior, probes_of

Floats = NDArray[np.float64]
Row = tuple[Floats, Floats, Floats]  # q (Q, A), columns (Q, G, A), prior (G,)
STRENGTH = {"em": 1e-5, "least-squares": 1e-6}
DOCUMENTS = 12


@pytest.fixture(scope="module")
def rows() -> list[tuple[Floats, Floats, Floats]]:
    """q (7, Q, A), columns (7, Q, G, A) and prior (7, G) of documents after 0 … 6 demonstrations."""
    model, mixture, rng = load_model("embedded"), load_mixture(), random.Random("tests/decoding converges")
    found = []
    for _ in range(DOCUMENTS):
        document = draw_document(mixture, rng, count=DEMONSTRATIONS + 1, reversed_share=0.0)
        bayes = ExactBayes(question_of(document, DEMONSTRATIONS), mixture)
        before = alive_prior(bayes)
        evidence = gather(bayes, model, ask(bayes.question, model, probes_of(bayes)), before)
        found.append((evidence.q, evidence.columns, evidence.by_group(before)))
    return found


def apart(a: Floats, b: Floats) -> float:
    """Largest total variation over rows."""
    return float(0.5 * np.abs(a - b).sum(-1).max())


@pytest.mark.parametrize("decoder", sorted(DECODERS))
def test_going_on_changes_nothing(rows: list[Row], decoder: str) -> None:
    """Steps without end from the same start: within the tolerance that the docstring and docs/methods.md name."""
    solve = DECODERS[decoder]
    far = [apart(solve(*row), solve(*row, tolerance=1e-12, limit=3_000)) for row in rows]
    assert max(far) < 1e-6


def alone(row: Row, n: int) -> Row:
    """One problem, over the tasks that the prior leaves alive, q over the answers that they give."""
    q, columns, prior = (part[n] for part in row)
    held = prior > 0
    columns, prior = columns[:, held], prior[held] / prior.sum()
    q = np.where(columns.any(1), q, 0.0)
    total = q.sum(1, keepdims=True)
    return np.divide(q, total, out=np.zeros_like(q), where=total > 0), columns, prior


def answers(columns: Floats, w: Floats) -> Floats:
    """Pw, (Q, A)."""
    mass = np.einsum("f,qfa->qa", w, columns)
    total = mass.sum(1, keepdims=True)
    return np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)


def loss(problem: Row, w: Floats) -> float:
    """−Σ q log Pw."""
    q, columns, _ = problem
    fitted = answers(columns, w)
    return -float((q[q > 0] * np.log(np.maximum(fitted[q > 0], 1e-300))).sum())


def objective(problem: Row, w: Floats, strength: float = STRENGTH["em"]) -> float:
    """The loss and ε KL(b‖w), to a constant."""
    return loss(problem, w) - strength * float((problem[2] * np.log(np.maximum(w, 1e-300))).sum())


def slopes(problem: Row, w: Floats) -> Floats:
    """∂ loss / ∂ w, (f,): Σ_j Z_F(j)/s(j) − Σ_j Σ_a q J_F/m over questions that a weighted task can show."""
    q, columns, _ = problem
    mass = np.einsum("f,qfa->qa", w, columns)
    used, given = q.sum(1) > 0, q > 0
    shown = columns.sum(2)[used] / mass.sum(1)[used, None]
    said = np.where(given, q, 0.0) / np.where(given, np.maximum(mass, 1e-300), 1.0)
    found: Floats = shown.sum(0) - np.einsum("qa,qfa->f", said, columns)
    return found


def plain_em(problem: Row, w: Floats, steps: int) -> Floats:
    """docs/methods.md §1.10, with its weak prior."""
    prior, strength = problem[2], STRENGTH["em"]
    q, columns, _ = problem
    used, totals = q.sum(1) > 0, columns.sum(2)
    for _ in range(steps):
        mass = np.einsum("f,qfa->qa", w, columns)
        up = np.einsum("qa,qfa->f", np.where(q > 0, q / np.maximum(mass, 1e-300), 0.0), columns)
        down = (totals[used] / mass.sum(1)[used, None]).sum(0)
        w = (w * up + strength * prior) / (down + strength)
        w = w / w.sum()
    return w


def of_tasks(row: Row, n: int) -> Floats:
    """What our solver says, over the tasks alive."""
    found = decode_em(*(part[n : n + 1] for part in row))[0]
    return found[row[2][n] > 0]


def test_neither_a_long_em_nor_scipy_finds_better(rows: list[Row]) -> None:
    """SLSQP with slopes, from our weights and from where plain EM is after 3,000 steps.

    Objectives are told apart to 1e-9, which in a valley left nearly flat is a good deal of weight, so that where SLSQP
    and EM end is compared with weights only as far as it has come itself.
    """
    checked = 0
    for row in rows:
        for n in (1, 4):
            problem = alone(row, n)
            ours = of_tasks(row, n)
            theirs = plain_em(problem, problem[2], 3_000)
            assert objective(problem, ours) <= objective(problem, theirs) + 1e-7
            for start in (ours, theirs):
                scipy = minimize(
                    lambda w, problem=problem: objective(problem, w),
                    np.maximum(start, 1e-9),
                    jac=lambda w, problem=problem: (
                        slopes(problem, w) - STRENGTH["em"] * problem[2] / np.maximum(w, 1e-300)
                    ),
                    bounds=[(1e-12, 1.0)] * len(start),
                    constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
                    method="SLSQP",
                    options={"ftol": 1e-13, "maxiter": 300},
                )
                end = np.maximum(scipy.x, 1e-12) / np.maximum(scipy.x, 1e-12).sum()
                assert objective(problem, ours) <= objective(problem, end) + 1e-8
                if objective(problem, end) <= objective(problem, ours) + 1e-10:
                    assert apart(ours, end) < 1e-3
                    checked += 1
    assert checked > 2 * len(rows), "SLSQP came as far as we did, mostly"


def test_what_the_answers_speak_against_does_not_stand(rows: list[Row]) -> None:
    """At the end w_F z_F = ε b_F for every task, z_F = ε + ∂ loss / ∂ w_F, so what costs much holds next to nothing.

    All tasks that cost a hundredth of a nat or more per unit of their weight hold less than a thousandth together.
    """
    for row in rows:
        for n in range(1, DEMONSTRATIONS + 1):
            problem = alone(row, n)
            w, prior = of_tasks(row, n), problem[2]
            z = slopes(problem, w) + STRENGTH["em"]
            np.testing.assert_allclose(w * z, STRENGTH["em"] * prior, rtol=0.05, atol=2e-8)
            assert w[z >= 0.01].sum() <= 1e-3
