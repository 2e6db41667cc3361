"""Many questions, scored in every way: who is right how often, who agrees with whom, and where they part."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.scoring.agreement import (
    Disagreement,
    accuracy_records,
    disagreement,
    item_records,
)
from core.analysis.scoring.grid import combination_of
from core.figures.scoring.scoring import accuracy_figure, pairs_figure
from core.statistics.agreement import equal_share, kappa
from core.statistics.intervals import intervals
from core.statistics.paired import paired
from core.study.outcome import Outcome
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings, question_controls
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.scoring.query import draw_table
from pages.ui.scoring.shared import P, by_key, choose, cost, open_button, save, title, unscored

if TYPE_CHECKING:
    from core.models import LanguageModel

HEIGHT = 480
MEASURE, PAIR, FILTER, PICKED = (P + name for name in ("measure", "pair", "filter", "items_table"))
SHARE, KAPPA = "Equal answers", "Cohen's κ"
EVERY, WRONG, BETWEEN = "every disagreement", "the study's own is wrong", "the pair framed in grey"
HELP_ACCURACY = (
    "Share of the questions answered right, the highest first, with Wilson's 95 % interval. Demonstrations, their "
    "order and the candidates of a question are the same for all; only the scoring differs. Red frame: the study's own "
    "way. Grey dots: exact Bayes. Intervals say how far each alone may lie off; two ways answer the same questions, so "
    "compare them pair by pair: click one to hold it against the study's own."
)
HELP_PAIRS = (
    "How often two ways answer alike. Equal answers: the share of questions. Cohen's κ: (p_o − p_e) / (1 − p_e), that "
    "share above what two would reach that answer at random with the same label shares; 1 is always alike, 0 no more "
    "than chance. Rows and columns in the order of the menu, within a scorer by calibration. "
    "Click a cell to see where the two part."
)
HELP_QUESTIONS = "Every way to score answers the same questions after the same demonstrations: the study's own choice."
HELP_SPLIT = (
    "Questions on which not all ways answer alike, those with most different answers first. Click a row to see who "
    "says what, and to open it as the query."
)


def items_view(outcome: Outcome, model: LanguageModel, below: DeltaGenerator) -> None:
    """Accuracy and agreement, and the questions that split them; which questions, below the query."""
    with below.container(border=True):
        title("Questions", HELP_QUESTIONS)
        asked = question_controls(P, outcome.study, model)
    if asked is None:
        with st.container(border=True):
            st.container(height=HEIGHT, border=False).caption("No question, so nothing to compare.")
        return
    with st.container(border=True):
        found = _ask(outcome, model, asked)
        if found is None:
            return
        own = _own(found, outcome)
        pair = _pair(found)
        left, right = st.columns(2, gap="medium")
        with left:
            _accuracy(found, own, pair)
        with right:
            _pairs(found, own, pair)
        _say(found, asked, pair)
    with st.container(border=True):
        _split(found, outcome, own, pair)


def _ask(outcome: Outcome, model: LanguageModel, asked: QuestionSettings) -> Disagreement | None:
    study = unscored(outcome.study).model_copy(update={"query": "", "gold": None})
    ways = tuple(by_key().values())
    texts = asked.count * len(ways) * max(2, len(outcome.answer.labels))
    return analysis.result(
        P + "items",
        study,
        model,
        asked.value,
        lambda stop: disagreement(study, model, asked.of(study, model), ways, stop=stop),
        "all items",
        ask=cost(texts, model.mixture is not None),
    )


def _own(found: Disagreement, outcome: Outcome) -> int | None:
    """Place of the study's own combination, None where it could not answer."""
    key = combination_of(outcome.study).key
    keys = [c.key for c in found.combinations]
    return keys.index(key) if key in keys else None


def _pair(found: Disagreement) -> tuple[int, int] | None:
    """The two that are compared: those clicked last."""
    chosen = st.session_state.get(PAIR)
    keys = [c.key for c in found.combinations]
    if not chosen or chosen[0] == chosen[1] or any(key not in keys for key in chosen):
        return None
    return keys.index(chosen[0]), keys.index(chosen[1])


def _compare(first: str, second: str) -> None:
    """Look at a pair, and at the questions that divide it."""
    st.session_state[PAIR] = (first, second)
    if first != second:
        st.session_state[FILTER] = BETWEEN


def _accuracy(found: Disagreement, own: int | None, pair: tuple[int, int] | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Accuracy", HELP_ACCURACY)
        st.space("stretch")
        save("CSV", "accuracy", lambda: accuracy_records(found))
    rights = np.vstack([found.right, found.bayes_right])
    bounds = intervals(rights)
    keys = [c.key for c in found.combinations]
    figure = accuracy_figure(
        [*(c.title for c in found.combinations), *found.bayes],
        rights.mean(axis=1),
        bounds[:, 0],
        bounds[:, 1],
        [f"{int(row.sum())} of {len(row)} right" for row in rights],
        [*keys, *found.bayes],
        len(found.bayes),
        own,
        [keys[i] for i in pair] if pair else [],
        HEIGHT,
    )
    best = found.combinations[int(np.argmax(found.accuracy))].title
    against = keys[own] if own is not None else keys[0]
    chart(
        figure,
        P + "accuracy",
        f"Accuracy of {len(keys)} combinations of scorer and calibration; highest: {best}",
        on_click=lambda data: _compare(against, str(data[0])) if data[0] in keys else None,
    )


def _pairs(found: Disagreement, own: int | None, pair: tuple[int, int] | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Agreement", HELP_PAIRS)
        measure = choose("Measure", [SHARE, KAPPA], MEASURE, SHARE)
    values = equal_share(found.answers) if measure == SHARE else kappa(found.answers)
    figure = pairs_figure(
        [c.title for c in found.combinations],
        [c.variant.title for c in found.combinations],
        values,
        [c.key for c in found.combinations],
        "equal answers" if measure == SHARE else "κ",
        min(0.0, float(values.min())) if measure == KAPPA else 0.0,
        own,
        pair,
        HEIGHT,
    )
    low = np.unravel_index(int(np.argmin(values)), values.shape)
    names = [found.combinations[int(i)].title for i in low]
    chart(
        figure,
        P + "pairs",
        f"{measure} of every pair of combinations; least alike: {names[0]} and {names[1]}",
        on_click=lambda data: _compare(str(data[0]), str(data[1])),
    )


def _say(found: Disagreement, asked: QuestionSettings, pair: tuple[int, int] | None) -> None:
    """The pair in numbers, and what could not be had."""
    if pair is not None:
        a, b = (found.combinations[i].title for i in pair)
        test = paired(found.right[pair[0]], found.right[pair[1]])
        st.caption(
            f"**{plain(a)}** alone is right on {test.only_a} questions, **{plain(b)}** alone on "
            f"{test.only_b}; McNemar's exact p = {test.p:.3f}, not corrected for looking at many pairs."
        )
    if len(found.questions) < asked.count:
        st.caption(f"{len(found.questions)} questions could be had.")
    for error in dict.fromkeys(error for _, error in found.left_out):
        ways = sum(said == error for _, said in found.left_out)
        st.caption(f"{ways} ways are left out: {plain(error, 300)}")


def _split(found: Disagreement, outcome: Outcome, own: int | None, pair: tuple[int, int] | None) -> None:
    """The questions that divide them, and one of them in full."""
    left, right = st.columns([0.54, 0.46], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title("Where they part", HELP_SPLIT)
            kept = _filtered(found, own, pair)
            st.space("stretch")
            save("CSV", "items", lambda: item_records(found))
        st.caption(
            f"{len(found.split)} of {len(found.questions)} questions divide the ways to score; {len(kept)} shown."
        )
        if not kept:
            st.container(height=HEIGHT - 120, border=False).caption("No question here.")
            return
        picked = _table(found, kept, own)
    with right:
        _one(found, outcome, picked)


def _filtered(found: Disagreement, own: int | None, pair: tuple[int, int] | None) -> list[int]:
    """Places of the questions shown."""
    options = [EVERY, *([WRONG] if own is not None else []), *([BETWEEN] if pair is not None else [])]
    if st.session_state.get(FILTER) not in options:
        st.session_state[FILTER] = EVERY
    kind = st.selectbox(
        "Questions shown", options, key=FILTER, label_visibility="collapsed", width=230, persist_state="session"
    )
    split = [int(n) for n in found.split]
    if kind == WRONG and own is not None:
        return [n for n in split if not found.right[own, n]]
    if kind == BETWEEN and pair is not None:
        return [n for n in split if found.answers[pair[0], n] != found.answers[pair[1], n]]
    return split


def _table(found: Disagreement, kept: list[int], own: int | None) -> int:
    """A row a question; returns the one picked, at first the first."""
    counts = [Counter(found.answers[:, n].tolist()).most_common(4) for n in kept]
    rows: dict[str, list[Any]] = {
        "Input": [found.questions[n].input for n in kept],
        "Right answer": [found.gold[n] for n in kept],
        "Answers": [", ".join(f"{label} × {times}" for label, times in one) for one in counts],
    }
    if own is not None:
        signs = ("✗", "✓")
        rows["Study's own"] = [f"{signs[int(found.right[own, n])]} {found.answers[own, n]}" for n in kept]
    event = st.dataframe(
        rows,
        column_config={
            "Input": st.column_config.TextColumn(width=130),
            "Right answer": st.column_config.TextColumn(width=82),
            "Answers": st.column_config.TextColumn(width=122, help="How many ways give which answer."),
            "Study's own": st.column_config.TextColumn(width=84),
        },
        hide_index=True,
        height=HEIGHT - 100,
        row_height=28,
        on_select="rerun",
        selection_mode="single-row",
        key=PICKED,
        alt="Questions on which the ways to score disagree",
    )
    chosen = [r for r in event["selection"]["rows"] if r < len(kept)]
    return kept[chosen[0] if chosen else 0]


def _one(found: Disagreement, outcome: Outcome, n: int) -> None:
    """Who says what to one question."""
    question = found.questions[n]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(question.input, 48)}** → {plain(question.gold, 24)}", width="content")
        st.space("stretch")
        open_button(
            "Open in the Playground",
            P + "open_item",
            lambda: outcome.study.model_copy(update={"query": question.input, "gold": question.gold}),
            "Makes it the query, with its right answer; Undo takes it back.",
        )
    own = combination_of(outcome.study).key
    draw_table(found.tables[n], question.gold, P + "one", own, own, None, None)
