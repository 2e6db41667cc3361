"""Running: the numbers of a plain loop over `run`, whoever computes; nothing lost, nothing computed twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from core import load_model, run
from core.errors import Cancelled, StudyError
from core.experiments import run as running
from core.experiments.design import Design
from core.experiments.experiment import Experiment
from core.experiments.items import ExperimentItem
from core.experiments.ledger import Ledger
from core.experiments.run import Advance, run_experiment
from core.experiments.table import shown
from core.experiments.workers import Lost
from core.scoring import log_shares
from tests.experiments.made import Here, experiment


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def numbers(items: list[ExperimentItem]) -> list[tuple[object, ...]]:
    """All of them but how long they took."""
    return [(i.cell, i.question, i.labels, i.log_shares, i.shown, i.fingerprint, i.error) for i in items]


def test_the_time_left_is_by_what_items_took_and_how_many_are_computed_at_once() -> None:
    assert Advance(10, 100).left is None
    assert Advance(30, 100, computed=20, seconds=60, work=10.0, workers=2).left == pytest.approx(70 * 10 / 20 / 2)
    assert Advance(100, 100, computed=20, work=10.0).left == 0


@pytest.mark.parametrize("family", ["sentiment", "plural"])
def test_the_numbers_are_those_of_a_plain_loop_over_run(family: str, ledger: Ledger) -> None:
    made = experiment(family, ordering=["random", "nearest-last"], scoring=["direct", "channel"])
    run_experiment(made, ledger, workers=Here(made))
    design, model = Design(made), load_model()
    items = ledger.items(made.key)
    assert len(items) == design.items
    for item in items[::5]:
        study = design.asked(design.cells[item.cell], item.question)
        outcome = run(study.model_copy(update={"labels": item.labels}), model)
        assert outcome.chosen.indices == item.shown
        assert outcome.demonstrations == shown(design, item)
        assert outcome.answer.labels == item.labels
        assert np.allclose(np.exp(log_shares(study, outcome.answer)), np.exp(item.log_shares), atol=1e-5)
        assert item.fingerprint == model.fingerprint
    assert design.closed == (family == "sentiment")
    assert all(made.questions[item.question].label in item.labels for item in items)


def test_the_same_bits_by_one_process_two_or_none_and_none_is_computed_twice(tmp_path: Path) -> None:
    made = experiment(asked=60, ordering=["random", "nearest-last"])
    one, two, here = (Ledger(tmp_path / name) for name in ("one", "two", "here"))
    told: list[Advance] = []
    run_experiment(made, one, workers=1, listener=told.append)
    run_experiment(made, two, workers=2)
    run_experiment(made, here, workers=Here(made))
    assert numbers(one.items(made.key)) == numbers(two.items(made.key)) == numbers(here.items(made.key))
    assert [now.done for now in told] == sorted(now.done for now in told)
    assert told[-1].done == told[-1].total == 360
    again = Here(made)
    run_experiment(made, two, workers=again)
    assert again.computed == []


def test_what_was_stopped_goes_on_where_it_was(ledger: Ledger) -> None:
    made = experiment(ordering=["random", "nearest-last"])
    halt = threading.Event()

    def after_two(now: Advance) -> None:
        if now.computed >= 24:
            halt.set()

    first = Here(made)
    with pytest.raises(Cancelled):
        run_experiment(made, ledger, workers=first, stop=halt.is_set, listener=after_two)
    assert ledger.count(made.key) == (24, 0)
    second = Here(made)
    run_experiment(made, ledger, workers=second)
    assert not set(first.computed[:2]) & set(second.computed)
    assert ledger.count(made.key) == (72, 0)


def test_what_another_checkpoint_gave_is_computed_anew(ledger: Ledger) -> None:
    made = experiment()
    run_experiment(made, ledger, workers=Here(made))
    now, old = ledger.items(made.key), Design(made).blocks[0]
    stale = [replace(item, fingerprint="0" * 12) for item in now if item.cell == old.cell.number]
    ledger.write(made.key, stale)
    again = Here(made)
    run_experiment(made, ledger, workers=again)
    assert again.computed == [old]
    assert numbers(ledger.items(made.key)) == numbers(now)


def test_cancel_ends_busy_processes_within_a_second(ledger: Ledger) -> None:
    made = experiment(asked=60, draws={"sets": 200})
    halt, asked_at = threading.Event(), []

    def soon(now: Advance) -> None:
        if now.computed and not halt.is_set():
            asked_at.append(time.perf_counter())
            halt.set()

    with pytest.raises(Cancelled):
        run_experiment(made, ledger, workers=2, stop=halt.is_set, listener=soon)
    took = time.perf_counter() - asked_at[0]
    kept = ledger.count(made.key)[0]
    assert 0 < kept < 12_000
    # A bound that holds on a loaded machine; what is stopped is killed, not waited for.
    assert took < 10


def test_a_block_that_fails_is_shown_as_failed_and_the_rest_stands(ledger: Ledger) -> None:
    made = experiment(ordering=["random", "nearest-last"])
    bad = Design(made).blocks[1]
    run_experiment(made, ledger, workers=Here(made, lambda block: ValueError("a\nb") if block == bad else None))
    items = ledger.items(made.key)
    failed = [item for item in items if item.error]
    assert {(item.cell, item.question) for item in failed} == {(bad.cell.number, q) for q in range(bad.start, bad.end)}
    assert failed[0].error == "This could not be computed (ValueError: a b)."
    assert ledger.count(made.key) == (72, 12)
    more = Here(made)
    run_experiment(made, ledger, workers=more, again=True)
    assert more.computed == [bad]
    assert ledger.count(made.key) == (72, 0)


def test_a_prompt_that_does_not_fit_is_a_sentence_at_each_of_its_items(ledger: Ledger) -> None:
    made = experiment(pool=2_000, asked=4, draws={"sets": 1, "share": 1.0}, k=[2, 1_500])
    run_experiment(made, ledger, workers=Here(made))
    items = ledger.items(made.key)
    assert all(("this model reads" in item.error) == (item.cell == 1) for item in items)


def test_a_block_whose_process_dies_is_tried_once_more(ledger: Ledger) -> None:
    made = experiment()
    first = Design(made).blocks[0]
    died: list[int] = []

    def once(block: object) -> Lost | None:
        if block != first or len(died) == 1:
            return None
        died.append(1)
        return Lost("gone")

    run_experiment(made, ledger, workers=Here(made, once))
    assert ledger.count(made.key) == (36, 0)


def test_a_block_whose_process_dies_twice_says_so(ledger: Ledger) -> None:
    made = experiment()
    first = Design(made).blocks[0]
    run_experiment(made, ledger, workers=Here(made, lambda block: Lost("gone") if block == first else None))
    assert ledger.count(made.key) == (36, 12)
    assert {item.error for item in ledger.items(made.key) if item.error} == {running.DIED}


def test_a_process_that_is_killed_loses_nothing_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    made = experiment(asked=60, draws={"sets": 6})
    killed: list[int] = []

    def kill_one(now: Advance) -> None:
        if now.computed and not killed:
            mine = [p for p in psutil.Process().children(recursive=True) if "loky" in " ".join(p.cmdline())]
            victim = max(mine, key=lambda p: p.memory_info().rss)
            killed.append(victim.pid)
            os.kill(victim.pid, signal.SIGKILL)

    one, other = Ledger(tmp_path / "one"), Ledger(tmp_path / "other")
    run_experiment(made, one, workers=2, listener=kill_one)
    assert killed
    run_experiment(made, other, workers=Here(made))
    assert numbers(one.items(made.key)) == numbers(other.items(made.key))


def test_a_driver_that_is_killed_is_resumed_by_the_same_command(tmp_path: Path) -> None:
    made = experiment(asked=60, draws={"sets": 40})
    path, ledger = tmp_path / "experiment.json", Ledger(tmp_path / "ledger.sqlite")
    path.write_text(made.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "core.experiments", "run", str(path), "--ledger", str(ledger.path)]
    with subprocess.Popen([*command, "--workers", "1"], stdout=subprocess.DEVNULL) as driver:
        try:
            deadline = time.monotonic() + 120
            while _count(ledger, made) == 0:
                assert time.monotonic() < deadline
                assert driver.poll() is None
                time.sleep(0.1)
            workers = [
                p for p in psutil.Process(driver.pid).children(recursive=True) if "loky" in " ".join(p.cmdline())
            ]
        finally:
            driver.kill()
    assert workers
    assert psutil.wait_procs(workers, timeout=60)[1] == []  # none is left over, with its model in memory
    kept = numbers(ledger.items(made.key))
    assert 0 < len(kept) < 2_400
    rest = Here(made)
    run_experiment(made, ledger, workers=rest)
    assert sum(block.end - block.start for block in rest.computed) == 2_400 - len(kept)
    assert set(kept) <= set(numbers(ledger.items(made.key)))
    listed = subprocess.run([*command[:3], "list", "--ledger", str(ledger.path)], capture_output=True, text=True)
    assert "2,400 of 2,400" in listed.stdout


def _count(ledger: Ledger, made: Experiment) -> int:
    return ledger.count(made.key)[0]


def test_what_cannot_be_asked_is_refused_before_a_process_starts(ledger: Ledger) -> None:
    made = experiment()
    with pytest.raises(StudyError):
        run_experiment(made.model_copy(update={"study": made.study.model_copy(update={"pool": ()})}), ledger)
    assert ledger.all() == []
