"""How long does one study take, beside another build of ICLens? Both in one run, in turn.

    git worktree add ../before affa8a3
    python -m benchmarks.study ../before            minutes of one core; writes benchmarks/results/study.*
    python -m benchmarks.study ../before --quick    few rounds, to see that it runs; writes nothing

One process a build, each with the embedded model and one thread. A round gives both the same study, one after the
other, in an order that changes from round to round: 16 demonstrations and a query of one family, drawn anew, so that
nothing is kept of it; then the same study after an edit of its query. The answers of both are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.written import write_results
from core import Demonstration, Study
from core.mixture.mixture import Mixture, load_mixture

HERE = Path(__file__).parents[1]
FAMILIES = ("French", "plural", "antonym", "capital", "past tense", "category", "double", "next letter")
TEXTS = ("sentiment", "topic")  # long inputs: few of their prompts fit a pass
WARM_UP, K = 4, 16

WORKER = """
import json, sys, time
from core import Study, load_model, run
model = load_model()
for line in sys.stdin:
    study = Study.model_validate_json(line)
    cpu, start = time.process_time(), time.perf_counter()
    outcome = run(study, model)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    answer = [outcome.answer.probabilities.tolist(), outcome.answer.scores.tolist()]
    bayes = outcome.bayes.probabilities.tolist()
    implicit = outcome.posteriors["implicit"].weights.tolist()
    print(json.dumps({"wall": wall, "cpu": cpu, "answer": answer, "bayes": bayes, "implicit": implicit}), flush=True)
"""


class Build:
    """A process that runs studies on one build."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {
            "PYTHONPATH": str(folder),
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, study: Study) -> dict[str, Any]:
        """Seconds, and what came out."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(study.model_dump_json(exclude_defaults=True) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def studies(mixture: Mixture, family: str, seed: int) -> tuple[Study, Study]:
    """A study of this family, and the same after an edit of its query."""
    pairs = mixture.sample(family, K + 2, seed=seed)
    shown = tuple(Demonstration(input=x, label=y) for x, y in pairs[:K])
    return Study(demonstrations=shown, query=pairs[K][0]), Study(demonstrations=shown, query=pairs[K + 1][0])


def measure(before: Path, rounds: int) -> list[dict[str, Any]]:
    """A row a study and state: seconds of both builds, and how far they are apart."""
    builds = {"before": Build(before), "now": Build(HERE)}
    mixture, rows = load_mixture(), []
    families = (*FAMILIES, *TEXTS)
    for number in range(-WARM_UP, rounds):
        family = families[number % len(families)]
        for state, study in zip(("from nothing", "query edited"), studies(mixture, family, 1000 + number), strict=True):
            names = ("before", "now") if number % 2 else ("now", "before")
            found = {name: builds[name].run(study) for name in names}
            if number >= 0:
                rows.append({"family": family, "state": state} | _compared(found))
    for build in builds.values():
        build.close()
    return rows


def _compared(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {f"{clock} {name}": found[name][clock] for name in found for clock in ("wall", "cpu")}
    for what in ("answer", "bayes", "implicit"):
        a, b = np.array(found["before"][what]), np.array(found["now"][what])
        row[f"{what} differs by"] = float(np.abs(a - b).max())
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians by kind of input and state; a ratio is the median of the rounds' ratios."""
    report: dict[str, Any] = {}
    for kind, families in (("all", (*FAMILIES, *TEXTS)), ("words", FAMILIES), ("texts", TEXTS)):
        for state in ("from nothing", "query edited"):
            some = [row for row in rows if row["family"] in families and row["state"] == state]
            if not some:
                continue
            own: dict[str, Any] = {"studies": len(some)}
            for clock in ("wall", "cpu"):
                before, now = (np.array([row[f"{clock} {name}"] for row in some]) for name in ("before", "now"))
                own |= {
                    f"{clock}, before": round(float(np.median(before)), 5),
                    f"{clock}, now": round(float(np.median(now)), 5),
                    f"{clock}, ratio": round(float(np.median(now / before)), 4),
                }
            for what in ("answer", "bayes", "implicit"):
                own[f"{what} differs by"] = max(row[f"{what} differs by"] for row in some)
            report[f"{kind}, {state}"] = own
    return report


def write(report: dict[str, Any], before: Path) -> None:
    """results/study.json and .md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=before, capture_output=True, text=True)
    whole = {"before": commit.stdout.strip(), "python": platform.python_version(), "demonstrations": K} | report
    lines = [
        f"# One study of {K} demonstrations, beside {whole['before']}",
        "",
        "| studies | ms before | ms now | ratio | ratio of processor time | answers differ by |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, own in report.items():
        times = f"{1e3 * own['wall, before']:.0f} | {1e3 * own['wall, now']:.0f}"
        ratios = f"{own['wall, ratio']:.2f} | {own['cpu, ratio']:.2f}"
        lines.append(f"| {name} ({own['studies']}) | {times} | {ratios} | {own['answer differs by']:.1e} |")
    write_results("study", whole, "\n".join(lines) + "\n")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout of the other build")
    parser.add_argument("--quick", action="store_true", help="few rounds; writes nothing")
    given = parser.parse_args()
    report = summary(measure(given.before.resolve(), 10 if given.quick else 100))
    print(json.dumps(report, indent=2))
    if not given.quick:
        write(report, given.before)


if __name__ == "__main__":
    main()
