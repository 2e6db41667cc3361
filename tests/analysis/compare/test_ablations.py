"""Every ready-made ablation changes one field of the study, and says why where it cannot."""

from __future__ import annotations

import pytest

from core import Demonstration, Study
from core.analysis.compare import changes
from core.analysis.compare.ablations import (
    ABLATIONS,
    doubled,
    flipped,
    one_fewer,
    other_direction,
    other_template,
    reversed_order,
)
from core.errors import StudyError
from tests.analysis.compare.outcomes import rows

HAND = Study(demonstrations=rows(("cat", "a"), ("dog", "b"), ("bee", "a")), query="sun")
POOL = HAND.model_copy(update={"pool": HAND.demonstrations, "selection": "similarity", "k": 2})
EMPTY = Study(query="sun")


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda ablation: ablation.name)
@pytest.mark.parametrize("study", [HAND, POOL, EMPTY], ids=["hand", "pool", "empty"])
def test_one_thing_differs_or_a_sentence_says_why_not(ablation, study: Study) -> None:
    try:
        other = ablation.change(study)
    except StudyError:
        with pytest.raises(StudyError, match=r"\.$"):
            ablation.change(study)
        assert study is not HAND
    else:
        assert len({change.field for change in changes(study, other)}) == 1
        Study.model_validate(other.model_dump())


def labels(study: Study) -> list[str]:
    return [row.label for row in study.demonstrations]


def test_labels_go_round() -> None:
    assert labels(flipped(HAND)) == ["b", "a", "b"]
    three = HAND.model_copy(update={"demonstrations": rows(("x", "a"), ("y", "b"), ("z", "c"), ("w", "a"))})
    assert labels(flipped(three)) == ["b", "c", "a", "b"]
    assert labels(flipped(flipped(HAND))) == labels(HAND)
    assert [row.label for row in flipped(POOL).pool] == ["b", "a", "b"]


def test_rows_left_out_keep_their_place() -> None:
    out = Demonstration(input="fox", label="c", excluded=True)
    study = HAND.model_copy(update={"demonstrations": (*HAND.demonstrations, out)})
    assert labels(flipped(study)) == ["b", "a", "b", "c"]
    assert [row.input for row in doubled(study).demonstrations] == ["cat", "dog", "bee", "bee", "fox"]
    assert [row.excluded for row in one_fewer(study).demonstrations] == [False, False, True, True]


def test_order() -> None:
    assert reversed_order(HAND).demonstrations == HAND.demonstrations[::-1]
    nearest = HAND.model_copy(update={"ordering": "nearest-last"})
    assert reversed_order(nearest).ordering == "nearest-first"
    assert reversed_order(reversed_order(nearest)) == nearest
    with pytest.raises(StudyError, match="strategy decides the order"):
        reversed_order(HAND.model_copy(update={"ordering": "random"}))


def test_the_rest() -> None:
    assert one_fewer(POOL).k == 1
    assert other_direction(HAND).scoring == "channel"
    assert other_direction(other_direction(HAND)) == HAND
    assert other_template(HAND).template.name == "equals"
    with pytest.raises(StudyError):
        flipped(HAND.model_copy(update={"demonstrations": rows(("cat", "a"))}))
