"""Effects on real models in numbers, beside the embedded model's, and the tables they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.effects_report import (
    BOUNDS,
    EFFECTS,
    PROMPTS,
    WAYS,
    Found,
    bounds_table,
    cells_of,
    difference,
    effects_table,
    interval,
    judged,
    leaning,
    leaning_table,
    share,
)
from benchmarks.kernels import agreement, table
from core.statistics.verdicts import LEAST, LEVEL

MODELS = {
    "smollm2": "SmolLM2-135M-Instruct",
    "gemma3": "Gemma 3 270M",
    "embedded": "embedded model",
}
CURVE = (0, 1, 2, 4, 8, 16, 32)
WRONG = (0, 4, 8, 12, 16)
SHOWN_TO_ALL: tuple[tuple[str, str, str, str], ...] = (
    ("4 demonstrations above none", "curve/4", "curve/0", "Brown et al. 2020"),
    ("32 demonstrations above 4", "curve/32", "curve/4", "Brown et al. 2020"),
    ("Right labels above wrong ones on 8 of 16", "wrong/0", "wrong/8", "Min et al. 2022"),
    ("Right labels above wrong ones on all 16", "wrong/0", "wrong/16", "Wei et al. 2023"),
)


def having(found: Sequence[Found], *measures: str) -> list[Found]:
    """The seeds with all these measures."""
    return [seed for seed in found if all(measure in seed for measure in measures)]


def compared(found: Sequence[Found], effects: Sequence[tuple[str, str, str, str]]) -> list[dict[str, Any]]:
    """Every effect over all its tasks, with verdicts corrected for all of these."""
    rows = []
    for name, first, second, source in effects:
        seeds = having(found, first, second)
        if seeds:
            rows.append({"effect": name, "source": source, **difference(seeds, first, second, list(seeds[0][first]))})
    return judged(rows)


def levels(found: Sequence[Found], kind: str, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Accuracy and P(right) with intervals after each of these numbers of demonstrations, or of wrong labels."""
    rows = []
    for count in counts:
        measure = f"{kind}/{count}"
        seeds = having(found, measure)
        tasks = list(seeds[0][measure])
        accuracy, low, high = interval(cells_of(seeds, measure, "right", tasks), span=(0.0, 1.0))
        p, p_low, p_high = interval(cells_of(seeds, measure, "p", tasks), span=(0.0, 1.0))
        by_task = {t: float(np.mean([value for seed in seeds for value in seed[measure][t]["right"]])) for t in tasks}
        rows.append(
            {
                "count": count,
                "accuracy": accuracy,
                "low": low,
                "high": high,
                "p": p,
                "p_low": p_low,
                "p_high": p_high,
                "questions": sum(len(seed[measure][task]["right"]) for seed in seeds for task in tasks),
                "by task": by_task,
            }
        )
    return rows


def of_a_model(measured: Mapping[str, Any]) -> dict[str, Any]:
    """A model's tables."""
    found: Sequence[Found] = measured["found"]
    every = "order/random" in found[0]
    effects = compared(found, (*EFFECTS, *SHOWN_TO_ALL) if every else SHOWN_TO_ALL)
    summary = {
        "fingerprint": measured["fingerprint"],
        "seconds": measured["seconds"],
        "effects": effects,
        "curve": levels(found, "curve", CURVE),
        "wrong": levels(found, "wrong", WRONG),
    }
    if every:
        ordered = having(found, "order/random")
        pairs = list(found[0]["majority/direct"])
        summary["bounds"] = [{"bound": name, **difference(ordered, a, b, list(ordered[0][a]))} for name, a, b in BOUNDS]
        summary["leaning"] = [leaning(found, prompt, by, pairs) for prompt in PROMPTS for by in WAYS]
        summary["kernel"] = measured["kernel"]
    return summary


def summary(measured: Mapping[str, Mapping[str, Any]], embedded: Mapping[str, Any]) -> dict[str, Any]:
    """All tables.

    Args:
        measured: what was found, by model.
        embedded: the embedded model's "effects" and "kernel", measured by other benchmarks.
    """
    models = {name: of_a_model(measured[name]) for name in MODELS}
    own = models["embedded"]
    own["effects"] = [*embedded["effects"], *own["effects"]]
    own["kernel"] = {"rows": embedded["kernel"]}
    return {"models": models}


def report(result: Mapping[str, Any]) -> str:
    """The result as Markdown."""
    models = result["models"]
    cost = ", ".join(f"{MODELS[name]} {models[name]['seconds'] / 60:.0f}" for name in MODELS)
    lines = [
        "# Published effects on real models",
        "",
        "SmolLM2-135M-Instruct and Gemma 3 270M in float32, from four bits a weight, without a chat template, on real "
        "tasks; written by `python -m benchmarks.real_effects`, whose head states what is asked; it was fixed before "
        f"any result was seen. Minutes of processor time: {cost}. Beside them the embedded model on tasks of its "
        "mixture, as results/effects.md has it.",
        "",
        "Differences of accuracy are paired, with 95 % intervals from a bootstrap over tasks within seeds, the "
        "questions of a task and seed together. Gain and harm say in which measure, accuracy or the right answer's "
        f"probability, a difference is shown: by a two-sided p of at most {LEVEL}, which follows from estimate and "
        "interval and is corrected by Holm for all tests of a model (two a row; the embedded model's last four rows by "
        f"themselves). A dash says that none is shown, not that there is none. Below {LEAST} draws of a task nothing "
        "is said. Single intervals are not corrected.",
    ]
    for name, title in MODELS.items():
        lines += ["", f"## {title}", "", *effects_table(models[name]["effects"])]
    lines += [
        "",
        "## Accuracy against the number of demonstrations",
        "",
        *levels_table(models, "curve", "demonstrations"),
    ]
    lines += ["", "By task, without intervals:", ""]
    for name in ("smollm2", "gemma3"):
        lines += [*_by_task(MODELS[name], models[name]["curve"]), ""]
    lines += ["## Accuracy against wrong labels among 16", "", *levels_table(models, "wrong", "wrong labels")]
    for name in ("smollm2", "gemma3"):
        lines += ["", f"## Biased prompts, {MODELS[name]}", "", *leaning_table(models[name]["leaning"])]
        lines += ["", f"## What order can do at all, {MODELS[name]}", "", *bounds_table(models[name]["bounds"])]
    lines += ["", "## Which kernel reproduces the model's answers?", "", *_kernels(models)]
    return "\n".join([*lines, ""])


def levels_table(models: Mapping[str, Any], kind: str, head: str) -> list[str]:
    """Accuracy at each level of "curve" or "wrong", a column a model."""
    lines = [f"| {head} | " + " | ".join(MODELS.values()) + " |", "|---:|" + "---|" * len(MODELS)]
    for i, first in enumerate(models["embedded"][kind]):
        cells = [models[name][kind][i] for name in MODELS]
        said_of = [f"{share(c['accuracy'])} ({share(c['low'])} to {share(c['high'])})" for c in cells]
        lines.append(f"| {first['count']} | {' | '.join(said_of)} |")
    return lines


def _by_task(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    tasks = list(rows[0]["by task"])
    lines = [f"| {title}, demonstrations | " + " | ".join(tasks) + " |", "|---:|" + "---:|" * len(tasks)]
    lines += [f"| {row['count']} | " + " | ".join(share(row["by task"][task]) for task in tasks) + " |" for row in rows]
    return lines


def _kernels(models: Mapping[str, Any]) -> list[str]:
    lines = [
        "Agreement with the model's answer and with the right one. Heads, their pooling and layers are chosen on one "
        "half of the questions and reported on the other, with 95 % intervals (Wilson).",
    ]
    for name in ("smollm2", "gemma3"):
        lines += ["", f"{MODELS[name]}:", "", *table(models[name]["kernel"]["rows"], ("kernel", "choice", "chosen_on"))]
    lines += ["", "| model | task | best head with the model | always the commonest label | the model is right |"]
    lines.append("|---|---|---|---|---:|")
    for name in ("smollm2", "gemma3"):
        for task, found in models[name]["kernel"]["by task"].items():
            cells = [agreement(found["rows"][place], "model") for place in (0, -1)]
            lines.append(f"| {MODELS[name]} | {task} | {' | '.join(cells)} | {share(found['about']['model_right'])} |")
    return lines
