"""The grid of an experiment: settings, cells, blocks, and the study that each cell holds against its questions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.errors import StudyError
from core.experiments.experiment import MOST_CELLS, Experiment, check
from core.experiments.fields import applied, title_of, words_of
from core.experiments.treatments import treatments
from core.ordering import orderings
from core.scoring.calibration import calibrations
from core.selection import selections
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.study import ModelChoice, Study

BLOCK = 48
"""Questions that are computed at once: they share the prompt before the query."""


@dataclass(frozen=True)
class Setting:
    """One combination of the values that vary.

    Attributes:
        number: from 0, in the order of `Experiment.vary`, the last field changing fastest.
        values: (field, value) of each that varies.
        study: the base study with them; its pool is whole still.
    """

    number: int
    values: tuple[tuple[str, Any], ...]
    study: Study

    @property
    def name(self) -> str:
        """Its values in words, "–" where nothing varies."""
        return ", ".join(_said(field, value) for field, value in self.values) or "–"


def _said(field: str, value: Any) -> str:
    words = words_of(field, value)
    if field == "k":
        return f"k = {words}"
    return f"{title_of(field)} {words}" if words.replace(" %", "").replace(".", "").isdigit() else words


@dataclass(frozen=True)
class Cell:
    """A setting with one demonstration set (or one part of the pool to choose it from) and one order.

    Attributes:
        number: among all cells.
        setting, drawn, order: numbers of the setting, of the set, and of the order in it.
    """

    number: int
    setting: int
    drawn: int
    order: int


@dataclass(frozen=True)
class QuestionBlock:
    """Questions `start` to `end` of a cell, computed in one go."""

    cell: Cell
    start: int
    end: int


class Design:
    """Everything that an experiment computes.

    Attributes:
        experiment: as given.
        labels: candidates of every question where `closed`.
        closed: whether every right answer is one of them; else (plurals, sums) a question also has its own right answer
            and what the tasks of the mixture answer to it.
        rows: (n,) of the pool that may be shown: usable, and no question.
        settings: (S,) all combinations.
        cells: (C,) settings × sets × orders, a setting whose ordering draws nothing with one order, and one whose
            demonstrations are picked by hand with one set.

    Raises:
        StudyError: as `check`, or there are more than 20,000 cells.
    """

    def __init__(self, experiment: Experiment) -> None:
        check(experiment)
        self.experiment = experiment
        self.labels = experiment.labels
        base = tidied(experiment.study).model_copy(update={"query": "", "gold": None})
        asked = {row.input.strip() for row in experiment.questions}
        # A question is never shown: its right answer would stand in its own prompt, or in another setting's.
        self.rows = tuple(row for row in base.pool if usable(row) and row.input not in asked)
        self.closed = all(row.label.strip() in self.labels for row in experiment.questions)
        self.settings = tuple(_settings(base.model_copy(update={"pool": self.rows}), experiment))
        self.cells = tuple(self._cells())
        if len(self.cells) > MOST_CELLS:
            raise StudyError(
                f"{len(self.cells):,} cells are more than the {MOST_CELLS:,} of one experiment: vary fewer values, or "
                "draw fewer sets or orders."
            )
        for cell in self.cells:  # what cannot be had of these rows is said before anything is computed
            if cell.order == 0 and any(field in treatments for field, _ in self.settings[cell.setting].values):
                self.study(cell)

    @cached_property
    def blocks(self) -> tuple[QuestionBlock, ...]:
        """In the order in which they are best computed: a model at a time, then every setting a little further, so
        that intervals of all settings narrow together."""
        count = len(self.experiment.questions)
        starts = range(0, count, BLOCK)
        found = [QuestionBlock(cell, start, min(start + BLOCK, count)) for cell in self.cells for start in starts]
        models = list(dict.fromkeys(setting.study.model for setting in self.settings))

        def rank(block: QuestionBlock) -> tuple[int, ...]:
            cell = block.cell
            model = models.index(self.settings[cell.setting].study.model)
            return model, block.start, cell.drawn, cell.order, cell.setting

        return tuple(sorted(found, key=rank))

    @property
    def items(self) -> int:
        """Questions over all cells."""
        return len(self.cells) * len(self.experiment.questions)

    def model(self, cell: Cell) -> ModelChoice:
        """What a cell is asked of."""
        return self.settings[cell.setting].study.model

    def study(self, cell: Cell) -> Study:
        """The study of a cell, without a query: its part of the pool, treated, and its seeds.

        Raises:
            StudyError: the treatment cannot be had of these rows.
        """
        setting, draws = self.settings[cell.setting], self.experiment.draws
        study, seed = setting.study, _seed(draws.seed, cell.drawn)
        seeds = {"selection_seed": seed, "calibration_seed": seed}
        seeds["ordering_seed"] = _seed(draws.seed, cell.drawn, cell.order)
        varied = {field for field, _ in setting.values}
        study = study.model_copy(update={name: value for name, value in seeds.items() if name not in varied})
        source = selections.find(study.selection).source
        rows = study.demonstrations if source == "demonstrations" else self._part(study.k, seed)
        for field, value in setting.values:
            if field in treatments:
                rows = treatments.find(field).function(study, rows, self.labels, value, seed)
        return study.model_copy(update={source: rows})

    def asked(self, cell: Cell, question: int) -> Study:
        """The study of a cell with a question as its query: what `run` takes."""
        return self.put(self.study(cell), question)

    def put(self, study: Study, question: int) -> Study:
        """A study with a question as its query, and the candidates named where they are the same for all."""
        row = self.experiment.questions[question]
        labels = study.labels or (self.labels if self.closed else ())
        return study.model_copy(update={"query": row.input.strip(), "gold": row.label.strip(), "labels": labels})

    def _part(self, k: int, seed: int) -> tuple[Demonstration, ...]:
        """The part of the pool that a set is chosen from, in the pool's order."""
        wanted = max(k, round(self.experiment.draws.share * len(self.rows)))
        places = np.random.default_rng(seed).permutation(len(self.rows))[:wanted]
        return tuple(self.rows[i] for i in sorted(places))

    def _cells(self) -> Iterator[Cell]:
        draws, number = self.experiment.draws, itertools.count()
        for setting in self.settings:
            study, treated = setting.study, any(field in treatments for field, _ in setting.values)
            by_hand = selections.find(study.selection).source == "demonstrations"
            shuffled = "ordering_seed" in orderings.find(study.ordering).reads
            redrawn = shuffled or treated or "calibration_seed" in calibrations.find(study.calibration).reads
            for drawn in range(draws.sets if not by_hand or redrawn else 1):
                for order in range(draws.orders if shuffled else 1):
                    yield Cell(next(number), setting.number, drawn, order)


def _settings(base: Study, experiment: Experiment) -> Iterator[Setting]:
    fields = [one.field for one in experiment.vary]
    for number, values in enumerate(itertools.product(*(one.values for one in experiment.vary))):
        study, pairs = base, tuple(zip(fields, values, strict=True))
        for field, value in pairs:
            study = applied(study, field, value)
        yield Setting(number, pairs, study)


def _seed(*numbers: int) -> int:
    """A seed of a draw: another one for every draw, and the same on every machine."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
