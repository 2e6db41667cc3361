"""Methods on many questions: accuracy, cost, and what each wrote on each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.reasoning.comparison import Attempt, MethodComparison, compare, item_records, method_records
from core.figures.reasoning.reasoning import method_figure
from core.reasoning import reasonings
from core.reasoning.matching import MATCHINGS
from core.study.outcome import Outcome
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings, question_controls
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.reasoning.settings import P, no_steps, save, title
from pages.ui.session import session, state

if TYPE_CHECKING:
    from core.models import LanguageModel

HEIGHT = 270
METHODS, ITEMS = P + "methods", P + "items"
HELP = (
    "Every method answers the same questions after the same demonstrations. Dots: the candidate with the highest "
    "score, read after the rationale, is right. Diamonds: what the model wrote itself matches the right answer. Bars "
    "are Wilson's 95 % intervals. The frame is the study's own method; click a row to reason that way."
)
HELP_COST = (
    "Tokens: written per question, over all stages. Passes: forward passes for all questions, whose texts are written "
    "together; texts: prompts continued or scored. No answer: rationales that came to none of their own, which count "
    "as wrong in its own words."
)
HELP_ITEMS = "✓ and ✗ of what each method wrote itself. Select a question to ask it here, stage by stage."


def compare_view(outcome: Outcome, model: LanguageModel, below: DeltaGenerator) -> None:
    """Which questions and methods, and what came of them."""
    no_steps(outcome)
    with below.container(border=True):
        title("Questions", "Each is asked with the study's own demonstrations, selection, template and model.")
        asked = question_controls(P, outcome.study, model, count=50)
        methods = _methods()
    if asked is None or not methods:
        with st.container(border=True):
            st.container(height=HEIGHT, border=False).caption("No question or no method, so nothing to compare.")
        return
    with st.container(border=True):
        found = _result(outcome, model, asked, methods)
        if found is None:
            return
        left, right = st.columns([0.54, 0.46], gap="medium")
        with left:
            _accuracy(found, outcome)
        with right:
            _costs(found)
    with st.container(border=True):
        _items(found, outcome)


def _short(method: str) -> str:
    return reasonings.find(method).short


def _methods() -> list[str]:
    if METHODS not in st.session_state:
        st.session_state[METHODS] = list(reasonings.names())
    chosen: list[str] = st.pills(
        "Methods",
        reasonings.names(),
        selection_mode="multi",
        format_func=_short,
        key=METHODS,
        persist_state="session",
    )
    return [name for name in reasonings.names() if name in chosen]


def _result(
    outcome: Outcome, model: LanguageModel, asked: QuestionSettings, methods: list[str]
) -> MethodComparison | None:
    # The query and the method on screen change none of it.
    study = outcome.study.model_copy(
        update={"query": "", "gold": None, "reasoning": reasonings.plain, "open_ended": False}
    )
    written = asked.count * len(methods)
    return analysis.result(
        P + "comparison",
        study,
        model,
        {**asked.value, "methods": methods},
        lambda stop: compare(study, model, asked.of(study, model), methods, stop=stop),
        "comparison",
        ask=f"Up to {asked.count:,} questions by {len(methods)} method{'s' if len(methods) > 1 else ''}: "
        f"{written:,} answers to be written.",
    )


def _accuracy(found: MethodComparison, outcome: Outcome) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Accuracy", HELP)
        st.space("stretch")
        save("CSV", "methods", lambda: method_records(found))
    names = [attempt.method for attempt in found.attempts]
    figure = method_figure(
        [_short(attempt.method) for attempt in found.attempts],
        names,
        np.array([(attempt.accuracy(False), *attempt.interval(False)) for attempt in found.attempts]),
        np.array([(attempt.accuracy(True), *attempt.interval(True)) for attempt in found.attempts]),
        [(_note(attempt, False), _note(attempt, True)) for attempt in found.attempts],
        names.index(outcome.study.reasoning) if outcome.study.reasoning in names else None,
        HEIGHT,
    )
    best = max(found.attempts, key=lambda attempt: attempt.accuracy(True))
    chart(
        figure,
        P + "accuracy",
        f"Accuracy of {len(names)} methods on {len(found.questions)} questions; highest in its own words: {best.title}",
        on_click=lambda data: state.edit(reasoning=str(data[0])),
    )
    match = MATCHINGS[outcome.study.matching].lower()
    st.caption(f"{len(found.questions)} questions; own words are compared: {match}.")
    for method, why in found.troubles:
        st.caption(f"{_short(method)} could not be tried: {plain(why, 200)}")


def _note(attempt: Attempt, own_words: bool) -> str:
    hits = attempt.said if own_words else attempt.right
    low, high = attempt.interval(own_words)
    how = "in its own words" if own_words else "over the candidates"
    return (
        f"<b>{attempt.title}</b>, {how}<br>{int(hits.sum())} of {len(hits)} right<br>"
        f"{hits.mean():.2f}, 95 % from {low:.2f} to {high:.2f}"
    )


def _costs(found: MethodComparison) -> None:
    title("What it costs", HELP_COST)
    st.dataframe(
        {
            "Method": [_short(a.method) for a in found.attempts],
            "Own words": [a.accuracy(True) for a in found.attempts],
            "Tokens": [float(a.tokens.mean()) for a in found.attempts],
            "Passes": [a.cost.passes for a in found.attempts],
            "Texts": [a.cost.texts for a in found.attempts],
            "No answer": [a.unanswered for a in found.attempts],
        },
        column_config={
            "Own words": st.column_config.NumberColumn(format="%.2f"),
            "Tokens": st.column_config.NumberColumn(format="%.1f", help="Written per question."),
        },
        hide_index=True,
        row_height=30,
        key=P + "costs",
        alt="Cost of every method",
    )


def _items(found: MethodComparison, outcome: Outcome) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Questions", HELP_ITEMS)
        st.space("stretch")
        save("CSV", "items", lambda: item_records(found))
    columns: dict[str, list[Any]] = {
        "Question": [question.input for question in found.questions],
        "Right": [question.gold for question in found.questions],
    }
    for attempt in found.attempts:
        marks = ["✓" if right else "✗" for right in attempt.said]
        texts = [one.text or "–" for one in attempt.written]
        columns[_short(attempt.method)] = [f"{mark} {text}" for mark, text in zip(marks, texts, strict=True)]

    def picked() -> None:
        rows = st.session_state[ITEMS]["selection"]["rows"]
        if rows:
            question = found.questions[rows[0]]
            state.edit(query=question.input, gold=question.gold)
            session.mark(None)

    st.dataframe(
        columns,
        hide_index=True,
        row_height=28,
        height=300,
        key=ITEMS,
        on_select=picked,
        selection_mode="single-row",
        alt="What every method wrote on every question",
    )
