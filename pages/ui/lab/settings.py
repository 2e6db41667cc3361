"""The first card of the Lab: which question, over what, and the button that computes it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import ICLensError
from core.experiments.experiment import Experiment
from core.experiments.fields import names as fields
from core.experiments.fields import offered, title_of, typed, words_of
from core.experiments.standing import standing_questions
from core.study.study import ModelChoice, Study
from pages.ui.components import questions
from pages.ui.components.card import Card, Values
from pages.ui.components.text import message
from pages.ui.jobs import engine
from pages.ui.jobs.run import model
from pages.ui.lab import draft, runs
from pages.ui.lab.draft import FIELDS, NAME, ORDERS, QUESTION, RAY, SETS, SHARE, SHOWN, P
from pages.ui.session import state

HELP = (
    "A question is a grid of studies: what varies takes several values, all else is as the study on screen has it. "
    "Every setting answers the same questions, shown the same demonstration sets, so that differences are paired. "
    "Items are kept as they come: an experiment that was stopped goes on where it was."
)
HELP_SETS = (
    "How many demonstration sets are drawn. Each comes from a part of the pool of its own, so that an interval also "
    "covers which demonstrations one happens to have. Below five, no verdict is given."
)
HELP_ORDERS = "How many orders of each set, where the order is drawn at random."
HELP_SHARE = "How much of the pool each set is chosen from, at random."
HELP_VARY = "What takes several values. With more than one of these, every combination is a setting."
HELP_VALUES = "The first is what the others are held against."
HELP_RAY = (
    "Address of a Ray cluster, such as ray://head:10001, or “auto”. Empty: processes of this machine. Needs "
    "requirements-ray.txt, and the same ICLens and models on every node."
)


def _reads() -> Values:
    study, known = state.study(), model()
    draft.settle(study)
    kept = st.session_state
    chosen = tuple((field, tuple(kept.get(draft.values_key(field)) or ())) for field in kept.get(FIELDS) or ())
    numbers = tuple(kept.get(name) for name in (QUESTION, SETS, ORDERS, SHARE, NAME, RAY))
    return study, known.fingerprint, chosen, numbers, questions.asked(P, study, known, count=draft.COUNT), _under_way()


def _under_way() -> bool:
    """Whether the experiment on screen is being computed, or waits to be."""
    run = runs.runs().of(st.session_state.get(SHOWN, ""))
    return run is not None and not run.ended


def _draw(study: Study, _fingerprint: str, *_: Any) -> None:
    known = model()
    asks, draws = st.columns(2, gap="medium")
    with asks:
        st.selectbox("Question", draft.names(), format_func=draft.title, key=QUESTION, persist_state="session")
        name = st.session_state[QUESTION]
        st.caption("Choose beside this what varies." if name == draft.OWN else standing_questions.find(name).help)
        draft.settle(study)
        possible = questions.question_controls(P, study, known, count=draft.COUNT) is not None
    if not possible:
        return
    with draws:
        _draws()
        _vary(study)
    try:
        made = draft.experiment(study, known)
        found = draft.design(made)
        draft.check_models(made)
    except ICLensError as error:
        st.warning(message(error), icon=":material/info:")
        return
    st.markdown(
        f"**{message(made.sentence())}**  \n:small[{len(found.cells):,} cells × {len(made.questions):,} questions = "
        f"{found.items:,} prompts, {_shown(made)} out of {len(found.rows):,} rows. How long it takes is measured "
        "on the first of them.]"
    )
    _run_row(made)


def _shown(made: Experiment) -> str:
    """What a prompt shows, where that does not vary: "each of 4 demonstrations (Random)"."""
    varied = {one.field for one in made.vary}
    count = "" if "k" in varied else f"{made.study.k} "
    how = "" if "selection" in varied else f" ({words_of('selection', made.study.selection)})"
    return f"each of {count}demonstrations{how}"


def _draws() -> None:
    left, middle, right = st.columns(3, gap="small")
    kept: dict[str, Any] = {"persist_state": "session"}
    left.number_input("Sets", 1, 1_000, step=1, key=SETS, help=HELP_SETS, **kept)
    middle.number_input("Orders", 1, 1_000, step=1, key=ORDERS, help=HELP_ORDERS, **kept)
    right.number_input("Part of pool", 0.01, 1.0, step=0.1, key=SHARE, help=HELP_SHARE, **kept)


def _vary(study: Study) -> None:
    st.multiselect(
        "Vary",
        fields(),
        format_func=title_of,
        key=FIELDS,
        help=HELP_VARY,
        placeholder="nothing",
        persist_state="session",
    )
    for field in st.session_state.get(FIELDS) or ():
        key = draft.values_key(field)
        options = list(_options(study, field))
        chosen = st.session_state.setdefault(key, options[:2])
        options += [value for value in chosen if value not in options]
        st.multiselect(
            title_of(field),
            options,
            format_func=lambda value, field=field: _words(field, value),
            key=key,
            help=HELP_VALUES,
            accept_new_options=typed(field),
            persist_state="session",
        )


def _options(study: Study, field: str) -> tuple[Any, ...]:
    if field != "model":
        return offered(field, study)
    loaded = (found for found in engine.models().values())
    names = (engine.EMBEDDED, *(ModelChoice(name=one.name, dtype=one.dtype) for one in loaded))
    return tuple(dict.fromkeys((study.model, *names)))


def _words(field: str, value: Any) -> str:
    try:
        return words_of(field, value)
    except (ICLensError, ValueError, TypeError):  # typed, and no value of this field: said below
        return str(value)


def _run_row(made: Experiment) -> None:
    question = st.session_state[QUESTION]
    title = "" if question == draft.OWN else draft.title(question)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        done = _done(made)
        label = "Show" if done == 1 else "Go on" if done > 0 else "Run"
        st.button(
            label,
            type="primary",
            icon=":material/play_arrow:",
            key=P + "run",
            disabled=_under_way() and st.session_state.get(SHOWN) == made.key,
            on_click=begin,
            args=(made, title),
        )
        st.text_input(
            "Name",
            key=NAME,
            placeholder=f"Name: {title or 'what it varies'}",
            max_chars=120,
            label_visibility="collapsed",
            persist_state="session",
        )
        with st.popover("Where", icon=":material/lan:", help="On which machines it is computed."):
            st.text_input("Ray cluster", key=RAY, help=HELP_RAY, placeholder="this machine", persist_state="session")


def _done(made: Experiment) -> float:
    """Share of its items that are kept already."""
    try:
        have, failed = runs.ledger().count(made.key)
    except ICLensError:
        return 0.0
    return (have - failed) / draft.design(made).items


def begin(made: Experiment, otherwise: str = "") -> None:
    """Compute an experiment, or what is missing of it, and show it.

    Args:
        otherwise: what it is called where nobody has named it.
    """
    name = made.name.strip() or _name_of(made) or otherwise or made.sentence()[:80]
    named = made.model_copy(update={"name": name})
    st.session_state[SHOWN] = named.key
    ray = (st.session_state.get(RAY) or "").strip()
    runs.runs().start(named, runs.owner(), again=True, ray=ray)


def _name_of(made: Experiment) -> str:
    """What it is called already, "" where it is not kept."""
    try:
        return runs.ledger().name_of(made.key, runs.owner()) or ""
    except ICLensError:
        return ""


def cancel(key: str) -> None:
    """End an experiment that is under way."""
    run = runs.runs().of(key)
    if run is not None:
        run.cancel()


CARD = Card(P + "settings", "Ask", HELP, _reads, _draw, height=260, stretched=False)
