"""Small hidden Markov models for the tests."""

from __future__ import annotations

import numpy as np

from core.hidden_markov import HMM, HMMMixture, mixture_of


def random_model(generator: np.random.Generator, states: int = 3, observations: int = 4) -> HMM:
    return HMM(
        generator.dirichlet(np.ones(states)),
        generator.dirichlet(np.ones(states), states),
        generator.dirichlet(np.ones(observations), states),
    )


def random_mixture(seed: int, components: int = 2, states: int = 3, observations: int = 4) -> HMMMixture:
    generator = np.random.default_rng(seed)
    models = [random_model(generator, states, observations) for _ in range(components)]
    return mixture_of(models, generator.dirichlet(np.ones(components)))


def worked_example() -> HMM:
    """docs/methods.md §9: the operator kernel of §2.7."""
    return HMM(
        np.array([2 / 3, 1 / 3]),
        np.array([[0.9, 0.1], [0.2, 0.8]]),
        np.array([[0.8, 0.2], [0.3, 0.7]]),
    )
