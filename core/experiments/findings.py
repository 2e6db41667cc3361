"""What an experiment shows: a mean for every setting, paired differences, where the variance comes from, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.experiments.design import Design, Setting
from core.experiments.items import ExperimentItem
from core.statistics import comparisons
from core.statistics.comparisons import Contrast, Sentence, compare, sentence
from core.statistics.components import VarianceSplit, split_variance
from core.statistics.crossed import Crossed
from core.statistics.estimates import Estimate, mean_of
from core.statistics.proper import Places, brier, log_loss, right
from core.statistics.scaling import Law, Saturation, bayesian_law, power_law, saturation
from core.statistics.verdicts import holm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ItemMeasure:
    """What is measured of an item.

    Attributes:
        name, title: as files and as a screen call it.
        help: the formula, in a sentence.
        span: the least and the most that a value can be; None where there is no bound.
        better: 1 where more is better, −1 where less is.
        said: how a verdict says it.
        of: (log shares (N, L), places of the right answers (N,)) -> (N,) values.
    """

    name: str
    title: str
    help: str
    span: tuple[float, float] | None
    better: int
    said: comparisons.Measure
    of: Callable[[Floats, Places], Floats]


MEASURES = (
    ItemMeasure(
        "accuracy",
        "Accuracy",
        "1 where the likeliest candidate is right, else 0.",
        (0, 1),
        1,
        comparisons.ACCURACY,
        right,
    ),
    ItemMeasure(
        "log_loss",
        "Log-loss",
        "−log p(right answer) over the candidates, in nats.",
        None,
        -1,
        comparisons.LOG_LOSS,
        log_loss,
    ),
    ItemMeasure(
        "brier",
        "Brier score",
        "Σ_y (p(y) − [y is right])² over the candidates, from 0 to 2.",
        (0, 2),
        -1,
        comparisons.BRIER,
        brier,
    ),
)


def measure_of(name: str) -> ItemMeasure:
    """The measure of that name."""
    return next(one for one in MEASURES if one.name == name)


@dataclass(frozen=True)
class SettingPair:
    """Two settings that differ in one field, held against each other.

    Attributes:
        field: in which they differ.
        a, b: their numbers; a has the field's first value.
        comparison: b − a.
        corrected: p-value, corrected by Holm over all pairs; NaN where there is none.
        said: the verdict.
    """

    field: str
    a: int
    b: int
    comparison: Contrast
    corrected: float
    said: Sentence


@dataclass(frozen=True)
class ContextCurve:
    """How a measure goes with the number of demonstrations, where that alone varies.

    Attributes:
        ks: (n,) ascending.
        saturation: from which number on more does not help.
        power: m(k) = a + b (k + 1)^−c, fitted (`core.statistics.scaling`); None where it cannot be.
        bayes: the Bayesian scaling law of the mean probability of the right answer (Arora et al. 2024); None where it
            cannot be fitted, or another measure is asked for than log-loss.
    """

    ks: tuple[int, ...]
    saturation: Saturation
    power: Law | None
    bayes: Law | None


@dataclass(frozen=True)
class Findings:
    """What an experiment shows, as far as it is computed.

    Attributes:
        measure: of which it is.
        settings: (S,).
        means: (S,) None where nothing of a setting is there yet.
        counts: (S,) items that are there, without those that failed.
        pairs: every two settings that differ in one field, the first value of it in one.
        splits: (S,) where the variance of a setting comes from; None where nothing is there.
        curve: how it goes with a number that varies; None where none does, or not everything is there.
        failed: sentences, and how many items failed with each.
        complete: whether every item is there.
    """

    measure: ItemMeasure
    settings: tuple[Setting, ...]
    means: tuple[Estimate | None, ...]
    counts: tuple[int, ...]
    pairs: tuple[SettingPair, ...]
    splits: tuple[VarianceSplit | None, ...]
    curve: ContextCurve | None
    failed: Mapping[str, int]
    complete: bool


def findings_of(design: Design, items: Sequence[ExperimentItem], measure: str = "accuracy") -> Findings:
    """What the items show.

    Settings are compared on the questions and sets that both have, so that one that is further than another is not held
    against questions that the other has not answered. Items that failed count in no number.
    """
    chosen = measure_of(measure)
    measured = [_crossed(design, items, setting.number, chosen) for setting in design.settings]
    pairs = _pairs(design, measured, chosen)
    failed: dict[str, int] = {}
    complete = len(items) == design.items
    for item in items:
        if item.error:
            failed[item.error] = failed.get(item.error, 0) + 1
    return Findings(
        measure=chosen,
        settings=design.settings,
        means=tuple(None if one is None else mean_of(one) for one in measured),
        counts=tuple(0 if one is None else len(one.values) for one in measured),
        pairs=pairs,
        splits=tuple(None if one is None else split_variance(one) for one in measured),
        curve=_curve(design, measured, chosen) if complete else None,
        failed=failed,
        complete=complete,
    )


def values_of(design: Design, items: Sequence[ExperimentItem], measure: ItemMeasure) -> Floats:
    """(N,) the measure of each item, NaN where it failed."""
    gold = [row.label.strip() for row in design.experiment.questions]
    return np.array([_value(item, gold[item.question], measure) for item in items], dtype=float)


def _value(item: ExperimentItem, gold: str, measure: ItemMeasure) -> float:
    if not item.labels:
        return np.nan
    place = item.labels.index(gold)  # a design has it among the candidates of every question
    return float(measure.of(np.array([item.log_shares]), np.array([place]))[0])


def _crossed(design: Design, items: Sequence[ExperimentItem], setting: int, measure: ItemMeasure) -> Crossed | None:
    """The values of a setting and the draws that each came of; None where there is none."""
    mine = [item for item in items if not item.error and design.cells[item.cell].setting == setting]
    if not mine:
        return None
    cells = [design.cells[item.cell] for item in mine]
    factors: dict[str, Any] = {
        "question": np.array([item.question for item in mine]),
        "demonstrations": np.array([cell.drawn for cell in cells]),
    }
    nested = {}
    if design.experiment.draws.orders > 1 and any(cell.order for cell in cells):
        factors["order"] = np.array([cell.order for cell in cells])
        nested = {"order": "demonstrations"}
    return Crossed(values_of(design, mine, measure), factors, nested=nested, span=measure.span)


def _pairs(design: Design, measured: Sequence[Crossed | None], measure: ItemMeasure) -> tuple[SettingPair, ...]:
    found = []
    for field, a, b in pairs_of(design):
        one, other = measured[a], measured[b]
        if one is not None and other is not None and _asked_of(one) & _asked_of(other):
            found.append((field, a, b, compare(one, other)))
    tested = [place for place, (*_, one) in enumerate(found) if np.isfinite(one.flips.p)]
    corrected = np.full(len(found), np.nan)
    if tested:
        corrected[tested] = holm([found[place][3].flips.p for place in tested])
    names = [setting.name for setting in design.settings]
    return tuple(
        SettingPair(
            field,
            a,
            b,
            one,
            float(p),
            sentence(
                names[a],
                names[b],
                one,
                corrected=None if np.isnan(p) else float(p),
                comparisons=len(found),
                measure=measure.said,
            ),
        )
        for (field, a, b, one), p in zip(found, corrected, strict=True)
    )


def _asked_of(measured: Crossed) -> set[tuple[int, int]]:
    """(question, set) that a setting has answered."""
    columns = (measured.factors[name].tolist() for name in ("question", "demonstrations"))
    return set(zip(*columns, strict=True))


def pairs_of(design: Design) -> tuple[tuple[str, int, int], ...]:
    """(field, a, b) of every two settings that differ in one field alone, where a has the field's first value."""
    by_values = {setting.values: setting.number for setting in design.settings}
    found = []
    for place, variation in enumerate(design.experiment.vary):
        for setting in design.settings:
            if setting.values[place][1] == variation.values[0]:
                continue
            first = (*setting.values[:place], (variation.field, variation.values[0]), *setting.values[place + 1 :])
            found.append((variation.field, by_values[first], setting.number))
    return tuple(found)


def _curve(design: Design, measured: Sequence[Crossed | None], measure: ItemMeasure) -> ContextCurve | None:
    vary = design.experiment.vary
    if len(vary) != 1 or vary[0].field not in ("k", "shots") or len(vary[0].values) < 3:
        return None
    have = [(k, one) for k, one in zip(vary[0].values, measured, strict=True) if one is not None and k is not None]
    ks, outcomes = [k for k, _ in have], [one for _, one in have]
    if len(ks) < 3:
        return None
    found = saturation(ks, outcomes, larger=measure.better > 0)
    power = bayes = None
    with suppress(ValueError):
        power = power_law(ks, outcomes)
    if measure.name == "log_loss":
        likely = [Crossed(np.exp(-one.values), one.factors, nested=one.nested, span=(0.0, 1.0)) for one in outcomes]
        with suppress(ValueError):
            bayes = bayesian_law(ks, likely)
    return ContextCurve(tuple(sorted(ks)), found, power, bayes)
