"""How fast kernel regression comes near exact Bayes on a mixture of hidden Markov models (Han et al. 2023, Table 3).

A demonstration is a fresh sequence of the prompt's task: x its first L tokens, y the one after. With uniform P(m),
after n demonstrations D_n of one task and for a new x of that task,

    Bayes:   P(y | x, D_n) = Σ_m P(m | x, D_n) P(y | x, m),   P(m | x, D_n) ∝ P(m) p(x | m) Π_i p(x_i, y_i | m)
    kernel:  ŷ = Σ_i e(y_i) K(x, x_i) / Σ_i K(x, x_i),        K the operator kernel of the whole mixture

and the distance is a norm of ŷ − P(· | x, D_n) over the V observations; the paper bounds it by
η² ε_θ + O(√(ln(4m/δ)/n)). K may be negative, and then Σ_i K_i may be next to nothing while ŷ is enormous; so the curve
in front sets negative weights to zero, which makes ŷ a distribution. The formula as written stands beside it, with
distances capped at the largest that two distributions can have.

What is ours: the table says 8 tasks, 80 states and 100 observations; what a task changes, how tables are drawn, the
length of x and the norm are not among the figures that we have. Tables are drawn row by row as
softmax(N(0, 1) / temperature), `World.differ` says what a task changes, and since 1.322 is more than the maximum norm
of a difference of distributions can be, Σ|·| comes first and two other norms beside it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from core.errors import StudyError
from core.hidden_markov.forward import log_likelihood, read, sample
from core.hidden_markov.model import Floats, HMMMixture, Ints
from core.hidden_markov.operators import OperatorKernel, check_size, exact_kernel, features
from core.runtime.progress import Stop, check, counting, part
from core.statistics.curves import Curve, curve_of
from core.statistics.distributions import softmax

NUMBERS = (1, 2, 4, 8, 16, 32, 64, 128)
PUBLISHED = (1.322, 0.942, 0.519, 0.218, 0.163, 0.085, 0.093, 0.083)  # Han et al. 2023, Table 3, at NUMBERS
NORMS = {"L1": 2.0, "L2": math.sqrt(2.0), "max": 1.0}  # with the largest that two distributions can have
KERNEL, SIGNED, FLAT = "operator kernel", "with negative weights", "all weights equal"
NEGLIGIBLE = 1e-6  # of the largest that K(x, x') can be: below, it is rounding
TOGETHER = 16  # prompts whose operators are in memory at once

Differ = Literal["all", "transitions", "start"]


@dataclass(frozen=True)
class World:
    """What is drawn and how often.

    Attributes:
        tasks: M.
        states: of all tasks together.
        observations: V.
        differ: what a task changes. "all": every task is a model of its own with states / M states. "transitions":
            the same, but emissions are shared, as in GINC. "start": all tasks walk one model of `states` states and
            differ in where they start.
        length: tokens in x.
        start, transition, emission: temperatures; the lower, the closer a row is to one certain outcome. The defaults
            were picked so that the distance at n = 1 is near the published one.
        prompts: prompts per seed.
        seeds: mixtures drawn; the interval is over them.
        first_seed: they are first_seed, first_seed + 1, …

    Raises:
        StudyError: numbers that make no world, or too large a kernel.
    """

    tasks: int = 8
    states: int = 80
    observations: int = 100
    differ: Differ = "all"
    length: int = 2
    start: float = 0.5
    transition: float = 0.05
    emission: float = 0.05
    prompts: int = 64
    seeds: int = 8
    first_seed: int = 0

    def __post_init__(self) -> None:
        least = min(self.tasks, self.states, self.observations, self.length, self.prompts, self.seeds)
        if least < 1 or self.first_seed < 0:
            raise StudyError("Tasks, states, observations, tokens of x, prompts and seeds must each be at least 1.")
        if min(self.start, self.transition, self.emission) <= 0:
            raise StudyError("Temperatures must be above 0.")
        if self.differ not in ("all", "transitions", "start"):
            raise StudyError("Tasks differ in all, in transitions, or in where they start.")
        if self.differ != "start" and self.states % self.tasks:
            raise StudyError(
                f"{self.states} states cannot be shared equally by {self.tasks} tasks: take a multiple of {self.tasks}."
            )
        entries = self.states**2 if self.differ == "start" else self.tasks * self.each**2
        check_size(self.observations**self.length, entries)

    @property
    def each(self) -> int:
        """States that one task can visit."""
        return self.states if self.differ == "start" else self.states // self.tasks


@dataclass(frozen=True)
class Convergence:
    """Distances between exact Bayes and kernel regression at each n.

    Attributes:
        world: what was drawn.
        numbers: (N,) values of n.
        distances: by norm ("L1", "L2", "max"), a curve for each way to weigh: the operator kernel with negative weights
            set to zero, the same with negative weights, and all weights equal (the labels' frequencies, which is what
            no kernel at all gives). Values are means over a seed's prompts, intervals over seeds.
        agreement: share of prompts on which kernel regression and Bayes give the same answer, a curve per way.
        certainty: mean posterior of the true task.
        ranks: (seeds,) rank of Σ.
        mean_k: (seeds,) mean of K(x, x) over the prompts' queries, near the rank in expectation.
    """

    world: World
    numbers: tuple[int, ...]
    distances: dict[str, tuple[Curve, ...]]
    agreement: tuple[Curve, ...]
    certainty: Curve
    ranks: Ints
    mean_k: Floats

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""

        def rows(curves: tuple[Curve, ...]) -> dict[str, Any]:
            return {c.name: {"mean": c.mean.tolist(), "low": c.low.tolist(), "high": c.high.tolist()} for c in curves}

        return {
            "world": asdict(self.world),
            "n": list(self.numbers),
            "published": list(PUBLISHED),
            "distances": {norm: rows(curves) for norm, curves in self.distances.items()},
            "agreement": rows(self.agreement),
            "posterior of the true task": rows((self.certainty,))[self.certainty.name],
            "ranks": self.ranks.tolist(),
            "mean K(x, x)": self.mean_k.tolist(),
        }


def random_tasks(world: World, generator: np.random.Generator) -> tuple[HMMMixture, HMMMixture]:
    """The tasks, whose rows are softmax(N(0, 1) / temperature) with uniform P(m); and the model that carries them all.

    The operators of the second are those of the theory. It is the mixture itself, but where tasks differ only in their
    start: there it is the one model that they share, with the mean of their starts.
    """
    m, s, v = world.tasks, world.each, world.observations
    initial = softmax(generator.normal(size=(m, s)) / world.start)
    models = 1 if world.differ == "start" else m
    transition = softmax(generator.normal(size=(models, s, s)) / world.transition)
    emission = softmax(generator.normal(size=(m if world.differ == "all" else 1, s, v)) / world.emission)
    tasks = HMMMixture(
        initial, np.broadcast_to(transition, (m, s, s)), np.broadcast_to(emission, (m, s, v)), np.full(m, 1 / m)
    )
    if world.differ != "start":
        return tasks, tasks
    return tasks, HMMMixture(initial.mean(axis=0)[None], transition, emission, np.ones(1))


def convergence(world: World, *, stop: Stop | None = None) -> Convergence:
    """Draw mixtures and prompts, and measure the distance at n = 1, 2, 4 … 128.

    Raises:
        Cancelled: `stop` said so.
    """
    found = []
    with counting(world.seeds, "mixtures") as advance:
        for seed in range(world.seeds):
            found.append(_one_mixture(world, world.first_seed + seed, stop))
            advance(seed + 1)
    ways = (KERNEL, SIGNED, FLAT)
    distances = np.stack([one.distances for one in found])  # (seeds, norms, ways, N)
    agreement = np.stack([one.agreement for one in found])  # (seeds, ways, N)
    return Convergence(
        world=world,
        numbers=NUMBERS,
        distances={
            norm: tuple(curve_of(way, distances[:, i, j]) for j, way in enumerate(ways)) for i, norm in enumerate(NORMS)
        },
        agreement=tuple(curve_of(way, agreement[:, j], span=(0.0, 1.0)) for j, way in enumerate(ways)),
        certainty=curve_of("posterior of the true task", np.stack([one.certainty for one in found])),
        ranks=np.array([one.rank for one in found]),
        mean_k=np.array([one.mean_k for one in found]),
    )


@dataclass(frozen=True)
class _Measured:
    distances: Floats  # (norms, ways, N)
    agreement: Floats  # (ways, N)
    certainty: Floats  # (N,)
    rank: int
    mean_k: float


def _one_mixture(world: World, seed: int, stop: Stop | None) -> _Measured:
    """Means over the prompts of one mixture; most of the time goes into Σ."""
    generator = np.random.default_rng(seed)
    mixture, carrier = random_tasks(world, generator)
    with part(0.0, 0.6):
        kernel = exact_kernel(carrier, world.length, stop=stop)
    mapped = MappedKernel(carrier, kernel)
    found = []
    with part(0.6, 1.0), counting(world.prompts, "prompts", at_once=TOGETHER) as advance:
        for first in range(0, world.prompts, TOGETHER):
            check(stop)
            count = min(TOGETHER, world.prompts - first)
            found.append(compare(mixture, mapped, generator.integers(world.tasks, size=count), world.length, generator))
            advance(first + count)
    return _Measured(
        np.concatenate([one.distances for one in found], axis=-1).mean(-1),
        np.concatenate([one.agreement for one in found], axis=-1).mean(-1),
        np.concatenate([one.certainty for one in found], axis=-1).mean(-1),
        kernel.rank,
        float(np.concatenate([one.own for one in found]).mean()),
    )


@dataclass(frozen=True)
class MappedKernel:
    """The kernel and the model whose operators it reads."""

    carrier: HMMMixture
    kernel: OperatorKernel

    def __call__(self, inputs: Ints) -> Floats:
        """φ(x) for (B, L) tokens, (B, rank); equal inputs are computed once."""
        distinct, place = np.unique(inputs, axis=0, return_inverse=True)
        return self.kernel.map(features(self.carrier, distinct))[place.ravel()]


@dataclass(frozen=True)
class Compared:
    """Bayes and kernel regression prompt by prompt.

    Attributes:
        distances: (norms, ways, N, P).
        agreement: (ways, N, P) 1 where both give the same answer.
        certainty: (N, P) posterior of the true task.
        own: (P,) K(x, x).
    """

    distances: Floats
    agreement: Floats
    certainty: Floats
    own: Floats


def compare(
    mixture: HMMMixture, mapped: MappedKernel, tasks: Ints, length: int, generator: np.random.Generator
) -> Compared:
    """Draw one prompt for each of `tasks`, (P,), and hold kernel regression against Bayes on its first n = 1, 2, 4 …"""
    most, prompts = NUMBERS[-1], len(tasks)
    tokens, _ = sample(mixture, np.repeat(tasks, most + 1), length + 1, generator)
    points = mapped(tokens[:, :length]).reshape(prompts, most + 1, -1)
    weights = kernel_weights(points[:, :-1], points[:, -1])
    answers = tokens[:, length].reshape(prompts, most + 1)[:, :-1]
    posterior, exact = bayes(mixture, tokens.reshape(prompts, most + 1, length + 1))
    places = np.array(NUMBERS) - 1
    distances, agreement = [], []
    for chosen in (np.maximum(weights, 0), weights, np.ones_like(weights)):
        found = regressions(chosen, answers, mixture.observations)[:, places]  # (P, N, V)
        gap = np.abs(found - exact)
        norms = np.stack([gap.sum(-1), np.sqrt((gap**2).sum(-1)), gap.max(-1)])
        distances.append(np.minimum(norms, np.array(list(NORMS.values()))[:, None, None]))
        agreement.append(found.argmax(-1) == exact.argmax(-1))
    return Compared(
        np.stack(distances, axis=1).transpose(0, 1, 3, 2),
        np.stack(agreement).astype(np.float64).transpose(0, 2, 1),
        posterior[np.arange(prompts), :, tasks].T,
        np.einsum("pr,pr->p", points[:, -1], points[:, -1]),
    )


def kernel_weights(shown: Floats, query: Floats) -> Floats:
    """K(x, x_i) = φ(x)·φ(x_i), (P, n), zero where |K(x, x_i)| ≤ 1e-6 √(K(x, x) K(x_i, x_i)).

    Inputs that have nothing in common have K = 0, and what rounding makes of that is some 1e-8 of what K can be there.
    Where no demonstration resembles the query, those rounding errors would cast the vote.

    Args:
        shown: φ(x_i), (P, n, rank).
        query: φ(x), (P, rank).
    """
    weights: Floats = np.einsum("pnr,pr->pn", shown, query)
    most = np.linalg.norm(shown, axis=2) * np.linalg.norm(query, axis=1)[:, None]
    return np.where(np.abs(weights) > NEGLIGIBLE * most, weights, 0.0)


def bayes(mixture: HMMMixture, prompts: Ints) -> tuple[Floats, Floats]:
    """P(m | x, D_n), (P, N, M), and P(y | x, D_n), (P, N, V), at n = 1, 2, 4 …

    Args:
        prompts: (P, demonstrations + 1, L + 1) tokens; the last sequence is the query, its last token not read.
    """
    count, many, length = prompts.shape
    shown = log_likelihood(mixture, prompts[:, :-1].reshape(-1, length))  # log p(x_i, y_i | m)
    added = shown.reshape(mixture.components, count, many - 1).cumsum(axis=2)[:, :, np.array(NUMBERS) - 1]
    query = read(mixture, prompts[:, -1, :-1])
    joint = np.log(mixture.prior)[:, None, None] + query.log_likelihood[:, :, None] + added
    posterior = softmax(joint.transpose(1, 2, 0))
    answers: Floats = np.einsum("pnm,mpv->pnv", posterior, query.ahead @ mixture.emission)
    return posterior, answers


def regressions(weights: Floats, answers: Ints, observations: int) -> Floats:
    """ŷ = Σ_{i≤n} e(y_i) K_i / Σ_{i≤n} K_i for every n, (P, n, V).

    Where the weights of the first n sum to nothing, none of them is like the query; then ŷ is the labels' frequencies.

    Args:
        weights: (P, n) K(x, x_i).
        answers: (P, n) y_i.
    """
    onehot = np.eye(observations)[answers]  # (P, n, V)
    total = weights.cumsum(axis=1)
    usable = np.abs(total) > 1e-9 * np.abs(weights).cumsum(axis=1)
    steps = np.arange(1, weights.shape[1] + 1)
    mass = np.where(usable[..., None], (weights[..., None] * onehot).cumsum(axis=1), onehot.cumsum(axis=1))
    found: Floats = mass / np.where(usable, total, steps)[..., None]
    return found
