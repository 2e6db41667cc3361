"""Test items: what each selection shows for every question, and how often the answer is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.selection.records import item_records, usage_records
from core.errors import StudyError
from core.evaluation.evaluate import Evaluation, evaluate
from core.evaluation.questions import POOL
from core.figures.selection.choices import accuracy_figure
from core.selection import selections
from core.study.cleaning import usable
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings, question_controls
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.selection.settings import P, Settings, save, take, title
from pages.ui.session import state

if TYPE_CHECKING:
    from core.models import LanguageModel

NAMES, VIEW, ITEM = P + "names", P + "view", P + "item"
UNASKED = 200  # prompts answered without being asked, on the embedded model
ITEMS, ROWS = "Items", "Rows used"
HELP = (
    "Every selection chooses demonstrations for every question anew, and the model answers. ✓ and ✗: right and wrong; "
    "the numbers are the rows of the pool that it was shown, the last one next to the question. Intervals are "
    "Wilson's, 95 %: how far the accuracy may lie from that on all questions of this kind. Select an item to read what "
    "it was shown."
)


def items_view(settings: Settings, model: LanguageModel) -> None:
    """Controls, accuracies, and items or rows."""
    title("Test items", HELP)
    study = settings.study
    left, right = st.columns([0.5, 0.5], gap="small", vertical_alignment="bottom")
    with left:
        names = _names(study)
    # A hand-picked set stays as it is, so what stands in it cannot be asked; any other leaves the question out itself.
    picked = [entry.name for entry in selections if entry.source == "demonstrations" and entry.name in names]
    asking = study.model_copy(update={"selection": next(iter([*picked, *_from_pool()]))})
    with right:
        asked = question_controls(P, asking, model)
    if asked is None:
        return
    if not names:
        st.caption("Choose a selection to compare.")
        return
    found = _evaluation(asking, model, names, asked)
    if found is None:
        return
    left, right = st.columns([0.32, 0.68], gap="small")
    with left:
        _accuracy(study, found)
    with right:
        if st.session_state.get(VIEW) not in (ITEMS, ROWS):
            st.session_state[VIEW] = ITEMS
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            view = st.segmented_control(
                "View", [ITEMS, ROWS], key=VIEW, required=True, label_visibility="collapsed", persist_state="session"
            )
            st.space("stretch")
            save("Items CSV", "items", lambda: item_records(found))
            save("Rows CSV", "rows", lambda: usage_records(study, found))
        if view == ROWS:
            _rows(study, found)
            picked = None
        else:
            picked = _items(found)
    if picked is not None:
        _shown(settings, found, picked)


def _from_pool() -> list[str]:
    """Selections that choose from the pool."""
    return [entry.name for entry in selections if entry.source == "pool"]


def _names(study: Study) -> list[str]:
    entries = {entry.name: entry.title for entry in selections}
    if not any(usable(row) for row in study.demonstrations):
        entries = {name: entries[name] for name in _from_pool()}
    kept = [name for name in st.session_state.get(NAMES, ()) if name in entries]
    if NAMES not in st.session_state:
        start = [*(entry.name for entry in selections if entry.baseline), study.selection]
        kept = [name for name in dict.fromkeys(start) if name in entries]
    st.session_state[NAMES] = kept
    return st.multiselect(
        "Selections",
        list(entries),
        format_func=entries.get,
        key=NAMES,
        help="Compared on the same questions. Questions from the pool make a trained selection learn anew for each of "
        "them, since it must not have seen the question; questions from a task do not.",
        persist_state="session",
    )


def _evaluation(study: Study, model: LanguageModel, names: list[str], asked: QuestionSettings) -> Evaluation | None:
    variants = [study.model_copy(update={"selection": name}) for name in names]
    prompts = len(names) * asked.count
    slow = [selections.find(name).title for name in names if selections.find(name).slow]
    ask = ""
    if model.mixture is None or prompts > UNASKED or slow:
        ask = f"{len(names)} selections answer up to {asked.count} questions each."
        if slow and asked.source == POOL:
            ask += f" {', '.join(slow)}: anew for each question, which takes long."
    try:
        questions = asked.of(study, model)
    except StudyError as error:
        st.info(plain(str(error), 300))
        return None
    return analysis.result(
        P + "items",
        study.model_copy(update={"query": "", "gold": None, "selection": selections.plain}),
        model,
        {"names": names, "questions": [[q.input, q.gold] for q in questions]},
        lambda stop: evaluate(variants, model, questions, stop=stop),
        f"{len(questions)} questions",
        ask=ask,
    )


def _titles(found: Evaluation) -> list[str]:
    return [selections.find(study.selection).title for study in found.studies]


def _accuracy(study: Study, found: Evaluation) -> None:
    titles = _titles(found)
    best = titles[int(np.argmax(found.accuracy))]
    chart(
        accuracy_figure(titles, found.accuracy, found.interval, height=60 + 30 * len(titles)),
        P + "accuracy",
        f"Accuracy of {len(titles)} selections on {len(found.questions)} questions; highest: {best}",
        modebar=False,
    )
    lines = [
        f"{name}: {int(right.sum())} of {len(right)}, {cost}"
        for name, right, cost in zip(titles, found.right, found.costs, strict=True)
    ]
    st.caption("  \n".join(plain(line, 160) for line in lines))
    open_it = st.button(
        f"Use {best} in the Playground",
        key=P + "open",
        icon=":material/science:",
        on_click=take,
        args=(study, found.studies[int(np.argmax(found.accuracy))].selection),
        help="The selection with the highest accuracy here becomes the study's own; undo brings the other back.",
    )
    if open_it:
        st.switch_page("pages/playground.py")


def _items(found: Evaluation) -> int | None:
    """The table; returns the place of the item that is selected."""
    titles = _titles(found)
    columns: dict[str, list[Any]] = {
        "Question": [question.input for question in found.questions],
        "Right answer": [question.gold for question in found.questions],
    }
    for s, name in enumerate(titles):
        columns[name] = [_cell(found, s, n) for n in range(len(found.questions))]
    event = st.dataframe(
        columns,
        hide_index=True,
        row_height=28,
        height=320,
        key=ITEM,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Question": st.column_config.TextColumn(width=220),
            "Right answer": st.column_config.TextColumn(width=90),
        },
        alt="What each selection's demonstrations led to for every question, and which rows they were",
    )
    rows = event["selection"]["rows"]
    return int(rows[0]) if rows and rows[0] < len(found.questions) else None


def _cell(found: Evaluation, s: int, n: int) -> str:
    """✓ or ✗, the answer, and the rows shown."""
    chosen = found.chosen[s][n]
    places = "its own" if chosen.source == "generated" else " ".join(str(i + 1) for i in chosen.indices)
    return f"{'✓' if found.right[s, n] else '✗'} {found.answers[s][n].best}  ·  {places}"


def _rows(study: Study, found: Evaluation) -> None:
    """How often each row of the pool was shown."""
    rows = usage_records(study, found)
    if not rows:
        st.caption("No row of the pool was shown: these selections read the demonstrations table.")
        return
    names = {"row": "#", "input": "Input", "label": "Label"}
    most = max(1, len(found.questions))
    st.dataframe(
        {names.get(key, key): [row[key] for row in rows] for key in rows[0]},
        hide_index=True,
        row_height=28,
        height=320,
        key=P + "usage",
        column_config={"#": st.column_config.NumberColumn(width=40), "Input": st.column_config.TextColumn(width=220)}
        | {
            name: st.column_config.ProgressColumn(min_value=0, max_value=most, format="%d", width=120)
            for name in _titles(found)
        },
        alt="For how many questions each row of the pool was shown, by selection",
    )
    never = len(study.pool) - len(rows)
    st.caption(f"Of {len(found.questions)} questions; {never:,} rows were never shown.")


def _shown(settings: Settings, found: Evaluation, n: int) -> None:
    """The demonstrations of one item, a column a selection."""
    question = found.questions[n]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(question.input, 80)}** → {plain(question.gold, 30)}", width="content")
        st.button(
            "Ask it in this study",
            key=P + "ask_item",
            icon=":material/edit:",
            on_click=_ask,
            args=(question.input, question.gold),
            help="Makes this question the study's query.",
        )
    columns = st.columns(min(4, len(found.studies)), gap="small")
    for s, name in enumerate(_titles(found)):
        chosen, answer = found.chosen[s][n], found.answers[s][n]
        with columns[s % len(columns)]:
            share = float(np.exp(found.gold_logprob[s, n]))
            sign = "✓" if found.right[s, n] else "✗"
            st.caption(f"{name}: {sign} {plain(answer.best, 20)}, p(right) {share:.2f}")
            numbers = ["" if chosen.source == "generated" else i + 1 for i in chosen.indices]
            st.dataframe(
                {
                    "#": [str(number) for number in numbers],
                    "Input": [row.input for row in found.shown[s][n]],
                    "Label": [row.label for row in found.shown[s][n]],
                },
                hide_index=True,
                row_height=26,
                key=f"{P}shown_{s}",
                column_config={
                    "#": st.column_config.TextColumn(width=36),
                    "Label": st.column_config.TextColumn(width=70),
                },
                alt=f"Demonstrations that {name} shows for this question",
            )


def _ask(query: str, gold: str) -> None:
    state.edit(query=query, gold=gold)
