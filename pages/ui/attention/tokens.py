"""Token by token: which token attends to which, in the whole prompt or a stretch of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.attention import LARGEST, TokenMap, Tokens, token_map
from core.attention.rollout import rollout_map
from core.figures.attention.maps import stretch_figure
from core.figures.base import shorten
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from pages.ui.attention.controls import FROM_KINDS, TO_KINDS, TOP, P, chosen_heads, download, keep_choice, over, rolling
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis
from pages.ui.session import session

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


def tokens_view(outcome: Outcome, model: LanguageModel, tokens: Tokens) -> None:
    """Which token attends to which, whole or in a stretch."""
    numbers = session.numbers(outcome)
    options: list[str | int] = [WHOLE, *range(tokens.count), QUERY, RANGE]
    columns = st.columns([1, 1, 2], gap="small", vertical_alignment="bottom")
    masks = []
    for column, key, words, kinds in ((columns[0], FROM, "Rows", FROM_KINDS), (columns[1], TO, "Columns", TO_KINDS)):
        keep_choice(key, options, WHOLE)

        def named(option: str | int) -> str:
            return f"demonstration {numbers[option]}" if isinstance(option, int) else option

        with column:
            choice = st.selectbox(words, options, format_func=named, key=key, persist_state="session")
            mask = _stretch(choice, tokens, key)
        masks.append(mask & tokens.of_kinds(st.session_state[kinds]))
    rows, across = (np.flatnonzero(mask) for mask in masks)
    with columns[2].container(horizontal=True, vertical_alignment="center"):
        st.caption(_how_many(len(rows), len(across), len(tokens)))
        button = st.container(width="content")
    if not len(rows) or not len(across):
        st.info("No token is in this stretch and of the kinds chosen; choose others.")
        return
    found = _token_map(outcome, model, rows.tolist(), across.tolist())
    if found is not None:
        table = _draw_tokens(outcome, model, tokens, found, rows, across)
        with button:
            download("tokens", *table)


def _stretch(choice: str | int, tokens: Tokens, key: str) -> NDArray[np.bool_]:
    """(t,) which tokens a choice stands for; a range brings its slider along."""
    if isinstance(choice, int):
        return tokens.in_demonstration(choice)
    if choice == QUERY:
        return tokens.after_demonstrations()
    if choice == WHOLE:
        return tokens.between(0, len(tokens) - 1)
    last, name = len(tokens) - 1, f"{key}_range"
    a, b = st.session_state.get(name) or (max(0, last - LARGEST + 1), last)
    st.session_state[name] = (min(a, last), min(b, last))
    a, b = st.slider("Tokens", 0, max(last, 1), key=name, label_visibility="collapsed", persist_state="session")
    return tokens.between(a, b)


def _how_many(rows: int, columns: int, size: int) -> str:
    said = f"{rows:,} × {columns:,} of {size:,} tokens"
    if max(rows, columns) <= LARGEST:
        return f"{said}, token by token."
    blocks = " × ".join(str(-(-count // LARGEST)) for count in (rows, columns))
    return f"{said}, in blocks of {blocks}; choose a part or a range of at most {LARGEST} to see single tokens."


def _token_map(outcome: Outcome, model: LanguageModel, rows: list[int], columns: list[int]) -> TokenMap | None:
    rolls, heads, top, text = rolling(), chosen_heads(model), st.session_state[TOP], outcome.prompt.text
    what: list[Any] = [top] if rolls else [list(head) for head in heads]
    settings = {"rolls": rolls, "over": what, "rows": _brief(rows), "columns": _brief(columns)}

    def work(stop: Stop) -> TokenMap:
        if rolls:
            return rollout_map(model, text, rows, columns, top=top, stop=stop)
        return token_map(model, text, rows, columns, heads=heads, stop=stop)

    return analysis.result(P + "tokens", outcome.study, model, settings, work, "Attention between tokens")


def _brief(places: list[int]) -> list[int] | list[list[int]]:
    """Places as runs from … to, which is short for a stretch."""
    cuts = [i for i in range(1, len(places)) if places[i] != places[i - 1] + 1]
    return [[places[a], places[b - 1]] for a, b in zip([0, *cuts], [*cuts, len(places)], strict=True)]


def _draw_tokens(
    outcome: Outcome, model: LanguageModel, tokens: Tokens, found: TokenMap, rows: Places, columns: Places
) -> tuple[list[str], Callable[[], list[list[Any]]]]:
    """Draw the map; returns its header and, when asked for, its rows."""
    numbers, source = session.numbers(outcome), outcome.chosen.source
    down, across = _blocks(tokens, rows, found.rows, numbers), _blocks(tokens, columns, found.columns, numbers)
    height = min(HEIGHT, 190 + 28 * len(found.rows))
    words = f"{over(model)}: a row attends to columns" + (", in blocks of neighbouring tokens" if found.blocks else "")
    figure = stretch_figure(
        found.weights, down[0], across[0], down[1], across[1], words, session.marked_in(outcome), height=height
    )

    def clicked(data: list[Any]) -> None:
        if data[0] is not None:
            session.mark(data[0], source)

    chart(
        figure,
        P + "tokens",
        f"Attention between {len(rows)} and {len(columns)} tokens, {over(model)}",
        on_click=clicked,
    )

    def rows_of_table() -> list[list[Any]]:
        return [[name, *row] for name, row in zip(down[0], found.weights.tolist(), strict=True)]

    return ["from", *across[0]], rows_of_table


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
