"""Running an experiment: blocks go to workers, items into the ledger, and what is there already is not computed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field

from core.errors import Cancelled, ModelError
from core.experiments.design import Design, QuestionBlock
from core.experiments.experiment import Experiment
from core.experiments.items import ExperimentItem
from core.experiments.ledger import Ledger
from core.experiments.workers import LocalWorkers, Lost, Workers
from core.models.loading import fingerprint_of
from core.runtime.progress import Stop, check

POLL = 0.1
"""Seconds between two looks at whether to stop."""
TRIES = 2
"""How often a block is begun whose process ends under it."""
DIED = (
    "The process that computed this ended before it was done, twice: most likely it had no memory left. Run fewer "
    "processes, or choose a smaller model."
)


@dataclass(frozen=True)
class Advance:
    """How far an experiment is.

    Attributes:
        done, total: items in the ledger, and items in all.
        computed: items that this run has computed.
        failed: items that could not be computed.
        seconds: since this run began.
        work: seconds that these items took, loading left out, over all processes.
        workers: blocks that are computed at once.
        running: blocks that are being computed.
    """

    done: int
    total: int
    computed: int = 0
    failed: int = 0
    seconds: float = 0.0
    work: float = 0.0
    workers: int = 1
    running: int = 0

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at the pace of the items so far, None before any is there."""
        return (self.total - self.done) * self.work / (self.computed * self.workers) if self.computed else None


@dataclass
class _State:
    total: int
    done: int
    failed: int
    began: float = field(default_factory=time.perf_counter)
    computed: int = 0
    work: float = 0.0
    workers: int = 1

    def advance(self, running: int) -> Advance:
        spent = time.perf_counter() - self.began
        return Advance(self.done, self.total, self.computed, self.failed, spent, self.work, self.workers, running)


def run_experiment(
    experiment: Experiment,
    ledger: Ledger,
    *,
    workers: Workers | int | None = None,
    owner: str = "",
    again: bool = False,
    stop: Stop | None = None,
    listener: Callable[[Advance], None] | None = None,
) -> Advance:
    """Compute what the ledger does not hold yet.

    Items are the same whatever the number of workers and whichever order they end in: a block is computed alike in any
    process (`core.experiments.compute`). Every block is in the ledger once it is told of. What the ledger holds of a
    model whose weights are others by now is forgotten first.

    Args:
        workers: where; a number is of processes on this machine, None as many as suit it.
        owner: whose it is in the ledger.
        again: items that failed are computed once more.
        stop: asked ten times a second; True ends all workers, and what is in the ledger stays.
        listener: told whenever a block is there.

    Returns:
        How far it is at the end.

    Raises:
        StudyError: the experiment cannot be asked (`core.experiments.experiment.check`).
        LedgerError: items cannot be kept; what was kept before stays.
        Cancelled: `stop` said so.
    """
    design = Design(experiment)
    key = experiment.key
    ledger.keep(experiment, design.items, owner)
    if ledger.count(key)[0]:
        with suppress(ModelError):  # its files may lie on the nodes of a cluster alone
            ledger.forget_others(key, [fingerprint_of(choice, stop) for choice in experiment.models])
    kept = ledger.done(key, design.blocks, again=again)
    waiting = deque((block, 1) for block in design.blocks if block not in kept)
    done, failed = ledger.count(key)
    state = _State(design.items, done, failed)
    tell = listener or (lambda _: None)
    tell(state.advance(0))
    if not waiting:
        return state.advance(0)
    somewhere = workers if isinstance(workers, Workers) else LocalWorkers(experiment, workers)
    try:
        _compute(waiting, somewhere, ledger, key, state, stop, tell)
    finally:
        somewhere.kill()
    return state.advance(0)


def _compute(
    waiting: deque[tuple[QuestionBlock, int]],
    workers: Workers,
    ledger: Ledger,
    key: str,
    state: _State,
    stop: Stop | None,
    tell: Callable[[Advance], None],
) -> None:
    running: dict[Future[list[ExperimentItem]], tuple[QuestionBlock, int]] = {}
    while waiting or running:
        while waiting and len(running) < workers.count:
            block, tries = waiting.popleft()
            running[workers.submit(block)] = block, tries
        ready, _ = wait(running, timeout=POLL, return_when=FIRST_COMPLETED)
        check(stop)
        lost = False
        for future in ready:
            block, tries = running.pop(future)
            items = _items(future, block, tries)
            if items is None:
                lost = True
                waiting.appendleft((block, tries + 1))
                continue
            ledger.write(key, items)
            state.workers = workers.count
            _count(state, ledger, key, items)
            tell(state.advance(len(running)))
        if lost and workers.lose():  # the others have gone too, and not by their own fault
            waiting.extendleft(running.values())
            running.clear()


def _items(future: Future[list[ExperimentItem]], block: QuestionBlock, tries: int) -> list[ExperimentItem] | None:
    """What came of a block; None where it is to be begun once more."""
    try:
        return future.result()
    except (Lost, BrokenProcessPool):
        if tries < TRIES:
            return None
        return [ExperimentItem(block.cell.number, question, error=DIED) for question in range(block.start, block.end)]
    except Cancelled:
        raise
    except Exception as error:  # a fault of ours: this block fails, the rest stands
        said = f"This could not be computed ({type(error).__name__}: {' '.join(str(error).split())[:200]})."
        return [ExperimentItem(block.cell.number, question, error=said) for question in range(block.start, block.end)]


def _count(state: _State, ledger: Ledger, key: str, items: list[ExperimentItem]) -> None:
    state.computed += len(items)
    state.done, state.failed = ledger.count(key)
    state.work += sum(item.seconds for item in items)
