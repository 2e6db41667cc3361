"""One query, scored in every way: a cell a combination, and the tokens and sums behind the one that was clicked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.scoring.breakdown import ScoreBreakdown, score_breakdown, token_records
from core.analysis.scoring.grid import Combination, combination_of, variants
from core.analysis.scoring.table import ScoreTable, score_table, text_count
from core.figures.base import wrap
from core.figures.scoring.scoring import label_colours, score_cells_figure
from core.files.csv_records import with_counts
from core.runtime.numbers import fixed
from core.scoring.calibration import calibrations
from core.study.outcome import Answer
from pages.ui.components import menu
from pages.ui.components.card import Card, Values, beside, heading, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model, outcome
from pages.ui.scoring.breakdown import breakdown_html
from pages.ui.scoring.shared import P, by_key, cost, fields_read, take

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


@dataclass(frozen=True)
class Shown:
    """What the outcome on screen says of the query.

    Attributes:
        query, gold: of the study.
        best: the study's answer.
        own: key of the study's own way to score.
        labels_found: how many labels there were to choose the candidates from.
    """

    query: str
    gold: str | None
    best: str
    own: str
    labels_found: int


def _shown() -> Shown:
    found = outcome()
    study = found.study
    return Shown(study.query, study.gold, found.answer.best, combination_of(study).key, found.labels_found)


def every_way() -> ScoreTable:
    """The query in every way.

    Raises:
        Waiting: it is being scored.
    """
    found, known, ways = outcome(), model(), tuple(by_key().values())
    study, labels, shown = found.study, found.answer.labels, found.demonstrations
    texts = text_count(study, [(study.query.strip(), shown, labels)], ways)
    return analysis.value(
        P + "every",
        study,
        known,
        {"shown": [[row.input, row.label] for row in shown], "labels": list(labels)},
        lambda study, stop: score_table(study, known, shown, labels, ways, stop=stop),
        "every way to score",
        reads=fields_read(),
        ask=cost(texts, known),
    )


def _breakdown(key: str) -> ScoreBreakdown:
    """Tokens and sums of one way.

    Raises:
        Waiting: it is being worked out.
    """
    found, known, way = outcome(), model(), by_key()[key]
    labels, shown = found.answer.labels, found.demonstrations
    return analysis.value(
        P + "working",
        found.study,
        known,
        {"way": key, "shown": [[row.input, row.label] for row in shown], "labels": list(labels)},
        lambda study, stop: score_breakdown(study, known, shown, labels, way, stop),
        "the working",
        reads=fields_read(),
    )


def _table_reads() -> Values:
    table, shown = every_way(), _shown()
    return table, shown, _opened(table, shown.own)


def _table_controls(table: ScoreTable, shown: Shown, _: str) -> None:
    _cells_control(table)
    save_csv("CSV", P + "scores", lambda: table_records(table, shown))


def _table(table: ScoreTable, shown: Shown, opened: str) -> None:
    label = menu.held([WINNER, *table.labels], SHOWN) or None
    draw_table(table, shown.gold, P + "table", opened, shown.own, label, _open)
    _say(table, shown.best)


def _breakdown_reads() -> Values:
    table, own = every_way(), _shown().own
    opened = _opened(table, own)
    return _breakdown(opened), opened == own, label_colours(table.labels, table.best), outcome().labels_found


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
    if answer is None:
        return f"<b>{wrap(name)}</b><br>{wrap(error, 50)}"
    order = np.argsort(-answer.probabilities, kind="stable")[:6]
    said = "<br>".join(
        f"{wrap(answer.labels[i], 24)}: {answer.probabilities[i]:.3f}, score {fixed(answer.scores[i])}" for i in order
    )
    rest = len(answer.labels) - len(order)
    return f"<b>{wrap(name)}</b><br>{said}" + (f"<br>and {rest} less likely" if rest else "")


def _cells_control(table: ScoreTable) -> None:
    """What a cell shows: the winner, or the probability of one label."""
    options = [WINNER, *table.labels]
    st.session_state[SHOWN] = menu.held(options, SHOWN)
    st.selectbox(
        "Cells show",
        options,
        format_func=lambda label: f"P({plain(label, 24)})".replace("\\", "") if label else "the winning label",
        key=SHOWN,
        label_visibility="collapsed",
        width=170,
        persist_state="session",
    )


def _open(data: list[Any]) -> None:
    st.session_state[OPENED] = str(data[0])


def _opened(table: ScoreTable, own: str) -> str:
    """The cell worked out: the one clicked last, at first the study's own."""
    chosen = st.session_state.get(OPENED)
    return str(chosen) if chosen in {c.key for c in table.combinations} else own


def _say(table: ScoreTable, own: str) -> None:
    """How many agree with the study's own answer, and what could not be had."""
    won = [best for best in table.best if best is not None]
    alike = sum(best == own for best in won)
    st.caption(f"{alike} of {len(won)} ways answer “{plain(own, 24)}”, as the study does.")
    for error in dict.fromkeys(filter(None, table.errors)):
        st.caption(plain(error, 300))


def _work_out(breakdown: ScoreBreakdown, own: bool, colours: dict[str, str], found: int) -> None:
    """Tokens and sums of one combination."""
    way = breakdown.combination

    def controls() -> None:
        st.space("stretch")
        st.button(
            "The study's own" if own else "Use in the study",
            key=P + "take",
            on_click=take,
            args=(way.key,),
            disabled=own,
            type="secondary" if own else "primary",
            help="Scores the study this way on every page; Undo takes it back.",
        )
        save_csv("Tokens", P + "tokens", lambda: with_counts(token_records(breakdown), len(colours), found))

    heading(plain(way.title, 60), HELP_WORKING, controls)
    answer = breakdown.answer
    st.caption(f"Answers “{plain(answer.best, 40)}” with p = {answer.probabilities.max():.4f}.")
    steps = [breakdown.query, *breakdown.free]
    place = _input_control(breakdown) if breakdown.free else 0
    height = HEIGHT - (8 if not breakdown.free else 56)
    st.html(breakdown_html(breakdown, steps[place], colours, f"{height}px"))


def _input_control(breakdown: ScoreBreakdown) -> int:
    """Whose tokens are shown: the query's, or a content-free input's."""
    options = list(range(1 + len(breakdown.free)))
    st.session_state[INPUT] = menu.held(options, INPUT)
    texts = ["the query, and the calibration", *(f"content-free: “{step.input}”" for step in breakdown.free)]
    chosen: int = st.selectbox(
        "Tokens of",
        options,
        format_func=lambda i: plain(texts[i], 60).replace("\\", ""),
        key=INPUT,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def table_records(table: ScoreTable, shown: Shown) -> list[dict[str, Any]]:
    """A row for every combination and label."""
    records = [
        {
            "query": shown.query,
            "gold": shown.gold or "",
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
    return with_counts(records, len(table.labels), shown.labels_found)


TABLE = Card(
    P + "card_table",
    "Every way to score it",
    HELP_TABLE,
    _table_reads,
    _table,
    beside=_table_controls,
    height=HEIGHT + 36,
)
WORKING = Card(P + "card_working", "", "", _breakdown_reads, _work_out, height=HEIGHT + 76)
CARDS = (beside(TABLE, WORKING, widths=(0.56, 0.44)),)
