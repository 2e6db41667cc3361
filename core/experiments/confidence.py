"""Whether a setting is as often right as it says, and how often its answer changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.experiments.design import Design
from core.experiments.items import ExperimentItem
from core.statistics.agreement import flipped
from core.statistics.estimates import Estimate, mean_of
from core.statistics.reliability import Reliability, reliability


@dataclass(frozen=True)
class Confidence:
    """What a setting says of its own answers.

    Attributes:
        setting: its number.
        reliability: of the probability of the likeliest candidate, questions resampled whole.
        orders: share of questions and sets whose answer is not the same in all orders; None where one was drawn.
        changed: share of questions, sets and orders whose answer is another one than in the first setting; None for the
            first, and where they share nothing yet.
    """

    setting: int
    reliability: Reliability
    orders: Estimate | None
    changed: Estimate | None


def confidences(design: Design, items: Sequence[ExperimentItem]) -> tuple[Confidence, ...]:
    """One a setting of which something is there, in their order. Items that failed count nowhere."""
    by_setting: dict[int, list[ExperimentItem]] = {}
    for item in items:
        if not item.error:
            by_setting.setdefault(design.cells[item.cell].setting, []).append(item)
    first = by_setting.get(0, [])
    return tuple(
        Confidence(
            setting,
            _reliability(design, mine),
            _flips(design, [(item, 0) for item in mine], "order"),
            _flips(design, [*((item, 0) for item in first), *((item, 1) for item in mine)], "setting")
            if setting and first
            else None,
        )
        for setting, mine in sorted(by_setting.items())
    )


def _reliability(design: Design, items: Sequence[ExperimentItem]) -> Reliability:
    gold = [row.label.strip() for row in design.experiment.questions]
    said = np.exp([max(item.log_shares) for item in items])
    true = np.array([item.prediction == gold[item.question] for item in items])
    return reliability(said, true, np.array([item.question for item in items]))


def _flips(design: Design, items: Sequence[tuple[ExperimentItem, int]], over: str) -> Estimate | None:
    """Share of cells whose answers differ over the levels of a factor; None where no cell has two."""
    words = {word: place for place, word in enumerate(sorted({item.prediction for item, _ in items}))}
    cells = [design.cells[item.cell] for item, _ in items]
    factors = {
        "question": np.array([item.question for item, _ in items]),
        "demonstrations": np.array([cell.drawn for cell in cells]),
    }
    orders = np.array([cell.order for cell in cells])
    if over == "order" or orders.any():
        factors["order"] = orders
    if over == "setting":
        factors["setting"] = np.array([setting for _, setting in items])
    answers = np.array([words[item.prediction] for item, _ in items])
    try:
        return mean_of(flipped(answers, factors, over))
    except ValueError:  # none is answered twice yet
        return None
