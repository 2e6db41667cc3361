"""What a page is made of: cards, each with a title, a help, what it reads and a view, and each redrawn alone.

    ANSWER = Card("playground_answer", "Answer", HELP, lambda: (outcome().answer,), answer_view, height=270)

A card's `reads` returns values, and its view is drawn from these and nothing else: so it is redrawn when they have
changed, and only then (`pages.ui.frame.parts`). Where a value is not there yet, `reads` raises `Waiting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import streamlit as st
from pydantic import BaseModel

from core.files.csv_records import as_csv
from pages.ui.components.text import message

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Card:
    """A view of a page.

    Attributes:
        key: stable, prefixed by the page; names its fragment.
        title: its heading, "" where the view writes its own.
        help: what it shows and how to read it, with the formula; or a function of the values.
        reads: the values that decide it, at this moment; a widget's value that the view itself reads is not needed.
        draw: draws them: `draw(*reads())`.
        beside: what stands on the right of the title: `beside(*reads())`.
        controls: what stands below the title, also while there is nothing to show: `controls(values)`, or
            `controls(None)` where there are no values yet; where it raises `Waiting`, the rest of it is left out.
        height: pixels of the view; where there is nothing to show, the card keeps them.
        framed: whether a frame is drawn around it.
        stretched: whether it is as high as the highest card in its row.
        edits: whether drawing it takes over what was typed into it: then it shows what it reads afterwards.
    """

    key: str
    title: str
    help: str | Callable[..., str]
    reads: Callable[[], Values]
    draw: Callable[..., None]
    beside: Callable[..., None] | None = None
    controls: Callable[[Values | None], None] | None = None
    height: int = 300
    framed: bool = True
    stretched: bool = True
    edits: bool = False


@dataclass(frozen=True)
class CardRow:
    """Cards side by side.

    Attributes:
        cards: from left to right.
        widths: shares of the row; even where none are given.
    """

    cards: tuple[Card, ...]
    widths: tuple[float, ...] = ()


def beside(*cards: Card, widths: tuple[float, ...] = ()) -> CardRow:
    """Cards side by side."""
    return CardRow(cards, widths)


def title(words: str, help: str = "") -> None:
    """A card's heading."""
    st.markdown(f"**{words}**", help=help or None, width="content")


def heading(words: str, help: str, controls: Callable[[], None] | None = None) -> None:
    """A card's heading with what stands on its right."""
    if controls is None:
        title(words, help)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title(words, help)
        controls()


def empty(why: str, height: int) -> None:
    """A sentence where there is nothing to show, as high as the view would be."""
    st.container(height=height, border=False).caption(message(why))


def save_csv(label: str, name: str, rows: Callable[[], list[dict[str, Any]]], *, help: str = "") -> None:
    """A download of rows as CSV, written when it is pressed.

    Args:
        label: of the button.
        name: of the file and of the button's key, prefixed by the page: "ordering_orders".
        rows: makes them.
        help: when the mouse is over the button.
    """
    st.download_button(
        label,
        lambda: as_csv(rows()),
        f"iclens-{name.replace('_', '-')}.csv",
        "text/csv",
        key=f"{name}_csv",
        icon=":material/download:",
        help=help or None,
        on_click="ignore",
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values that views read are equal, arrays by what they hold (NaN equal to itself)."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if is_dataclass(one) and not isinstance(one, BaseModel):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one) if field.compare)
    return bool(one == other) or (one != one and other != other)
