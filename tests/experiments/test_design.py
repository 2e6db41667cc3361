"""The grid: every combination, every draw, the same draws in every setting, and no question among what is shown."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import StudyError
from core.experiments.design import Design
from core.experiments.treatments import treatments
from tests.experiments.made import experiment


def test_settings_are_all_combinations_and_cells_all_draws_that_matter() -> None:
    design = Design(
        experiment(draws={"sets": 3, "orders": 4}, ordering=["random", "nearest-last"], scoring=["direct", "channel"])
    )
    assert [setting.name for setting in design.settings] == [
        "Random, Direct",
        "Random, Channel",
        "Nearest last, Direct",
        "Nearest last, Channel",
    ]
    by_setting = np.bincount([cell.setting for cell in design.cells])
    assert by_setting.tolist() == [12, 12, 3, 3]  # an order that is not drawn is one order
    assert [cell.number for cell in design.cells] == list(range(30))
    asked = [(block.cell.number, q) for block in design.blocks for q in range(block.start, block.end)]
    assert sorted(asked) == [(cell, q) for cell in range(30) for q in range(12)]
    assert design.items == 360


def test_settings_share_their_draws_and_draws_differ() -> None:
    design = Design(experiment(ordering=["random", "nearest-last"], k=[1, 2]))
    pools = {(cell.setting, cell.drawn): design.study(cell).pool for cell in design.cells}
    for drawn in range(3):
        assert len({pools[setting, drawn] for setting in range(4)}) == 1
    assert len({pools[0, drawn] for drawn in range(3)}) == 3
    assert all(len(pool) == 15 for pool in pools.values())
    seeds = {(study.selection_seed, study.ordering_seed) for study in map(design.study, design.cells)}
    assert len(seeds) == 3


def test_no_question_is_shown_and_none_stands_in_a_pool() -> None:
    made = experiment()
    study = made.study.model_copy(update={"pool": (*made.study.pool, *made.questions)})
    design = Design(made.model_copy(update={"study": study}))
    asked = {row.input for row in made.questions}
    assert len(design.rows) == 30
    assert not any(row.input in asked for cell in design.cells for row in design.study(cell).pool)


def test_demonstrations_picked_by_hand_are_one_set() -> None:
    made = experiment(draws={"sets": 5, "orders": 2})
    by_hand = made.study.model_copy(update={"demonstrations": made.study.pool[:3], "selection": "hand-picked"})
    assert len(Design(made.model_copy(update={"study": by_hand})).cells) == 10  # five times two drawn orders
    given = by_hand.model_copy(update={"ordering": "given"})
    assert len(Design(made.model_copy(update={"study": given})).cells) == 1


def test_right_labels_keep_the_share_and_wrong_ones_are_nested() -> None:
    design = Design(experiment(pool=400, asked=4, draws={"sets": 1, "share": 1.0}, right_labels=[1.0, 0.6, 0.2, 0.0]))
    truth = {row.input: row.label for row in design.rows}
    wrong = [{row.input for row in design.study(cell).pool if row.label != truth[row.input]} for cell in design.cells]
    rows = len(design.rows)
    assert not wrong[0]
    assert len(wrong[3]) == rows
    assert wrong[1] < wrong[2] < wrong[3]
    assert abs(len(wrong[1]) / rows - 0.4) < 4 * np.sqrt(0.24 / rows)


def test_uneven_labels_are_as_uneven_as_asked_for() -> None:
    made = experiment(pool=60, draws={"sets": 8, "share": 1.0}, commonest_label=[0.5, 0.75, 1.0])
    made = made.model_copy(update={"study": made.study.model_copy(update={"k": 4})})
    design = Design(made)
    commonest = set()
    for cell in design.cells:
        counts: dict[str, int] = {}
        for row in design.study(cell).pool:
            counts[row.label] = counts.get(row.label, 0) + 1
        value = dict(design.settings[cell.setting].values)["commonest_label"]
        assert sum(counts.values()) == 4
        assert max(counts.values()) == round(4 * value)
        commonest.add(max(counts, key=lambda label: counts[label]))
    assert len(commonest) == 2  # another label from set to set


def test_a_treatment_that_the_rows_do_not_allow_is_refused_before_anything_is_computed() -> None:
    made = experiment(family="plural", pool=30, commonest_label=[0.5])
    made = made.model_copy(update={"study": made.study.model_copy(update={"k": 8})})
    with pytest.raises(StudyError, match="add rows, or lower k"):
        Design(made)


def test_every_treatment_offers_values_that_it_takes() -> None:
    for entry in treatments:
        assert entry.usual
        assert all(entry.low <= value <= entry.high for value in entry.usual)
        assert entry.help
        assert entry.title
