"""Primal–dual Newton steps for the weights of a mixture, all rows at once, each with its own damping.

What is solved, and the notation, stands in `core.posterior.decoding`. With p̂ = m/s, m = Σ_F w_F J_F, s = Σ_F w_F Z_F,
r_F(a) = w_F J_F(a)/m(a) and R_F(j) = w_F Z_F(j)/s(j), ∂ log p̂_j(a) / ∂ log w_F = r_F(a) − R_F(j). The weak prior's
ε KL(b‖w) = −ε Σ_F b_F log w_F + … is the barrier of an interior-point method, so its multipliers z_F ≥ 0 take part:

    ∂L/∂w_F + ε = z_F,    w_F z_F = ε b_F,    Σ_F w_F = 1

and are solved for by Newton's method in w and z together, a larger μ standing in for ε at first. Of a weight that goes
to almost nothing, z is of the size of what speaks against it, so that such weights converge as fast as all others; in
log w alone they crawl. Steps are relative, e = dw/w, and all matrices are scaled by w on both sides.

Source: Nocedal and Wright 2006, chapter 19, for primal–dual interior-point methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
TINY = 1e-300
FIRST_BARRIER = 3e-3  # μ at the start; it falls to ε tenfold a step
NEAR = 0.995  # of the way to zero, the most that a weight goes in one step
REGULAR = 1e-13  # of the diagonal, where a matrix is singular; a flat valley has curvatures little above that
DAMPINGS = 1e-10, 1e6  # the least that is not 0, and the most
ROUNDING = 1e-11  # nats; a step that lowers the objective by less cannot be told from one that does not


@dataclass(frozen=True)
class Problem:
    """The same problem, smaller; (probe, answer) is one axis M, and f tasks are left."""

    tasks: NDArray[np.intp]  # places among F of the tasks that some probe shows
    group: NDArray[np.intp]  # for each of those, which of the f it is one with
    columns: Floats  # (N, f, M)  J, scaled per probe so that its largest Z is 1
    totals: Floats  # (N, f, Q)  Z on the same scale
    q: Floats  # (N, M), every probe that can be used sums to 1, the others are 0
    probe: NDArray[np.intp]  # (M,) the probe of each column
    used: Floats  # (N, Q) 1 where the probe has answers and a q for them


class Fit(NamedTuple):
    """What weights make of a problem: m, (n, M), s, (n, Q), and p̂ = m/s, (n, M)."""

    m: Floats
    s: Floats
    fitted: Floats

    def rows(self, which: Flags) -> Fit:
        """Some of the rows; all of them cost nothing."""
        return self if which.all() else Fit(self.m[which], self.s[which], self.fitted[which])

    def put(self, which: Flags, other: Fit) -> None:
        """Take over rows of another."""
        self.m[which], self.s[which], self.fitted[which] = other


@dataclass(frozen=True)
class Active:
    """The rows of a problem that are not solved yet: n of its N, arrays otherwise as there."""

    rows: NDArray[np.intp]
    columns: Floats  # (n, f, M)
    totals: Floats  # (n, f, Q)
    q: Floats  # (n, M)
    used: Floats  # (n, Q)
    probe: NDArray[np.intp]  # (M,)
    member: Floats  # (M, Q) one where the column is the probe's
    counted: Floats  # (n, M) `used` of each column's probe

    @classmethod
    def of(cls, problem: Problem) -> Active:
        """All rows."""
        member = (problem.probe[:, None] == np.arange(problem.totals.shape[2])).astype(np.float64)
        rows, counted = np.arange(len(problem.q)), problem.used[:, problem.probe]
        return cls(rows, problem.columns, problem.totals, problem.q, problem.used, problem.probe, member, counted)

    def keep(self, left: Flags) -> Active:
        """Some of the rows; all of them cost nothing."""
        if left.all():
            return self
        arrays = (self.rows[left], self.columns[left], self.totals[left], self.q[left], self.used[left])
        return Active(*arrays, self.probe, self.member, self.counted[left])

    def fit(self, w: Floats) -> Fit:
        """m, (n, M), s, (n, Q), and p̂ = m/s, (n, M)."""
        m = np.maximum(np.matmul(w[:, None], self.columns)[:, 0], TINY)
        s = np.maximum(np.matmul(w[:, None], self.totals)[:, 0], TINY)
        return Fit(m, s, m / s[:, self.probe])

    def shares(self, w: Floats, s: Floats) -> Floats:
        """R, (n, f, Q)."""
        found: Floats = self.totals * (w[..., None] / s[:, None])
        return found

    def pulled(self, w: Floats, m: Floats, share: Floats, pull: Floats) -> Floats:
        """Σ_a pull(a) (r_F(a) − R_F), (n, f)."""
        own = w * np.matmul(self.columns, (pull / m)[..., None])[..., 0]
        found: Floats = own - np.matmul(share, (pull @ self.member)[..., None])[..., 0]
        return found


class Objective(Protocol):
    """What is minimised, apart from the prior's part.

    Attributes:
        merges: whether answers that every task gives with the same probability may be counted together.
    """

    merges: bool

    def loss(self, active: Active, fitted: Floats) -> Floats:
        """(n,)."""
        ...

    def slopes(
        self, active: Active, w: Floats, m: Floats, fitted: Floats, share: Floats, exact: bool
    ) -> tuple[Floats, Floats]:
        """−w ∂ loss/∂w, (n, f), and w wᵀ ∂² loss/∂w², (n, f, f): the true one, or one that is never negative."""
        ...


class Likelihood:
    """−Σ q log p̂, whose second derivative is Σ_a q r rᵀ − Σ_j R Rᵀ. With p̂ for q it is Fisher's information,
    Σ_a p̂ (r − R)(r − R)ᵀ, as Σ_{a in j} p̂ r = R, and never negative."""

    merges = True

    def loss(self, active: Active, fitted: Floats) -> Floats:
        sums: Floats = -(active.q * np.log(np.maximum(fitted, TINY))).sum(1)
        return sums

    def slopes(
        self, active: Active, w: Floats, m: Floats, fitted: Floats, share: Floats, exact: bool
    ) -> tuple[Floats, Floats]:
        bend = _per_square(active.q if exact else fitted * active.counted, m)
        both = np.matmul(active.columns * bend[:, None], active.columns.swapaxes(1, 2))
        both *= w[:, :, None] * w[:, None]
        both -= np.matmul(share * active.used[:, None], share.swapaxes(1, 2))
        return active.pulled(w, m, share, active.q), both


class Squares:
    """½ Σ (q − p̂)², whose second derivative is Gauss and Newton's Σ p̂² d dᵀ, never negative, and, with d = r − R,
    Σ_j (v_j R_jᵀ + R_j v_jᵀ), v_j = Σ_{a in j} (q − p̂) p̂ d."""

    merges = False

    def loss(self, active: Active, fitted: Floats) -> Floats:
        sums: Floats = 0.5 * ((active.q - fitted) ** 2 * active.counted).sum(1)
        return sums

    def slopes(
        self, active: Active, w: Floats, m: Floats, fitted: Floats, share: Floats, exact: bool
    ) -> tuple[Floats, Floats]:
        used = active.counted
        bend, pull = fitted**2 * used, (active.q - fitted) * fitted * used
        weighted = active.columns * _per_square(bend, m)[:, None]
        both = np.matmul(weighted, active.columns.swapaxes(1, 2)) * w[:, :, None] * w[:, None]
        by_probe = np.matmul(weighted, m[..., None] * active.member) * w[..., None]  # Σ_{a in j} bend r, (n, f, Q)
        across = 0.5 * share * (bend @ active.member)[:, None] - by_probe
        if exact:
            per_answer = active.columns * (pull / m)[:, None]
            across += np.matmul(per_answer, active.member) * w[..., None] - share * (pull @ active.member)[:, None]
        half = np.matmul(across, share.swapaxes(1, 2))
        return active.pulled(w, m, share, pull), both + half + half.swapaxes(1, 2)


def _per_square(bend: Floats, m: Floats) -> Floats:
    """bend/m², and 0 where m is next to nothing, as then are bend and what this is multiplied by."""
    found: Floats = np.divide(bend, m**2, out=np.zeros_like(bend), where=m > 1e-150)
    return found


def em_step(problem: Problem, w: Floats, base: Floats, strength: float) -> Floats:
    """One step of EM for every row, (N, f)."""
    active = Active.of(problem)
    m, s, _ = active.fit(w)
    up = w * np.matmul(problem.columns, (problem.q / m)[..., None])[..., 0] + strength * base
    down = w * np.matmul(problem.totals, (problem.used / s)[..., None])[..., 0] + strength * w
    new = w * np.divide(up, down, out=np.ones_like(up), where=down > 0)
    total = new.sum(1, keepdims=True)
    result: Floats = np.where(total > 0, new / np.maximum(total, TINY), w)
    return result


class State(NamedTuple):
    """Where the rows that are left stand; arrays are written into."""

    w: Floats  # (n, f)
    base: Floats  # (n, f)
    dual: Floats  # (n, f)  w z
    barrier: Floats  # (n,)  μ
    damping: Floats  # (n,)
    loss: Floats  # (n,)
    gain: Floats  # (n, f)
    metric: Floats  # (n, f)
    hessian: Floats  # (n, f, f)
    exact: Flags  # (n,) whether that is the true one

    def keep(self, left: Flags) -> State:
        """Some of the rows; all of them cost nothing."""
        if left.all():
            return self
        rows = (self.w[left], self.base[left], self.dual[left], self.barrier[left], self.damping[left])
        derivatives = (self.gain[left], self.metric[left], self.hessian[left], self.exact[left])
        return State(*rows, self.loss[left], *derivatives)


class NewtonStep(NamedTuple):
    """Where a step leads."""

    w: Floats  # (n, f)
    dual: Floats  # (n, f)
    length: Floats  # (n,) how much of the step was taken
    convex: Flags  # (n,) whether it is one to a minimum


def newton(
    problem: Problem, w: Floats, base: Floats, objective: Objective, strength: float, tolerance: float, limit: int
) -> Floats:
    """Minimise loss + ε KL(b‖w) from w; a step is taken only if it lowers that.

    Where the true second derivative is not positive, the one that never is negative takes its place for a step.

    Args:
        w, base: (N, f) where to start, and the prior b.
        strength: ε.
        tolerance: a row is done when a whole step of the true second derivative moves no more than this share of the
            weight. That step is taken too, and such steps converge quadratically, so what is left is far less.
        limit: most steps.
    """
    w = w.copy()
    active = Active.of(problem)
    fit = active.fit(w)
    gain, metric, hessian = _expand(active, w, fit, objective, exact=False)
    barrier, rows = np.full(len(w), max(FIRST_BARRIER, strength)), np.zeros(len(w))
    dual = np.maximum(-gain, barrier[:, None] * base)
    loss = objective.loss(active, fit.fitted)
    now = State(w.copy(), base, dual, barrier, rows, loss, gain, metric, hessian, rows > 0)
    for _ in range(limit if w.shape[1] else 0):
        step = _step(now, strength)
        reached = active.fit(step.w)
        after = objective.loss(active, reached.fitted)
        better = step.convex & (after - now.loss - _pulled_to_prior(now, step.w) <= ROUNDING)
        done = better & now.exact & (now.damping == 0) & (now.barrier <= strength) & (_moved(now, step) <= tolerance)
        _damp(now, better, step.convex)
        now.w[better], now.dual[better], now.loss[better] = step.w[better], step.dual[better], after[better]
        lower = np.maximum(now.barrier * np.where(step.length > 0.5, 0.1, 0.5), strength)
        now.barrier[better] = lower[better]
        fit.put(better, reached.rows(better))
        left = ~done & (now.damping < DAMPINGS[1])
        concave = now.exact & ~step.convex
        if not left.all():
            w[active.rows] = now.w
            if not left.any():
                return w
            active, fit, now, better, concave = (
                active.keep(left),
                fit.rows(left),
                now.keep(left),
                better[left],
                concave[left],
            )
        for which, exact in ((better, True), (concave, False)):  # worked out anew only where it changes
            if which.any():
                part = active.keep(which)
                found = _expand(part, now.w[which], fit.rows(which), objective, exact)
                now.gain[which], now.metric[which], now.hessian[which] = found
                now.exact[which] = exact
    w[active.rows] = now.w
    return w


def _pulled_to_prior(now: State, w: Floats) -> Floats:
    """By how much the prior's part, −μ Σ b log w, is lower at these weights than now, (n,)."""
    logs = np.log(np.maximum(w, TINY)) - np.log(np.maximum(now.w, TINY))
    lower: Floats = now.barrier * (now.base * logs).sum(1)
    return lower


def _moved(now: State, step: NewtonStep) -> Floats:
    """Total variation that the whole step would move, (n,)."""
    moved: Floats = 0.5 * np.abs(step.w - now.w).sum(1) / np.maximum(step.length, TINY)
    return moved


def _damp(now: State, better: Flags, convex: Flags) -> None:
    """Less after a step that was taken; more after one that was not, unless another second derivative is to be had."""
    least, _ = DAMPINGS
    eased = now.damping / 100 * (now.damping > least)
    more = np.where(now.exact & ~convex, now.damping, np.maximum(now.damping * 100, least))
    now.damping[:] = np.where(better, eased, more)


def _step(now: State, strength: float) -> NewtonStep:
    """One step for every row."""
    barrier = now.barrier[:, None]
    # the loss does not read the scale of w, so ½ (Σ w − 1)² may be added to it, to hold the sum
    matrix = now.hessian + now.w[:, :, None] * now.w[:, None]
    _diagonal(matrix)[...] += now.dual + now.damping[:, None] * (now.metric + strength)
    target = barrier * now.base
    step, convex = _solve(matrix, now.gain + target - barrier * now.w)
    turn = (target - now.dual - now.dual * step) / np.maximum(now.dual, TINY)  # dz/z
    length, dual_length = _inside(step), _inside(turn)
    new = now.w * (1 + length[:, None] * step)
    total = np.maximum(new.sum(1, keepdims=True), TINY)
    dual = now.dual * (1 + length[:, None] * step) * (1 + dual_length[:, None] * turn)
    return NewtonStep(new / total, dual, np.minimum(length, dual_length), convex)


def _inside(step: Floats) -> Floats:
    """How much of a relative step keeps every value positive, at most all of it, (n,)."""
    found: Floats = np.minimum(1.0, NEAR / np.maximum((-step).max(1, initial=NEAR), NEAR))
    return found


def _expand(active: Active, w: Floats, fit: Fit, objective: Objective, exact: bool) -> tuple[Floats, Floats, Floats]:
    """The objective at w without the prior: slopes, (n, f), Σ_j R, (n, f), and second derivatives, (n, f, f)."""
    share = active.shares(w, fit.s)
    gain, hessian = objective.slopes(active, w, fit.m, fit.fitted, share, exact)
    return gain, share.sum(2), hessian


def _solve(matrix: Floats, right: Floats) -> tuple[Floats, Flags]:
    """matrix⁻¹ right, (n, f), for matrices whose diagonals span many orders of magnitude, and which are positive, (n,).

    Where one is not, there is nothing to solve for, and the steps are zero.
    """
    diagonal = _diagonal(matrix)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    unit = matrix * scale[:, :, None]
    unit *= scale[:, None]
    _diagonal(unit)[...] = np.where(diagonal < 0, -1.0, 1 + REGULAR)  # also where it is 0: there nothing moves
    positive = _positive(unit)
    if not positive.all():
        unit[~positive], right = np.eye(unit.shape[1]), np.where(positive[:, None], right, 0.0)
    solved: Floats = np.linalg.solve(unit, (right * scale)[..., None])[..., 0] * scale
    return solved, positive


def _positive(matrices: Floats) -> Flags:
    """Which of them are positive definite, (n,)."""
    try:
        np.linalg.cholesky(matrices)
        return np.ones(len(matrices), dtype=bool)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.zeros(1, dtype=bool)
        return np.concatenate([_positive(matrix) for matrix in matrices[:, None]])


def _diagonal(matrices: Floats) -> Floats:
    """(n, f) the diagonals of (n, f, f), to be written into."""
    count, size, _ = matrices.shape
    return matrices.reshape(count, size * size)[:, :: size + 1]
