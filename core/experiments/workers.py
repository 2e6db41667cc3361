"""Processes that compute blocks: on this machine, or on a cluster of Ray (`core.experiments.ray_workers`).

A process asks a model with one thread, so that a block gives the same digits whichever computes it, and so that as many
processes as there are cores keep all of them busy. It keeps the models that it has loaded.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from core.errors import ICLensError
from core.experiments.design import Design, QuestionBlock
from core.experiments.experiment import Experiment
from core.experiments.items import ExperimentItem
from core.models.loading import memory_of
from core.models.weights import available_memory
from core.study.study import ModelChoice

if TYPE_CHECKING:
    from core.models import LanguageModel

MODELS_KEPT = 2
WATCH = 1.0
"""Seconds between two looks at whether the parent is still there."""
PROCESS_BYTES = 600 * 2**20
"""What a process takes besides its model: torch and transformers, measured with the embedded model loaded."""


class Lost(ICLensError):
    """A process ended before its block was done: it was killed, most likely for its memory."""


@runtime_checkable
class Workers(Protocol):
    """Where blocks are computed.

    Attributes:
        count: blocks that are computed at once.
    """

    count: int

    def submit(self, block: QuestionBlock) -> Future[list[ExperimentItem]]:
        """Compute a block; the future raises `Lost` where its process ended."""
        ...

    def lose(self) -> bool:
        """A process has ended under its block: whether those of the other blocks under way have ended with it."""
        ...

    def kill(self) -> None:
        """End all at once, whatever they are doing."""
        ...


class LocalWorkers:
    """Processes on this machine, by loky, which replaces those that die and ends those that are busy."""

    def __init__(self, experiment: Experiment, count: int | None = None) -> None:
        """Args: count: of processes; None is as many as there are cores and memory for."""
        self.count = count if count is not None else suited(experiment)
        self._body = experiment.model_dump_json()
        self._executor: Any = None

    def submit(self, block: QuestionBlock) -> Future[list[ExperimentItem]]:
        from loky import ProcessPoolExecutor

        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self.count,
                initializer=begin_beside,
                initargs=(self._body, os.getpid()),
                timeout=None,
                env={"OMP_NUM_THREADS": "1"},
            )
        future: Future[list[ExperimentItem]] = self._executor.submit(work, block)
        return future

    def lose(self) -> bool:
        self.kill()  # loky gives up all processes where one has ended
        return True

    def kill(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


def suited(experiment: Experiment) -> int:
    """Processes for an experiment: one a core, fewer where the memory that is free now holds fewer, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = available_memory("cpu")
    each = PROCESS_BYTES + max(memory_of(choice) for choice in experiment.models)
    return max(1, min(cores, cores if free is None else free // each))


_design: Design | None = None
_models: dict[ModelChoice, LanguageModel] = {}


def begin_beside(body: str, parent: int) -> None:
    """`begin`, in a process that ends where its parent has ended: one that was killed can end nobody itself."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    begin(body)


def begin(body: str) -> None:
    """What a process does first: one thread, and the experiment."""
    import torch

    global _design
    torch.set_num_threads(1)
    _design = Design(Experiment.model_validate_json(body))


def work(block: QuestionBlock) -> list[ExperimentItem]:
    """The items of a block, in a process that has begun."""
    from core.experiments.compute import compute  # late: imports torch

    assert _design is not None
    try:
        model = loaded(_design, _design.model(block.cell))
    except ICLensError as error:
        return [
            ExperimentItem(block.cell.number, question, error=str(error)) for question in range(block.start, block.end)
        ]
    return compute(_design, block, model)


def loaded(design: Design, choice: ModelChoice) -> LanguageModel:
    """The model, loaded once a process; of several the two asked for last are kept."""
    # late: imports torch
    from core.experiments.compute import prepare
    from core.models.loading import load_model

    if choice not in _models:
        while len(_models) >= MODELS_KEPT:
            del _models[next(iter(_models))]
        model = load_model(choice)
        prepare(design, model)
        _models[choice] = model
    else:
        _models[choice] = _models.pop(choice)
    return _models[choice]
