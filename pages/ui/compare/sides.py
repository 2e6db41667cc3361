"""A and B: the study put aside, how it is kept, exchanged and dropped, and what comes of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.analysis.compare.ablations import ABLATIONS, Ablation
from core.errors import Cancelled, ICLensError, StudyError
from core.runtime.progress import Stop
from core.scoring import scorers
from core.selection import selections, source_of
from core.study.cleaning import usable
from core.study.outcome import Outcome
from core.study.study import ModelChoice, Study
from pages.ui.components.buttons import icon_button
from pages.ui.components.text import plain
from pages.ui.jobs import analysis, engine, jobs, view
from pages.ui.jobs.waiting import Done, Nothing, Waiting
from pages.ui.session import session, state

if TYPE_CHECKING:
    pass

P = "compare_"
PAGE = "pages/compare.py"
LOAD = "load_a"  # A's model is loaded beside the study's own, which stays as it is
HELP = (
    "A is a study that you put aside; B is the one that you go on editing. Compare shows both, and B − A. The link and "
    "a refresh bring both back, and Undo takes back whatever is done to either."
)


def badge(study: Study, title: str) -> None:
    """In the bar of every page: keep the study as A; once there is one, compare, exchange, drop.

    Args:
        study: the session's, B.
        title: of the page; Compare needs no way to itself.
    """
    a = state.study_a()
    if a is None:
        st.button(
            "Keep as A",
            icon=":material/compare_arrows:",
            key=P + "keep",
            on_click=keep,
            help=f"Puts this study aside to compare with. {HELP}",
        )
        return
    with st.container(horizontal=True, gap="xsmall", width="content", vertical_alignment="center", key=P + "badge"):
        tip = f"A: {summary(a)}\n\n{HELP}"  # B is on screen, and changes with every key stroke
        if title == "Compare":
            st.badge("A | B", icon=":material/compare_arrows:", color="violet", help=tip)
        elif st.button("A | B", icon=":material/compare_arrows:", key=P + "open", help=f"Compare. {tip}"):
            st.switch_page(PAGE)
        same = a == study
        icon_button("Swap A and B", "swap_horiz", P + "swap", swap, help="Swap A and B", disabled=same)
        icon_button("Keep as A", "push_pin", P + "keep", keep, help="Keep this study as A instead", disabled=same)
        icon_button("Drop A", "close", P + "drop", state.compare, (None,), help="Drop A; this study stays")


def summary(study: Study) -> str:
    """A study in a line of Markdown: how many demonstrations, the query, the scorer, the model."""
    chosen = selections.find(study.selection).title if study.selection in selections else study.selection
    from_pool = study.selection in selections and source_of(study) == "pool"
    count = study.k if from_pool else sum(usable(row) for row in study.demonstrations)
    how = f" ({plain(chosen, 24).lower()})" if from_pool else ""
    scored = scorers.find(study.scoring).title if study.scoring in scorers else study.scoring
    model = "" if study.model == engine.EMBEDDED else f" · {plain(study.model.name.rstrip('/').split('/')[-1], 24)}"
    shown = f"{count} demonstration{'s' if count != 1 else ''}{how}"
    return f"{shown} · “{plain(study.query, 28)}” · {plain(study.template.name, 16)} · {plain(scored, 16)}{model}"


def keep() -> None:
    """The study becomes A; it stays B too, until it is edited."""
    state.compare(state.study())


def swap() -> None:
    """A becomes the study and the study A."""
    a = state.study_a()
    if a is not None:
        state.compare(state.study(), a)
        session.mark(None)  # a number would point at another row now


def set_up(ablation: Ablation) -> None:
    """A is the study put aside, or else the present one; B differs from it in one thing."""
    a = state.study_a() or state.study()
    try:
        state.compare(a, ablation.change(a))
    except StudyError as error:
        state.say(str(error))
        return
    session.mark(None)


def ablation_buttons(base: Study) -> None:
    """Every ready-made ablation as a button, with what it shows; one that cannot be had says why."""
    for place, ablation in enumerate(ABLATIONS):
        try:
            ablation.change(base)
            why = ""
        except StudyError as error:
            why = str(error)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                ablation.name,
                key=f"{P}ablation_{place}",
                on_click=set_up,
                args=(ablation,),
                disabled=bool(why),
                width=160,
            )
            st.caption(plain(why or ablation.about, 200))


def ablation_menu() -> None:
    """The ablations once more, for when there is an A."""
    st.menu_button(
        "Make B from A",
        [ablation.name for ablation in ABLATIONS],
        icon=":material/auto_awesome:",
        key=P + "ablation",
        on_click=_from_menu,
        help="B becomes A with one change.\n\n" + "\n\n".join(f"**{c.name}**: {c.about}" for c in ABLATIONS),
    )


def _from_menu() -> None:
    chosen = next((c for c in ABLATIONS if c.name == st.session_state[P + "ablation"]), None)
    if chosen is not None:
        set_up(chosen)


class NoModelOfA(Waiting):
    """A's model is not in memory; loading it is the visitor's choice, and leaves B's model alone."""

    acts = True
    slot = P + "model"

    def __init__(self, choice: ModelChoice) -> None:
        job = jobs.current(LOAD)
        self.choice, self.loads = choice, job is not None and job.key == choice.model_dump_json()
        super().__init__("Nothing to show until A has run.", choice.model_dump_json(), str(self.loads))

    def show(self, done: Done) -> None:
        if self.loads:
            view.progress(LOAD, f"Loading {plain(self.choice.name, 40)} for A", partial(_loaded, done), drop=True)
            return
        st.info(f"A runs on {plain(self.choice.name, 60)}, which is not loaded.")
        st.button("Load it for A", type="primary", key=P + "load", on_click=_load, args=(self.choice,))


def outcome_a() -> Outcome:
    """What comes of A. It runs in a job of its own, so that it neither waits for B nor stops it.

    Raises:
        Waiting: there is no A, its model is not loaded, or it is running.
    """
    a = state.study_a()
    if a is None:
        raise Nothing("Comes once a study is kept as A.")
    known, outcomes = engine.loaded(a.model), engine.outcomes()
    if known is None:
        analysis.look_at(NoModelOfA.slot)
        raise NoModelOfA(a.model)

    def work(a: Study, stop: Stop) -> Outcome:
        try:
            return engine.compute(a, known, outcomes, stop)
        except Cancelled:
            raise
        except ICLensError as error:
            raise StudyError(f"A: {error} Swap A and B to edit it.") from error

    return analysis.value(P + "a", a, known, {}, work, "A", reads=frozenset(Study.model_fields))


def _load(choice: ModelChoice) -> None:
    try:
        engine.check_allowed(choice.name)
    except ICLensError as error:
        state.say(f"A: {error}")
        return
    engine.start_loading(choice, LOAD)


def _loaded(done: Done) -> None:
    ended = engine.load_ended(LOAD)
    if ended is not None and ended[1]:
        state.say(f"A: {ended[1]}")
    done()
