"""The left side of the Playground: tables, query, and what fills them."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.reasoning import reasons
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.components.buttons import icon_button
from pages.ui.jobs import engine
from pages.ui.session import session, state
from pages.ui.session.examples import examples
from pages.ui.workbench import importing, named, tables

P = "frame_"
TABLE_HEIGHT = 236
MOST_OFFERED = 1_000  # labels in the menu of candidates; any other can be typed
ALTS = {
    "demonstrations": "Demonstrations: input, label, and whether each is used",
    "pool": "Pool of examples",
    "questions": "Questions that are held out",
}
SHOWN, POOL = 6, 24  # demonstrations and pool rows drawn for a task of the mixture


def source_bar() -> None:
    """What fills the tables: example sets, tasks of the mixture, files, undo."""
    st.menu_button(
        "Example sets",
        [example.name for example in examples()],
        icon=":material/auto_awesome:",
        key=P + "example",
        on_click=_load_example,
        help="Studies in which tasks compete.",
    )
    mixture = engine.mixture()
    order = sorted(mixture.families, key=lambda name: mixture.domains[name])
    st.selectbox(
        "Task in the mixture",
        order,
        format_func=lambda name: f"{mixture.domains[name]}: {name.removeprefix(mixture.domains[name] + ': ')}",
        placeholder="Task in the mixture",
        label_visibility="collapsed",
        width=250,
        help="Draws demonstrations and a pool from one task of the known mixture.",
        **session.hold(P + "family", None, "index", order, then=_load_family),
    )
    icon_button(
        "Draw again",
        "casino",
        P + "redraw",
        _redraw,
        help="Draw again from this task",
        disabled=st.session_state[P + "family"] is None,
    )
    st.button("Import", icon=":material/upload:", key=P + "import", on_click=importing.open_import)
    icon_button("Undo", "undo", P + "undo", state.undo, disabled=not state.can_undo(), shortcut="Alt+Z")
    icon_button("Redo", "redo", P + "redo", state.redo, disabled=not state.can_redo(), shortcut="Alt+Y")
    named.popover()


def _load_example() -> None:
    name = st.session_state[P + "example"]
    example = next((entry for entry in examples() if entry.name == name), None)
    if example is not None:
        state.replace(example.study.model_copy(update={"model": state.study().model}))
        session.mark(None)
        state.hint(example.about)


def _load_family() -> None:
    st.session_state[P + "draw"] = 0
    _draw()


def _redraw() -> None:
    st.session_state[P + "draw"] = st.session_state.get(P + "draw", 0) + 1
    _draw()


def _draw() -> None:
    family = st.session_state[P + "family"]
    if family is None:
        return
    pairs = engine.mixture().sample(family, SHOWN + POOL + 8, st.session_state.get(P + "draw", 0))
    shown = pairs[:SHOWN]
    fresh = [pair for pair in pairs[SHOWN:] if pair[0] not in [x for x, _ in shown]]
    query, gold = fresh[0] if fresh else pairs[-1]
    pool = [pair for pair in fresh[1:] if pair[0] != query][:POOL]
    tables_drawn = (_rows(shown), _rows(pool))
    state.edit(
        demonstrations=tables_drawn[0],
        pool=tables_drawn[1],
        query=query,
        gold=gold,
        labels=(),
        instruction="",
        hypotheses=(),
    )
    st.session_state[importing.DRAWN] = tables_drawn
    session.mark(None)


def _rows(pairs: list[tuple[str, str]]) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


def tables_card(study: Study) -> Study:
    """The table in front and what can be done to its rows; returns the study with what was typed."""
    session.follow(study)
    front = st.segmented_control(
        "Table",
        session.tables(study),
        required=True,
        label_visibility="collapsed",
        format_func=_titles(study).get,
        width="stretch",
        **session.hold(session.TABLE, session.TABLES[0], "default", shape=session.tables(study)),
    )
    if front == "Hypotheses":
        found = tables.hypotheses_editor(P + "hypotheses", study.hypotheses, TABLE_HEIGHT)
        if found != study.hypotheses:
            kinds = study.posteriors if "instruction" in study.posteriors else (*study.posteriors, "instruction")
            with state.typing(f"{P}hypotheses {len(found)}"):
                state.edit(hypotheses=found, posteriors=kinds)
        st.caption("Tasks you think the model may be doing; P(T | D) by your hypotheses follows.")
        return state.study()
    field = front.lower()

    def now() -> tuple[Demonstration, ...]:
        rows: tuple[Demonstration, ...] = getattr(state.study(), field)
        return rows

    def write(typed: tuple[Demonstration, ...]) -> None:
        with state.typing(f"{P}{field} {len(typed)}"):  # another number of rows is another step
            state.edit(**{field: typed})

    _valid_mark(len(now()))
    marked = session.marked()
    alt = ALTS[field]
    stepped = reasons(study)
    typed = tables.demonstrations_editor(P + field, now, write, marked, TABLE_HEIGHT, alt, stepped)
    if typed != now():
        write(typed)
    if tables.has_gap(P + field):
        st.rerun()  # numbers close up at once: charts have them already
    _row_tools(field, len(typed))
    read = session.table_read(study)
    if typed and front == session.HELD_OUT:
        st.caption("No prompt shows them: they are asked where a page asks many questions.")
    elif typed and front != read:
        st.caption(f"Not read: this selection takes its rows from {read}.")
    return state.study()


def _titles(study: Study) -> dict[str, str]:
    """Names of the tables with their sizes; the one that is read carries a dot."""
    read = session.table_read(study)
    names = {name: len(getattr(study, name.lower())) for name in session.tables(study)}
    return {name: f"{'● ' if name == read else ''}{name} {size}" for name, size in names.items()}


def _valid_mark(size: int) -> None:
    number = session.marked()
    if number is not None and not 1 <= number <= size:
        session.mark(None)


def _row_tools(field: str, size: int) -> None:
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center", key=f"icon_{P}rows"):
        st.number_input(
            "Marked",
            1,
            max(size, 1),
            step=1,
            placeholder="№",
            label_visibility="collapsed",
            width=108,
            disabled=size == 0,
            help="The marked demonstration stands out in every view. A click on a chart marks one too.",
            **session.hold(session.MARK, None),
        )
        none = session.marked() is None
        button = partial(icon_button, boxed=True)
        for name, words, icon in (
            ("up", "Move up", "arrow_upward"),
            ("down", "Move down", "arrow_downward"),
            ("duplicate", "Duplicate", "content_copy"),
            ("delete", "Delete", "delete"),
        ):
            button(words, icon, P + name, _row_action, (name, field), help=f"{words}: the marked row", disabled=none)
        button("Unmark", "close", P + "unmark", session.mark, (None,), disabled=none)
        button("Clear", "delete_sweep", P + "clear", _clear, (field,), help="Delete every row", disabled=size == 0)


def _row_action(name: str, field: str) -> None:
    number = session.marked()
    rows: tuple[Demonstration, ...] = getattr(state.study(), field)
    if number is None or not 1 <= number <= len(rows):
        return
    if name in ("up", "down"):
        moved, number = tables.move(rows, number, -1 if name == "up" else 1)
        state.edit(**{field: moved})
        session.mark(number)
    elif name == "duplicate":
        state.edit(**{field: tables.duplicate(rows, number)})
        session.mark(number + 1)
    else:
        state.edit(**{field: tables.delete(rows, number)})
        session.mark(None)


def _clear(field: str) -> None:
    state.edit(**{field: ()})
    session.mark(None)


def query_card(study: Study) -> None:
    """The query, its right answer, and the candidates."""
    st.text_input(
        "Query x",
        live="250ms",
        placeholder="An input to be answered",
        help="Everything follows as you type.",
        # The right answer belongs to the query that it was given for.
        **state.bind(
            P + "query",
            study.query,
            lambda text: {"query": text, "gold": state.study().gold if text == state.study().query else None},
            "value",
        ),
    )
    left, right = st.columns([1, 1.7], gap="small")
    with left:
        st.text_input(
            "Right answer",
            placeholder="unknown",
            help="Starred among the labels, of which it is one unless some are left out; forgotten when the query "
            "changes.",
            **state.bind(P + "gold", study.gold or "", lambda text: {"gold": text.strip() or None}, "value"),
        )
    with right:
        st.multiselect(
            "Candidate labels",
            _known_labels(study),
            accept_new_options=True,
            placeholder="labels seen, and the tasks' answers",
            help="Empty: the distinct labels of the tables, and on the embedded model what its tasks would answer.",
            **state.bind(P + "labels", list(study.labels), lambda v: {"labels": tuple(v)}, "default"),
        )


def _known_labels(study: Study) -> list[str]:
    seen: dict[str, Any] = dict.fromkeys(study.labels)
    for row in (*study.demonstrations, *study.pool[:500]):
        if row.label.strip() and len(seen) < MOST_OFFERED:
            seen.setdefault(row.label.strip())
    return list(seen)
