"""Orders and strategies as rows, for files and data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.analysis.ordering.effects import Gain, gain, highest
from core.analysis.ordering.table import OrderTable


def in_words(order: Sequence[int], numbers: Sequence[int]) -> str:
    """An order as the numbers of its demonstrations, the last one next to the query."""
    return " ".join(str(numbers[i]) for i in order)


def order_records(table: OrderTable, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """A row an order: what it answers the query, how often it is right, how spread its answers to probes are."""
    takers: dict[int, list[str]] = {}
    for strategy in table.strategies:
        if strategy.place is not None:
            takers.setdefault(strategy.place, []).append(strategy.title)
    mean_gold = table.gold.mean(axis=1) if table.questions else np.full(len(table.orders), np.nan)
    return [
        {
            "order": in_words(order, numbers),
            "accuracy": float(table.accuracy[m]),
            "p_gold": float(mean_gold[m]),
            "answer": table.labels[int(table.best[m])],
            "p_answer": float(table.answers[m].max()),
            "globale": float(table.global_entropy[m]),
            "locale": float(table.local_entropy[m]),
            "chosen_by": ", ".join(takers.get(m, [])),
            "drawn": bool(table.drawn[m]),
        }
        | {f"p({label})": float(p) for label, p in zip(table.labels, table.answers[m], strict=True)}
        for m, order in enumerate(table.orders)
    ]


def strategy_records(table: OrderTable, numbers: Sequence[int], seed: int = 0) -> list[dict[str, Any]]:
    """A row a strategy, then the orders of highest entropy together, as Lu et al. measure them: how often it is right,
    its gain over random orders with its 95 % interval over questions, and the order it takes for the query, with how
    often that one is right and what it answers. Without entropies the last two are left out."""
    rows = []
    for one in table.strategies:
        found = None if one.right is None else gain(table, one.right, seed)
        rows.append(_row(one.title, found, table, numbers, one.place, one.why_not))
    for title, measure in (("GlobalE", table.global_entropy), ("LocalE", table.local_entropy)):
        if np.isnan(measure).all():
            continue
        kept = highest(table, measure)
        found = gain(table, table.right[kept], seed) if table.questions else None
        rows.append(_row(f"{title}, its {len(kept)} highest", found, table, numbers, None, ""))
    return rows


def _row(
    title: str, found: Gain | None, table: OrderTable, numbers: Sequence[int], place: int | None, note: str
) -> dict[str, Any]:
    found = found or Gain(np.nan, np.nan, np.nan, np.nan, np.nan)
    return {
        "strategy": title,
        "accuracy": found.accuracy,
        "gain": found.relative,
        "gain_low": found.low,
        "gain_high": found.high,
        "order": "" if place is None else in_words(table.orders[place], numbers),
        "accuracy_of_order": np.nan if place is None else float(table.accuracy[place]),
        "answer": "" if place is None else table.labels[int(table.best[place])],
        "note": note,
    }
