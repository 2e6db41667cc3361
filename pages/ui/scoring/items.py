"""Many questions, scored in every way: who is right how often, who agrees with whom, and where they part."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.scoring.agreement import (
    ScorerAgreement,
    accuracy_records,
    item_records,
    scorer_agreement,
)
from core.analysis.scoring.grid import combination_of
from core.analysis.scoring.table import ScoreTable
from core.evaluation.questions import EvaluationQuestion
from core.figures.scoring.scoring import accuracy_figure, pairs_figure
from core.statistics.agreement import equal_share, kappa
from core.statistics.intervals import intervals
from core.statistics.paired import paired
from core.study.study import Study
from pages.ui.components import menu, questions
from pages.ui.components.card import Card, Values, beside, empty, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import cut
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing
from pages.ui.scoring.query import draw_table
from pages.ui.scoring.shared import P, by_key, cost, fields_read
from pages.ui.session import state
from pages.ui.session.opening import open_button

HEIGHT = 480
MEASURE, PAIR, FILTER, PICKED = (P + name for name in ("measure", "pair", "filter", "items_table"))
SHARE, KAPPA = MEASURES = "Equal answers", "Cohen's κ"
NONE_PICKED: dict[str, Any] = {"selection": {"rows": []}}
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


def _study() -> Study:
    """What the questions are asked of: the study without a query of its own."""
    return cut(outcome().study, fields_read() - {"query"})


def _asked() -> QuestionSettings:
    """The questions.

    Raises:
        Waiting: there is none.
    """
    asked = questions.asked(P, _study(), model())
    if asked is None:
        raise Nothing("No question, so nothing to compare.")
    return asked


def _answers() -> ScorerAgreement:
    """Every way's answers to the questions.

    Raises:
        Waiting: they are being scored, or there is no question.
    """
    asked, known, ways = _asked(), model(), tuple(by_key().values())
    texts = asked.count * len(ways) * max(2, len(outcome().answer.labels))
    return analysis.value(
        P + "items",
        outcome().study,
        known,
        asked.value,
        lambda study, stop: scorer_agreement(study, known, asked.of(study, known), ways, stop=stop),
        "all items",
        reads=fields_read() - {"query"},
        ask=cost(texts, known),
    )


def _own(answers: ScorerAgreement) -> int | None:
    """Place of the study's own combination, None where it could not answer."""
    key = combination_of(outcome().study).key
    keys = [c.key for c in answers.combinations]
    return keys.index(key) if key in keys else None


def _pair(answers: ScorerAgreement) -> tuple[int, int] | None:
    """The two that are compared: those clicked last."""
    chosen = st.session_state.get(PAIR)
    keys = [c.key for c in answers.combinations]
    if not chosen or chosen[0] == chosen[1] or any(key not in keys for key in chosen):
        return None
    return keys.index(chosen[0]), keys.index(chosen[1])


def _reads() -> Values:
    answers = _answers()
    return answers, _own(answers), _pair(answers)


def _compare(first: str, second: str) -> None:
    """Look at a pair, and at the questions that divide it."""
    st.session_state[PAIR] = (first, second)
    if first != second:
        st.session_state[FILTER] = BETWEEN


def _save_accuracy(answers: ScorerAgreement, *_: Any) -> None:
    st.space("stretch")
    save_csv("CSV", P + "accuracy", lambda: accuracy_records(answers))


def _accuracy(answers: ScorerAgreement, own: int | None, pair: tuple[int, int] | None) -> None:
    rights = np.vstack([answers.right, answers.bayes_right])
    bounds = intervals(rights)
    keys = [c.key for c in answers.combinations]
    figure = accuracy_figure(
        [*(c.title for c in answers.combinations), *answers.bayes],
        rights.mean(axis=1),
        bounds[:, 0],
        bounds[:, 1],
        [f"{int(row.sum())} of {len(row)} right" for row in rights],
        [*keys, *answers.bayes],
        len(answers.bayes),
        own,
        [keys[i] for i in pair] if pair else [],
        HEIGHT,
    )
    best = answers.combinations[int(np.argmax(answers.accuracy))].title
    against = keys[own] if own is not None else keys[0]
    chart(
        figure,
        P + "accuracy",
        f"Accuracy of {len(keys)} combinations of scorer and calibration; highest: {best}",
        on_click=lambda data: _compare(against, str(data[0])) if data[0] in keys else None,
    )


def _measure(*_: Any) -> None:
    menu.switch("Measure", MEASURES, MEASURE)


def _pairs(answers: ScorerAgreement, own: int | None, pair: tuple[int, int] | None) -> None:
    measure = menu.held(MEASURES, MEASURE)
    values = equal_share(answers.answers) if measure == SHARE else kappa(answers.answers)
    figure = pairs_figure(
        [c.title for c in answers.combinations],
        [c.variant.title for c in answers.combinations],
        values,
        [c.key for c in answers.combinations],
        "equal answers" if measure == SHARE else "κ",
        min(0.0, float(values.min())) if measure == KAPPA else 0.0,
        own,
        pair,
        HEIGHT,
    )
    low = np.unravel_index(int(np.argmin(values)), values.shape)
    names = [answers.combinations[int(i)].title for i in low]
    chart(
        figure,
        P + "pairs",
        f"{measure} of every pair of combinations; least alike: {names[0]} and {names[1]}",
        on_click=lambda data: _compare(str(data[0]), str(data[1])),
    )


def _said_reads() -> Values:
    answers = _answers()
    return answers, _asked().count, _pair(answers)


def _say(answers: ScorerAgreement, count: int, pair: tuple[int, int] | None) -> None:
    """The pair in numbers, and what could not be had."""
    if pair is None:
        st.caption("Click a cell of the agreement to hold two ways against each other.")
    else:
        a, b = (answers.combinations[i].title for i in pair)
        test = paired(answers.right[pair[0]], answers.right[pair[1]])
        st.caption(
            f"**{plain(a)}** alone is right on {test.only_a} questions, **{plain(b)}** alone on "
            f"{test.only_b}; McNemar's exact p = {test.p:.3f}, not corrected for looking at many pairs."
        )
    if len(answers.questions) < count:
        st.caption(f"{len(answers.questions)} questions could be had.")
    for error in dict.fromkeys(error for _, error in answers.left_out):
        ways = sum(said == error for _, said in answers.left_out)
        st.caption(f"{ways} ways are left out: {plain(error, 300)}")


def _kinds(own: int | None, pair: tuple[int, int] | None) -> list[str]:
    """Which questions may be shown."""
    return [EVERY, *([WRONG] if own is not None else []), *([BETWEEN] if pair is not None else [])]


def _dividing(answers: ScorerAgreement, own: int | None, pair: tuple[int, int] | None) -> list[int]:
    """Places of the questions shown."""
    kind = menu.held(_kinds(own, pair), FILTER)
    split = [int(n) for n in answers.split]
    if kind == WRONG and own is not None:
        return [n for n in split if not answers.right[own, n]]
    if kind == BETWEEN and pair is not None:
        return [n for n in split if answers.answers[pair[0], n] != answers.answers[pair[1], n]]
    return split


def _split_controls(answers: ScorerAgreement, own: int | None, pair: tuple[int, int] | None) -> None:
    options = _kinds(own, pair)
    st.session_state[FILTER] = menu.held(options, FILTER)
    st.selectbox(
        "Questions shown", options, key=FILTER, label_visibility="collapsed", width=196, persist_state="session"
    )
    st.space("stretch")
    save_csv("CSV", P + "items", lambda: item_records(answers))


def _split(answers: ScorerAgreement, own: int | None, pair: tuple[int, int] | None) -> None:
    """The questions that divide the ways."""
    shown = _dividing(answers, own, pair)
    count = len(answers.questions)
    st.caption(f"{len(answers.split)} of {count} questions divide the ways to score; {len(shown)} shown.")
    if shown:
        _table(answers, shown, own)
    else:
        empty("No question here.", HEIGHT - 120)


def _table(answers: ScorerAgreement, shown: list[int], own: int | None) -> None:
    """A row a question."""
    counts = [Counter(answers.answers[:, n].tolist()).most_common(4) for n in shown]
    rows: dict[str, list[Any]] = {
        "Input": [answers.questions[n].input for n in shown],
        "Right answer": [answers.gold[n] for n in shown],
        "Answers": [", ".join(f"{label} × {times}" for label, times in one) for one in counts],
    }
    if own is not None:
        signs = ("✗", "✓")
        rows["Study's own"] = [f"{signs[int(answers.right[own, n])]} {answers.answers[own, n]}" for n in shown]
    st.dataframe(
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


def _picked(shown: list[int]) -> int:
    """The question picked in the table, at first the first."""
    rows = (st.session_state.get(PICKED) or NONE_PICKED)["selection"]["rows"]
    chosen = [row for row in rows if row < len(shown)]
    return shown[chosen[0] if chosen else 0]


def _one_reads() -> Values:
    answers, own, pair = _reads()
    shown = _dividing(answers, own, pair)
    if not shown:
        raise Nothing("No question here.")
    n = _picked(shown)
    return answers.questions[n], answers.tables[n], combination_of(outcome().study).key


def _one(question: EvaluationQuestion, table: ScoreTable, own: str) -> None:
    """Who says what to one question."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(question.input, 48)}** → {plain(question.gold, 24)}", width="content")
        st.space("stretch")
        open_button(
            "Open in the Playground",
            P + "open_item",
            lambda: state.study().model_copy(update={"query": question.input, "gold": question.gold}),
            "Makes it the query, with its right answer; Undo takes it back.",
        )
    draw_table(table, question.gold, P + "one", own, own, None, None)


def _questions_reads() -> Values:
    return _study(), model()


QUESTIONS = Card(
    P + "card_questions",
    "Questions",
    HELP_QUESTIONS,
    _questions_reads,
    lambda study, known: questions.question_controls(P, study, known),
    height=70,
    stretched=False,
)
ACCURACY = Card(P + "card_accuracy", "Accuracy", HELP_ACCURACY, _reads, _accuracy, beside=_save_accuracy, height=HEIGHT)
PAIRS = Card(P + "card_pairs", "Agreement", HELP_PAIRS, _reads, _pairs, beside=_measure, height=HEIGHT)
SAID = Card(P + "card_said", "", "", _said_reads, _say, height=24, framed=False)
SPLIT = Card(P + "card_split", "Where they part", HELP_SPLIT, _reads, _split, beside=_split_controls, height=HEIGHT)
ONE = Card(P + "card_one", "", "", _one_reads, _one, height=HEIGHT)
CARDS = (beside(ACCURACY, PAIRS), SAID, beside(SPLIT, ONE, widths=(0.54, 0.46)))
