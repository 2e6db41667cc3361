"""Items: leave one out, and documents of the mixture."""

from __future__ import annotations

import pytest

from core import Study, StudyError
from core.evaluation.items import items_from_mixture, items_from_pool
from core.mixture.mixture import load_mixture
from tests.tiny import REVIEWS, rows


def test_leave_one_out() -> None:
    study = Study(pool=(*REVIEWS, *rows([("  what a bird ", "negative"), ("", "positive")])))
    items = items_from_pool(study, 3, 100, 0)
    assert sorted(item.query for item in items) == sorted(row.input for row in REVIEWS), "each input once"
    labels = {row.input: row.label for row in REVIEWS}
    for item in items:
        assert len(item.demonstrations) == 3
        assert item.query not in [row.input for row in item.demonstrations]
        assert item.gold == labels[item.query]
        assert item.labels == ("positive", "negative")
        assert item.source == "pool"
    assert len({item.demonstrations for item in items}) > 1, "demonstrations are drawn anew"
    assert items == items_from_pool(study, 3, 100, 0)
    assert items != items_from_pool(study, 3, 100, 1)


def test_candidates_are_the_studys_where_it_names_them() -> None:
    study = Study(pool=REVIEWS, labels=("negative", "neutral", "positive"))
    assert items_from_pool(study, 2, 1, 0)[0].labels == ("negative", "neutral", "positive")
    many = Study(pool=rows([(f"word {i}", f"label {i}") for i in range(40)]))
    item = items_from_pool(many, 4, 1, 0)[0]
    assert item.labels == tuple(f"label {i}" for i in range(40))  # all, and not those shown and the right one alone
    with pytest.raises(StudyError, match="name the candidate labels"):
        items_from_pool(Study(pool=rows([(f"word {i}", f"label {i}") for i in range(1_001)])), 4, 1, 0)


def test_a_pool_too_small_says_so() -> None:
    with pytest.raises(StudyError, match="at least 7 different inputs in the pool; it has 6"):
        items_from_pool(Study(pool=(*REVIEWS, *REVIEWS)), 6, 4, 0)


@pytest.mark.parametrize("kind", ["codebook", "arbitrary", "natural", "flipped", "map"])
def test_documents_of_the_mixture(kind: str) -> None:
    mixture = load_mixture()
    families = [family.name for family in mixture.details if family.kind == kind][:4]
    items = items_from_mixture(mixture, families, 6, 9, 3)
    assert len(items) == 9
    assert {item.source for item in items} <= set(families)
    assert max(sum(item.source == family for item in items) for family in families) <= 3, "in turn"
    for item in items:
        shown = {row.input: row.label for row in item.demonstrations}
        assert len(item.demonstrations) == 6
        assert (item.query in shown) == (kind == "codebook")
        if kind == "codebook":
            assert shown[item.query] == item.gold
        assert list(item.labels) == sorted({item.gold, *shown.values()})


def test_a_task_that_cannot_give_items_is_left_out() -> None:
    mixture = load_mixture()
    with pytest.raises(StudyError, match="at least one task"):
        items_from_mixture(mixture, (), 4, 4, 0)
    with pytest.raises(StudyError, match="enough inputs"):
        items_from_mixture(mixture, ["size (arbitrary)"], 0, 4, 0)
