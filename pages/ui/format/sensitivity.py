"""One study in a family of templates: how far accuracy moves for the way that a prompt is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.analysis.format.family import describe, family
from core.analysis.format.sensitivity import Sensitivity, sensitivity, sensitivity_records
from core.figures.base import wrap
from core.figures.format.format import agreement_figure, dots_figure, rows_height
from core.study.outcome import Outcome
from core.study.prompts import ready_made, same_affixes
from pages.ui.components.charts import chart
from pages.ui.components.questions import question_controls
from pages.ui.format.shared import P, cost, save, take_b, take_template, title, written
from pages.ui.jobs import analysis

if TYPE_CHECKING:
    from core.models import LanguageModel

COUNTS = (8, 16, 24, 40, 64)
COUNT, SEED, PICKED = P + "family", P + "family_seed", P + "family_picked"
HELP = (
    "The study in every template of a family, on the same questions: the ready-made templates, the study's own, and a "
    "sample of a small grammar (names of the parts, signs after them, what joins input and label, what ends a "
    "demonstration), after Sclar et al. (2024). Bars are Wilson's 95 % intervals. Click a row to take its template."
)
HELP_SPREAD = (
    "Largest minus smallest accuracy. By chance: what the spread would be if the template did not matter, found by "
    "shuffling which template gave which answer, question by question, 1,000 times (mean, and the value that 95 % "
    "stay below). Only a larger spread is due to the templates."
)
HELP_CHANGED = "Share of the questions that not all templates answer alike."
HELP_AGREEMENT = "Share of the questions that two templates answer alike, in the order of the dots."


def sensitivity_view(outcome: Outcome, model: LanguageModel) -> None:
    """Settings, the figures of merit, dots and agreement."""
    with st.container(border=True):
        left, right = st.columns([0.62, 0.38], gap="small", vertical_alignment="bottom")
        with left:
            asked = question_controls(P, outcome.study, model)
        with right:
            count, seed = _settings()
        if asked is None:
            return
        study = outcome.study
        found = analysis.result(
            P + "sensitivity",
            study.model_copy(update={"query": "", "gold": None}),
            model,
            {"templates": count, "family": seed, **asked.value},
            lambda stop: sensitivity(
                study,
                model,
                family(study, count, seed),
                asked.of(study, model),
                seed=seed,
                stop=stop,
            ),
            f"{count} templates",
            ask=cost(count * asked.count * len(outcome.answer.labels), model.mixture is not None),
        )
        if found is None:
            return
        _figures_of_merit(found)
    _charts(outcome, found, model.mixture is not None)


def _settings() -> tuple[int, int]:
    left, right = st.columns(2, gap="small")
    with left:
        count = st.selectbox(
            "Templates",
            COUNTS,
            index=1,
            key=COUNT,
            help="How many, the ready-made ones and the study's own among them.",
            persist_state="session",
        )
    with right:
        seed = st.number_input(
            "Seed of the family",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            help="Draws templates from the grammar.",
            persist_state="session",
        )
    return int(count), int(seed)


def _figures_of_merit(found: Sensitivity) -> None:
    best, worst = found.order[0], found.order[-1]
    columns = st.columns(4, gap="small")
    mean, most = found.chance
    with columns[0]:
        st.metric("Spread", f"{100 * found.spread:.1f} points", help=HELP_SPREAD)
        st.caption(f"By chance {100 * mean:.1f}, rarely above {100 * most:.1f}")
    with columns[1]:
        st.metric("Questions whose answer changes", f"{found.changed:.0%}", help=HELP_CHANGED)
        st.caption(f"{len(found.questions)} questions, {len(found.templates)} templates")
    for column, name, place in ((columns[2], "Best", best), (columns[3], "Worst", worst)):
        with column:
            st.metric(name, f"{found.accuracy[place]:.1%}")
            st.caption(written(found.templates[place]))


def _charts(outcome: Outcome, found: Sensitivity, known: bool) -> None:
    order = list(found.order)
    names = [describe(found.templates[i]) for i in order]
    kinds = [_kind(found, i, known) for i in order]
    own = next((r for r, i in enumerate(order) if same_affixes(found.templates[i], outcome.study.template)), None)
    hover = [
        f"<b>{wrap(describe(found.templates[i]), 60)}</b><br>{found.right[i].sum()} of {len(found.questions)} right, "
        f"{found.accuracy[i]:.1%}<br>95 %: {found.interval[i, 0]:.1%} to {found.interval[i, 1]:.1%}<br>mean log "
        f"p(right) {_finite_mean(found.gold_logprob[i]):.2f} nats"
        for i in order
    ]
    left, right = st.columns([0.62, 0.38], gap="small")
    with left.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title("Accuracy by template", HELP)
            st.space("stretch")
            save("CSV", "sensitivity", lambda: sensitivity_records(found))
        figure = dots_figure(
            names,
            found.accuracy[order],
            found.interval[order, 0],
            found.interval[order, 1],
            kinds,
            hover,
            "accuracy",
            (-0.02, 1.02),
            own,
        )
        chart(
            figure,
            P + "dots",
            f"Accuracy of {len(order)} templates from {found.accuracy.min():.2f} to {found.accuracy.max():.2f}",
            on_click=lambda data: _pick(order[int(data[0])]),
        )
    with right.container(border=True, height="stretch"):
        _take(outcome, found)
        title("Agreement of answers", HELP_AGREEMENT)
        chart(
            agreement_figure(found.agreement[np.ix_(order, order)], names, min(380, rows_height(len(order)))),
            P + "agreement",
            "Share of questions that two templates answer alike",
        )


def _kind(found: Sensitivity, place: int, known: bool) -> str:
    """What a dot looks like; only the embedded model's training templates are known."""
    if not known:
        return "plain"
    if ready_made(found.templates[place]):
        return "trained"
    return "unread" if found.unread[place] else "other"


def _finite_mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("-inf")


def _pick(place: int) -> None:
    st.session_state[PICKED] = place


def _take(outcome: Outcome, found: Sensitivity) -> None:
    """The template that was clicked, and where it can go."""
    place = st.session_state.get(PICKED)
    if not isinstance(place, int) or place >= len(found.templates):
        place = found.order[0]
    template = found.templates[place]
    st.markdown(
        f"**Chosen**: {written(template)}", help="Click a row on the left to choose another one.", width="content"
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Use in the study",
            type="primary",
            key=P + "use",
            disabled=same_affixes(template, outcome.study.template),
            on_click=take_template,
            args=(template,),
            help="One step of undo.",
        )
        st.button(
            "Use as B",
            key=P + "use_b",
            on_click=take_b,
            args=(template,),
            help="For Two templates, where it is held against the study's own, question by question.",
        )
