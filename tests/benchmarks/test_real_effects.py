"""The benchmark of published effects on real models: its tasks counted by hand, its tables against what is recorded."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.effects_report import EFFECTS, Found
from benchmarks.effects_tasks import Task
from benchmarks.real_effects_report import CURVE, MODELS, SHOWN_TO_ALL, WRONG, compared, levels, report
from benchmarks.real_tasks import DATA, WORDS, seven, shown_first, two_classes, with_wrong

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
there = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return [task for seed in (0, 1) for task in (*seven(seed), *two_classes(seed))]


@there
def test_no_question_stands_in_the_pool_and_classes_are_even(tasks: list[Task]) -> None:
    for task in tasks:
        inputs = [row.input for row in task.pool]
        asked = [text for text, _ in task.questions]
        assert len(set(inputs)) == len(inputs) == 100
        assert len(set(asked)) == len(asked)
        assert set(asked).isdisjoint(inputs)
        if task.group == "words":
            assert len(task.questions) == len(task.labels) == len({label for _, label in task.questions}) == 12
        else:
            each = len(task.labels)
            assert Counter(label for _, label in task.questions) == dict.fromkeys(task.labels, 16 // each)
            assert Counter(row.label for row in task.pool) == dict.fromkeys(task.labels, 100 // each)


@there
def test_the_tasks_are_those_asked_for_and_a_seed_draws_them_again() -> None:
    assert [task.family for task in seven(0)] == ["SST-2", "AG News", *WORDS]
    assert [len(task.labels) for task in seven(0)[:2]] == [2, 4]
    assert {len(task.labels) for task in two_classes(0)} == {2}
    assert seven(3) == seven(3)
    assert seven(3)[0].pool != seven(4)[0].pool


@there
def test_wrong_labels_are_wrong_and_fewer_stand_among_more(tasks: list[Task]) -> None:
    for task in tasks:
        rows = shown_first(task, 16)
        assert rows == shown_first(task, 32)[:16]
        before: set[int] = set()
        for count in WRONG:
            shown = with_wrong(rows, task.pool, count, task.seed)
            assert [row.input for row in shown] == [row.input for row in rows]
            changed = {i for i, (a, b) in enumerate(zip(rows, shown, strict=True)) if a.label != b.label}
            assert len(changed) == count
            assert before <= changed
            assert {row.label for row in shown} <= {row.label for row in task.pool}
            before = changed


def _found(seeds: int) -> list[Found]:
    """Two tasks of four questions; sixteen demonstrations answer one question more than none does."""

    def cell(right: int) -> dict[str, list[float]]:
        return {"right": [1.0] * right + [0.0] * (4 - right), "p": [right / 4] * 4}

    cells = {f"curve/{k}": {"a": cell(1 + (k >= 4)), "b": cell(2 + (k >= 4))} for k in CURVE}
    cells |= {f"wrong/{wrong}": {"a": cell(2), "b": cell(3 - (wrong == 16))} for wrong in WRONG}
    return [dict(cells) for _ in range(seeds)]


def test_levels_and_effects_by_hand() -> None:
    rows = levels(_found(10), "curve", CURVE)
    assert [row["accuracy"] for row in rows] == [0.375, 0.375, 0.375, 0.625, 0.625, 0.625, 0.625]
    assert all(row["low"] < row["accuracy"] < row["high"] for row in rows)
    assert rows[0]["by task"] == {"a": 0.25, "b": 0.5}
    assert rows[0]["questions"] == 80
    effects = {row["effect"]: row for row in compared(_found(10), SHOWN_TO_ALL)}
    assert effects["4 demonstrations above none"]["difference"] == 0.25
    assert effects["4 demonstrations above none"]["verdict"] == "gain"
    assert effects["32 demonstrations above 4"]["difference"] == 0
    assert effects["32 demonstrations above 4"]["verdict"] == "not shown"
    assert effects["Right labels above wrong ones on all 16"]["difference"] == 0.125
    assert {row["verdict"] for row in compared(_found(9), SHOWN_TO_ALL)} == {"too few"}


def test_the_recorded_report_follows_from_the_recorded_figures() -> None:
    result = json.loads((RESULTS / "real_effects.json").read_text())
    assert list(result["models"]) == list(MODELS)
    names = [name for name, *_ in (*EFFECTS, *SHOWN_TO_ALL)]
    for model in result["models"].values():
        assert [row["effect"] for row in model["effects"]] == names
    own = json.loads((RESULTS / "effects.json").read_text())["effects"]
    assert result["models"]["embedded"]["effects"][: len(own)] == own
    assert report(result) == (RESULTS / "real_effects.md").read_text()


def test_of_the_kernel_claim_is_said_what_the_intervals_say() -> None:
    """README says that on neither real model the best head is shown above the commonest label, and on ours it is."""
    models = json.loads((RESULTS / "real_effects.json").read_text())["models"]
    above = {}
    for name in MODELS:
        rows = models[name]["kernel"]["rows"]
        above[name] = rows[0]["model_interval"][0] > rows[-1]["model_interval"][1]
    assert above == {"smollm2": False, "gemma3": False, "embedded": True}
