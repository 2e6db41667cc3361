"""What users type is shown as they typed it: no page reads it as Markdown or HTML, so none fetches what it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from core import Demonstration, Hypothesis, ModelChoice, Study
from core.study.demonstrations import Step
from core.study.prompts import Template
from pages.ui.frame.shell import MENU
from tests.pages.conftest import Page, Start

IMAGE = "![m](//h.example/m.png)"
LINK = "[m](//h.example)"
HTML = "<b>m</b>"
MARKDOWN = re.compile(r"(?<![\\])!?\[m\]\(//h\.example")
READ_AS_MARKDOWN = {"body", "label", "help", "content", "caption"}
PAGES = tuple(name for name, *_ in MENU)


@pytest.fixture
def study() -> Study:
    """Markdown and HTML in every field that somebody types."""
    rows = (
        Demonstration(input=IMAGE, label=LINK, steps=(Step(answer=IMAGE),)),
        Demonstration(input=LINK, label=HTML, steps=(Step(answer=LINK),)),
    )
    return Study(
        demonstrations=rows,
        pool=(*rows, Demonstration(input=f"a {HTML}", label=LINK), Demonstration(input="b", label=HTML)),
        query=f"c {IMAGE}",
        gold=LINK,
        labels=(LINK, HTML),
        instruction=IMAGE,
        template=Template(name=IMAGE, input_prefix=f"{LINK} ", words=((LINK, IMAGE),)),
        hypotheses=(Hypothesis(name=IMAGE, instruction=LINK), Hypothesis(name=LINK, instruction=HTML)),
        posteriors=("exact", "implicit", "instruction"),
    )


def opened(start: Start, name: str, study: Study) -> Page:
    page = start()
    page.study = study
    if name == "compare":
        page.a = study.model_copy(update={"demonstrations": study.demonstrations[::-1]})
    page.at.switch_page(f"pages/{name}.py")
    return page.run().settle()


def said(page: Page) -> Iterator[tuple[str, str]]:
    """Every text of the page that Streamlit reads as Markdown, and every text that it reads as HTML, with its kind."""
    waiting: list[Any] = [page.at._tree]
    while waiting:
        node = waiting.pop()
        waiting += getattr(node, "children", {}).values()
        proto = getattr(node, "proto", None)
        if proto is not None and hasattr(proto, "ListFields"):
            yield from _texts(proto)


def _texts(proto: Any) -> Iterator[tuple[str, str]]:
    kind = type(proto).__name__
    for field, value in proto.ListFields():
        if isinstance(value, str) and field.name in READ_AS_MARKDOWN:
            if kind == "Html" or getattr(proto, "allow_html", False):
                yield "html", value
            if kind != "Html":
                yield "markdown", value
        elif hasattr(value, "ListFields"):
            yield from _texts(value)
        elif field.message_type is not None and hasattr(value, "__iter__"):
            for each in value:
                yield from _texts(each) if hasattr(each, "ListFields") else ()


@pytest.mark.parametrize("name", PAGES)
def test_what_is_typed_is_shown_as_typed(name: str, start: Start, study: Study) -> None:
    page = opened(start, name, study)
    texts = list(said(page))
    assert len(texts) > 10
    assert not [text for kind, text in texts if (HTML in text if kind == "html" else MARKDOWN.search(text))]


def test_a_refusal_that_quotes_what_was_typed_quotes_it_as_text(start: Start, study: Study) -> None:
    for changes in (
        {"model": ModelChoice(name=IMAGE)},
        {"encoder": IMAGE, "selection": "similarity", "k": 1},
        {"selection": IMAGE},
        {"scoring": IMAGE},
    ):
        page = start()
        page.study = study.model_copy(update=changes)
        page.run().settle()
        texts = [text for kind, text in said(page) if kind == "markdown"]
        assert any("h.example" in text or "h\\.example" in text for text in texts)
        assert not [text for text in texts if MARKDOWN.search(text)]
