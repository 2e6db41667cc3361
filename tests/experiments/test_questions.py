"""Where an experiment's questions come from, and that no row of them is left for demonstrations."""

from __future__ import annotations

import pytest

from core import Study, load_model
from core.errors import StudyError
from core.evaluation.questions import HELD_OUT, POOL
from core.experiments.design import Design
from core.experiments.experiment import Experiment
from core.experiments.questions import DRAWN_ROWS, draw
from tests.experiments.made import rows


def test_rows_of_the_pool_are_asked_and_half_of_them_at_least_is_left() -> None:
    pool = rows("sentiment", 40)
    for count, wanted in ((10, 10), (100, 20)):
        study, asked = draw(Study(pool=pool), load_model(), POOL, count, 3)
        assert len(asked) == wanted
        assert set(asked) <= set(pool)
        assert len(Design(Experiment(study=study, questions=asked)).rows) == 40 - wanted
    assert draw(Study(pool=pool), load_model(), POOL, 10, 3) == draw(Study(pool=pool), load_model(), POOL, 10, 3)
    assert draw(Study(pool=pool), load_model(), POOL, 10, 4)[1] != draw(Study(pool=pool), load_model(), POOL, 10, 3)[1]


def test_a_task_gives_both_where_the_pool_has_too_few_rows() -> None:
    shown = rows("plural", 4)
    study, asked = draw(Study(demonstrations=shown), load_model(), "plural", 20, 0)
    inputs = {row.input for row in study.pool}
    assert len(study.pool) == DRAWN_ROWS
    assert len(asked) == 20
    assert not inputs & {row.input for row in asked}
    many = Study(pool=rows("plural", 30))
    assert draw(many, load_model(), "plural", 5, 0)[0].pool == many.pool


def test_questions_that_are_held_out_are_asked_and_the_pool_stays() -> None:
    found = rows("sentiment", 40)
    study, asked = draw(Study(pool=found[:30], questions=found[30:]), load_model(), HELD_OUT, 100, 0)
    assert set(asked) == set(found[30:])
    assert study.pool == found[:30]
    assert study.questions == ()


def test_a_pool_of_one_input_has_nothing_to_ask() -> None:
    with pytest.raises(StudyError, match="two different inputs"):
        draw(Study(pool=rows("sentiment", 1) * 3), load_model(), POOL, 10, 0)
