"""The solvers against planted mixtures, scipy's optimisers and textbook EM."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from core.posterior.decoding import (
    DECODERS,
    condition,
    decode_em,
    decode_least_squares,
    mixed,
    residual,
)

Floats = NDArray[np.float64]


def planted(
    seed: int, rows: int = 3, probes: int = 4, tasks: int = 6, answers: int = 8, spread: float = 1.0, sharp: float = 0.5
) -> tuple[Floats, Floats, Floats]:
    """q, joint and the weights that made q; task F writes probe j with chance exp(spread · normal)."""
    rng = np.random.default_rng(seed)
    columns = rng.dirichlet(np.full(answers, sharp), size=(rows, probes, tasks)) + 1e-6
    joint = columns / columns.sum(-1, keepdims=True) * np.exp(spread * rng.normal(size=(rows, probes, tasks, 1)))
    weights = rng.dirichlet(np.full(tasks, 0.7), size=rows)
    return mixed(joint, weights), joint, weights


def distance(a: Floats, b: Floats) -> float:
    """Largest total variation over rows."""
    return float(0.5 * np.abs(a - b).sum(-1).max())


def slow_mixed(joint: Floats, weights: Floats) -> Floats:
    """Σ_F w_F J / Σ_F w_F Z in plain loops."""
    rows, probes, tasks, answers = joint.shape
    out = np.zeros((rows, probes, answers))
    for n in range(rows):
        for j in range(probes):
            for a in range(answers):
                top = sum(weights[n, f] * joint[n, j, f, a] for f in range(tasks))
                below = sum(weights[n, f] * joint[n, j, f, b] for f in range(tasks) for b in range(answers))
                out[n, j, a] = top / below
    return out


def test_mixed_is_the_formula() -> None:
    _, joint, weights = planted(0)
    np.testing.assert_allclose(mixed(joint, weights), slow_mixed(joint, weights), rtol=1e-12)


@pytest.mark.parametrize("decoder", sorted(DECODERS))
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.sampled_from([0.0, 0.5, 1.5]), tasks=st.integers(1, 10))
def test_planted_weights_come_back(decoder: str, seed: int, spread: float, tasks: int) -> None:
    q, joint, weights = planted(seed, probes=6, tasks=tasks, answers=12, spread=spread)
    found = DECODERS[decoder](q, joint, np.full(tasks, 1 / tasks))
    np.testing.assert_allclose(found.sum(1), 1.0)
    assert (found >= 0).all()
    assert condition(joint).max() < 1e3
    assert distance(found, weights) < 0.02
    assert residual(q, joint, found).max() < 1e-5


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    density=st.floats(0.05, 1.0),
    decoder=st.sampled_from(sorted(DECODERS)),
    noise=st.floats(0.0, 1.0),
)
def test_never_a_nan_whatever_is_zero(seed: int, density: float, decoder: str, noise: float) -> None:
    rng = np.random.default_rng(seed)
    q, joint, _ = planted(seed, rows=4, probes=3, tasks=7, answers=5)
    joint = joint * (rng.random(joint.shape) < density) * (rng.random((4, 3, 7, 1)) < density)
    q = (1 - noise) * q + noise * rng.dirichlet(np.ones(5), size=(4, 3))
    q *= rng.random((4, 3, 1)) < 0.8
    prior = rng.dirichlet(np.ones(7)) * (np.arange(7) != 2)
    found = DECODERS[decoder](q, joint, prior)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found[:, 2] == 0).all(), "a prior of zero stays zero"
    np.testing.assert_allclose(found.sum(1), 1.0)
    assert np.isfinite(residual(q, joint, found)).all()
    assert not np.isnan(condition(joint)).any()


def slow_em(q: Floats, columns: Floats, steps: int) -> Floats:
    """docs/methods.md §1.10: w_T ← mean over probes of Σ_v q(v) r_T(v), for one row with normalised columns."""
    probes, tasks, answers = columns.shape
    w = np.full(tasks, 1 / tasks)
    for _ in range(steps):
        new = np.zeros(tasks)
        for j in range(probes):
            for v in range(answers):
                below = sum(w[s] * columns[j, s, v] for s in range(tasks))
                for t in range(tasks):
                    new[t] += q[j, v] * w[t] * columns[j, t, v] / below / probes
        w = new
    return w


def test_em_ends_where_the_textbook_em_does() -> None:
    rng = np.random.default_rng(5)
    columns = rng.dirichlet(np.ones(4), size=(3, 3))  # (probes, tasks, answers)
    q = rng.dirichlet(np.ones(4), size=3)  # not a mixture of the columns
    found = decode_em(q[None], columns[None], np.full(3, 1 / 3), tolerance=1e-10)
    assert distance(found[0], slow_em(q, columns, 3000)) < 1e-3


@pytest.mark.parametrize(("spread", "noise"), [(0.0, 1.0), (1.5, 0.1)])
@pytest.mark.parametrize("seed", range(8))
def test_nothing_scipy_finds_is_better(seed: int, spread: float, noise: float) -> None:
    """Both objectives on the simplex against SLSQP from several starts, where q is no mixture of the columns.

    With equal Z the problem is convex and q may be anything; otherwise q is a mixture with some noise.
    """
    q, joint, _ = planted(seed, rows=1, tasks=4, answers=6, spread=spread)
    q = (1 - noise) * q + noise * np.random.default_rng(seed + 100).dirichlet(np.ones(6), size=(1, 4))

    def kl(w: Floats) -> float:
        w = np.maximum(w, 1e-15)
        return float((q * (np.log(q) - np.log(mixed(joint, w[None])))).sum())

    def squares(w: Floats) -> float:
        return float(((q - mixed(joint, np.maximum(w, 1e-15)[None])) ** 2).sum())

    for objective, decode in ((kl, decode_em), (squares, decode_least_squares)):
        ours = objective(decode(q, joint, np.full(4, 0.25), strength=1e-9, limit=200)[0])
        starts = np.random.default_rng(1).dirichlet(np.ones(4), size=6)
        bounds, simplex = [(0.0, 1.0)] * 4, {"type": "eq", "fun": lambda w: w.sum() - 1}
        theirs = min(
            minimize(objective, w, bounds=bounds, constraints=simplex, method="SLSQP", options={"ftol": 1e-12}).fun
            for w in starts
        )
        assert ours <= theirs + 1e-5


@pytest.mark.parametrize("decoder", sorted(DECODERS))
def test_a_direction_the_probes_do_not_see_stays_at_the_prior(decoder: str) -> None:
    columns = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    joint = columns[None, None]  # tasks 0 and 1 agree
    q = mixed(joint, np.array([[0.3, 0.3, 0.4]]))
    found = DECODERS[decoder](q, joint, np.array([0.6, 0.2, 0.2]))[0]
    assert found[2] == pytest.approx(0.4, abs=1e-3)
    assert found[0] / found[1] == pytest.approx(3.0, rel=1e-6)
    assert condition(joint)[0] == np.inf


def test_groups_without_a_common_probe_keep_their_prior_total() -> None:
    joint = np.zeros((1, 2, 5, 4))
    joint[0, 0, 0, :2] = 0.9, 0.1
    joint[0, 0, 1, :2] = 0.2, 0.8
    joint[0, 1, 2, 2:] = 0.5, 0.5
    joint[0, 1, 3, 2:] = 0.0, 1.0
    prior = np.array([0.1, 0.2, 0.3, 0.15, 0.25])  # the last task is on no probe
    q = mixed(joint, np.array([[0.2, 0.1, 0.1, 0.35, 0.25]]))
    found = decode_em(q, joint, prior)[0]
    np.testing.assert_allclose(found, [0.2, 0.1, 0.09 + 0.01, 0.35, 0.25], atol=1e-4)


def test_residual_is_the_mean_divergence_and_zero_for_a_mixture() -> None:
    q, joint, weights = planted(3)
    assert residual(q, joint, weights).max() < 1e-12
    other = np.random.default_rng(0).dirichlet(np.ones(q.shape[2]), size=q.shape[:2])
    fitted = slow_mixed(joint, weights)
    expected = [
        np.mean([sum(other[n, j] * np.log(other[n, j] / fitted[n, j])) for j in range(q.shape[1])])
        for n in range(len(q))
    ]
    np.testing.assert_allclose(residual(other, joint, weights), expected, rtol=1e-9)


def test_condition_is_numpys() -> None:
    _, joint, _ = planted(8)
    for n in range(joint.shape[0]):
        p = joint[n] / joint[n].sum(-1, keepdims=True)
        stacked = p.transpose(0, 2, 1).reshape(-1, joint.shape[2])  # (Q·A, F)
        assert condition(joint)[n] == pytest.approx(np.linalg.cond(stacked), rel=1e-6)
    some = np.arange(joint.shape[2]) < 2
    assert (condition(joint, np.tile(some, (joint.shape[0], 1))) < condition(joint)).all()


def test_scale_of_a_probe_does_not_matter() -> None:
    q, joint, weights = planted(4)
    scaled = joint * np.array([1.0, 1e-9, 1e3, 1e-200])[None, :, None, None]
    np.testing.assert_allclose(decode_em(q, scaled, np.full(6, 1 / 6)), weights, atol=2e-3)


@pytest.mark.parametrize(
    ("q", "joint", "prior"),
    [
        (np.ones((1, 2, 3)), np.ones((1, 2, 4, 5)), np.ones(4)),
        (np.ones((1, 2, 3)), np.ones((1, 2, 4, 3)), np.ones(3)),
        (np.ones((1, 2, 3)), -np.ones((1, 2, 4, 3)), np.ones(4)),
        (np.full((1, 2, 3), np.nan), np.ones((1, 2, 4, 3)), np.ones(4)),
        (np.ones((1, 2, 3)), np.ones((1, 2, 4, 3)), np.zeros(4)),
    ],
)
def test_what_does_not_fit_is_refused(q: Floats, joint: Floats, prior: Floats) -> None:
    for decode in DECODERS.values():
        with pytest.raises(ValueError, match=r"must"):
            decode(q, joint, prior)


def test_nothing_to_decode_returns_the_prior() -> None:
    joint = np.zeros((2, 3, 4, 5))
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    for decode in DECODERS.values():
        np.testing.assert_allclose(decode(np.full((2, 3, 5), 0.2), joint, prior), np.tile(prior, (2, 1)))
    empty = np.zeros((2, 0, 4, 0))
    np.testing.assert_allclose(decode_em(np.zeros((2, 0, 0)), empty, prior), np.tile(prior, (2, 1)))


def test_a_study_decodes_in_a_moment() -> None:
    """17 numbers of demonstrations × 8 probes × 80 families, of which a domain's 20 can write the probes."""
    q, joint, weights = planted(0, rows=17, probes=8, tasks=80, answers=64, sharp=0.1)
    alive = np.arange(80) % 4 == 0
    joint *= alive[None, None, :, None]
    weights = weights * alive / (weights * alive).sum(1, keepdims=True)
    q = mixed(joint, weights)
    prior = alive / alive.sum()
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        found = decode_em(q, joint, prior)
        times.append(time.perf_counter() - begun)
    assert distance(found, weights) < 0.02
    assert min(times) < 0.2, "an order above what it takes, for busy machines"
