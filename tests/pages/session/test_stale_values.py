"""What a browser sends before it has heard of a change is no edit; the same value chosen later is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from pages.ui.session import widgets
from tests.pages.conftest import Page


def late(page: Page, kind: str, key: str) -> WidgetState:
    """What the browser says of a widget as it stands, to be said again later."""
    return getattr(page.at, kind)(key=key)._widget_state


def send(page: Page, *said: WidgetState) -> Page:
    """A message that brings these values of widgets, among those of all that are on screen."""
    states = page.at._tree.get_widget_states()
    known = {state.id for state in said}
    message = WidgetStates(widgets=[*(state for state in states.widgets if state.id not in known), *said])
    page.at._run(message)
    return page.check()


@pytest.mark.parametrize(
    ("key", "field", "value"), [("scoring", "scoring", "channel"), ("template", "template", "bar")]
)
def test_a_value_that_undo_took_back_is_not_chosen_by_a_late_message(
    playground: Page, key: str, field: str, value: Any
) -> None:
    before = getattr(playground.study, field)
    playground.choose(key, value)
    assert getattr(playground.study, field) != before
    said = late(playground, "selectbox", f"frame_{key}")
    playground.press("undo")
    assert getattr(playground.study, field) == before
    for _ in range(2):  # runs that had been asked for before the browser knew
        send(playground, said)
        assert getattr(playground.study, field) == before
        assert playground.at.selectbox(key=f"frame_{key}").value != value
    playground.choose(key, value)
    assert getattr(playground.study, field) != before


def test_an_edit_after_an_edit_counts_at_once(playground: Page) -> None:
    for name in ("channel", "perplexity", "channel", "direct"):
        playground.choose("scoring", name)
        assert playground.study.scoring == name


def test_what_is_typed_into_a_field_that_was_just_replaced_counts_once(playground: Page) -> None:
    playground.at.text_input(key="frame_query").set_value("dog")
    playground.run()
    said = late(playground, "text_input", "frame_query")
    playground.press("undo")
    said.string_value = "bird"  # typed before the browser has heard of the undo
    send(playground, said)
    assert playground.study.query == playground.at.text_input(key="frame_query").value == "bird"
    playground.press("undo")
    send(playground, said)
    assert playground.study.query == "horse"


def test_a_text_typed_on_is_one_step_and_another_text_is_another(playground: Page) -> None:
    for query in ("d", "do", "dog", "c", "ca", "cat"):
        playground.at.text_input(key="frame_query").set_value(query)
        playground.run()
    for expected in ("dog", "horse"):
        playground.press("undo")
        assert playground.study.query == expected
    for expected in ("dog", "cat"):
        playground.press("redo")
        assert playground.study.query == expected


def test_what_is_typed_into_a_table_that_was_just_replaced_counts_once(playground: Page) -> None:
    before = playground.study.demonstrations
    (table,) = playground.at.data_editor

    def typed(**cells: dict[str, str]) -> WidgetState:
        edits = {"edited_rows": {name[1:]: cells[name] for name in cells}, "added_rows": [], "deleted_rows": []}
        return WidgetState(id=table.proto.id, string_value=json.dumps(edits))

    send(playground, typed(_1={"label": "naranja"}))
    assert playground.study.demonstrations[1].label == "naranja"
    playground.press("undo")
    send(playground, typed(_1={"label": "naranja"}))
    assert playground.study.demonstrations == before
    for _ in range(2):
        send(playground, typed(_1={"label": "naranja"}, _2={"input": "tiger"}))
        assert playground.study.demonstrations == (
            *before[:2],
            before[2].model_copy(update={"input": "tiger"}),
            *before[3:],
        )
    playground.press("undo")
    send(playground, typed(_1={"label": "naranja"}, _2={"input": "tiger"}))
    assert playground.study.demonstrations == before


def test_an_edit_whose_callback_was_cut_short_is_heard_by_the_next_run(playground: Page, monkeypatch) -> None:
    """Streamlit drops a callback where a newer message has come, and does not call again."""
    monkeypatch.setattr(widgets, "_hear", lambda *_: None)
    playground.at.text_input(key="frame_query").set_value("dog")
    playground.at.selectbox(key="frame_scoring").set_value("channel")
    playground.run()
    monkeypatch.undo()
    playground.at._run()
    assert (playground.study.query, playground.study.scoring) == ("dog", "channel")
    assert playground.at.text_input(key="frame_query").value == "dog"


def test_what_is_looked_at_stays_where_it_is_not_drawn(playground: Page) -> None:
    playground.at.slider(key="playground_n").set_value(5)
    playground.at.get_by_key("playground_posterior_style").set_value("Path")
    playground.at.get_by_key("frame_table").set_value("Pool")
    playground.run()
    playground.at.text_input(key="frame_query").set_value("")  # there is nothing to show
    playground.run()
    assert not playground.at.get("slider")
    playground.at.text_input(key="frame_query").set_value("dog")
    playground.run()
    assert playground.at.slider(key="playground_n").value == 5
    assert playground.at.get_by_key("playground_posterior_style").value == "Path"
    assert playground.at.get_by_key("frame_table").value == "Pool"
