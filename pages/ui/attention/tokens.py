"""Token by token: which token attends to which, in the whole prompt or a stretch of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.attention import LARGEST, TokenMap, Tokens, token_map
from core.attention.records import table_records
from core.attention.rollout import rollout_map
from core.figures.attention.maps import stretch_figure
from core.figures.base import shorten
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.attention.controls import (
    FROM_KINDS,
    TO_KINDS,
    P,
    attended,
    chosen_heads,
    keep_choice,
    kinds_of,
    over,
    rolling,
    tokens_shown,
    top_layer,
)
from pages.ui.components.card import Card, Values, save_csv
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model
from pages.ui.jobs.waiting import Nothing
from pages.ui.session import session
from pages.ui.workbench.shown import ShownRows, rows_of

if TYPE_CHECKING:
    from core.models import LanguageModel

FROM, TO = P + "from", P + "to"
WHOLE, QUERY, RANGE = "whole prompt", "query", "range of tokens"
HEIGHT = 620  # pixels
Places = NDArray[np.intp]

HELP_TOKENS = (
    "Rows attend to columns; point at a cell to read from which token to which, and the weight: A[i,j], the mean "
    f"over the heads chosen. Up to {LARGEST} tokens are drawn one by one. A longer stretch is drawn in blocks: the"
    " mean over a row's block of the sum over a column's block. Choose a part or a range to see it token by "
    "token; drag over the map to enlarge a corner, double-click to go back. On long prompts the largest weights, "
    "one in 200, share one colour. Click the strip above to mark a demonstration."
)


@dataclass(frozen=True)
class Stretch:
    """What is drawn of the prompt.

    Attributes:
        tokens: of the prompt.
        rows, columns: places of those that attend, and of those attended to.
        over: in words, what a number is the mean over.
    """

    tokens: Tokens
    rows: Places
    columns: Places
    over: str


def _reads() -> Values:
    found, known, tokens = attended(), model(), tokens_shown()
    rows, columns = (_places(tokens, key, kinds) for key, kinds in ((FROM, FROM_KINDS), (TO, TO_KINDS)))
    if not len(rows) or not len(columns):
        raise Nothing("No token is in this stretch and of the kinds chosen; choose others.")
    weights = _token_map(found, known, rows.tolist(), columns.tolist())
    return weights, Stretch(tokens, rows, columns, over(known)), rows_of(found)


def _options(tokens: Tokens) -> list[str | int]:
    return [WHOLE, *range(tokens.count), QUERY, RANGE]


def _chosen(tokens: Tokens, key: str) -> str | int:
    """Which stretch is chosen."""
    choice: str | int | None = st.session_state.get(key)
    return choice if choice is not None and choice in _options(tokens) else WHOLE


def _places(tokens: Tokens, key: str, kinds: str) -> Places:
    """Places of the tokens in a stretch, and of the kinds chosen."""
    return np.flatnonzero(_stretch(_chosen(tokens, key), tokens, key) & tokens.of_kinds(kinds_of(kinds)))


def _controls(values: Values | None) -> None:
    """Which stretch of the prompt, how many tokens that is, and the numbers as a file."""
    tokens, numbers = tokens_shown(), session.numbers(attended())
    options = _options(tokens)
    columns = st.columns([1, 1, 2], gap="small", vertical_alignment="bottom")
    for column, key, words in ((columns[0], FROM, "Rows"), (columns[1], TO, "Columns")):
        keep_choice(key, options, WHOLE)

        def named(option: str | int) -> str:
            return f"demonstration {numbers[option]}" if isinstance(option, int) else option

        with column:
            st.selectbox(words, options, format_func=named, key=key, persist_state="session")
            if st.session_state[key] == RANGE:
                last, name = len(tokens) - 1, f"{key}_range"
                st.session_state[name] = _range(key, last)
                st.slider("Tokens", 0, max(last, 1), key=name, label_visibility="collapsed", persist_state="session")
    with columns[2].container(horizontal=True, vertical_alignment="center"):
        rows, across = (_places(tokens, key, kinds) for key, kinds in ((FROM, FROM_KINDS), (TO, TO_KINDS)))
        st.caption(_how_many(len(rows), len(across), len(tokens)))
        if values is not None:
            save_csv("CSV", P + "tokens", lambda: _records(*values), help="The numbers of this view.")


def _range(key: str, last: int) -> tuple[int, int]:
    """The range of tokens chosen."""
    a, b = st.session_state.get(f"{key}_range") or (max(0, last - LARGEST + 1), last)
    return min(a, last), min(b, last)


def _stretch(choice: str | int, tokens: Tokens, key: str) -> NDArray[np.bool_]:
    """(t,) which tokens a choice stands for."""
    if isinstance(choice, int):
        return tokens.in_demonstration(choice)
    if choice == QUERY:
        return tokens.after_demonstrations()
    if choice == WHOLE:
        return tokens.between(0, len(tokens) - 1)
    return tokens.between(*_range(key, len(tokens) - 1))


def _how_many(rows: int, columns: int, size: int) -> str:
    said = f"{rows:,} × {columns:,} of {size:,} tokens"
    if max(rows, columns) <= LARGEST:
        return f"{said}, token by token."
    blocks = " × ".join(str(-(-count // LARGEST)) for count in (rows, columns))
    return f"{said}, in blocks of {blocks}; choose a part or a range of at most {LARGEST} to see single tokens."


def _token_map(found: Outcome, model: LanguageModel, rows: list[int], columns: list[int]) -> TokenMap:
    rolls, heads, top, text = rolling(), chosen_heads(model), top_layer(model.layers), found.prompt.text
    what: list[Any] = [top] if rolls else [list(head) for head in heads]
    settings = {"rolls": rolls, "over": what, "rows": _brief(rows), "columns": _brief(columns)}

    def work(_: Study, stop: Stop) -> TokenMap:
        if rolls:
            return rollout_map(model, text, rows, columns, top=top, stop=stop)
        return token_map(model, text, rows, columns, heads=heads, stop=stop)

    words = "Attention between tokens"
    return analysis.value(P + "tokens", found.study, model, settings, work, words, reads=analysis.ANSWERS)


def _brief(places: list[int]) -> list[int] | list[list[int]]:
    """Places as runs from … to, which is short for a stretch."""
    cuts = [i for i in range(1, len(places)) if places[i] != places[i - 1] + 1]
    return [[places[a], places[b - 1]] for a, b in zip([0, *cuts], [*cuts, len(places)], strict=True)]


def tokens_view(weights: TokenMap, stretch: Stretch, shown: ShownRows) -> None:
    """Which token attends to which, whole or in a stretch."""
    down = _blocks(stretch.tokens, stretch.rows, weights.rows, shown.numbers)
    across = _blocks(stretch.tokens, stretch.columns, weights.columns, shown.numbers)
    height = min(HEIGHT, 190 + 28 * len(weights.rows))
    words = f"{stretch.over}: a row attends to columns" + (
        ", in blocks of neighbouring tokens" if weights.blocks else ""
    )
    figure = stretch_figure(weights.weights, down[0], across[0], down[1], across[1], words, shown.marked, height=height)

    def clicked(data: list[Any]) -> None:
        if data[0] is not None:
            session.mark(data[0], shown.source)

    alt = f"Attention between {len(stretch.rows)} and {len(stretch.columns)} tokens, {stretch.over}"
    chart(figure, P + "tokens", alt, on_click=clicked)


def _records(weights: TokenMap, stretch: Stretch, shown: ShownRows) -> list[dict[str, Any]]:
    """The map as rows of a table."""
    names = [
        _blocks(stretch.tokens, places, blocks, shown.numbers)[0]
        for places, blocks in ((stretch.rows, weights.rows), (stretch.columns, weights.columns))
    ]
    return table_records(*names, weights.weights)


def _blocks(
    tokens: Tokens, places: Places, blocks: Sequence[tuple[int, int]], numbers: Sequence[int]
) -> tuple[list[str], list[int | None]]:
    """Name of every row or column, and the number of the demonstration that all of it stands in."""
    names: list[str] = []
    owners: list[int | None] = []
    for a, b in blocks:
        inside = places[a:b]
        first, last = int(inside[0]), int(inside[-1])
        text = " ".join(tokens.texts[place].strip() or tokens.texts[place] for place in inside[:4].tolist())
        names.append(f"{first} {shorten(text, 12)}" if b - a == 1 else f"{first}–{last} {shorten(text, 20)}")
        shown = set(tokens.demonstrations[inside].tolist())
        one = shown.pop() if len(shown) == 1 else -1
        owners.append(numbers[one] if one >= 0 else None)
    return names, owners


CARD = Card(
    P + "card_tokens",
    "Token by token",
    HELP_TOKENS,
    _reads,
    tokens_view,
    controls=_controls,
    height=HEIGHT,
    stretched=False,
)
