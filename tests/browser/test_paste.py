"""What is pasted into a table stands there cell by cell, as it was copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.browser.grid import INPUT
from tests.browser.playground import Playground

Copy = Callable[[str], None]


@pytest.fixture(params=[True, False], ids=["with leave to read the clipboard", "without"])
def copy(request: pytest.FixtureRequest, playground: Playground) -> Iterator[Copy]:
    """Put a text into the clipboard, as a spreadsheet would."""
    page = playground.app.page
    page.context.grant_permissions(["clipboard-write", *(["clipboard-read"] if request.param else [])])
    yield lambda text: page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    page.context.clear_permissions()


def paste(playground: Playground, row: int) -> list[tuple[str, str]]:
    """Paste behind a click on the row's input, and what the study then has."""
    page = playground.app.page
    page.mouse.click(*playground.grid.point(row, INPUT))
    page.keyboard.press("Control+V")
    playground.app.settle()
    found = [(d.input, d.label) for d in playground.study().demonstrations]
    assert playground.grid.rows()[: len(found)] == found
    return found


def test_an_empty_last_cell_clears_the_old_label(playground: Playground, copy: Copy) -> None:
    before = [(d.input, d.label) for d in playground.study().demonstrations]
    assert before[0][1]
    assert before[1][1]
    copy("dog\tchien\ncat\t")
    assert paste(playground, 0) == [("dog", "chien"), ("cat", ""), *before[2:]]


def test_signs_of_two_units_move_nothing(playground: Playground, copy: Copy) -> None:
    rest = [(d.input, d.label) for d in playground.study().demonstrations][2:]
    copy('good 🎉🎉 film\tyes\n"two\nlines"\tno\n')
    assert paste(playground, 0) == [("good 🎉🎉 film", "yes"), ("two\nlines", "no"), *rest]


def test_rows_pasted_below_the_table_are_new_ones(playground: Playground, copy: Copy) -> None:
    before = [(d.input, d.label) for d in playground.study().demonstrations]
    copy("dog\tchien\ncat\t")
    assert paste(playground, len(before) - 1) == [*before[:-1], ("dog", "chien"), ("cat", "")]
