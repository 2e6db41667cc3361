"""Experiments on the embedded model, and workers that compute in the test's own process."""

from __future__ import annotations

import random
from concurrent.futures import Future
from typing import Any

from core import Demonstration, Study, load_model
from core.experiments.compute import compute
from core.experiments.design import Design, QuestionBlock
from core.experiments.experiment import Draws, Experiment, Variation
from core.experiments.items import ExperimentItem

Rows = tuple[Demonstration, ...]


def rows(family: str, count: int, seed: int = 0) -> Rows:
    """Different inputs of one task of the mixture, with its answers."""
    mixture = load_model().mixture
    assert mixture is not None
    latent = mixture.draw_latent(family, random.Random(seed))
    pairs = dict(mixture.draw_pairs(latent, 20 * count, random.Random(seed + 1)))
    return tuple(Demonstration(input=x, label=y) for x, y in list(pairs.items())[:count])


def experiment(
    family: str = "sentiment", pool: int = 30, asked: int = 12, draws: dict[str, Any] | None = None, **vary: Any
) -> Experiment:
    """Two demonstrations of one task, at random, and what varies by field."""
    found = rows(family, pool + asked)
    study = Study(pool=found[:pool], selection="random", k=2, ordering="random", posteriors=())
    return Experiment(
        study=study,
        vary=tuple(Variation(field=field, values=tuple(values)) for field, values in vary.items()),
        questions=found[pool:],
        draws=Draws(**(draws or {"sets": 3})),
    )


class Here:
    """Workers in the test's process, one block at a time.

    Attributes:
        computed: blocks, in the order in which they were computed.
        fail: (block) -> an error to raise in place of computing it, or None.
    """

    count = 1

    def __init__(self, experiment: Experiment, fail: Any = None) -> None:
        self.design, self.fail = Design(experiment), fail
        self.computed: list[QuestionBlock] = []

    def submit(self, block: QuestionBlock) -> Future[list[ExperimentItem]]:
        done: Future[list[ExperimentItem]] = Future()
        error = self.fail(block) if self.fail is not None else None
        if error is not None:
            done.set_exception(error)
            return done
        self.computed.append(block)
        done.set_result(compute(self.design, block, load_model()))
        return done

    def lose(self) -> bool:
        return False

    def kill(self) -> None:
        """Nothing to end."""
