"""The prompts that effects are measured on: tasks of the mixture, a pool and questions for each, drawn by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from core import Demonstration
from core.mixture.mixture import Mixture
from core.study.prompts import ARROW, Template

KINDS = ("natural", "flipped", "arbitrary")
WORD_DOMAINS = ("nouns", "coloured things", "verbs", "adjectives", "countries", "sequences", "numbers", "letters")
POOL, PER_CLASS, DRAWN = 40, 2, 900
Rows = tuple[Demonstration, ...]


@dataclass(frozen=True)
class Task:
    """One task under one seed.

    Attributes:
        family: of the mixture.
        group: "natural", "flipped", "arbitrary" or "map"; reviews carry "reviews" as well.
        review: whether its inputs are reviews.
        labels: candidates, sorted; empty for a map, whose candidates depend on the query.
        pool: up to 40 rows with inputs of their own, as many of each class as there are up to 20.
        questions: (input, label), two of each class (a map: two), none of them in the pool.
        seed: of the draw.
        template: of all its prompts.
        probes: inputs of the pool that orders and prior correction are tried on.
    """

    family: str
    group: str
    review: bool
    labels: tuple[str, ...]
    pool: Rows
    questions: tuple[tuple[str, str], ...]
    seed: int
    template: Template = ARROW
    probes: int = 16


def concept_families(mixture: Mixture) -> list[str]:
    """Every two-class task: natural, flipped and arbitrary labels, reviews among them."""
    return [family.name for family in mixture.details if family.kind in KINDS]


def map_families(mixture: Mixture) -> list[str]:
    """Every map on the domains of single words."""
    return [family.name for family in mixture.details if family.kind == "map" and family.domain in WORD_DOMAINS]


def draw_task(mixture: Mixture, family: str, seed: int) -> Task:
    """A latent of the family, questions, and a pool without them."""
    details = next(entry for entry in mixture.details if entry.name == family)
    rng = random.Random(f"effects/{family}/{seed}")
    drawn = dict(mixture.draw_pairs(mixture.draw_latent(family, rng), DRAWN, rng))
    pairs = list(drawn.items())
    if details.kind == "map":
        questions, rest = pairs[:PER_CLASS], pairs[PER_CLASS : PER_CLASS + POOL]
        return Task(family, "map", False, (), _rows(rest), tuple(questions), seed)
    labels = tuple(sorted(set(drawn.values())))
    by_class = [[pair for pair in pairs if pair[1] == label] for label in labels]
    questions = [pair for rows in by_class for pair in rows[:PER_CLASS]]
    rest = [pair for rows in by_class for pair in rows[PER_CLASS : PER_CLASS + POOL // 2]]
    rng.shuffle(rest)
    return Task(family, details.kind, details.domain == "reviews", labels, _rows(rest), tuple(questions), seed)


def _rows(pairs: list[tuple[str, str]]) -> Rows:
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


def lopsided(task: Task, counts: tuple[int, int], minority_first: bool) -> tuple[Rows, str]:
    """Demonstrations with so many of one label and of the other; which label leads goes by the seed.

    Args:
        counts: of the label that the prompt favours, and of the other.
        minority_first: the other label's stand first, so that those next to the query are all of one; else the places
            are random.

    Returns:
        The rows in order, and the favoured label. Rows are shown twice where a class has too few inputs.
    """
    rng = random.Random(f"lopsided/{task.family}/{task.seed}/{counts}")
    favoured = task.labels[(task.seed + len(task.family)) % 2]
    ours = [row for row in task.pool if row.label == favoured]
    theirs = [row for row in task.pool if row.label != favoured]
    rng.shuffle(ours)
    rng.shuffle(theirs)
    a, b = counts
    lead = [ours[i % len(ours)] for i in range(a)]
    other = [theirs[i % len(theirs)] for i in range(b)]
    rows = [*other, *lead]
    if not minority_first:
        rng.shuffle(rows)
    return tuple(rows), favoured
