"""Items to measure an explanation on: demonstrations, a query that is not among them, and its right answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import StudyError
from core.scoring.labels import check_count, clean, distinct
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.study import Study

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

TRIES = 1_000  # draws of a document before it is given up: a domain too small for this many different inputs


@dataclass(frozen=True)
class Item:
    """One question.

    Attributes:
        demonstrations: (k,) shown, in order.
        query: x.
        gold: the right answer.
        labels: candidate answers, gold and every label shown among them.
        source: "pool", or the family of the mixture that it was drawn from.
    """

    demonstrations: tuple[Demonstration, ...]
    query: str
    gold: str
    labels: tuple[str, ...]
    source: str


def items_from_pool(study: Study, k: int, count: int, seed: int) -> tuple[Item, ...]:
    """Leave one out: `count` inputs of the pool as queries, k other rows drawn anew as demonstrations for each.

    Queries are drawn without replacement, so two halves of the items share no query; they do share rows shown. A row
    with the query's own input is never shown. Candidates are the study's labels, or the pool's.

    Raises:
        StudyError: the pool has fewer than k + 1 different inputs.
    """
    study = tidied(study)
    rows = [row for row in study.pool if usable(row)]
    inputs = list(dict.fromkeys(row.input for row in rows))
    if len(inputs) < k + 1:
        raise StudyError(
            f"Leaving one out with k = {k} takes at least {k + 1} different inputs in the pool; it has {len(inputs)}."
        )
    rng = random.Random(f"items/{seed}")
    by_input = {row.input: row for row in reversed(rows)}  # the first row of an input is its query
    found = []
    for query in rng.sample(inputs, min(count, len(inputs))):
        others = [row for row in rows if row.input != query]
        shown = tuple(rng.sample(others, k))
        gold = by_input[query].label
        found.append(Item(shown, query, gold, _candidates(study, rows, shown, gold), "pool"))
    return tuple(found)


def _candidates(
    study: Study, rows: Sequence[Demonstration], shown: Sequence[Demonstration], gold: str
) -> tuple[str, ...]:
    """The study's labels or the pool's, all of them."""
    if study.labels:
        return distinct((*clean(study.labels)[0], *sorted({gold, *(row.label for row in shown)})))
    labels = distinct(row.label for row in rows)
    check_count(labels)
    return labels


def items_from_mixture(mixture: Mixture, families: Sequence[str], k: int, count: int, seed: int) -> tuple[Item, ...]:
    """`count` documents of k + 1 noise-free pairs, family after family in turn; the last pair is the question.

    The query is not among the inputs shown, except in a codebook, where only an input seen before has an answer that
    can be known: there it is always among them. Candidates are the labels shown and the right one, in alphabetical
    order. A family whose inputs are too few for that gives no item.

    Raises:
        StudyError: no family is named, or none of them can give an item.
    """
    if not families:
        raise StudyError("Choose at least one task of the mixture to draw items from.")
    kinds = {family.name: family.kind for family in mixture.details}
    rng = random.Random(f"items/{seed}")
    turn = list(families)
    rng.shuffle(turn)
    found: list[Item] = []
    place = 0
    while turn and len(found) < count:
        family = turn[place % len(turn)]
        item = _draw(mixture, family, k, rng, repeated=kinds[family] == "codebook")
        if item is None:
            turn.remove(family)
            continue
        found.append(item)
        place += 1
    if not found:
        raise StudyError(f"No task chosen has enough inputs for k = {k} demonstrations and a query.")
    return tuple(found)


def _draw(mixture: Mixture, family: str, k: int, rng: random.Random, repeated: bool) -> Item | None:
    for _ in range(TRIES):
        *before, (query, gold) = mixture.draw_pairs(mixture.draw_latent(family, rng), k + 1, rng)
        if (query in {x for x, _ in before}) == repeated and k > 0:
            shown = tuple(Demonstration(input=x, label=y) for x, y in before)
            return Item(shown, query, gold, tuple(sorted({gold, *(y for _, y in before)})), family)
    return None
