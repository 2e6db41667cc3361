"""The tables: what is typed counts, what is done to rows is done to the study, and undo takes it back."""

from __future__ import annotations

import pytest

from core import Demonstration
from pages.ui.workbench.tables import carried_over, delete, duplicate, edited_rows, move
from tests.pages.conftest import Page

ROWS = tuple(Demonstration(input=x, label=y) for x, y in (("cat", "chat"), ("dog", "chien"), ("lion", "lion")))


@pytest.fixture
def three(playground: Page) -> Page:
    return playground.edit(demonstrations=ROWS, hypotheses=(), posteriors=("exact",))


def inputs(page: Page) -> list[str]:
    return [row.input for row in page.study.demonstrations]


def test_a_cell_is_edited(three: Page) -> None:
    three.type_into("demonstrations", edited_rows={1: {"label": "dogs"}})
    assert three.study.demonstrations[1] == Demonstration(input="dog", label="dogs")
    assert ">dogs</span>" in three.prompt


def test_edits_add_up_while_the_frame_stays(three: Page) -> None:
    generation = three.at.session_state["frame_demonstrations_sheet"].generation
    three.type_into("demonstrations", edited_rows={0: {"input": "a"}})
    three.type_into("demonstrations", edited_rows={0: {"input": "a"}, 1: {"input": "b"}})
    three.type_into("demonstrations", edited_rows={0: {"input": "a"}, 1: {"input": "b"}, 2: {"input": "c"}})
    assert inputs(three) == ["a", "b", "c"]
    assert three.at.session_state["frame_demonstrations_sheet"].generation == generation


def test_a_row_is_added_and_numbered_once_the_user_moves_on(three: Page) -> None:
    three.type_into("demonstrations", added_rows=[{"input": "bird", "label": "oiseau", "use": True}])
    assert inputs(three) == ["cat", "dog", "lion", "bird"]
    three.run()
    assert three.at.data_editor[0].value["number"].tolist() == [1, 2, 3, 4]
    assert inputs(three.run()) == ["cat", "dog", "lion", "bird"]


def test_a_row_begun_and_left_blank_is_none(three: Page) -> None:
    three.type_into("demonstrations", added_rows=[{}])
    assert inputs(three) == ["cat", "dog", "lion"]


def test_rows_are_deleted_and_numbers_close_up(three: Page) -> None:
    three.type_into("demonstrations", deleted_rows=[0])
    assert inputs(three) == ["dog", "lion"]
    three.run()
    assert three.at.data_editor[0].value["number"].tolist() == [1, 2]


def test_an_unticked_row_stays_in_the_table_and_leaves_the_prompt(three: Page) -> None:
    three.type_into("demonstrations", edited_rows={1: {"use": False}})
    assert three.study.demonstrations[1].excluded
    assert "chien" not in three.prompt
    assert len(three.at.data_editor[0].value) == 3
    # Numbers are those of the table, so the third row is still number 3.
    assert [tick[:4] for tick in three.chart("kernels")["layout"]["xaxis"]["ticktext"]] == ["<b>1", "<b>3"]


def test_undo_and_redo(three: Page) -> None:
    three.type_into("demonstrations", edited_rows={0: {"input": "bird"}})
    three.press("undo")
    assert inputs(three) == ["cat", "dog", "lion"]
    assert three.at.data_editor[0].value["input"].tolist() == ["cat", "dog", "lion"]
    three.press("redo")
    assert inputs(three) == ["bird", "dog", "lion"]
    three.type_into("demonstrations", edited_rows={0: {"input": "fox"}})
    assert three.at.button(key="frame_redo").disabled


@pytest.mark.parametrize(
    ("button", "expected", "mark"),
    [
        ("up", ["dog", "cat", "lion"], 1),
        ("down", ["cat", "lion", "dog"], 3),
        ("duplicate", ["cat", "dog", "dog", "lion"], 3),
        ("delete", ["cat", "lion"], None),
    ],
)
def test_row_actions(three: Page, button: str, expected: list[str], mark: int | None) -> None:
    three.at.number_input(key="frame_mark").set_value(2)
    three.run().press(button)
    assert inputs(three) == expected
    assert three.at.session_state["frame_mark"] == mark


def test_clear_leaves_a_page_that_works(three: Page) -> None:
    three.press("clear")
    assert three.study.demonstrations == ()
    assert three.has_chart("answer")  # nothing shown, and still an answer: the model's prior
    assert not three.has_chart("kernels")
    three.type_into("demonstrations", added_rows=[{"input": "cat", "label": "chat"}])
    assert inputs(three) == ["cat"]
    assert three.has_chart("kernels")


def test_pool_and_hypotheses_have_tables_of_their_own(three: Page) -> None:
    three.front("Pool").type_into("pool", added_rows=[{"input": "bee", "label": "abeille"}])
    assert three.study.pool == (Demonstration(input="bee", label="abeille"),)
    assert inputs(three) == ["cat", "dog", "lion"]
    three.front("Hypotheses").type_into(
        "hypotheses", added_rows=[{"name": "French", "instruction": "Translate to French."}, {"name": "begun"}]
    )
    (only,) = three.study.hypotheses
    assert (only.name, only.prior) == ("French", 1.0)
    assert "instruction" in three.study.posteriors
    assert len(three.chart("posterior")["data"]) == 2
    # A table that was out of sight comes back as it was left.
    three.front("Pool")
    assert three.at.data_editor[0].value["input"].tolist() == ["bee"]


def test_a_prior_of_any_size_is_taken_and_none_but_a_number_above_zero(three: Page) -> None:
    rows = [{"name": str(prior), "instruction": "Translate.", "prior": prior} for prior in (1e12, 1e308, 0.0, -1.0)]
    three.front("Hypotheses").type_into("hypotheses", added_rows=rows)
    assert [row.prior for row in three.study.hypotheses] == [1e12, 1e308, 1.0, 1.0]
    assert "A prior is a number above zero: “0" in three.said.replace("\\", "")


def test_rows_that_were_moved_keep_everything() -> None:
    assert move(ROWS, 1, 1) == ((ROWS[1], ROWS[0], ROWS[2]), 2)
    assert move(ROWS, 1, -1) == (ROWS, 1)
    assert move(ROWS, 3, 1) == (ROWS, 3)
    assert duplicate(ROWS, 3) == (*ROWS, ROWS[2])
    assert delete(ROWS, 1) == ROWS[1:]


def typed(**edits: object) -> dict[str, object]:
    return {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **edits}


def test_what_was_typed_into_a_table_is_put_into_the_rows_that_took_its_place() -> None:
    before = edited_rows(ROWS, typed(edited_rows={0: {"label": "kitty"}}))
    assert before[0] == Demonstration(input="cat", label="kitty")
    after = edited_rows(
        ROWS,
        typed(
            edited_rows={0: {"label": "kitty"}, 1: {"input": "bird"}, 2: {"use": False}},
            added_rows=[{"input": "sun", "label": "soleil"}, {}],
        ),
    )
    undone = carried_over(ROWS, before, after)  # meanwhile Undo has taken "kitty" back
    assert undone == (
        ROWS[0],
        Demonstration(input="bird", label="chien"),
        Demonstration(input="lion", label="lion", excluded=True),
        Demonstration(input="sun", label="soleil"),
    )
    assert carried_over(ROWS[:1], before, after) == (ROWS[0], Demonstration(input="sun", label="soleil"))
    assert carried_over(ROWS, before, before) == ROWS
    deleted = edited_rows(ROWS, typed(edited_rows={0: {"label": "kitty"}}, deleted_rows=[0, 1]))
    assert carried_over(ROWS, before, deleted) == (ROWS[0], ROWS[2])  # what was deleted was the row as it stood there
