"""The README's table of measured figures, from what the benchmarks wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def _read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _embedded() -> list[tuple[str, str, str, bool]]:
    rows = _read("embedded").get("overall", {})
    return [
        (
            f"Embedded model: {name}",
            f"{row['value']:.3f}",
            f"{'at most' if row['better'] == 'lower' else 'at least'} {row['target']:g}",
            row["met"],
        )
        for name, row in rows.items()
    ]


def _scoring() -> list[tuple[str, str, str, bool]]:
    found = _read("scoring")
    titles = {
        "shared": ("Scoring 16 demonstrations × 32 queries × 4 labels", 25.0),
        "nothing shared": ("Scoring texts that share nothing", 1.0),
    }
    return [
        (f"{title}, against {way}", f"{row['ratio']:.2f} × as fast", f"at least {target:g} ×", row["ratio"] >= target)
        for part, (title, target) in titles.items()
        for way, row in found.get(part, {}).get("ways", {}).items()
        if way != "ICLens"
    ]


def _dashboard() -> list[tuple[str, str, str, bool]]:
    found = _read("dashboard")
    if not found:
        return []
    study, ratio = found["compute"]["median_ms"], found["redraw"]["ratio"]
    return [
        ("One study of 16 demonstrations: answer, posteriors, kernels, attention", f"{study:.0f} ms", "under 150 ms",
         study < 150),
        ("Edit → all views redrawn, against an empty rerun", f"{ratio:.2f} ×", "at most 3 ×", ratio <= 3),
    ]  # fmt: skip


def figures() -> str:
    """The table as Markdown; a benchmark that has not been run has no rows."""
    rows = [*_dashboard(), *_scoring(), *_embedded()]
    lines = ["| | measured | target | met |", "|---|---:|---:|---|"]
    lines += [f"| {what} | {value} | {target} | {'yes' if met else 'no'} |" for what, value, target, met in rows]
    return "\n".join(lines) + "\n" if rows else ""
