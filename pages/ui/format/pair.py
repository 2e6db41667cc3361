"""Two templates side by side on the same questions: who is right, and where they part."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.format.pair import Pair, compare_templates, pair_records
from core.evaluation.evaluate import Evaluation
from core.figures.format.format import items_figure
from core.runtime.numbers import signed
from core.study.prompts import TEMPLATES, Template, in_place_of, render
from pages.ui.components import questions
from pages.ui.components.card import Card, Values, beside, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.prompt import prompt_html
from pages.ui.components.text import plain
from pages.ui.format.shared import (
    DECIDES,
    P,
    asking,
    cost,
    take_b,
    take_template,
    template_b,
    template_fields,
    title_of,
    written,
)
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing
from pages.ui.session import state
from pages.ui.session.opening import open_button

HEIGHT = 400
PICKED = P + "picked"
HELP = (
    "The study with template A and the same study with template B: same questions, same demonstrations, same "
    "candidates. Each accuracy has Wilson's 95 % interval. The two answer the same questions, so compare them by the "
    "paired interval of their difference (Bonett and Price 2012) and by McNemar's exact test, which counts only "
    "questions that one of them gets right: p is the chance of so uneven a split if both were equally good. A "
    "selection or an ordering that asks the model asks it in the template at hand."
)
HELP_ITEMS = (
    "Each dot is a question: probability of the right answer over the candidates under A and under B. Filled where the "
    "two answers differ; blue where B gives the right answer more, orange where less. Click a dot to read both prompts."
)
HELP_TABLE = (
    "Every question: those answered differently first, and among these the largest change first. TV is the total "
    "variation ½ Σ|p_A − p_B| between the two answers."
)


def _sides_reads() -> Values:
    a = state.study().template
    return a, template_b(a)


def _sides(a: Template, b: Template) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**A**, the study's: {written(a)}", width="content")
        st.space("stretch")
        st.button(
            "Swap",
            icon=":material/swap_horiz:",
            key=P + "swap",
            on_click=_swap,
            args=(a, b),
            help="B becomes the study's template, and the study's becomes B. The study's words for labels stay.",
        )
    known = dict(TEMPLATES)
    own = next(
        (name for name, template in known.items() if template == b.model_copy(update={"words": (), "chat": None})), None
    )
    st.selectbox(
        "B",
        list(known),
        format_func=lambda name: title_of(known[name]),
        placeholder=f"own: {title_of(b)}",
        help="A ready-made template; or type the parts of another one below, or click one under Sensitivity.",
        **state.bind(P + "b_ready", own, _begin_b, "index", list(known)),
    )
    template_fields(P + "b_", lambda: template_b(state.study().template), take_b)


def _begin_b(name: str | None) -> dict[str, Any]:
    if name is not None:
        take_b(TEMPLATES[name])
    return {}


def _swap(a: Template, b: Template) -> None:
    take_b(a)
    take_template(b)


def _pair() -> Pair:
    """Both templates on the questions.

    Raises:
        Waiting: they are being asked, or there is no question.
    """
    study, known = asking(), model()
    asked = questions.asked(P, study, known)
    if asked is None:
        raise Nothing("No question, so nothing to compare.")
    a = study.template
    b = in_place_of(a, template_b(a))
    return analysis.value(
        P + "pair",
        study,
        known,
        {"b": b.model_dump_json(), **asked.value},
        lambda study, stop: compare_templates(study, known, a, b, asked.of(study, known), stop=stop),
        "both templates",
        reads=DECIDES,
        ask=cost(2 * asked.count * len(outcome().answer.labels), known),
    )


def _question_controls(_: Values | None) -> None:
    questions.question_controls(P, asking(), model())


def _accuracies(found: Pair) -> None:
    run: Evaluation = found.evaluation
    columns = st.columns(3, gap="small")
    for column, name, place in ((columns[0], "A", 0), (columns[1], "B", 1)):
        low, high = run.interval[place]
        with column:
            st.metric(f"Accuracy of {name}", f"{run.accuracy[place]:.1%}")
            st.caption(f"95 %: {low:.1%} to {high:.1%}")
    test = found.paired
    with columns[2]:
        st.metric("B − A, points", signed(100 * test.difference, 1))
        low, high = test.interval
        st.caption(f"95 %: {signed(100 * low, 1)} to {signed(100 * high, 1)}; McNemar p = {_p(test.p)}")
    differ = int(found.differ.sum())
    st.caption(
        f"{test.count} questions; the answers differ on {differ}: right under A alone {test.only_a}, under B alone "
        f"{test.only_b}, under neither {differ - test.only_a - test.only_b}."
    )


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _picked(found: Pair) -> int:
    """The question shown below: the one clicked, else the first of the table."""
    kept = st.session_state.get(PICKED)
    known = isinstance(kept, int) and 0 <= kept < len(found.evaluation.questions)
    return int(kept) if known else found.order[0]


def _pick(place: int) -> None:
    st.session_state[PICKED] = place


def _reads() -> Values:
    found = _pair()
    return found, _picked(found)


def _dots(found: Pair, picked: int) -> None:
    run = found.evaluation
    best_a, best_b = run.best
    figure = items_figure(
        found.gold[0],
        found.gold[1],
        found.differ.tolist(),
        [question.input for question in run.questions],
        [(q.gold, a, b) for q, a, b in zip(run.questions, best_a, best_b, strict=True)],
        picked,
        HEIGHT,
    )
    chart(
        figure,
        P + "items",
        f"Probability of the right answer under both templates; {int(found.differ.sum())} answered differently",
        on_click=lambda data: _pick(int(data[0])),
    )


def _save(found: Pair) -> None:
    st.space("stretch")
    save_csv("CSV", P + "templates", lambda: pair_records(found))


def _table(found: Pair) -> None:
    rows = pair_records(found)
    key = P + "table"

    def clicked() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        if chosen:
            _pick(found.order[chosen[0]])

    st.dataframe(
        pd.DataFrame(
            {
                "№": [row["question"] for row in rows],
                "Input": [row["input"] for row in rows],
                "Right": [row["gold"] for row in rows],
                "A": [f"{'✓' if row['right_a'] else '✗'} {row['a']}" for row in rows],
                "B": [f"{'✓' if row['right_b'] else '✗'} {row['b']}" for row in rows],
                "p_A": [row["p_gold_a"] for row in rows],
                "p_B": [row["p_gold_b"] for row in rows],
                "TV": [row["total_variation"] for row in rows],
            }
        ),
        key=key,
        hide_index=True,
        height=HEIGHT,
        row_height=29,
        on_select=clicked,
        selection_mode="single-row",
        alt="What both templates answer to every question",
        column_config={
            "№": st.column_config.NumberColumn(width=34),
            "Input": st.column_config.TextColumn(width=150),
            "Right": st.column_config.TextColumn(width=56),
            "A": st.column_config.TextColumn(width=60),
            "B": st.column_config.TextColumn(width=60),
            "p_A": st.column_config.NumberColumn("p A", format="%.2f", width=46, help="p(right answer) under A."),
            "p_B": st.column_config.NumberColumn("p B", format="%.2f", width=46, help="p(right answer) under B."),
            "TV": st.column_config.NumberColumn(format="%.2f", width=46, help="Total variation between A and B."),
        },
    )


def _prompts(found: Pair, place: int) -> None:
    """One question as A and as B write it."""
    run = found.evaluation
    question = run.questions[place]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**Question {place + 1}**: {plain(question.input, 80)} → {plain(question.gold, 30)}", width="content"
        )
        st.space("stretch")
        for side, template in zip("AB", found.templates, strict=True):
            open_button(
                f"Open as {side}",
                f"{P}open_{side.lower()}",
                lambda side_template=template: state.study().model_copy(
                    update={"query": question.input, "gold": question.gold, "template": side_template}
                ),
                f"This question with template {side} in the Playground.",
            )
    for column, side in zip(st.columns(2, gap="small"), (0, 1), strict=True):
        rows, template = run.shown[side][place], found.templates[side]
        chosen = run.chosen[side][place].indices
        with column:
            prompt = render(rows, question.input, template, run.studies[side].instruction)
            answer = run.answers[side][place]
            st.html(prompt_html(prompt, [i + 1 for i in chosen], None, template.word(answer.best), "220px"))
            said = zip(answer.labels, answer.probabilities, strict=True)
            top = sorted(said, key=lambda pair: -pair[1])[:5]
            st.caption(f"{'AB'[side]}: " + ", ".join(f"{plain(label, 20)} {p:.3f}" for label, p in top))


SIDES = Card(P + "card_sides", "", "", _sides_reads, _sides, height=260)
SAME = Card(
    P + "card_same",
    "The same questions",
    HELP,
    lambda: (_pair(),),
    _accuracies,
    controls=_question_controls,
    height=160,
)
DOTS = Card(P + "card_items", "p(right answer)", HELP_ITEMS, _reads, _dots, height=HEIGHT)
TABLE = Card(P + "card_table", "Every question", HELP_TABLE, lambda: (_pair(),), _table, beside=_save, height=HEIGHT)
PROMPTS = Card(P + "card_prompts", "", "", _reads, _prompts, height=280)
CARDS = (beside(SIDES, SAME, widths=(0.4, 0.6)), beside(DOTS, TABLE, widths=(0.36, 0.64)), PROMPTS)
