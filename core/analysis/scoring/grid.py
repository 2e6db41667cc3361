"""Combinations: every way to score an answer, a scorer with each of its options and each calibration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args, get_origin

from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.study.study import Study

WORDS = {
    ("normalisation", "sum"): "",
    ("normalisation", "token"): "per token",
    ("normalisation", "character"): "per character",
    ("normalisation", "byte"): "per byte",
    ("label_prior", "even"): "",
    ("label_prior", "shown"): "P(y) as shown",
}
"""An option in a title; "" for the one that goes without saying."""


@dataclass(frozen=True, order=True)
class ScorerVariant:
    """A scorer with its options, before any calibration.

    Attributes:
        scoring: name of the scorer.
        settings: (field, value) of `Study` for every option of it that is one of a few words, such as
            ("normalisation", "token"). What is not read is not set, and free text (PMI's premise) stays the study's.
    """

    scoring: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """For a menu or an axis: "Direct, per token"."""
        words = (WORDS.get(setting, f"{setting[0]} {setting[1]}") for setting in self.settings)
        return ", ".join([scorers.find(self.scoring).title, *filter(None, words)])


@dataclass(frozen=True, order=True)
class Combination:
    """A variant of a scorer with a calibration."""

    variant: ScorerVariant
    calibration: str = calibrations.plain

    @property
    def key(self) -> str:
        """A stable short name: "direct/token/contextual"."""
        return "/".join([self.variant.scoring, *(value for _, value in self.variant.settings), self.calibration])

    @property
    def title(self) -> str:
        """For a menu or an axis: "Direct, per token + contextual"."""
        if self.calibration == calibrations.plain:
            return self.variant.title
        return f"{self.variant.title} + {calibrations.find(self.calibration).title.lower()}"

    @property
    def changes(self) -> dict[str, str]:
        """The fields of a study that it sets."""
        return {"scoring": self.variant.scoring, **dict(self.variant.settings), "calibration": self.calibration}

    def of(self, study: Study) -> Study:
        """The study scored this way; all else is its own."""
        return study.model_copy(update=self.changes)


def variants() -> tuple[ScorerVariant, ...]:
    """Every scorer with every value of the options that it reads, in menu order."""
    found = []
    for strategy in scorers:
        options = [[(field, value) for value in _values(field)] for field in strategy.reads if _values(field)]
        found += [ScorerVariant(strategy.name, settings) for settings in product(*options)]
    return tuple(found)


def combinations(of: Iterable[ScorerVariant] | None = None) -> tuple[Combination, ...]:
    """All variants (or those given) with all calibrations, the calibration changing fastest."""
    return tuple(Combination(v, c.name) for v in (variants() if of is None else of) for c in calibrations)


def combination_of(study: Study) -> Combination:
    """The study's own.

    Raises:
        StudyError: it names a scorer that does not exist.
    """
    fields = [field for field in scorers.find(study.scoring).reads if _values(field)]
    return Combination(
        ScorerVariant(study.scoring, tuple((field, str(getattr(study, field))) for field in fields)), study.calibration
    )


def _values(field: str) -> tuple[str, ...]:
    """The words that a field of `Study` may hold, none where it is not one of a few words."""
    annotation = Study.model_fields[field].annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()
