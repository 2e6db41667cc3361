"""Taught batches: documents with exact Bayes's aims, made ahead by a process of their own.

Exact Bayes costs as much as half a training step, so each era of documents is read twice, in another order and written
in other templates (an aim does not depend on the template).
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from core.mixture.mixture import load_mixture
from core.pretraining.batches import Group, Menu, TrainingExample, collate, draw_example
from core.pretraining.teacher import Teacher
from core.pretraining.writer import Writer
from core.study.prompts import TEMPLATES

ERA = 250  # steps whose documents are made at once
READINGS = 2
CHUNK = 125  # documents that travel from the process at once

_teacher: Teacher | None = None


def make_examples(seed: int, first: int, count: int, menu: Menu) -> list[TrainingExample]:
    """Examples number `first` and on, each drawn from (seed, number)."""
    global _teacher
    if _teacher is None:
        _teacher = Teacher(load_mixture())
    return [
        draw_example(load_mixture(), _teacher, random.Random(f"{seed}/taught/{number}"), menu)
        for number in range(first, first + count)
    ]


@dataclass
class Feed:
    """Batches by step, each step of an era asked for in turn.

    Attributes:
        seed, documents, groups: of the recipe.
        menu: of its phase.
        writer: turns documents into tokens.
    """

    seed: int
    documents: int
    groups: int
    menu: Menu
    writer: Writer

    def __post_init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self._waiting: dict[int, list[Future[list[TrainingExample]]]] = {}
        self._examples: tuple[int, list[TrainingExample]] = (-1, [])

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(cancel_futures=True)

    def _ask(self, era: int) -> None:
        size = ERA // READINGS * self.documents
        if era not in self._waiting:
            self._waiting[era] = [
                self._pool.submit(make_examples, self.seed, first, min(CHUNK, (era + 1) * size - first), self.menu)
                for first in range(era * size, (era + 1) * size, CHUNK)
            ]

    def batch(self, step: int) -> list[Group]:
        """The batch of a step, counted from the first taught one."""
        era, place = divmod(step, ERA)
        if self._examples[0] != era:
            self._ask(era)
            self._examples = era, [example for part in self._waiting.pop(era) for example in part.result()]
            self._ask(era + 1)
        reading, turn = divmod(place, ERA // READINGS)
        order = np.random.default_rng([self.seed, era, reading]).permutation(len(self._examples[1]))
        rng = random.Random(f"{self.seed}/taught/{step}")
        chosen = order[turn * self.documents : (turn + 1) * self.documents]
        return collate(list(self._read(chosen.tolist(), rng)), self.writer, rng, self.groups)

    def _read(self, places: list[int], rng: random.Random) -> Iterator[TrainingExample]:
        for place in places:
            example = self._examples[1][place]
            yield replace(example, document=replace(example.document, template=rng.choice(tuple(TEMPLATES.values()))))
