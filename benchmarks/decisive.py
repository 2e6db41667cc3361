"""Does a kernel point at the demonstration that decides? Kernels against leave-one-out on the embedded model.

    python -m benchmarks.decisive    3 minutes of one core; writes benchmarks/results/decisive.*

Up to 60 items of each kind of task, six demonstrations without label noise, at least two candidate labels. The
decisive demonstration is the one without which the log-odds of the model's own answer fall most; a kernel finds it
where its largest weight is on it. Chance is one in six. Exact Bayes's own leave-one-out, beside them, is how far a
reader who knows no order and no attention gets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.kernels import KINDS
from benchmarks.written import write_results
from core import Study, load_model, run
from core.analysis.influence.removal import influences
from core.analysis.influence.value import question_of
from core.evaluation.items import items_from_mixture
from core.mixture.mixture import load_mixture
from core.statistics.intervals import wilson

DEMONSTRATIONS, A_KIND, SEED = 6, 60, 30_000_000


def measure() -> dict[str, Any]:
    """Found, of how many, and the interval, by kernel and kind."""
    model, mixture = load_model(), load_mixture()
    hits: dict[str, dict[str, list[bool]]] = {}
    for place, kind in enumerate(KINDS):
        families = [family.name for family in mixture.details if family.kind == kind]
        items = items_from_mixture(mixture, families, DEMONSTRATIONS, A_KIND, SEED + place)
        items = tuple(item for item in items if len(item.labels) > 1)
        outcomes = [
            run(Study(demonstrations=item.demonstrations, query=item.query, labels=item.labels), model)
            for item in items
        ]
        removed = influences([question_of(outcome) for outcome in outcomes], model, shapley=False)
        for outcome, one in zip(outcomes, removed, strict=True):
            decisive = int(np.argmax(one.model.leave_one_out))
            pointed = {name: kernel.raw for name, kernel in outcome.kernels.items()}
            assert one.bayes is not None
            pointed["exact Bayes, leave one out"] = one.bayes.leave_one_out
            for name, weights in pointed.items():
                found = int(np.argmax(weights)) == decisive
                hits.setdefault(name, {}).setdefault(kind, []).append(found)
    return {
        "demonstrations": DEMONSTRATIONS,
        "rows": {name: _row(by_kind) for name, by_kind in hits.items()},
    }


def _row(by_kind: dict[str, list[bool]]) -> dict[str, Any]:
    every = [found for kind in by_kind.values() for found in kind]
    return {**_share(every), "kinds": {kind: _share(found) for kind, found in by_kind.items()}}


def _share(found: list[bool]) -> dict[str, float]:
    low, high = wilson(sum(found), len(found))
    return {"found": sum(found), "count": len(found), "low": low, "high": high}


def report(found: dict[str, Any]) -> str:
    """The table."""
    lines = [
        f"How often the largest weight is on the decisive one of {found['demonstrations']} demonstrations (chance "
        f"{100 / found['demonstrations']:.0f} %; 95 % intervals by Wilson):",
        "",
        "| kernel | all kinds | " + " | ".join(KINDS) + " |",
        "|---|---|" + "---|" * len(KINDS),
    ]
    for name, row in found["rows"].items():
        cells = " | ".join(_said(one) for one in (row, *(row["kinds"][kind] for kind in KINDS)))
        lines.append(f"| {name} | {cells} |")
    return "\n".join([*lines, ""])


def _said(share: dict[str, float]) -> str:
    low, high = 100 * share["low"], 100 * share["high"]
    return f"{100 * share['found'] / share['count']:.0f} % of {share['count']} [{low:.0f} – {high:.0f}]"


def main() -> None:
    """Measure, print, and write the results beside this file."""
    torch.set_num_threads(1)
    found = measure()
    text = report(found)
    print(text)
    write_results("decisive", found, text)


if __name__ == "__main__":
    main()
