"""What an experiment costs: beside lm-eval on the same prompts, and against items, demonstrations and processes.

    python -m benchmarks.experiments            # 12 minutes; writes benchmarks/results/experiments.json and .md

lm-eval is asked for the log-probabilities of the same labels behind the same prompts, in turn with blocks of an
experiment on SmolLM2-135M (bin/setup benchmarks); the rest is on the embedded model.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.real_model import THREADS, harness_of, rows_of_sst2, timed_work
from benchmarks.written import write_results
from core import Demonstration, Study, load_model
from core.experiments.compute import compute
from core.experiments.design import Design
from core.experiments.experiment import Draws, Experiment, Variation
from core.experiments.items import ExperimentItem
from core.experiments.ledger import Ledger
from core.experiments.run import Advance, run_experiment
from core.experiments.table import shown
from core.models import LanguageModel
from core.study.prompts import render
from core.study.study import ModelChoice
from tests.real_models import smollm2_folder

LABELS = ("negative", "positive")
QUESTIONS, ROUNDS, SHARED = 96, 3, 16
TARGETS = {"shared": 15.0, "nothing shared": 1.0}
SETS = (5, 20, 80)
DEMONSTRATIONS = (2, 8, 32)


def of_sst2(folder: Path, kind: str) -> Experiment:
    """16 demonstrations that all questions share, or four that are chosen for each question."""
    drawn = [Demonstration(input=x, label=y) for x, y in random.Random(5).sample(rows_of_sst2(), 200 + QUESTIONS)]
    rows, asked = tuple(drawn[:200]), tuple(drawn[200:])
    study = Study(model=ModelChoice(name=str(folder)), labels=LABELS, posteriors=())
    if kind == "shared":
        study = study.model_copy(update={"demonstrations": rows[:SHARED]})
    else:
        study = study.model_copy(update={"pool": rows, "selection": "similarity", "encoder": "tfidf", "k": 4})
    return Experiment(study=study, questions=asked, draws=Draws(sets=1, share=1.0))


def beside_harness(
    folder: Path, model: LanguageModel, score: Callable[[Any], list[float]], kind: str
) -> dict[str, Any]:
    """Items a second of an experiment's blocks and of lm-eval, in turn."""
    design = Design(of_sst2(folder, kind))

    def ours() -> list[ExperimentItem]:
        return [item for block in design.blocks for item in compute(design, block, model)]

    items = ours()
    pairs = []
    for item in items:
        study = design.asked(design.cells[item.cell], item.question)
        prompt = render(shown(design, item), study.query, study.template, study.instruction)
        pairs += [(prompt.text, prompt.gap + label) for label in item.labels]
    ratios, differ, rates = [], 0.0, []
    for _ in range(ROUNDS):
        (wall, _, items), (other, _, theirs) = timed_work(ours), timed_work(lambda: score(pairs))
        ratios.append(other / wall)
        rates.append(len(items) / wall)
        apart = np.diff(np.array(theirs).reshape(-1, 2))[:, 0]
        differ = max(differ, float(np.abs(apart - np.diff([item.log_shares for item in items])[:, 0]).max()))
        print(f"{kind}: an experiment {wall:.1f} s, lm-eval {other:.1f} s", flush=True)
    return {
        "times faster": round(float(np.median(ratios)), 1),
        "rounds": [round(min(ratios), 1), round(max(ratios), 1)],
        "items a second": round(float(np.median(rates)), 1),
        "differ by": differ,
    }


def on_embedded(sets: int, k: int) -> Experiment:
    """Two orders of k demonstrations of reviews, 96 questions."""
    mixture = load_model().mixture
    assert mixture is not None
    latent = mixture.draw_latent("sentiment", random.Random(1))
    pairs = list(dict(mixture.draw_pairs(latent, 6_000, random.Random(2))).items())
    rows = tuple(Demonstration(input=x, label=y) for x, y in pairs[: 200 + QUESTIONS])
    study = Study(pool=rows[:200], selection="random", k=k, posteriors=())
    vary = (Variation(field="ordering", values=("random", "nearest-last")),)
    return Experiment(study=study, vary=vary, questions=rows[200:], draws=Draws(sets=sets))


def cost(sets: int, k: int, workers: int) -> dict[str, Any]:
    """Seconds of an experiment behind its first block, and the memory of all that computes it."""
    made, first, most = on_embedded(sets, k), [], [0, 0]

    def hear(now: Advance) -> None:
        if now.computed and not first:
            first.extend((now.seconds, now.computed))
        mine = psutil.Process()
        most[0] = max(most[0], mine.memory_info().rss)
        most[1] = max(most[1], sum(child.memory_info().rss for child in mine.children(recursive=True)))

    with tempfile.TemporaryDirectory() as folder:
        ended = run_experiment(made, Ledger(Path(folder) / "ledger.sqlite"), workers=workers, listener=hear)
    if ended.failed:
        raise SystemExit(f"{ended.failed} items failed.")
    seconds = ended.seconds - first[0]
    found = {
        "sets": sets,
        "k": k,
        "workers": workers,
        "items": ended.total,
        "seconds": round(seconds, 2),
        "ms an item": round(1e3 * seconds / (ended.total - first[1]), 3),
        "driver MB": round(most[0] / 2**20),
        "workers MB": round(most[1] / 2**20),
    }
    print(found, flush=True)
    return found


def report(found: dict[str, Any]) -> str:
    """What a reader sees."""
    lines = [
        "# What an experiment costs",
        "",
        f"Written by `python -m benchmarks.experiments`: python {found['python']}, {found['threads']} threads each.",
        "",
        f"Beside lm-eval {found['version']} on SmolLM2-135M, {QUESTIONS} questions of SST-2, two labels of one token, "
        f"{ROUNDS} rounds in turn:",
        "",
        "| prompts | times as fast | rounds | wanted | items a second | log-odds apart by at most |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind, row in found["lm-eval"].items():
        ends = f"{row['rounds'][0]} to {row['rounds'][1]}"
        lines.append(
            f"| {kind} | {row['times faster']} | {ends} | {TARGETS[kind]:g} | {row['items a second']} | "
            f"{row['differ by']:.0e} |"
        )
    lines += [
        "",
        "*Shared*: 16 demonstrations that all questions see. *Nothing shared*: four chosen for each question by words.",
        "",
        "On the embedded model, random order and nearest last, behind the first block:",
        "",
        "| items | demonstrations | processes | seconds | ms an item | MB, driver | MB, processes |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['items']:,} | {row['k']} | {row['workers']} | {row['seconds']} | {row['ms an item']} | "
        f"{row['driver MB']} | {row['workers MB']} |"
        for row in found["cost"]
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure and write."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(THREADS)
    costs = [cost(sets, 8, 2) for sets in SETS]
    costs += [cost(20, k, 2) for k in DEMONSTRATIONS if k != 8]
    costs.append(cost(20, 8, 1))
    folder = smollm2_folder()
    model = load_model(str(folder))
    score = harness_of(AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder))
    found = {
        "python": platform.python_version(),
        "threads": THREADS,
        "version": importlib.metadata.version("lm_eval"),
        "lm-eval": {kind: beside_harness(folder, model, score, kind) for kind in TARGETS},
        "cost": costs,
    }
    print(report(found))
    write_results("experiments", found, report(found))


if __name__ == "__main__":
    main()
