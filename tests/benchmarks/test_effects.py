"""The benchmark of published effects: its prompts counted by hand, its intervals against what they must be."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.effects_report import EFFECTS, difference, interval, judged, report, shown_in, summarise
from benchmarks.effects_tasks import Task, concept_families, draw_task, lopsided, map_families
from core.mixture.mixture import Mixture, load_mixture


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return load_mixture()


@pytest.fixture(scope="module")
def tasks(mixture: Mixture) -> list[Task]:
    names = [*concept_families(mixture)[::5], *map_families(mixture)[::9]]
    return [draw_task(mixture, name, seed) for name in names for seed in (0, 1)]


def test_the_tasks_follow_from_the_catalogue(mixture: Mixture) -> None:
    kinds = {details.name: details.kind for details in mixture.details}
    assert {kinds[name] for name in concept_families(mixture)} == {"natural", "flipped", "arbitrary"}
    assert {kinds[name] for name in map_families(mixture)} == {"map"}


def test_no_question_stands_in_the_pool_and_classes_are_even(tasks: list[Task]) -> None:
    for task in tasks:
        inputs = [row.input for row in task.pool]
        assert len(set(inputs)) == len(inputs) <= 40
        assert {x for x, _ in task.questions}.isdisjoint(inputs)
        if task.group != "map":
            assert set(Counter(y for _, y in task.questions).values()) == {2}
            assert len(task.labels) == 2


@pytest.mark.parametrize("counts", [(7, 1), (4, 4), (6, 2)])
@pytest.mark.parametrize("first", [True, False])
def test_lopsided_prompts(tasks: list[Task], counts: tuple[int, int], first: bool) -> None:
    for task in (task for task in tasks if task.group != "map"):
        rows, favoured = lopsided(task, counts, first)
        assert [row.label == favoured for row in rows].count(True) == counts[0]
        assert len(rows) == sum(counts)
        assert set(rows) <= set(task.pool)
        assert (rows, favoured) == lopsided(task, counts, first)
        if first:
            assert [row.label == favoured for row in rows] == [False] * counts[1] + [True] * counts[0]


def test_intervals_hold_the_mean_and_shrink_with_items() -> None:
    rng = np.random.default_rng(0)

    def cells(tasks: int) -> list[list[np.ndarray]]:
        return [[rng.normal(0.1, 1.0, 4) for _ in range(tasks)] for _ in range(10)]

    for tasks in (10, 90):
        mean, low, high = interval(cells(tasks))
        assert low < mean < high
        assert high - low == pytest.approx(2 * 1.96 / np.sqrt(40 * tasks), rel=0.4)
    other = 1 - 0.025 ** (1 / 30)  # the share that thirty tasks alike leave open
    alike = interval([[np.full(4, 0.25)] * 3] * 10)
    assert alike == pytest.approx((0.25, 0.25 - 1.25 * other, 0.25 + 0.75 * other))


def _cell(value: float) -> dict[str, list[float]]:
    return {"right": [value] * 4, "p": [value / 2] * 4, "favoured": [0.5] * 4}


def test_differences_are_paired_and_named_plainly() -> None:
    found = [{"a": {"x": _cell(1.0)}, "b": {"x": _cell(0.5)}}] * 3
    row = difference(found, "a", "b", ["x"])
    assert (row["difference"], row["p_difference"], row["items"], row["units"]) == (0.5, 0.25, 12, 3)


def _row(difference: float, reach: float, units: int = 500) -> dict[str, float]:
    half = difference / 2
    ends = {"low": difference - reach, "high": difference + reach, "p_low": half - reach, "p_high": half + reach}
    return {"difference": difference, "p_difference": half, **ends, "units": units}


def test_verdicts_are_two_sided_corrected_and_need_their_sample() -> None:
    """A z of 2.3 is a difference alone (p = .02) and not among 38 tests; a harm is said as plainly as a gain."""
    close = _row(0.0023, 0.00196)
    alone = judged([close])
    assert alone[0]["verdict"] == "gain"
    rows = judged([_row(0.05, 0.01), _row(-0.05, 0.01), close, *[_row(0.0, 0.01)] * 16])
    assert [row["verdict"] for row in rows[:4]] == ["gain", "harm", "not shown", "not shown"]
    assert [(shown_in(row, "gain"), shown_in(row, "harm")) for row in rows[:3]] == [
        ("accuracy, P(right)", "–"),
        ("–", "accuracy, P(right)"),
        ("–", "–"),
    ]
    assert judged([_row(0.05, 0.01, units=19)])[0]["verdict"] == "too few"
    assert shown_in(judged([_row(0.05, 0.01, units=19)])[0], "gain") == "too few tasks"


def test_the_recorded_verdicts_follow_from_the_recorded_differences() -> None:
    """Of five effects that an interval alone called seen, two stand; and one harm."""
    result = json.loads((Path(__file__).parents[2] / "benchmarks" / "results" / "effects.json").read_text())
    for table in ("effects", "by kind", "other selections"):
        assert judged(result[table]) == result[table]
    said = {kind: [r["effect"] for r in result["effects"] if r["verdict"] == kind] for kind in ("gain", "harm")}
    assert said["gain"] == ["Channel above direct, labels 7:1", "Domain-context calibration above none, labels 7:1"]
    assert said["harm"] == ["Prior correction above none, one label last"]
    assert report(result) == (Path(__file__).parents[2] / "benchmarks" / "results" / "effects.md").read_text()


def test_the_report_says_of_every_effect_whether_it_appears() -> None:
    measures = {way for _, first, second, _ in EFFECTS for way in (first, second)}
    measures |= {f"order/{name}" for name in ("best", "worst", "some", "every", "random")}
    measures |= {
        f"{prompt}/{way}" for prompt in ("majority", "recency", "both") for way in ("channel", "perplexity", "pmi")
    }
    seed = {measure: {"x": _cell(0.5), "y": _cell(0.75)} for measure in measures}
    result = summarise([seed] * 3, {"x": "natural", "y": "arbitrary"}, {"y"})
    text = report({"checkpoint": "c", "seeds": 3, "seconds": 1.0, "tasks": {"two classes": 2, "all": 2}, **result})
    for name, *_ in EFFECTS:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| **{name}** | ")]
        assert line.endswith("| too few tasks | – |")
