"""One study in a family of templates: how far accuracy moves for the way that a prompt is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.analysis.format.family import describe, family
from core.analysis.format.sensitivity import Sensitivity, sensitivity, sensitivity_records
from core.figures.base import wrap
from core.figures.format.format import agreement_figure, dots_figure, rows_height
from core.runtime.numbers import fixed
from core.study.prompts import Template, ready_made, same_affixes
from pages.ui.components import questions
from pages.ui.components.card import Card, Values, beside, save_csv, title
from pages.ui.components.charts import chart
from pages.ui.format.shared import DECIDES, P, asking, cost, take_b, take_template, written
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing

COUNTS = (8, 16, 24, 40, 64)
HEIGHT = 420
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


def _sensitivity() -> Sensitivity:
    """The study in every template.

    Raises:
        Waiting: it is being computed, or there is no question.
    """
    study, known = asking(), model()
    asked = questions.asked(P, study, known)
    if asked is None:
        raise Nothing("No question, so nothing to compare.")
    count, seed = _count(), int(st.session_state.get(SEED, 0))
    return analysis.value(
        P + "sensitivity",
        study,
        known,
        {"templates": count, "family": seed, **asked.value},
        lambda study, stop: sensitivity(
            study, known, family(study, count, seed), asked.of(study, known), seed=seed, stop=stop
        ),
        f"{count} templates",
        reads=DECIDES,
        ask=cost(count * asked.count * len(outcome().answer.labels), known),
    )


def _count() -> int:
    count = st.session_state.get(COUNT)
    return count if count in COUNTS else COUNTS[1]


def _controls(_: Values | None) -> None:
    left, right = st.columns([0.62, 0.38], gap="small", vertical_alignment="bottom")
    with left:
        questions.question_controls(P, asking(), model())
    with right:
        _settings()


def _settings() -> None:
    left, right = st.columns(2, gap="small")
    with left:
        st.session_state[COUNT] = _count()
        st.selectbox(
            "Templates",
            COUNTS,
            key=COUNT,
            help="How many, the ready-made ones and the study's own among them.",
            persist_state="session",
        )
    with right:
        st.number_input(
            "Seed of the family",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            help="Draws templates from the grammar.",
            persist_state="session",
        )


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


def _own(found: Sensitivity, template: Template) -> int | None:
    """Place of the study's own template, from the best."""
    return next((r for r, i in enumerate(found.order) if same_affixes(found.templates[i], template)), None)


def _dots_reads() -> Values:
    found = _sensitivity()
    return found, _own(found, outcome().study.template), model().mixture is not None


def _save(found: Sensitivity, *_: Any) -> None:
    st.space("stretch")
    save_csv("CSV", P + "sensitivity", lambda: sensitivity_records(found))


def _dots(found: Sensitivity, own: int | None, known: bool) -> None:
    order = list(found.order)
    names = [describe(found.templates[i]) for i in order]
    kinds = [_kind(found, i, known) for i in order]
    hover = [
        f"<b>{wrap(describe(found.templates[i]), 60)}</b><br>{found.right[i].sum()} of {len(found.questions)} right, "
        f"{found.accuracy[i]:.1%}<br>95 %: {found.interval[i, 0]:.1%} to {found.interval[i, 1]:.1%}<br>mean log "
        f"p(right) {fixed(_finite_mean(found.gold_logprob[i]), 2)} nats"
        for i in order
    ]
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


def _agreement_reads() -> Values:
    found = _sensitivity()
    place = st.session_state.get(PICKED)
    known = isinstance(place, int) and place < len(found.templates)
    chosen = found.templates[place if known else found.order[0]]
    return found, chosen, same_affixes(chosen, outcome().study.template)


def _agreement(found: Sensitivity, chosen: Template, is_own: bool) -> None:
    order = list(found.order)
    names = [describe(found.templates[i]) for i in order]
    _take(chosen, is_own)
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


def _take(template: Template, is_own: bool) -> None:
    """The template that was clicked, and where it can go."""
    st.markdown(
        f"**Chosen**: {written(template)}", help="Click a row on the left to choose another one.", width="content"
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Use in the study",
            type="primary",
            key=P + "use",
            disabled=is_own,
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


SETTINGS = Card(P + "card_family", "", "", lambda: (_sensitivity(),), _figures_of_merit, controls=_controls, height=100)
DOTS = Card(P + "card_dots", "Accuracy by template", HELP, _dots_reads, _dots, beside=_save, height=HEIGHT)
AGREEMENT = Card(P + "card_agreement", "", "", _agreement_reads, _agreement, height=HEIGHT)
CARDS = (SETTINGS, beside(DOTS, AGREEMENT, widths=(0.62, 0.38)))
