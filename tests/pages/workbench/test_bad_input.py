"""Whatever is typed: one sentence or a result, never a traceback, never markup, never a chart of something else."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import Demonstration
from tests.pages.conftest import Page

HTML = "<b onmouseover=alert(1)>cat</b><script>x</script>"
MARKDOWN = "**bold** [link](http://x) `code` $x$ :red[red]"
VIEWS = ("answer", "posterior", "kernels", "attention")


def nothing_drawn(page: Page) -> bool:
    return not any(page.has_chart(view) for view in VIEWS)


def test_no_query(playground: Page) -> None:
    playground.edit(query="  ")
    assert "no query" in playground.at.error[0].value
    assert nothing_drawn(playground)
    playground.edit(query="cat")
    assert not playground.at.error
    assert not nothing_drawn(playground)


def test_an_empty_pool(playground: Page) -> None:
    playground.edit(selection="similarity", pool=())
    assert "pool is empty" in playground.at.error[0].value
    assert nothing_drawn(playground)


def test_a_query_of_ten_thousand_words(playground: Page) -> None:
    playground.edit(query="word " * 10_000)
    assert len(playground.at.error) == 1
    assert nothing_drawn(playground)


def test_a_prompt_that_is_too_long_can_be_cut(playground: Page) -> None:
    rows = tuple(Demonstration(input=f"cat dog lion bee fox {i % 60}", label="chat") for i in range(400))
    playground.edit(demonstrations=rows, hypotheses=(), posteriors=("exact",))
    assert "drop the earliest" in playground.at.error[0].value
    assert nothing_drawn(playground)
    for _ in range(3):  # rows of different lengths may take another round
        if playground.at.error:
            playground.press("drop")
    assert not playground.at.error
    assert playground.has_chart("answer")
    assert len(playground.study.demonstrations) == 400  # excluded, not deleted
    playground.press("undo")
    assert playground.at.error


@pytest.mark.parametrize("text", [HTML, MARKDOWN, "🙂 émoji ☃", "quoka blorf", "-> -> ->", "line\nbreak", "%{x} {y}"])
def test_text_stays_text(playground: Page, text: str) -> None:
    rows = (*playground.study.demonstrations[:3], Demonstration(input=text, label=text))
    playground.edit(demonstrations=rows, query=text, gold=text, instruction=text)
    assert not playground.at.error
    assert "<script>" not in playground.prompt
    assert "<b " not in playground.prompt
    for view in VIEWS:
        # The sentence for those who cannot see is set as an attribute, where mark-up is text.
        drawn = str({name: part for name, part in playground.chart(view).items() if name != "alt"})
        assert "<script>" not in drawn
        assert "<b onmouseover" not in drawn
    for markdown in (*playground.at.markdown, *playground.at.caption):
        assert "**bold**" not in markdown.value
        assert "<script>" not in markdown.value


def test_one_label(playground: Page) -> None:
    playground.edit(labels=("chat",))
    assert list(playground.chart("answer")["data"][0]["x"]) == [1.0]


def test_a_label_that_begins_another(playground: Page) -> None:
    playground.edit(labels=("cat", "cats", "cat dog"))
    assert len(playground.chart("answer")["data"][0]["x"]) == 3


def test_repeated_demonstrations(playground: Page) -> None:
    playground.edit(demonstrations=playground.study.demonstrations[:1] * 5)
    assert "repeat" in playground.said
    assert np.shape(playground.chart("kernels")["data"][0]["z"])[1] == 5


def test_a_strategy_that_does_not_exist(playground: Page) -> None:
    playground.edit(selection="telepathy")
    assert "telepathy" in playground.at.error[0].value
    assert nothing_drawn(playground)
    playground.choose("selection", "hand-picked")
    assert not playground.at.error


def test_a_value_that_a_study_cannot_have_is_refused() -> None:
    # Bounds of a number field are the browser's; a message from elsewhere need not keep them.
    def script() -> None:
        import streamlit as st

        from core.errors import StudyError
        from pages.ui.session import state

        state.start()
        before = state.study()
        try:
            state.edit(k=-5)
        except StudyError as error:
            st.error(str(error))
        assert state.study() == before

    at = AppTest.from_function(script).run()
    assert not at.exception
    assert "“k” was not changed" in at.error[0].value


def test_many_demonstrations(playground: Page) -> None:
    rows = tuple(Demonstration(input="cat", label="chat") for _ in range(24))
    playground.edit(demonstrations=rows, hypotheses=(), posteriors=("exact",))
    if not playground.at.error:
        ticks = playground.chart("kernels")["layout"]["xaxis"]["ticktext"]
        assert ticks == [str(i + 1) for i in range(24)]
