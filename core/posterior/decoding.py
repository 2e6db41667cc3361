"""Which mixture of known tasks explains a model's answers? Solvers that know nothing about models or words.

For every row n (a number of demonstrations) and probe input x_j there is a distribution q_nj over that probe's
answers, and for every task F the joint probability J_nj(F, a) = p(x_j, a | F). A mixture w answers

    (Pw)_nj(a) = Σ_F w_F J_nj(F, a) / Σ_F w_F Z_nj(F),      Z_nj(F) = Σ_a J_nj(F, a),

because seeing x_j is itself evidence about the task. Where every task gives the same Z this is the linear mixture
q = Pw of docs/methods.md §1.10. Tasks that agree on the probes, or that no probe can show, are not told apart by any
answer. So a
prior b takes part with the weight of a small share ε of one probe, as ε · KL(b‖w): what the answers decide moves by
about ε, and what they leave open stays where the prior has it, in the limit exactly.

Arrays: q (N, Q, A); joint (N, Q, F, A), zero where an answer is padding; prior (F,) or (N, F); weights (N, F).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.posterior.newton import TINY, Likelihood, Objective, Problem, Squares, em_step, newton

Floats = NDArray[np.float64]


def decode_em(
    q: Floats, joint: Floats, prior: Floats, *, strength: float = 1e-5, tolerance: float = 1e-8, limit: int = 400
) -> Floats:
    """The weights on the simplex that minimise Σ_j KL(q_j ‖ (Pw)_j) + ε KL(b ‖ w), for every row n at once: (N, F).

    EM with responsibilities r_F(a) = w_F J(F, a) / Σ_S w_S J(S, a) and R_F(j) = w_F Z_j(F) / Σ_S w_S Z_j(S):

        w_F ← w_F · (Σ_j Σ_a q_j(a) r_F(a) + ε b_F) / (Σ_j R_F(j) + ε w_F),   then normalise

    which for ε = 0 is the mean responsibility where all Z agree (docs/methods.md §1.10). A few such steps from the
    prior, then primal–dual Newton steps (`core.posterior.newton`), since EM alone crawls where tasks nearly agree. They
    end where a whole one moves no more than `tolerance`, and what is left then is less: within 1e-6 of where it would
    end if it went on, in total variation, for every answer of the embedded model that was tried.

    **Support.** Answers speak against a task where they are explained better with less of it, z_F = ε + ∂L/∂w_F > ε for
    the loss L. Such a task's weight is the prior's doing alone, and no more than ε b_F / z_F of it stands: a task that
    costs a hundredth of a nat or more per unit of its weight keeps less than a thousandth of its prior.

    Where all Z agree the objective is convex and this is its minimum; otherwise it may have several minima once q is
    far from every mixture, and this is the one that the prior leads to. Answers that no task gives are left out and q
    normalised over the rest. A prior of zero stays zero.

    Args:
        strength: ε, above 0.
        tolerance: stop a row when a whole Newton step moves no more, in total variation.
        limit: most Newton steps; a dozen is usual.

    Raises:
        ValueError: shapes that do not fit, a negative or non-finite number, or a prior that sums to zero.

    Source: Dempster, Laird and Rubin 1977 for EM; Kim, Carbonetto, Stephens and Anitescu 2020 (mixsqp) for going
    second order on mixture proportions; Nocedal and Wright 2006, chapter 19, for primal–dual steps.
    """
    return _decode(q, joint, prior, Likelihood(), strength, tolerance, limit)


def decode_least_squares(
    q: Floats, joint: Floats, prior: Floats, *, strength: float = 1e-6, tolerance: float = 1e-8, limit: int = 400
) -> Floats:
    """The weights on the simplex that minimise ½ Σ_j ‖q_j − (Pw)_j‖² + ε KL(b ‖ w), for every row: (N, F).

    Where it starts, how it goes on and ends, and what it raises, is as in `decode_em`.
    """
    return _decode(q, joint, prior, Squares(), strength, tolerance, limit)


DECODERS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "em": decode_em,
    "least-squares": decode_least_squares,
}


def mixed(joint: Floats, weights: Floats) -> Floats:
    """(Pw)_nj(a), (N, Q, A): what the mixture answers; zero at a probe that no weighted task can show."""
    mass = np.einsum("nf,nqfa->nqa", weights, joint, optimize=True)
    total = mass.sum(2, keepdims=True)
    shares: Floats = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
    return shares


def residual(q: Floats, joint: Floats, weights: Floats) -> Floats:
    """Mean over usable probes of KL(q_j ‖ (Pw)_j) in nats, (N,), with q over the answers that a weighted task gives.

    A probe that no weighted task can show is not used; zero where none is left. Never negative.
    """
    fitted = mixed(joint, weights)
    target = np.where(fitted > 0, q, 0.0)
    total = target.sum(2, keepdims=True)
    target = np.divide(target, total, out=np.zeros_like(target), where=total > 0)
    logs = np.log(np.maximum(target, TINY)) - np.log(np.maximum(fitted, TINY))
    used = total[:, :, 0] > 0
    mean: Floats = np.maximum((target * logs).sum((1, 2)) / np.maximum(used.sum(1), 1), 0.0)
    return mean


def condition(joint: Floats, held: NDArray[np.bool_] | None = None) -> Floats:
    """Condition number of P, (N,): its columns are p_F(a | x_j), stacked over probes.

    σ_max / σ_min by the Gram matrix, so that anything above 1e7 is reported as infinity. It is infinite, too, where
    some task is on no probe, or tasks fall into groups that share none: no answer compares those. `held` (N, F) says
    which tasks count, all that a probe shows when left out. One column or none has condition 1.
    """
    z = joint.sum(3, keepdims=True)
    p = np.divide(joint, z, out=np.zeros_like(joint), where=z > 0)
    shows = z[..., 0].swapaxes(1, 2) > 0  # (N, F, Q)
    counts = shows.any(2) if held is None else held
    out = np.ones(joint.shape[0])
    for n, columns in enumerate(counts):
        if columns.sum() < 2:
            continue
        if not _connected(shows[n, columns]):
            out[n] = np.inf
            continue
        stacked = p[n][:, columns].transpose(1, 0, 2).reshape(int(columns.sum()), -1)  # (f, Q·A)
        eigen = np.linalg.eigvalsh(stacked @ stacked.T)
        out[n] = np.sqrt(eigen[-1] / eigen[0]) if eigen[0] > 1e-14 * eigen[-1] else np.inf
    return out


def _connected(shows: NDArray[np.bool_]) -> bool:
    """Whether all tasks, (f, Q) by probe, hang together through shared probes."""
    members = shows[:, shows[0]].any(1)
    for _ in range(shows.shape[1]):
        members = shows[:, shows[members].any(0)].any(1)
    return bool(members.all())


def _check(q: Floats, joint: Floats, prior: Floats) -> Floats:
    """The prior as (N, F) with rows that sum to one, or ValueError."""
    if q.ndim != 3 or joint.ndim != 4 or (*joint.shape[:2], joint.shape[3]) != q.shape:
        raise ValueError(f"q {q.shape} must be (N, Q, A) and joint {joint.shape} must be (N, Q, F, A).")
    if prior.shape not in ((joint.shape[2],), (joint.shape[0], joint.shape[2])):
        raise ValueError(f"The prior {prior.shape} must be (F,) or (N, F) with N, F = {joint.shape[::2]}.")
    for name, values in (("q", q), ("joint", joint), ("prior", prior)):
        if values.size and not (values.min() >= 0 and values.max() < np.inf):  # NaN fails both
            raise ValueError(f"{name} must hold finite numbers of at least 0.")
    start = np.broadcast_to(prior, (joint.shape[0], joint.shape[2])).astype(np.float64)
    total = start.sum(1, keepdims=True)
    if (total <= 0).any():
        raise ValueError("The prior must give some task a weight above 0.")
    scaled: Floats = start / total
    return scaled


def _reduce(q: Floats, joint: Floats, start: Floats, merge: bool) -> Problem:
    """Leave out what is zero, and put together what cannot be told apart.

    Tasks with the same columns everywhere become one, whose weight the prior divides again; with `merge`, answers that
    every task gives with the same probability become one too, which moves no likelihood.
    """
    seen = np.flatnonzero(joint.any((1, 3)).any(0) & (start > 0).any(0))
    kept = joint[:, :, seen] * (start[:, None, seen, None] > 0)  # (N, Q, f, A)
    reachable = kept.any(2)  # (N, Q, A)
    target = np.where(reachable, q, 0.0)
    mass = target.sum(2, keepdims=True)
    used = mass[:, :, 0] > 0
    target = np.divide(target, mass, out=np.zeros_like(target), where=mass > 0)
    totals = kept.sum(3).transpose(0, 2, 1)  # (N, f, Q)
    peak = np.where(used, totals.max(1, initial=0.0), 0.0)[:, None]  # (N, 1, Q)
    totals = np.divide(totals, peak, out=np.zeros_like(totals), where=peak > 0)
    probe, answer = np.nonzero(reachable.any(0))
    by_task = kept.transpose(0, 2, 1, 3).reshape(len(q), len(seen), q[0].size)
    columns = np.take(by_task, probe * q.shape[2] + answer, axis=2)  # (N, f, M)
    columns /= np.where(peak > 0, peak, np.inf)[:, :, probe]
    target = target[:, probe, answer]

    rng = np.random.default_rng(0)
    rows, tasks, places = np.split(rng.uniform(0.5, 1.5, sum(columns.shape)), np.cumsum(columns.shape)[:2])
    like = np.einsum("nfm,n,m->f", columns, rows, places, optimize=True)
    same = _same(like, (start[:, seen] > 0).T @ rows)
    first = np.unique(same, return_index=True)[1]
    columns, totals = columns[:, first], totals[:, first]
    if merge:
        some = tasks[: len(first)]
        alike = np.einsum("nfm,n,f->m", columns, rows, some, optimize=True)
        group = _same(alike, probe.astype(np.float64))
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        by_answer = np.take(columns.transpose(2, 0, 1), order, axis=0)  # quicker than along the last axis
        columns = np.add.reduceat(by_answer, starts, axis=0).transpose(1, 2, 0)
        target, probe = np.add.reduceat(target[:, order], starts, axis=1), probe[order[starts]]
    return Problem(seen, same, np.ascontiguousarray(columns), totals.copy(), target, probe, used * 1.0)


def _same(*signatures: NDArray[np.floating]) -> NDArray[np.intp]:
    """Numbers 0 … for places whose signatures all agree to ten digits."""
    keys = np.stack([np.round(s / max(float(np.abs(s).max(initial=0.0)), TINY), 10) for s in signatures], axis=1)
    return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1], dtype=np.intp).reshape(-1)


def _decode(
    q: Floats, joint: Floats, prior: Floats, objective: Objective, strength: float, tolerance: float, limit: int
) -> Floats:
    start = _check(q, joint, prior)
    alive = (start > 0).sum(1)
    wide = alive > 2 * np.median(alive)  # the first few rows, before the inputs have ruled most tasks out
    weights = np.empty_like(start)
    for rows in (np.flatnonzero(wide), np.flatnonzero(~wide)):
        if rows.size:
            weights[rows] = _decode_alike(q[rows], joint[rows], start[rows], objective, strength, tolerance, limit)
    return weights


def _decode_alike(
    q: Floats, joint: Floats, start: Floats, objective: Objective, strength: float, tolerance: float, limit: int
) -> Floats:
    problem = _reduce(q, joint, start, merge=objective.merges)
    kept = start[:, problem.tasks]
    into = (problem.group[:, None] == np.arange(problem.columns.shape[1])).astype(np.float64)  # (tasks, f)
    grouped = kept @ into
    share = grouped.sum(1, keepdims=True)  # tasks that no probe can show keep the rest
    base = np.divide(grouped, share, out=np.zeros_like(grouped), where=share > 0)
    w = base
    for _ in range(3):
        w = em_step(problem, w, base, strength)
    w = newton(problem, w, base, objective, strength, tolerance, limit) * share
    factor = np.divide(w, grouped, out=np.zeros_like(w), where=grouped > 0)
    weights = start.copy()
    weights[:, problem.tasks] = kept * factor[:, problem.group]
    weights /= weights.sum(1, keepdims=True)
    return weights
