"""What the Attention page shows: the measure, the heads, and how tokens are put together; kept for the session."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.attention import GROUPINGS, KINDS, Tokens, tokens_of
from core.attention.groups import Grouping
from core.study.outcome import Outcome
from core.study.prompts import Prompt
from core.study.study import Head
from pages.ui.components.card import Card, Values
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "attention_"
MEASURE, GROUPING, FROM_KINDS, TO_KINDS, LAYERS, HEADS, TOP = (
    P + name for name in ("measure", "grouping", "from_kinds", "to_kinds", "layers", "heads", "top")
)
TOKENS = P + "prompt_tokens"
MEASURES = ("Attention", "Rollout")
GROUPING_NAMES = dict(zip(GROUPINGS, ("Demonstrations", "Kinds", "Both"), strict=True))
KIND_NAMES = {
    "start": "start: the beginning-of-text token, or the first one where there is none",
    "instruction": "instruction",
    "prefix": "prefix: before an input",
    "input": "input",
    "separator": "separator: between input and label",
    "steps": "steps: a rationale before a label or the answer",
    "label": "label",
    "end": "end: after a demonstration",
    "query": "query",
    "answer-prefix": "answer-prefix: between query and answer",
}

HELP_ROLLOUT = (
    "Attention of one layer after another as one flow: R = Ã_L … Ã_0, Ã = ½ Ā + ½ I, Ā the mean over heads, rows "
    "made to sum to one (Abnar & Zuidema 2020). It says how much of a position could come from an input token, "
    "not how much the answer used it."
)


def attended() -> Outcome:
    """The outcome, of a model that gives attention weights.

    Raises:
        Waiting: there is none.
    """
    found = outcome()
    if found.attention is None:
        raise Nothing("This model gives no attention weights.")
    return found


def tokens_shown() -> Tokens:
    """The tokens of the prompt, put together once for all cards.

    Raises:
        Waiting: there is no prompt.
    """
    prompt, known = attended().prompt, model()
    held: tuple[Prompt, str, Tokens] | None = st.session_state.get(TOKENS)
    if held is None or held[0] is not prompt or held[1] != known.fingerprint:
        held = st.session_state[TOKENS] = (prompt, known.fingerprint, tokens_of(prompt, known.encode(prompt.text)))
    return held[2]


def _below(key: str, most: int) -> list[int]:
    """The layers or heads chosen; another model may have fewer."""
    return [number for number in st.session_state.get(key) or [] if number < most]


def chosen_heads(model: LanguageModel) -> tuple[Head, ...]:
    """Heads that were chosen; empty for all of them."""
    layers, heads = _below(LAYERS, model.layers), _below(HEADS, model.heads)
    if not layers and not heads:
        return ()
    return tuple(product(sorted(layers) or range(model.layers), sorted(heads) or range(model.heads)))


def rolling() -> bool:
    """Whether rollout is shown in place of attention."""
    return bool(st.session_state.get(MEASURE) == MEASURES[1])


def top_layer(layers: int) -> int:
    """The layer that rollout goes up to."""
    top: int = st.session_state.get(TOP, -1)
    return top if 0 <= top < layers else layers - 1


def grouping() -> Grouping:
    """What a row or a column of the map of parts is."""
    chosen: Grouping = st.session_state.get(GROUPING, GROUPINGS[0])
    return chosen


def kinds_of(key: str) -> tuple[str, ...]:
    """The kinds of token chosen; empty for all of them."""
    return tuple(st.session_state.get(key) or ())


def _reads() -> Values:
    attended()
    known = model()
    return known.layers, known.heads, rolling(), chosen_heads(known), top_layer(known.layers)


def _draw(layers: int, heads: int, rolls: bool, *_: Any) -> None:
    """What is measured, over which heads, and how tokens are put together."""
    for key, most in ((LAYERS, layers), (HEADS, heads)):
        st.session_state[key] = _below(key, most)
    st.session_state[TOP] = top_layer(layers)
    kept: dict[str, Any] = {"persist_state": "session"}
    columns = st.columns([1.5, 0.85, 0.85, 2.05, 1.05, 1.05], gap="small", vertical_alignment="bottom")
    with columns[0]:
        st.session_state.setdefault(MEASURE, MEASURES[0])
        st.segmented_control("Measure", MEASURES, key=MEASURE, required=True, help=HELP_ROLLOUT, **kept)
    if rolls:
        with columns[1]:
            help = "Rollout goes through layers 0 to this one; all heads take part in it."
            st.selectbox("Up to layer", range(layers), key=TOP, help=help, **kept)
    else:
        every = "None chosen means all; what is shown is the mean over every chosen layer's chosen heads."
        with columns[1]:
            st.multiselect("Layers", range(layers), key=LAYERS, placeholder="all", help=every, **kept)
        with columns[2]:
            st.multiselect("Heads", range(heads), key=HEADS, placeholder="all", help=every, **kept)
    with columns[3]:
        st.session_state.setdefault(GROUPING, GROUPINGS[0])
        help = "What a row or a column of the map of parts is: a demonstration, a kind of token, or both."
        st.segmented_control(
            "Parts", GROUPINGS, key=GROUPING, required=True, format_func=GROUPING_NAMES.get, help=help, **kept
        )
    help = "Only tokens of these kinds take part, in the map of parts and in that of tokens; none chosen means all."
    for column, key, words in ((columns[4], FROM_KINDS, "From tokens"), (columns[5], TO_KINDS, "To tokens")):
        with column:
            st.multiselect(words, KINDS, key=key, placeholder="all", format_func=KIND_NAMES.get, help=help, **kept)


def over(model: LanguageModel) -> str:
    """In words, what a number is the mean over."""
    if rolling():
        return f"rollout through layers 0 to {top_layer(model.layers)}"
    heads = chosen_heads(model)
    if len(heads) == 1:
        return f"layer {heads[0][0]}, head {heads[0][1]}"
    return f"mean of {len(heads)} heads" if heads else f"mean of all {model.layers * model.heads} heads"


def choose_head(data: list[Any]) -> None:
    """A click on a head (customdata: nothing, head, layer) shows it alone; a second click shows all again."""
    layer, head = [int(data[2])], [int(data[1])]
    again = st.session_state.get(LAYERS) == layer and st.session_state.get(HEADS) == head
    st.session_state[LAYERS], st.session_state[HEADS] = ([], []) if again else (layer, head)
    st.session_state[MEASURE] = MEASURES[0]


def keep_choice(key: str, options: Sequence[Any], otherwise: Any) -> None:
    """Another study may lack what was chosen."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = otherwise


CARD = Card(P + "card_controls", "", "", _reads, _draw, height=68, framed=False)
