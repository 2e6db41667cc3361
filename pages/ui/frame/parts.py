"""Parts of a page that are redrawn one by one: each a fragment that runs when what it reads has changed.

A widget's own part runs first. Where an edit there changed what other parts read, these run next and no others: not
those that the edit does not concern, nor the whole page.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

from core.errors import ICLensError
from pages.ui.components.card import Card, Values, empty, heading, same, title
from pages.ui.components.charts import IMAGE
from pages.ui.jobs import analysis, engine, jobs
from pages.ui.jobs.turnstile import now, turnstile
from pages.ui.jobs.waiting import Failed, Waiting
from pages.ui.session import opening, state

PARTS, DRAWN, HOPS, NEXT = "parts_of_page", "parts_drawn", "parts_hops", "parts_next"
ARRIVED = "parts_arrived"
MOST_HOPS = 6  # runs that may follow one another, should what a part reads never come to rest


@dataclass
class Drawn:
    """What a part shows.

    Attributes:
        fragment: its id.
        read: the values, or the token of what it waits for.
        values: the last values that it was drawn from, None where it never was.
        slots: analyses that it asked for.
    """

    fragment: str
    read: Any
    values: Values | None
    slots: frozenset[str]


def begin() -> None:
    """A page starts: no part is on it yet."""
    opening.go()
    st.session_state[PARTS] = {}
    st.session_state[HOPS] = 0
    st.session_state[ARRIVED] = now()
    st.session_state.pop(NEXT, None)


def part(card: Card) -> None:
    """A part, here."""
    st.session_state[PARTS][card.key] = card
    _draw(card)


def framed(card: Card) -> None:
    """A part with a frame around it, where the card has one."""
    height = "stretch" if card.stretched and card.framed else "content"
    with st.container(border=card.framed, height=height, key=f"card_{card.key}"):
        part(card)


def end() -> None:
    """A page is drawn: what changed while it was is drawn again, and what is not on it is forgotten."""
    drawn, parts = _all_drawn(), st.session_state[PARTS]
    for key in [key for key in drawn if key not in parts]:
        del drawn[key]
    catch_up()


def catch_up() -> None:
    """Last call of a run: ends it where parts read something else than they show, and runs those. Where none do, the
    study is kept, and work that nobody looks at any more stops."""
    _run_next(_stale())
    jobs.leave({slot for drawn in _all_drawn().values() for slot in drawn.slots})
    state.keep()
    engine.settle_once()
    engine.sweeper.later()


def draw_again(keys: Iterable[str]) -> None:
    """Have these parts drawn in the next run, whatever they read."""
    drawn = _all_drawn()
    for key in keys:
        if key in drawn:
            drawn[key].read = None


def done() -> None:
    """A job has ended: the parts that waited for it follow. In a run of the whole page its end sees to that."""
    if _queue():
        catch_up()


def _all_drawn() -> dict[str, Drawn]:
    found: dict[str, Drawn] = st.session_state.setdefault(DRAWN, {})
    return found


def _stale() -> list[str]:
    """Keys of the parts that show something else than they read."""
    drawn = _all_drawn()
    return [
        key
        for key, card in st.session_state[PARTS].items()
        if key in drawn and not same(drawn[key].read, _token(_read(card)))
    ]


def _read(card: Card) -> Values | Waiting:
    """What a part reads now."""
    try:
        return card.reads()
    except Waiting as waiting:
        return waiting
    except ICLensError as error:
        return Failed(str(error))


def _token(read: Values | Waiting) -> Any:
    """What tells one view of a part from another; every chart also says as what kind of image it is saved."""
    return (read.token if isinstance(read, Waiting) else read, st.session_state.get(IMAGE))


def _run_next(keys: Iterable[str]) -> None:
    """End this run, and run these parts: what `st.rerun` does for a widget's callback. Goes on where there are none."""
    drawn, context = _all_drawn(), get_script_run_ctx()
    queue, hops = [drawn[key].fragment for key in keys], st.session_state.get(HOPS, 0)
    if not queue or context is None or hops >= MOST_HOPS:
        st.session_state[HOPS] = 0
        return
    st.session_state[HOPS], st.session_state[NEXT] = hops + 1, queue
    raise RerunException(
        RerunData(
            query_string=context.query_string,
            page_script_hash=context.page_script_hash,
            fragment_id_queue=queue,
            is_fragment_scoped_rerun=True,
            cached_message_hashes=context.cached_message_hashes,
            context_info=context.context_info,
        )
    )


def _queue() -> list[str]:
    """Ids of the fragments that this run runs; none where it runs the whole page."""
    context = get_script_run_ctx()
    return list(context.fragment_ids_this_run or ()) if context is not None else []


@st.fragment
def _draw(card: Card) -> None:
    """A part, once it is this visitor's turn."""
    queue = _queue()
    if queue and queue[0] == ThreadState.get().fragment_id and not st.session_state.get(HOPS, 0):
        st.session_state[ARRIVED] = now()
    with turnstile.through(st.session_state[ARRIVED]):
        _draw_now(card)


def _draw_now(card: Card) -> None:
    """A part. The first that a run draws lets those follow that must, in one run, so that the browser draws once."""
    queue, mine = _queue(), ThreadState.get().fragment_id
    if queue and queue[0] == mine:
        state.listen()
        opening.go()
        # A run was ended for this one by what parts read a moment ago; that is looked at again at the end.
        stale = [] if st.session_state.pop(NEXT, None) == queue else _stale()
        if not {_all_drawn()[key].fragment for key in stale} <= set(queue):
            _run_next(key for key, drawn in _all_drawn().items() if key in stale or drawn.fragment in queue)
    st.session_state[analysis.LOOKED_AT] = set()
    read = _read(card)
    _show(card, read)
    if card.edits:
        read = _read(card)
    slots = frozenset(st.session_state[analysis.LOOKED_AT])
    values = _shown(card) if isinstance(read, Waiting) else read
    _all_drawn()[card.key] = Drawn(mine, _token(read), values, slots)
    if queue and queue[-1] == mine:
        catch_up()


def _shown(card: Card) -> Values | None:
    """The values that a part was drawn from last."""
    drawn = _all_drawn().get(card.key)
    return None if drawn is None else drawn.values


def _show(card: Card, read: Values | Waiting) -> None:
    """The part's heading and view; what was shown before, dimmed, while a job computes what it reads."""
    if not isinstance(read, Waiting):
        with st.container(key=f"body_{card.key}"):
            _view(card, read)
        st.empty()  # in place of what it waited for: a browser keeps the bar of a run that was ended for the next
        return
    shown, speaks = _shown(card), read.acts and _is_first(card, read.slot)
    if read.keeps and shown is not None:
        with st.container(key=f"dimmed_{card.key}"):
            _view(card, shown)
    else:
        with st.container(key=f"body_{card.key}"):
            if card.title:
                title(card.title, card.help if isinstance(card.help, str) else "")
            _controls(card, None)
            empty("" if speaks else read.why, card.height)
    if speaks:
        place = "foot" if card.controls is not None else "view" if card.title else "all"
        with st.container(key=f"over_{place}_{card.key}"):
            read.show(done)
    else:
        st.empty()


def _is_first(card: Card, slot: str) -> bool:
    """Whether no part before this one waits for the same job."""
    keys, drawn = list(st.session_state[PARTS]), _all_drawn()
    before = [drawn[key].slots for key in keys[: keys.index(card.key)] if key in drawn]
    return not slot or not any(slot in slots for slots in before)


def _view(card: Card, values: Values) -> None:
    if card.title:
        controls, help = card.beside, card.help if isinstance(card.help, str) else card.help(*values)
        heading(card.title, help, None if controls is None else lambda: controls(*values))
    _controls(card, values)
    card.draw(*values)


def _controls(card: Card, values: Values | None) -> None:
    if card.controls is not None:
        with suppress(Waiting):
            card.controls(values)
