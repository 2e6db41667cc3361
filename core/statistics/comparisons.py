"""Two settings on the same experiment: the paired difference, its test, its size, and a sentence for a paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.statistics.crossed import Crossed, differences, drawn_of
from core.statistics.estimates import Estimate, mean_of
from core.statistics.permutation import DRAWS, FlipTest, permutation
from core.statistics.power import smallest_effect
from core.statistics.verdicts import LEAST, LEVEL

LEAST_LEVELS = 5
"""Levels of any drawn factor below which no verdict is given; the largest needs `LEAST`."""
PLURALS = {
    "question": "questions",
    "demonstrations": "demonstration sets",
    "order": "orders",
    "seed": "seeds",
    "template": "templates",
    "model": "models",
}
SINGULARS = {"demonstrations": "demonstration set"}


@dataclass(frozen=True)
class Measure:
    """What outcomes are.

    Attributes:
        name: as it stands in a sentence.
        scale: what one unit of an outcome is in `unit`.
        unit: "points" of accuracy, "nats" of log-loss, "" of what has none.
    """

    name: str
    scale: float = 1.0
    unit: str = ""


ACCURACY = Measure("accuracy", 100.0, "points")
LOG_LOSS = Measure("log-loss", 1.0, "nats")
BRIER = Measure("Brier score")


@dataclass(frozen=True)
class Effect:
    """How large a difference is.

    Attributes:
        raw: the difference, in units of the outcomes.
        standardised: over the standard deviation of single outcomes of both settings, pooled.
        low, high: the interval of the difference in these units.
    """

    raw: float
    standardised: float
    low: float
    high: float


@dataclass(frozen=True)
class Contrast:
    """What an experiment says of b against a; differences are b − a.

    Attributes:
        a, b: means of both settings, over the items of each.
        difference: paired.
        flips: the permutation test.
        effect: its size.
        smallest: the smallest difference that this experiment would show with 80 % power at .05; NaN if unknown.
        differing: share of paired items whose outcome is not the same.
        pairs: how many paired items.
        why: why the sample carries no verdict, or "".
    """

    a: Estimate
    b: Estimate
    difference: Estimate
    flips: FlipTest
    effect: Effect
    smallest: float
    differing: float
    pairs: int
    why: str


@dataclass(frozen=True)
class Sentence:
    """A verdict in words.

    Attributes:
        text: one sentence.
        shown: whether a difference is shown: the interval leaves out 0, and the corrected p is at most .05.
        refused: whether the sample carries no verdict; `text` then says why.
    """

    text: str
    shown: bool
    refused: bool


def compare(a: Crossed, b: Crossed, draws: int = DRAWS, seed: int = 0) -> Contrast:
    """b against a, paired on every factor that both have.

    Raises:
        ValueError: they share no factor, or no item.
    """
    paired = differences(a, b)
    difference = mean_of(paired)
    spread = float(np.sqrt((np.var(a.values) + np.var(b.values)) / 2))
    sized = [end / spread if spread > 0 else np.nan for end in (difference.mean, difference.low, difference.high)]
    return Contrast(
        mean_of(a),
        mean_of(b),
        difference,
        permutation(paired, draws, seed),
        Effect(difference.mean, *sized),
        smallest_effect(paired),
        float(np.mean(np.abs(paired.values) > 1e-12)),
        len(paired.values),
        too_few(paired),
    )


def too_few(crossed: Crossed) -> str:
    """Why so few draws carry no verdict, or "".

    Every factor that was drawn needs 5 levels, and the one with the most of them 20: intervals hold the truth with
    fewer too, but rest on effects of sets being normal, which three cannot show, and are then 1.7 times as wide as with
    five (benchmarks/experiment_intervals.py).
    """
    drawn = drawn_of(crossed)
    counts = {name: drawn.counts[name] for name in drawn.top}
    if not counts:
        return "nothing was drawn more than once"
    for name, number in counts.items():
        if number < LEAST_LEVELS:
            return f"{counted(name, number)} say too little of others: {LEAST_LEVELS} are needed"
    largest = max(counts, key=lambda name: counts[name])
    if counts[largest] < LEAST:
        return f"{counted(largest, counts[largest])} say too little of others: {LEAST} are needed"
    return ""


def sentence(
    name_a: str,
    name_b: str,
    found: Contrast,
    corrected: float | None = None,
    comparisons: int = 1,
    measure: Measure = ACCURACY,
) -> Sentence:
    """The verdict on b against a, as it can stand in a paper.

    Args:
        name_a, name_b: what the settings are called.
        corrected: p after `core.statistics.verdicts.holm`; that of the test itself where one comparison was made.
        comparisons: how many p-values were corrected together.
    """
    if found.why:
        return Sentence(f"No verdict on {name_b} against {name_a}: {found.why}.", shown=False, refused=True)
    p = found.flips.p if corrected is None else corrected
    low, high = found.difference.low, found.difference.high
    if np.isnan(low) or np.isnan(high) or np.isnan(p):
        why = " ".join((*found.difference.notes, found.flips.why)).strip() or "there is no interval."
        return Sentence(f"No verdict on {name_b} against {name_a}: {why}", shown=False, refused=True)
    shown = p <= LEVEL and (low > 0 or high < 0)
    value, least, most = numbers(*(end * measure.scale for end in (found.difference.mean, low, high)))
    unit = f" {measure.unit}" if measure.unit else ""
    after = f" after Holm over {comparisons} comparisons" if comparisons > 1 else ""
    basis = f"95 % interval {least} to {most}, permutation {written(p)}{after}; {over(found.difference)}"
    way = "above" if found.difference.mean > 0 else "below"
    size = value.lstrip("−")
    if shown:
        if measure is ACCURACY:
            return Sentence(f"{name_b} scored {size}{unit} {way} {name_a} ({basis}).", shown=True, refused=False)
        text = f"The {measure.name} of {name_b} was {size}{unit} {way} that of {name_a} ({basis})."
        return Sentence(text, shown=True, refused=False)
    text = f"No difference in {measure.name} between {name_b} and {name_a} is shown: {value}{unit} ({basis})."
    return Sentence(text, shown=False, refused=False)


def over(found: Estimate) -> str:
    """What an interval is over: "5 demonstration sets × 100 questions, one template"."""
    top = [name for name in found.drawn if name not in found.within]
    top.sort(key=lambda name: found.drawn[name])
    said = " × ".join(counted(name, found.drawn[name]) for name in top)
    fixed = "".join(f", one {SINGULARS.get(name, name)} only" for name in found.fixed)
    return said + fixed


def counted(name: str, number: int) -> str:
    """5 demonstration sets."""
    if number == 1:
        return f"1 {SINGULARS.get(name, name)}"
    return f"{number:,} {PLURALS.get(name, f'levels of {name}')}"


def numbers(*values: float) -> tuple[str, ...]:
    """Numbers with as many decimals, one or more, as keep each of them from looking like 0."""
    digits = 1 if max(map(abs, values)) >= 1 else 3
    while digits < 6 and any(value and round(value, digits) == 0 for value in values):
        digits += 1
    return tuple(f"{value:.{digits}f}".replace("-", "−") for value in values)


def written(p: float) -> str:
    """p = .03, p = .004, p < .001."""
    if p < 0.001:
        return "p < .001"
    digits = 2 if p >= 0.1 else 3
    return f"p = {p:.{digits}f}".replace("0.", ".", 1)
