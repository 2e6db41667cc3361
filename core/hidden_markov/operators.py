"""The operator kernel of a mixture of hidden Markov models (Han et al. 2023; docs/methods.md §2.7).

    T_x = Π_t diag(p_{o_t}) T,    Σ = E_{x∼p}[vec(T_x) vec(T_x)ᵀ] (uncentred),    K(x, x') = vec(T_x)ᵀ Σ⁺ vec(T_x')

A mixture of M models is one model whose transitions never leave a component, so T_x is block diagonal and its M·S²
entries that can differ from zero are its features; the others would add rows of zeros to Σ and nothing to K.
Σ is often singular: Σ⁺ is the pseudo-inverse. E_p[K(x, x)] = tr(Σ⁺ Σ) = rank Σ.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import ArrayLike

from core.errors import StudyError
from core.hidden_markov.forward import log_likelihood
from core.hidden_markov.model import Floats, HMMMixture
from core.runtime.progress import Stop, check, counting

TOLERANCE = 1e-10  # eigenvalues of Σ below this share of the largest count as zero
LARGEST = 2500  # features, or inputs: a matrix of this size takes 50 MB and its eigenvectors some ten seconds


def operators(mixture: HMMMixture, sequences: ArrayLike) -> Floats:
    """T_x of every sequence and component, (B, M, S, S); sequences (B, L).

    Its entry (i, j) is P(x, h_{L+1} = j | h_1 = i), so initial · T_x · 1 = P(x).
    """
    tokens = np.asarray(sequences, dtype=np.int64)
    m, s = mixture.initial.shape
    result: Floats = np.broadcast_to(np.eye(s), (len(tokens), m, s, s))
    for t in range(tokens.shape[1]):
        emitted = mixture.emission[:, :, tokens[:, t]].transpose(2, 0, 1)  # (B, M, S)
        result = (result * emitted[:, :, None, :]) @ mixture.transition
    return result


def features(mixture: HMMMixture, sequences: ArrayLike) -> Floats:
    """vec(T_x), components one after another, (B, M·S²)."""
    found = operators(mixture, sequences)
    return found.reshape(len(found), -1)


def second_moment_of(vectors: Floats, probabilities: Floats) -> Floats:
    """Σ = Σ_x p(x) vec(T_x) vec(T_x)ᵀ over a finite set of inputs: vectors (B, F), probabilities (B,)."""
    moment: Floats = (vectors * probabilities[:, None]).T @ vectors
    return moment


def second_moment(mixture: HMMMixture, length: int, *, stop: Stop | None = None) -> Floats:
    """Σ over all V^length inputs that the mixture may say, exactly, (F, F), without listing them.

    With p(x) = Σ_c P(c) initial_cᵀ T_x^c 1, an entry of Σ is a sum over x of products of three operators, carried from
    token to token with three states (i, j, k), one in each of components a, b and c, and two that remember where a and
    b began:

        A ← Σ_{i j k} A[x, y, i, j, k] E[i, j, k] T^a[i, ·] T^b[j, ·] T^c[k, ·],   E[i, j, k] = Σ_o e_i(o) e_j(o) e_k(o)

    After the first token A is the product T^a[x, i] T^b[y, j] w[x, y, k], and after the last one k is summed out, so
    inputs of one or two tokens never need it; longer ones take M S⁵ numbers for each of M² pairs (a, b).

    Raises:
        StudyError: more than `LARGEST` entries in an operator.
        Cancelled: `stop` said so.
    """
    m, s = mixture.initial.shape
    check_size(mixture.observations**length, m * s * s, listing=False)
    moment = np.zeros((m, s * s, m, s * s))
    pairs = list(combinations_with_replacement(range(m), 2))
    with counting(len(pairs), "pairs of components") as advance:
        for done, (a, b) in enumerate(pairs, start=1):
            check(stop)
            square = _moment_of_two(mixture, a, b, length).transpose(0, 2, 1, 3).reshape(s * s, s * s)
            moment[a, :, b], moment[b, :, a] = square, square.T
            advance(done)
    return moment.reshape(m * s * s, m * s * s)


def _moment_of_two(mixture: HMMMixture, a: int, b: int, length: int) -> Floats:
    """Σ_x p(x) T_x^a[x, i] T_x^b[y, j], (x, y, i, j)."""
    m, s = mixture.initial.shape
    t_a, t_b, t_c = mixture.transition[a], mixture.transition[b], mixture.transition
    both = (mixture.emission[a][:, None] * mixture.emission[b][None]).reshape(s * s, -1)
    emitted = (mixture.emission.reshape(m * s, -1) @ both.T).reshape(m, s, s, s)  # (c, k, i, j)
    first = mixture.prior[:, None] * mixture.initial  # (c, k)
    if length == 1:
        short: Floats = np.einsum("ck,ckxy,xi,yj->xyij", first, emitted, t_a, t_b, optimize=True)
        return short
    seen = np.einsum("ck,ckxy,ckl->xycl", first, emitted, t_c, optimize=True)  # w, with P(c) in it
    if length == 2:
        weights = (seen.reshape(s * s, m * s) @ emitted.reshape(m * s, s * s)).reshape(s, s, s, s)  # (x, y, i, j)
        weights = weights * t_a[:, None, :, None] * t_b[None, :, None, :]
    else:
        carried = np.einsum("xi,yj,xyck->cxyijk", t_a, t_b, seen, optimize=True)
        of_states = emitted.transpose(0, 2, 3, 1)[:, None, None]  # (c, 1, 1, i, j, k)
        for _ in range(length - 2):
            carried = (carried * of_states) @ t_c[:, None, None, None]
            carried = np.moveaxis(np.tensordot(carried, t_a, axes=(3, 0)), 5, 3)
            carried = np.moveaxis(np.tensordot(carried, t_b, axes=(4, 0)), 5, 4)
        weights = (carried * of_states).sum(axis=(0, 5))
    moment: Floats = np.einsum("xyij,ik,jl->xykl", weights, t_a, t_b, optimize=True)
    return moment


@dataclass(frozen=True)
class OperatorKernel:
    """K(x, x') = φ(x)·φ(x') with φ(x) = vec(T_x) W and W Wᵀ = Σ⁺.

    Attributes:
        whitener: W, (F, rank).
        rank: rank of Σ: eigenvalues above the tolerance.
        condition: largest over smallest of those eigenvalues.
    """

    whitener: Floats
    rank: int
    condition: float

    def map(self, vectors: Floats) -> Floats:
        """φ(x) for vec(T_x): (B, F) → (B, rank)."""
        mapped: Floats = vectors @ self.whitener
        return mapped

    def __call__(self, vectors: Floats, others: Floats) -> Floats:
        """K between every pair, (B, F) and (C, F) → (B, C). It may be negative."""
        weights: Floats = self.map(vectors) @ self.map(others).T
        return weights


def operator_kernel(moment: Floats, tolerance: float = TOLERANCE) -> OperatorKernel:
    """The kernel that Σ gives.

    Args:
        moment: Σ, (F, F).
        tolerance: eigenvalues at or below this share of the largest are taken for zero.

    Raises:
        StudyError: Σ is zero or not finite.
    """
    if not np.isfinite(moment).all() or not np.trace(moment) > 0:
        raise StudyError("The second moment of the operators is zero or not finite, so it has no inverse.")
    values, vectors = np.linalg.eigh((moment + moment.T) / 2)
    kept = values > tolerance * values[-1]
    return OperatorKernel(
        vectors[:, kept] / np.sqrt(values[kept]), int(kept.sum()), float(values[-1] / values[kept].min())
    )


def kernel_on_inputs(vectors: Floats, probabilities: Floats, tolerance: float = TOLERANCE) -> OperatorKernel:
    """The kernel of a finite set of inputs, without the F × F matrix: F may be thousands.

    With √p vec(T_x) as the rows of A = U S Wᵀ, Σ = AᵀA = W S² Wᵀ; so the whitener is W S⁻¹, and W = Aᵀ U S⁻¹ comes from
    the B × B matrix A Aᵀ = U S² Uᵀ.

    Args:
        vectors: vec(T_x), (B, F).
        probabilities: p(x), (B,).
        tolerance: eigenvalues at or below this share of the largest are taken for zero.

    Raises:
        StudyError: Σ is zero or not finite.
    """
    rows = vectors * np.sqrt(probabilities)[:, None]
    left = operator_kernel(rows @ rows.T, tolerance)  # its whitener is U S⁻¹
    values = (left.whitener**2).sum(axis=0)  # S⁻²
    return OperatorKernel(rows.T @ (left.whitener * np.sqrt(values)), left.rank, left.condition)


def exact_kernel(mixture: HMMMixture, length: int, *, stop: Stop | None = None) -> OperatorKernel:
    """The kernel under p(x) of the mixture for inputs of `length` tokens, from all inputs if they are few, else from Σ.

    Raises:
        StudyError: too many inputs, and too large operators.
        Cancelled: `stop` said so.
    """
    inputs = mixture.observations**length
    check_size(inputs, mixture.components * mixture.states**2)
    if inputs > LARGEST:
        return operator_kernel(second_moment(mixture, length, stop=stop))
    check(stop)
    every = np.array(list(product(range(mixture.observations), repeat=length)), dtype=np.int64)
    chances = mixture.prior @ np.exp(log_likelihood(mixture, every))
    return kernel_on_inputs(features(mixture, every), chances)


def check_size(inputs: int, entries: int, listing: bool = True) -> None:
    """Refuse kernels that would take minutes and gigabytes.

    Args:
        inputs: V^length, how many there are.
        entries: features of an operator, M·S².
        listing: whether the inputs may be listed instead.

    Raises:
        StudyError: both are more than `LARGEST`.
    """
    if entries > LARGEST and (inputs > LARGEST or not listing):
        raise StudyError(
            f"The operators have {entries:,} entries and there are {inputs:,} different inputs, and the kernel inverts "
            f"a matrix of one size or the other: take fewer states or shorter inputs, so that one is at most "
            f"{LARGEST:,}."
        )
