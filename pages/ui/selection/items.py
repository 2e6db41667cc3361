"""Test items: what each selection shows for every question, and how often the answer is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.selection.records import item_records, usage_records
from core.evaluation.evaluate import Evaluation, evaluate
from core.evaluation.questions import POOL
from core.figures.selection.comparison import accuracy_figure
from core.runtime.progress import Stop
from core.selection import selections
from core.study.cleaning import usable
from core.study.study import Study
from pages.ui.components import menu, questions
from pages.ui.components.card import Card, Values, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import model
from pages.ui.jobs.waiting import Nothing
from pages.ui.selection.settings import P, settings, taken, taken_said
from pages.ui.session import state
from pages.ui.session.opening import open_button

if TYPE_CHECKING:
    from core.models import LanguageModel

NAMES, VIEW, ITEM = P + "names", P + "view", P + "item"
UNASKED = 200  # prompts answered without being asked, on the embedded model
PER_ITEM, ROWS = VIEWS = "Items", "Rows used"
NONE_PICKED: dict[str, Any] = {"selection": {"rows": []}}
HEIGHT = 380
HELP = (
    "Every selection chooses demonstrations for every question anew, and the model answers. ✓ and ✗: right and wrong; "
    "the numbers are the rows of the pool that it was shown, the last one next to the question. Intervals are "
    "Wilson's, 95 %: how far the accuracy may lie from that on all questions of this kind. Select an item to read what "
    "it was shown."
)


def _asking(study: Study, names: Sequence[str]) -> Study:
    """The study that questions are asked of. A hand-picked set stays as it is, so what stands in it cannot be asked;
    any other selection leaves the question out itself."""
    picked = [entry.name for entry in selections if entry.source == "demonstrations" and entry.name in names]
    return study.model_copy(update={"selection": next(iter([*picked, *_from_pool()]))})


def _controls_reads() -> Values:
    return cut(settings().study, ANSWERS - {"query"}), model()


def _controls(study: Study, known: LanguageModel) -> None:
    left, right = st.columns([0.5, 0.5], gap="small", vertical_alignment="bottom")
    with left:
        _names_control(study)
    with right:
        questions.question_controls(P, _asking(study, _names(study)), known)


def _from_pool() -> list[str]:
    """Selections that choose from the pool."""
    return [entry.name for entry in selections if entry.source == "pool"]


def _entries(study: Study) -> dict[str, str]:
    """Titles of the selections that can be compared, by name."""
    entries = {entry.name: entry.title for entry in selections}
    if any(usable(row) for row in study.demonstrations):
        return entries
    return {name: entries[name] for name in _from_pool()}


def _names(study: Study) -> list[str]:
    """The selections compared, drawn or not yet."""
    at_first = [*(entry.name for entry in selections if entry.baseline), study.selection]
    entries = _entries(study)
    return [name for name in st.session_state.get(NAMES, dict.fromkeys(at_first)) if name in entries]


def _names_control(study: Study) -> None:
    entries = _entries(study)
    st.session_state[NAMES] = _names(study)
    st.multiselect(
        "Selections",
        list(entries),
        format_func=entries.get,
        key=NAMES,
        help="Compared on the same questions. Questions from the pool make a trained selection learn anew for each of "
        "them, since it must not have seen the question; questions from a task do not.",
        persist_state="session",
    )


def _evaluation() -> Evaluation:
    """Every selection on every question.

    Raises:
        Waiting: it is being computed, or there is nothing to compare.
    """
    study, known = settings().study, model()
    names = _names(study)
    asking = cut(_asking(study, names), ANSWERS - {"query"})
    asked = questions.asked(P, asking, known)
    if asked is None:
        raise Nothing("No question, so nothing to compare.")
    if not names:
        raise Nothing("Choose a selection to compare.")

    def work(study: Study, stop: Stop) -> Evaluation:
        variants = [study.model_copy(update={"selection": name}) for name in names]
        return evaluate(variants, known, asked.of(study, known), stop=stop)

    decides = {"names": names, **asked.value}
    what, ask = f"{asked.count} questions", _ask_first(names, asked, known)
    return analysis.value(P + "items", asking, known, decides, work, what, reads=ANSWERS - {"query"}, ask=ask)


def _ask_first(names: Sequence[str], asked: QuestionSettings, known: LanguageModel) -> str:
    """What it costs, where that is much."""
    slow = [selections.find(name).title for name in names if selections.find(name).slow]
    if known.mixture is not None and len(names) * asked.count <= UNASKED and not slow:
        return ""
    said = f"{len(names)} selections answer up to {asked.count} questions each."
    if slow and asked.source == POOL:
        said += f" {', '.join(slow)}: anew for each question, which takes long."
    return said


def _titles(found: Evaluation) -> list[str]:
    return [selections.find(study.selection).title for study in found.studies]


def _accuracy(found: Evaluation, study: Study) -> None:
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
    name = found.studies[int(np.argmax(found.accuracy))].selection
    open_button(
        f"Use {best} in the Playground",
        P + "open",
        lambda: state.study().model_copy(update=taken(study, name)),
        "The selection with the highest accuracy here becomes the study's own; undo brings the other back.",
        said=taken_said(name),
    )


def _view_controls(found: Evaluation, study: Study) -> None:
    menu.switch("View", VIEWS, VIEW)
    st.space("stretch")
    save_csv("Items CSV", P + "items", lambda: item_records(found))
    save_csv("Rows CSV", P + "rows", lambda: usage_records(study, found))


def _table(found: Evaluation, study: Study) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _view_controls(found, study)
    if menu.held(VIEWS, VIEW) == ROWS:
        _rows(study, found)
    else:
        _items(found)


def _items(found: Evaluation) -> None:
    """What came of every question."""
    titles = _titles(found)
    columns: dict[str, list[Any]] = {
        "Question": [question.input for question in found.questions],
        "Right answer": [question.gold for question in found.questions],
    }
    for s, name in enumerate(titles):
        columns[name] = [_cell(found, s, n) for n in range(len(found.questions))]
    st.dataframe(
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


def _shown_reads() -> Values:
    found = _evaluation()
    rows = (st.session_state.get(ITEM) or NONE_PICKED)["selection"]["rows"]
    if menu.held(VIEWS, VIEW) == ROWS or not rows or rows[0] >= len(found.questions):
        raise Nothing("Select an item to read what it was shown.")
    return found, int(rows[0])


def _shown(found: Evaluation, n: int) -> None:
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


def _reads() -> Values:
    """The evaluation and the pool that its rows are of; another query changes neither."""
    return _evaluation(), cut(settings().study, {"pool"})


CONTROLS = Card(P + "card_items", "Test items", HELP, _controls_reads, _controls, height=80)
ACCURACY = Card(P + "card_accuracy", "", "", _reads, _accuracy, height=HEIGHT)
ITEMS = Card(P + "card_item_table", "", "", _reads, _table, height=HEIGHT)
SHOWN = Card(P + "card_shown", "", "", _shown_reads, _shown, height=40)
