"""Kernel tables and atlases as rows, for files and data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from core.analysis.kernel.head_atlas import READINGS, Atlas
from core.analysis.kernel.weight_table import KernelTable
from core.study.demonstrations import Demonstration
from core.study.outcome import Kernel

PARTS: tuple[Literal["choosing", "reporting"], ...] = ("choosing", "reporting")
AGAINST: tuple[Literal["model", "gold"], ...] = ("model", "gold")


def weight_records(table: KernelTable, shown: Sequence[Demonstration], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """A row for every (kernel, query, demonstration)."""
    return [
        {
            "kernel": kernel.name,
            "detail": kernel.detail,
            "query": query,
            "answer": kernel.best or "",
            "demonstration": number,
            "input": row.input,
            "label": row.label,
            "raw": float(kernel.raw[i]),
            "normalised": float(kernel.normalised[i]),
            "labels_scored": len(labels),
            "labels_found": found,
        }
        for kernels in table.kernels
        for query, kernel, labels, found in zip(table.queries, kernels, table.labels, table.labels_found, strict=True)
        for i, (number, row) in enumerate(zip(numbers, shown, strict=True))
    ]


def atlas_records(atlas: Atlas) -> list[dict[str, Any]]:
    """A row for every (reading, layer, head), with agreement on both parts."""
    parts = {part: {against: atlas.agreement(against, part) for against in AGAINST} for part in PARTS}
    rows = []
    for r, (span, pooling) in enumerate(READINGS):
        for layer in range(atlas.model.shape[1]):
            for head in range(atlas.model.shape[2]):
                shares = {
                    f"{part}_{against}": float(values[r, layer, head])
                    for part, by in parts.items()
                    for against, values in by.items()
                }
                rows.append({"span": span, "pooling": pooling, "layer": layer, "head": head, **shares})
    return rows


def cautions(kernels: Sequence[Kernel]) -> tuple[str, ...]:
    """What the kernels' own notes say, each once."""
    return tuple(dict.fromkeys(kernel.note for kernel in kernels if kernel.note))
