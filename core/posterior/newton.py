"""Damped Newton steps for the weights of a mixture, all rows at once, each with its own damping.

What is solved, and the notation, stands in `core.posterior.decoding`. With p̂ = m/s, m = Σ_F w_F J_F, s = Σ_F w_F Z_F,
r_F(a) = w_F J_F(a)/m(a) and R_F(j) = w_F Z_F(j)/s(j), ∂ log p̂_j(a) / ∂ log w_F = r_F(a) − R_F(j). All is done in log w,
so that weights stay positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
TINY = 1e-300


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

    def slopes(self, active: Active, w: Floats, m: Floats, fitted: Floats, share: Floats) -> tuple[Floats, Floats]:
        """−∂ loss / ∂ log w, (n, f), and a Hessian that is never negative, (n, f, f)."""
        ...


class Likelihood:
    """−Σ q log p̂, with Fisher's information: Σ_a p̂ (r − R)(r − R)ᵀ = Σ_a p̂ r rᵀ − Σ_j R Rᵀ, as Σ_{a in j} p̂ r = R."""

    merges = True

    def loss(self, active: Active, fitted: Floats) -> Floats:
        sums: Floats = -(active.q * np.log(np.maximum(fitted, TINY))).sum(1)
        return sums

    def slopes(self, active: Active, w: Floats, m: Floats, fitted: Floats, share: Floats) -> tuple[Floats, Floats]:
        bend = _per_square(fitted * active.counted, m)
        both = np.matmul(active.columns * bend[:, None], active.columns.swapaxes(1, 2))
        both *= w[:, :, None] * w[:, None]
        both -= np.matmul(share * active.used[:, None], share.swapaxes(1, 2))
        return active.pulled(w, m, share, active.q), both


class Squares:
    """½ Σ (q − p̂)²; the Hessian is Gauss and Newton's, Σ p̂² (r − R)(r − R)ᵀ."""

    merges = False

    def loss(self, active: Active, fitted: Floats) -> Floats:
        sums: Floats = 0.5 * ((active.q - fitted) ** 2 * active.counted).sum(1)
        return sums

    def slopes(self, active: Active, w: Floats, m: Floats, fitted: Floats, share: Floats) -> tuple[Floats, Floats]:
        used = active.counted
        bend = fitted**2 * used
        weighted = active.columns * _per_square(bend, m)[:, None]
        both = np.matmul(weighted, active.columns.swapaxes(1, 2)) * w[:, :, None] * w[:, None]
        by_probe = np.matmul(weighted, m[..., None] * active.member) * w[..., None]  # Σ_{a in j} bend r, (n, f, Q)
        half = np.matmul(0.5 * share * (bend @ active.member)[:, None] - by_probe, share.swapaxes(1, 2))
        gain = active.pulled(w, m, share, (active.q - fitted) * fitted * used)
        return gain, both + half + half.swapaxes(1, 2)


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


def newton(
    problem: Problem, w: Floats, base: Floats, objective: Objective, strength: float, tolerance: float, limit: int
) -> Floats:
    """Levenberg–Marquardt in log w; a step is taken only if it lowers the objective.

    The prior's gradient is ε (b − w), its Hessian ε (diag w − w wᵀ).

    Args:
        w, base: (N, f) where to start, and the prior b.
        strength: ε.
        tolerance: a row is done when a step promises less.
        limit: most steps.
    """
    w = w.copy()
    active, now, b = Active.of(problem), w.copy(), base  # arrays of the rows that are left, each at its weights now
    damping = np.full(len(w), 0.01)
    fit = active.fit(now)
    loss = objective.loss(active, fit.fitted)
    gain, metric, hessian = _expand(active, now, fit, objective)
    for _ in range(limit if w.shape[1] else 0):
        slope = gain + strength * (b - now)
        pull = strength * now
        matrix = hessian - pull[:, :, None] * now[:, None]
        # in log w, a falling weight's own slope is curvature too; without it tiny weights bounce
        _diagonal(matrix)[...] += pull + np.maximum(-slope, 0.0) + damping[:, None] * (metric + pull)
        step = np.minimum(np.maximum(_solve(matrix, slope), -3.0), 3.0)
        new = now * np.exp(step)
        total = np.maximum(new.sum(1), TINY)
        new /= total[:, None]
        reached = active.fit(new)
        after = objective.loss(active, reached.fitted)
        change = after - loss - strength * ((b * step).sum(1) - b.sum(1) * np.log(total))  # b log (new / now)
        better = change <= 1e-13  # rounding, at most
        # a tiny weight promises little although it may deserve to grow, so the gain per weight is looked at too
        promised = (slope * step).sum(1)
        done = (promised < tolerance) & ((gain - 0.01 * now).max(1) <= 0)
        damping = np.where(better, np.maximum(damping / 8, 1e-9), damping * 10)
        if better.all():
            now, loss, fit = new, after, reached
        else:
            now[better], loss[better] = new[better], after[better]
            fit.put(better, reached.rows(better))
        left = ~done & (damping < 1e6)
        if not left.all():
            w[active.rows] = now
            if not left.any():
                return w
            active, fit, better = active.keep(left), fit.rows(left), better[left]
            now, b, damping, loss = now[left], b[left], damping[left], loss[left]
            gain, metric, hessian = gain[left], metric[left], hessian[left]
        # worked out anew only where the step was taken
        if better.all():
            gain, metric, hessian = _expand(active, now, fit, objective)
        elif better.any():
            part = active.keep(better)
            gain[better], metric[better], hessian[better] = _expand(part, now[better], fit.rows(better), objective)
    w[active.rows] = now
    return w


def _expand(active: Active, w: Floats, fit: Fit, objective: Objective) -> tuple[Floats, Floats, Floats]:
    """The objective at w without the prior: slopes, (n, f), Σ_j R, (n, f), and a Hessian, (n, f, f)."""
    share = active.shares(w, fit.s)
    gain, hessian = objective.slopes(active, w, fit.m, fit.fitted, share)
    return gain, share.sum(2), hessian


def _solve(matrix: Floats, right: Floats) -> Floats:
    """matrix⁻¹ right, (n, f), for positive semi-definite matrices whose diagonals span many orders of magnitude."""
    diagonal = _diagonal(matrix)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    unit = matrix * scale[:, :, None]
    unit *= scale[:, None]
    _diagonal(unit)[...] = 1 + 1e-9  # also where the diagonal is 0: there nothing moves
    solved: Floats = np.linalg.solve(unit, (right * scale)[..., None])[..., 0] * scale
    return solved


def _diagonal(matrices: Floats) -> Floats:
    """(n, f) the diagonals of (n, f, f), to be written into."""
    count, size, _ = matrices.shape
    return matrices.reshape(count, size * size)[:, :: size + 1]
