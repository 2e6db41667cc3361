"""How often intervals of experiments hold the truth, and how often the paired test sees what is not there.

`python -m benchmarks.experiment_intervals` draws experiments whose true effect is known (benchmarks/experiment_draws).
Methods were chosen with other seeds; these and the scenarios were fixed before they were measured. Writes
results/experiment_intervals.json and .md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.stats import t

from benchmarks.experiment_draws import Scenario, experiments
from benchmarks.written import write_results
from core.statistics.bootstrap import mean_over_both
from core.statistics.crossed import Crossed, differences
from core.statistics.estimates import Estimate, mean_of
from core.statistics.intervals import wilson
from core.statistics.permutation import permutation

SEED, NULL_SEED = 20263, 20264
EXPERIMENTS, NULLS, FEWER, DRAWS = 1_000, 1_000, 500, 499
HOLDS, SEES = (0.93, 0.97), (0.035, 0.065)

COVERAGE: dict[str, Scenario] = {
    "5 sets × 100 questions": Scenario(5, 100),
    "10 sets × 50 questions": Scenario(10, 50),
    "20 × 20": Scenario(20, 20),
    "5 × 20, the fewest with a verdict": Scenario(5, 20),
    "5 × 100, sets matter much": Scenario(5, 100, shared=(0.8, 1.5, 0.7), own=(0.7, 0.6, 0.5)),
    "5 × 100, sets do not matter": Scenario(5, 100, shared=(0.0, 1.5, 0.7), own=(0.0, 0.6, 0.5)),
    "5 × 100, questions alone matter": Scenario(5, 100, shared=(0.0, 2.5, 0.3), own=(0.0, 2.0, 0.0)),
    "5 × 100, nothing but chance": Scenario(5, 100, shared=(0.0, 0.0, 0.0), own=(0.0, 0.0, 0.0)),
    "10 × 50, about 95 % right": Scenario(10, 50, base=4.0),
    "10 × 50, a tenth of the items failed": Scenario(10, 50, missing=0.1),
    "5 sets × 3 orders × 50 questions": Scenario(5, 50, orders=3),
    "1 set × 100 questions, the set held fixed": Scenario(1, 100),
    "5 × 100, log-loss": Scenario(5, 100, losses=True),
}
NULL: dict[str, Scenario] = {
    "5 sets × 100 questions": Scenario(5, 100),
    "10 sets × 50 questions": Scenario(10, 50),
    "20 × 20": Scenario(20, 20),
    "5 × 20, the fewest with a verdict": Scenario(5, 20),
    "5 × 100, the settings are exchangeable": Scenario(5, 100, own=(0.0, 0.0, 0.0)),
    "5 × 100, sets prefer a setting": Scenario(5, 100, shared=(0.8, 1.5, 0.7), own=(0.7, 0.6, 0.5)),
    "5 × 100, questions prefer a setting": Scenario(5, 100, shared=(0.0, 2.5, 0.3), own=(0.0, 2.0, 0.0)),
    "5 × 100, 95 % alike": Scenario(5, 100, alike=0.95, own=(0.0, 0.0, 0.0)),
    "5 × 100, 95 % alike, sets and questions prefer": Scenario(5, 100, alike=0.95, own=(0.5, 1.0, 0.0)),
    "10 × 50, 95 % alike, sets and questions prefer": Scenario(10, 50, alike=0.95, own=(0.5, 1.0, 0.0)),
    "5 × 100, 95 % alike, sets prefer": Scenario(5, 100, alike=0.95, own=(1.0, 0.0, 0.0)),
    "1 × 100, 95 % alike": Scenario(1, 100, alike=0.95, own=(0.0, 0.0, 0.0)),
    "1 × 400, 95 % alike": Scenario(1, 400, alike=0.95, own=(0.0, 0.0, 0.0)),
    "1 set × 100 questions": Scenario(1, 100, own=(0.0, 0.6, 0.5)),
    "5 sets × 3 orders × 50 questions": Scenario(5, 50, orders=3),
}
FEW: dict[str, Scenario] = {
    f"{sets} × {questions}" + (", few sets lose much" if skewed else ""): Scenario(
        sets, questions, own=(0.7, 0.6, 0.5), skewed=skewed
    )
    for skewed in (False, True)
    for questions in (20, 100)
    for sets in (2, 3, 5, 10)
}


def share(hits: int, count: int) -> dict[str, float]:
    """A share with Wilson's 95 % interval."""
    low, high = wilson(hits, count)
    return {"share": hits / count, "low": low, "high": high}


def students(found: Estimate) -> tuple[float, float]:
    """mean ± t √V with Satterthwaite's degrees of freedom, as a peer."""
    half = float(t.ppf(0.975, found.freedom)) * found.error if found.error > 0 else 0.0
    return found.mean - half, found.mean + half


def resampled(crossed: Crossed, sets: int, questions: int) -> tuple[float, float] | None:
    """Percentiles of a bootstrap of sets and questions at once, as a peer; None where a table is not full."""
    if crossed.values.size != sets * questions or sets == 1:
        return None
    _, low, high = mean_over_both(crossed.values.reshape(sets, questions), times=500, span=crossed.span or (0.0, 1.0))
    return float(low), float(high)


def coverage(scenario: Scenario, count: int, seed: int = SEED, peers: bool = True) -> dict[str, Any]:
    """How often intervals of setting b's mean and of the difference hold the truth, and by how much they miss."""
    hits: dict[str, list[int]] = {}
    width: list[float] = []
    start = time.process_time()
    for one in experiments(scenario, count, seed):
        for what, crossed, true in (
            ("mean", one.b, one.true_b),
            ("difference", differences(one.a, one.b), one.true_difference),
        ):
            found = mean_of(crossed)
            ways: dict[str, tuple[float, float] | None] = {"ours": (found.low, found.high)}
            if peers:
                ways["Student's t"] = students(found)
                ways["bootstrap"] = resampled(crossed, scenario.sets, scenario.questions)
            for way, ends in ways.items():
                if ends is not None:
                    hits.setdefault(f"{what}, {way}", []).append(ends[0] <= true <= ends[1])
            if what == "difference":
                width.append(found.high - found.low)
    return {
        "experiments": count,
        "scenario": asdict(scenario),
        "true mean": one.true_b,
        "true difference": one.true_difference,
        "median width of the difference": float(np.median(width)),
        "seconds": time.process_time() - start,
        "held": {name: share(sum(held), len(held)) for name, held in hits.items() if len(held) == count},
    }


def false_positives(scenario: Scenario, count: int, seed: int = NULL_SEED) -> dict[str, Any]:
    """How often the paired test, and the interval, call a difference where there is none."""
    seen = {"permutation": 0, "interval leaves out 0": 0, "both": 0}
    alike: list[float] = []
    start = time.process_time()
    for i, one in enumerate(experiments(scenario.null(), count, seed)):
        paired = differences(one.a, one.b)
        found, called = mean_of(paired), permutation(paired, DRAWS, seed=i).p <= 0.05
        out = bool(found.low > 0 or found.high < 0)
        for name, wrong in zip(seen, (called, out, called and out), strict=True):
            seen[name] += wrong
        alike.append(float(np.mean(paired.values == 0)))
    return {
        "experiments": count,
        "scenario": asdict(scenario.null()),
        "alike": float(np.mean(alike)),
        "seconds": time.process_time() - start,
        "seen": {name: share(wrong, count) for name, wrong in seen.items()},
    }


def within(found: dict[str, float], ends: tuple[float, float]) -> bool:
    """Whether a share lies in a range."""
    return ends[0] <= found["share"] <= ends[1]


def cell(found: dict[str, float] | None) -> str:
    """A share and its interval in a table."""
    return "–" if found is None else f"{found['share']:.3f} ({found['low']:.3f} – {found['high']:.3f})"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the experiments, for a quick look; writes nothing")
    part = parser.parse_args().share
    many, nulls, fewer = (max(10, int(number * part)) for number in (EXPERIMENTS, NULLS, FEWER))
    result: dict[str, Any] = {"seeds": [SEED, NULL_SEED], "draws": DRAWS, "holds": HOLDS, "sees": SEES}
    result["coverage"] = {name: coverage(scenario, many) for name, scenario in COVERAGE.items()}
    result["null"] = {name: false_positives(scenario, nulls) for name, scenario in NULL.items()}
    result["few"] = {name: coverage(scenario, fewer, peers=False) for name, scenario in FEW.items()}
    if part >= 1:
        write_results("experiment_intervals", result, report(result))
    print(report(result))


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown, numbers to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(line)} |" for line in (head, rule, *rows)] + [""]


def report(result: dict[str, Any]) -> str:
    """results/experiment_intervals.md."""
    names = [f"{what}, {way}" for way in ("ours", "Student's t", "bootstrap") for what in ("mean", "difference")]
    held = [
        [name, *(cell(found["held"].get(column)) for column in names), f"{found['median width of the difference']:.3f}"]
        for name, found in result["coverage"].items()
    ]
    seen = [
        [name, f"{found['alike']:.2f}", *(cell(one) for one in found["seen"].values())]
        for name, found in result["null"].items()
    ]
    few = [
        [name, *(cell(found["held"][f"{what}, ours"]) for what in ("mean", "difference")),
         f"{found['median width of the difference']:.3f}"]
        for name, found in result["few"].items()
    ]  # fmt: skip
    first, null = (next(iter(result[part].values())) for part in ("coverage", "null"))
    lines = [
        "# Intervals and tests of experiments",
        "",
        f"Experiments drawn from a logistic model with random sets, questions and cells, seeds {result['seeds']}. "
        "Shares with 95 % Wilson intervals.",
        "",
        "## How often a 95 % interval holds the truth",
        "",
        f"{first['experiments']:,} experiments a row; wanted: {HOLDS[0]:g} to {HOLDS[1]:g}. *Ours*: "
        "core/statistics/estimates.py. *Student's t*: with Satterthwaite's degrees of freedom. *Bootstrap*: "
        "percentiles, sets and questions drawn anew. *Width*: median of our interval of the difference.",
        "",
        *table(["drawn", *names, "width"], held),
        "## How often a difference is called that is not there",
        "",
        f"{null['experiments']:,} experiments a row, {result['draws']} flips each, at .05; wanted of the permutation "
        f"test: {SEES[0]:g} to {SEES[1]:g}. *Alike*: share of items with equal outcomes. A verdict asks for both.",
        "",
        *table(["drawn", "alike", *(f"{name}" for name in null["seen"])], seen),
        "## With few sets and questions",
        "",
        f"{next(iter(result['few'].values()))['experiments']:,} experiments a row; sets differ in which setting suits "
        "them as in *sets matter much*.",
        "",
        *table(["sets × questions", "mean", "difference", "width"], few),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
