"""The table of demonstrations: a canvas, so cells are found by position and read from its hidden table."""

from __future__ import annotations

from dataclasses import dataclass

from tests.browser.app import App

# As pages/ui/workbench/tables.py sets them, after the column that streamlit gives a table with rows to add.
MARKER, ROW = 33, 29
WIDTHS = (44, 170, 96, 44)  # №, input, label, use
NUMBER, INPUT, LABEL, USE = range(4)


@dataclass
class Grid:
    """The table in front on a visitor's Playground."""

    app: App

    def rows(self) -> list[tuple[str, str]]:
        """Input and label of every row, as shown."""
        cells: list[list[str]] = self.app.page.locator("[data-testid=stDataFrame] canvas table").first.evaluate(
            "t => [...t.querySelectorAll('tbody tr')].map(r => [...r.querySelectorAll('td')].map(c => c.textContent))"
        )
        return [(row[INPUT], row[LABEL]) for row in cells if len(row) == len(WIDTHS)]

    def point(self, row: int, column: int) -> tuple[float, float]:
        """The middle of a cell, in the page's pixels."""
        box = self.app.page.locator("[data-testid=stDataFrame] canvas[data-testid=data-grid-canvas]").bounding_box()
        assert box is not None
        # Bring the row into view: as far down as its lower edge asks for, and no further.
        scrolled: int = self.app.page.locator("[data-testid=stDataFrame] .dvn-scroller").evaluate(
            "(s, bottom) => s.scrollTop = Math.max(0, bottom - s.clientHeight)", ROW * (row + 2)
        )
        self.app.page.wait_for_timeout(100)  # until it is drawn there
        # The last column may be cut off at the right edge, so aim left of the middle.
        return box["x"] + MARKER + sum(WIDTHS[:column]) + WIDTHS[column] / 3, box["y"] + ROW * (row + 1.5) - scrolled

    def type(self, row: int, column: int, text: str) -> None:
        """Replace a cell's text, and wait for the page to follow. The row after the last is a new one."""
        self.app.page.mouse.dblclick(*self.point(row, column))
        editor = self.app.page.locator(".gdg-input")
        editor.fill(text)
        editor.press("Enter")
        self.app.settle()

    def tick(self, row: int) -> None:
        """Use a demonstration or leave it out."""
        self.app.page.mouse.click(*self.point(row, USE))
        self.app.settle()

    def delete(self, row: int) -> None:
        """Select a row by its edge and press Delete."""
        x, y = self.point(row, NUMBER)
        self.app.page.mouse.click(x - WIDTHS[NUMBER] / 3 - MARKER / 2, y)
        self.app.page.keyboard.press("Delete")
        self.app.settle()
