"""The demonstrations that an outcome shows, as every chart names them, and the card of their prompt."""

from __future__ import annotations

from dataclasses import dataclass

from core.study.outcome import Outcome
from core.study.prompts import Prompt
from pages.ui.components.card import Card, Values
from pages.ui.components.prompt import prompt_html
from pages.ui.components.prompt_box import prompt_box
from pages.ui.jobs.run import outcome
from pages.ui.session import session

SCREEN = 900  # height of the smallest screen, pixels
HEIGHT = 218  # pixels of the prompt on it


@dataclass(frozen=True)
class ShownRows:
    """The demonstrations shown.

    Attributes:
        texts: (n,) input and label of each, in order.
        numbers: (n,) their rows in the table that they come from.
        source: that table.
        marked: number of the marked one, None where it is none of these.
    """

    texts: tuple[tuple[str, str], ...]
    numbers: tuple[int, ...]
    source: str
    marked: int | None


def rows_of(found: Outcome) -> ShownRows:
    """The demonstrations that an outcome shows."""
    texts = tuple((row.input, row.label) for row in found.demonstrations)
    return ShownRows(texts, tuple(session.numbers(found)), found.chosen.source, session.marked_in(found))


def prompt_card(prefix: str, *, grows: bool = False) -> Card:
    """The prompt as the model reads it, on the left of a page.

    Args:
        prefix: of the page: "playground_".
        grows: whether it takes what the screen has left.
    """

    def reads() -> Values:
        found = outcome()
        return found.prompt, found.answer.best, rows_of(found)

    def draw(prompt: Prompt, best: str, rows: ShownRows) -> None:
        prompt_of(prompt, best, rows, prefix + "prompt", HEIGHT, grows)

    return Card(f"{prefix}card_prompt", "", "", reads, draw, height=HEIGHT, stretched=False)


def prompt_of(prompt: Prompt, best: str, rows: ShownRows, key: str, height: int, grows: bool) -> None:
    """The prompt, `height` pixels of it or, where it `grows`, what the screen has left.

    A click on a demonstration marks it, a click on the marked one unmarks it.
    """
    tallest = f"max({height}px, calc(100vh - {SCREEN - height}px))" if grows else f"{height}px"

    def clicked(number: int) -> None:
        session.mark(None if number == rows.marked else number, rows.source)

    prompt_box(prompt_html(prompt, list(rows.numbers), rows.marked, best, tallest), key, clicked)
