"""One query, scored in every way: a cell a combination, and the tokens and sums behind the one that was clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.scoring.breakdown import ScoreBreakdown, score_breakdown, token_records
from core.analysis.scoring.grid import Combination, combination_of, variants
from core.analysis.scoring.table import ScoreTable, score_table, text_count
from core.figures.scoring.scoring import label_colours, score_cells_figure
from core.scoring.calibration import calibrations
from core.study.outcome import Answer, Outcome
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.scoring.breakdown import breakdown_html
from pages.ui.scoring.shared import P, by_key, cost, save, take, title, unscored

if TYPE_CHECKING:
    from core.models import LanguageModel

HEIGHT = 396
OPENED, SHOWN, INPUT = P + "opened", P + "cells", P + "input"
WINNER = ""
HELP_TABLE = (
    "The query on screen, its demonstrations and candidates, scored in every way. A cell carries the winning label and "
    "its probability over the candidates; its colour is the label's, deeper where it is more probable; ★ is the right "
    "answer. The red frame is the study's own way. Click a cell to work it out beside.\n\n"
    "Perplexity ranks as direct does where all labels have as many tokens: the prompt is the same. Means per token, "
    "character or byte are tempered: their probabilities are flatter, and long labels are treated otherwise. Exact "
    "Bayes, where the mixture is known: p(y|x,D), and P(y|x,D) from p(x|y,D) with even P(y), as the channel has it."
)
HELP_WORKING = (
    "The tokens that were scored and log p of each, in nats, given all before it; their sum; what it is divided by; "
    "and how scores become probabilities. With a calibration: what the prompt answers to inputs that decide nothing, "
    "their mean (averaged first and normalised after), and p divided by it. All by hand: no number here is worked out "
    "otherwise than as written."
)


def query_view(outcome: Outcome, model: LanguageModel, _below: DeltaGenerator) -> None:
    """The table on the left, the working on the right; there are no settings to put below the query."""
    with st.container(border=True):
        left, right = st.columns([0.56, 0.44], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title("Every way to score it", HELP_TABLE)
            of = _cells_control(outcome)
            slot = st.container(width="content")
        table = every_way(outcome, model)
        if table is None:
            with right:
                st.container(height=HEIGHT, border=False).caption("Opens when the table is there.")
            return
        with slot:
            save("CSV", "scores", lambda: table_records(table, outcome))
        opened = _opened(outcome, table)
        draw_table(table, outcome.study.gold, P + "table", opened, _own(outcome), of, _open)
        _say(outcome, table)
    with right:
        _work_out(outcome, model, opened, label_colours(table.labels, table.best))


def every_way(outcome: Outcome, model: LanguageModel) -> ScoreTable | None:
    """The table, None while it is under way."""
    study, labels, ways = outcome.study, outcome.answer.labels, tuple(by_key().values())
    shown = outcome.demonstrations
    texts = text_count(study, [(study.query.strip(), shown, labels)], ways)
    return analysis.result(
        P + "every",
        unscored(study),
        model,
        {"shown": [[row.input, row.label] for row in shown], "labels": list(labels)},
        lambda stop: score_table(study, model, shown, labels, ways, stop=stop),
        "every way to score",
        ask=cost(texts, model.mixture is not None),
    )


def draw_table(
    table: ScoreTable, gold: str | None, key: str, opened: str, own: str, of: str | None, on_click: Any
) -> None:
    """The cells: scorers down, calibrations across."""
    rows, columns = variants(), list(calibrations)
    places = {c.key: i for i, c in enumerate(table.combinations)}
    at = [[Combination(row, column.name).key for column in columns] for row in rows]
    answers = [[table.answers[places[k]] if k in places else None for k in line] for line in at]
    values = [[_value(answer, of) for answer in line] for line in answers]
    errors = dict(zip((c.key for c in table.combinations), table.errors, strict=True))
    notes = [
        [_note(by_key()[k].title, answers[r][c], errors.get(k, "")) for c, k in enumerate(line)]
        for r, line in enumerate(at)
    ]
    bayes = [
        (name, answer.best, _value(answer, of))
        for name, answer in (("Exact Bayes", table.bayes), ("Exact Bayes, channel", table.bayes_channel))
        if answer is not None
    ]
    spots = {k: (r, c) for r, line in enumerate(at) for c, k in enumerate(line)}
    figure = score_cells_figure(
        [row.title for row in rows],
        [column.title for column in columns],
        [[answer.best if answer is not None else None for answer in line] for line in answers],
        values,
        label_colours(table.labels, table.best),
        notes,
        at,
        (gold or "").strip() or None,
        bayes,
        spots.get(own),
        spots.get(opened),
        of,
        HEIGHT,
    )
    won = [best for best in table.best if best is not None]
    commonest = max(dict.fromkeys(won), key=won.count, default="nothing")
    alt = f"Answer of {len(won)} combinations of scorer and calibration; most answer {commonest}"
    chart(figure, key, alt, on_click=on_click)


def _value(answer: Answer | None, of: str | None) -> float:
    if answer is None:
        return float("nan")
    label = of if of is not None else answer.best
    return float(answer.probabilities[answer.labels.index(label)]) if label in answer.labels else float("nan")


def _note(name: str, answer: Answer | None, error: str) -> str:
    from core.figures.base import wrap

    if answer is None:
        return f"<b>{wrap(name)}</b><br>{wrap(error, 50)}"
    order = np.argsort(-answer.probabilities, kind="stable")[:6]
    said = "<br>".join(
        f"{wrap(answer.labels[i], 24)}: {answer.probabilities[i]:.3f}, score {answer.scores[i]:.3f}" for i in order
    )
    return f"<b>{wrap(name)}</b><br>{said}"


def _cells_control(outcome: Outcome) -> str | None:
    """What a cell shows: the winner, or the probability of one label."""
    options = [WINNER, *outcome.answer.labels]
    if st.session_state.get(SHOWN) not in options:
        st.session_state[SHOWN] = WINNER
    chosen = st.selectbox(
        "Cells show",
        options,
        format_func=lambda label: f"P({plain(label, 24)})".replace("\\", "") if label else "the winning label",
        key=SHOWN,
        label_visibility="collapsed",
        width=170,
        persist_state="session",
    )
    return chosen or None


def _own(outcome: Outcome) -> str:
    return combination_of(outcome.study).key


def _open(data: list[Any]) -> None:
    st.session_state[OPENED] = str(data[0])


def _opened(outcome: Outcome, table: ScoreTable) -> str:
    """The cell worked out: the one clicked last, at first the study's own."""
    chosen = st.session_state.get(OPENED)
    return str(chosen) if chosen in {c.key for c in table.combinations} else _own(outcome)


def _say(outcome: Outcome, table: ScoreTable) -> None:
    """How many agree with the study's own answer, and what could not be had."""
    won = [best for best in table.best if best is not None]
    own = outcome.answer.best
    alike = sum(best == own for best in won)
    st.caption(f"{alike} of {len(won)} ways answer “{plain(own, 24)}”, as the study does.")
    for error in dict.fromkeys(filter(None, table.errors)):
        st.caption(plain(error, 300))


def _work_out(outcome: Outcome, model: LanguageModel, key: str, colours: dict[str, str]) -> None:
    """Tokens and sums of one combination."""
    way = by_key()[key]
    study, shown, labels = outcome.study, outcome.demonstrations, outcome.answer.labels
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title(plain(way.title, 60), HELP_WORKING)
        st.space("stretch")
        controls = st.container(horizontal=True, gap="small", width="content")
    found: ScoreBreakdown | None = analysis.result(
        P + "working",
        unscored(study),
        model,
        {"way": key, "shown": [[row.input, row.label] for row in shown], "labels": list(labels)},
        lambda stop: score_breakdown(study, model, shown, labels, way, stop),
        "the working",
    )
    with controls:
        own = key == _own(outcome)
        st.button(
            "The study's own" if own else "Use in the study",
            key=P + "take",
            on_click=take,
            args=(key,),
            disabled=own,
            type="secondary" if own else "primary",
            help="Scores the study this way on every page; Undo takes it back.",
        )
        if found is not None:
            save("Tokens", "tokens", lambda: token_records(found))
    if found is None:
        return
    st.caption(f"Answers “{plain(found.answer.best, 40)}” with p = {found.answer.probabilities.max():.4f}.")
    steps = [found.query, *found.free]
    place = 0
    if found.free:
        place = _input_control(found)
    height = HEIGHT - (8 if not found.free else 56)
    st.html(breakdown_html(found, steps[place], colours, f"{height}px"))


def _input_control(found: ScoreBreakdown) -> int:
    """Whose tokens are shown: the query's, or a content-free input's."""
    options = list(range(1 + len(found.free)))
    if st.session_state.get(INPUT) not in options:
        st.session_state[INPUT] = 0
    texts = ["the query, and the calibration", *(f"content-free: “{step.input}”" for step in found.free)]
    chosen: int = st.selectbox(
        "Tokens of",
        options,
        format_func=lambda i: plain(texts[i], 60).replace("\\", ""),
        key=INPUT,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def table_records(table: ScoreTable, outcome: Outcome) -> list[dict[str, Any]]:
    """A row for every combination and label."""
    query, gold = outcome.study.query, outcome.study.gold or ""
    return [
        {
            "query": query,
            "gold": gold,
            "combination": way.key,
            "label": label,
            "score": float(answer.scores[i]) if answer is not None else "",
            "probability": float(answer.probabilities[i]) if answer is not None else "",
            "bias": float(answer.bias[i]) if answer is not None and answer.bias is not None else "",
            "wins": answer is not None and answer.best == label,
            "error": error,
        }
        for way, answer, error in zip(table.combinations, table.answers, table.errors, strict=True)
        for i, label in enumerate(table.labels)
    ]
