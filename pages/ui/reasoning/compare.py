"""Methods on many questions: accuracy, cost, and what each wrote on each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.reasoning.comparison import Attempt, MethodComparison, compare, item_records, method_records
from core.figures.reasoning.reasoning import method_figure
from core.reasoning import reasonings
from core.reasoning.matching import MATCHINGS
from core.study.study import Study
from pages.ui.components import questions
from pages.ui.components.card import Card, Values, beside, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing
from pages.ui.reasoning.settings import NO_STEPS, P
from pages.ui.session import session, state

if TYPE_CHECKING:
    from core.models import LanguageModel

HEIGHT = 270
DECIDES = ANSWERS - {"query", "reasoning", "open_ended"}
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


def _short(method: str) -> str:
    return reasonings.find(method).short


def _methods() -> list[str]:
    """The methods compared, drawn or not yet."""
    chosen = st.session_state.get(METHODS, reasonings.names())
    return [name for name in reasonings.names() if name in chosen]


def _asking() -> Study:
    """What the questions are asked of: the query and the method on screen change none of it."""
    return cut(outcome().study, DECIDES)


def _questions_reads() -> Values:
    return _asking(), model()


def _questions(study: Study, known: LanguageModel) -> None:
    questions.question_controls(P, study, known)
    st.session_state[METHODS] = _methods()
    st.pills(
        "Methods",
        reasonings.names(),
        selection_mode="multi",
        format_func=_short,
        key=METHODS,
        persist_state="session",
    )


def _comparison() -> MethodComparison:
    """What came of the methods on the questions.

    Raises:
        Waiting: it is being computed, or there is nothing to compare.
    """
    study, known, methods = _asking(), model(), _methods()
    asked = questions.asked(P, study, known)
    if asked is None or not methods:
        raise Nothing("No question or no method, so nothing to compare.")
    return analysis.value(
        P + "comparison",
        study,
        known,
        {**asked.value, "methods": methods},
        lambda study, stop: compare(study, known, asked.of(study, known), methods, stop=stop),
        "comparison",
        reads=DECIDES,
        ask=f"Up to {asked.count:,} questions by {len(methods)} method{'s' if len(methods) > 1 else ''}: "
        f"{asked.count * len(methods):,} answers to be written.",
    )


def _accuracy_reads() -> Values:
    study = outcome().study
    return _comparison(), study.reasoning, study.matching


def _save_methods(found: MethodComparison, *_: Any) -> None:
    st.space("stretch")
    save_csv("CSV", P + "methods", lambda: method_records(found))


def _accuracy(found: MethodComparison, own: str, matching: str) -> None:
    names = [attempt.method for attempt in found.attempts]
    figure = method_figure(
        [_short(attempt.method) for attempt in found.attempts],
        names,
        np.array([(attempt.accuracy(False), *attempt.interval(False)) for attempt in found.attempts]),
        np.array([(attempt.accuracy(True), *attempt.interval(True)) for attempt in found.attempts]),
        [(_note(attempt, False), _note(attempt, True)) for attempt in found.attempts],
        names.index(own) if own in names else None,
        HEIGHT,
    )
    best = max(found.attempts, key=lambda attempt: attempt.accuracy(True))
    chart(
        figure,
        P + "accuracy",
        f"Accuracy of {len(names)} methods on {len(found.questions)} questions; highest in its own words: {best.title}",
        on_click=lambda data: state.edit(reasoning=str(data[0])),
    )
    match = MATCHINGS[matching].lower()
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


def _save_items(found: MethodComparison) -> None:
    st.space("stretch")
    save_csv("CSV", P + "items", lambda: item_records(found))


def _items(found: MethodComparison) -> None:
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


QUESTIONS = Card(
    P + "card_questions",
    "Questions",
    "Each is asked with the study's own demonstrations, selection, template and model.",
    _questions_reads,
    _questions,
    height=140,
    stretched=False,
)
ACCURACY = Card(
    P + "card_accuracy", "Accuracy", HELP, _accuracy_reads, _accuracy, beside=_save_methods, height=HEIGHT + 24
)
COSTS = Card(P + "card_costs", "What it costs", HELP_COST, lambda: (_comparison(),), _costs, height=HEIGHT + 24)
TABLE = Card(
    P + "card_items", "Questions", HELP_ITEMS, lambda: (_comparison(),), _items, beside=_save_items, height=300
)
CARDS = (NO_STEPS, beside(ACCURACY, COSTS, widths=(0.54, 0.46)), TABLE)
