"""What demonstrations do to the answer: bars by removal, cells by label, lines by position, and the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.influence import Flips, Influence, Moves, Removal, flips, influence, moves, prompt_count
from core.analysis.influence.records import flip_records, influence_records, move_records
from core.figures.influence.changes import flip_figure, move_figure
from core.figures.influence.influence import influence_figure
from core.files.csv_records import with_counts
from core.runtime.numbers import fixed, signed
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components.card import Card, Values, heading, save_csv, title
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.influence.settings import READS, InfluenceSettings
from pages.ui.influence.settings import settings as chosen
from pages.ui.jobs import analysis
from pages.ui.jobs.price import price
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Waiting
from pages.ui.session import session
from pages.ui.workbench.shown import ShownRows, rows_of

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "influence_"
ROW = 290  # pixels of a chart
HEIGHT = ROW + 34  # with the line below it
FREE = {True: 40_000, False: 3_000}  # texts scored unasked: on the embedded model, on any other

HELP_INFLUENCE = (
    "Leave one out: v(all) − v(all but i), so 0 for one of two that say the same. Shapley: φᵢ, i's share of "
    "v(all) − v(none); the shares of all add up to it (efficiency). To the right of 0 a demonstration pushes towards "
    "the label, to the left away from it. Violet is the model, grey exact Bayes on the same demonstrations."
)
HELP_FLIPS = (
    "v with this label in place of the demonstration's own, minus v as shown. • is its own label; ✗: the model then "
    "answers something else than with the prompt as shown."
)
HELP_MOVES = (
    "v with this demonstration taken out and put back in another position, the others in their order, minus v as "
    "shown; a ring is where it stands. Exact Bayes and every kernel regression know no order, so for them all is 0."
)


def cost(texts: int, model: LanguageModel, labels: int) -> str:
    """A sentence on what work costs where it should be asked for, else ""."""
    return price(texts, model, FREE[model.mixture is not None], labels=labels)


def removal(found: Outcome, settings: InfluenceSettings) -> Influence:
    """Leave-one-out and Shapley values.

    Raises:
        Waiting: they are not there yet.
    """
    known, asked = model(), settings.question

    def work(study: Study, stop: Stop) -> Influence:
        about = settings.about(study)
        return influence(about, known, permutations=settings.permutations, seed=settings.seed, stop=stop)

    texts = prompt_count(len(asked.shown), settings.permutations) * len(asked.labels)
    decides = {**settings.value, **settings.sampling}
    return analysis.value(
        P + "removal",
        found.study,
        known,
        decides,
        work,
        "influence",
        reads=READS,
        ask=cost(texts, known, len(asked.labels)),
    )


def _removal_reads() -> Values:
    found = outcome()
    settings = chosen(found)
    return removal(found, settings), settings.unit, found.answer.best, rows_of(found)


def _removal_heading(values: Values | None) -> None:
    if values is None:
        title("Influence", HELP_INFLUENCE)
        return
    measured = values[0]

    def legend() -> None:
        bayes = " :gray[■ exact Bayes]" if measured.bayes is not None else ""
        st.markdown(f":small[:violet[■ model]{bayes}]", width="content")

    heading(f"Influence on {plain(measured.question.label, 20)}", HELP_INFLUENCE, legend)


def removal_view(measured: Influence, unit: str, best: str, rows: ShownRows) -> None:
    """Leave-one-out and Shapley, the model beside exact Bayes."""
    readers = [measured.model, *([measured.bayes] if measured.bayes is not None else [])]
    model_bars, *bayes_bars = (np.stack([r.leave_one_out, _shares(r)]) for r in readers)
    errors = None
    if measured.model.shapley is not None and measured.model.shapley.errors is not None:
        errors = np.stack([np.zeros(len(rows.numbers)), measured.model.shapley.errors])
    labels = measured.question.labels
    figure = influence_figure(
        ["Leave one out", "Shapley"],
        model_bars,
        bayes_bars[0] if bayes_bars else None,
        errors,
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        [_other(labels[i], best) for i in measured.without],
        unit,
        rows.marked,
        height=ROW,
    )
    top = rows.numbers[int(np.argmax(np.abs(_shares(measured.model))))]
    alt = f"Influence of each demonstration on {measured.question.label}; number {top} has the largest Shapley value"
    chart(figure, P + "bars", alt, on_click=lambda data: session.mark(data[0], rows.source))
    st.caption(efficiency(measured.model, unit), help=HELP_INFLUENCE)


def efficiency(removal: Removal, unit: str) -> str:
    """Σ φ beside v(all) − v(none), with what is left between them."""
    shares = removal.shapley
    if shares is None:
        return ""
    whole = removal.everything - removal.nothing
    ended = f" {unit}" if unit else ""
    left = f"{abs(shares.residual):.0e}" if shares.residual else "0"
    line = (
        f"Σφ = {signed(shares.values.sum())}; v(all) − v(none) = {fixed(removal.everything)} − "
        f"({fixed(removal.nothing)}) = {signed(whole)}{ended}; residual {left}"
    )
    return line.replace("-", "−")


def flipped(found: Outcome, settings: InfluenceSettings) -> Flips:
    """Every demonstration with every label.

    Raises:
        Waiting: it is not there yet.
    """
    known, asked = model(), settings.question

    def work(study: Study, stop: Stop) -> Flips:
        return flips(settings.about(study), known, stop=stop)

    ask = cost(len(asked.shown) * len(asked.labels) ** 2, known, len(asked.labels))
    return analysis.value(P + "flips", found.study, known, settings.value, work, "flips", reads=READS, ask=ask)


def _flips_reads() -> Values:
    found = outcome()
    settings = chosen(found)
    return flipped(found, settings), settings.question.labels, found.answer.best, rows_of(found)


def flips_view(by_label: Flips, labels: Sequence[str], best: str, rows: ShownRows) -> None:
    """Every demonstration with every label."""
    figure = flip_figure(
        by_label.effects,
        by_label.own,
        [[_other(labels[j], best) for j in row] for row in by_label.answers],
        by_label.bayes,
        labels,
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        rows.marked,
        height=ROW,
    )
    changed = int((by_label.answers != by_label.answer).sum())
    total = len(rows.texts) * len(labels) - int((by_label.own >= 0).sum())
    chart(
        figure,
        P + "flips_cells",
        f"Change of v when a demonstration carries another label; {changed} of {total} flips change the answer",
        on_click=lambda data: session.mark(data[0], rows.source),
    )
    st.caption(f"{changed} of {total} flips change the model's answer.", help=HELP_FLIPS)


def moved(found: Outcome, settings: InfluenceSettings) -> Moves:
    """Every demonstration in every position.

    Raises:
        Waiting: it is not there yet.
    """
    known, asked = model(), settings.question

    def work(study: Study, stop: Stop) -> Moves:
        return moves(settings.about(study), known, stop=stop)

    ask = cost(len(asked.shown) ** 2 * len(asked.labels), known, len(asked.labels))
    return analysis.value(P + "moves", found.study, known, settings.value, work, "moves", reads=READS, ask=ask)


def _moves_reads() -> Values:
    found = outcome()
    settings = chosen(found)
    return moved(found, settings), settings.unit, found.bayes is not None, rows_of(found)


def moves_view(by_place: Moves, unit: str, bayes: bool, rows: ShownRows) -> None:
    """Every demonstration in every position."""
    n = len(rows.texts)
    figure = move_figure(
        by_place.effects,
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        rows.marked,
        height=ROW,
    )
    widest = float(np.ptp(by_place.effects))
    chart(
        figure,
        P + "moves_lines",
        f"Change of v when a demonstration moves; the moves span {widest:.3f}",
        on_click=lambda data: session.mark(data[0], rows.source),
    )
    changed = int((by_place.answers != by_place.answer).sum())
    words = f"Moves span {widest:.3f}{f' {unit}' if unit else ''}; {changed} of {n * n - n} change the answer."
    st.caption(words + (" Exact Bayes: 0 everywhere." if bayes else ""), help=HELP_MOVES)


def _numbers_reads() -> Values:
    """The influence, and for the files the flips and moves where they are known."""
    found = outcome()
    settings = chosen(found)
    measured, by_label, by_place = removal(found, settings), None, None
    with suppress(Waiting):
        by_label = flipped(found, settings)
    with suppress(Waiting):
        by_place = moved(found, settings)
    return measured, by_label, by_place, tuple(session.numbers(found)), found.labels_found


def _files(
    measured: Influence, by_label: Flips | None, by_place: Moves | None, numbers: tuple[int, ...], found: int
) -> None:
    def counted(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return with_counts(records, len(measured.question.labels), found)

    st.space("stretch")
    save_csv("Influence CSV", P + "influence", lambda: counted(influence_records(measured, numbers)))
    if by_label is not None:
        save_csv("Flips CSV", P + "flips", lambda: counted(flip_records(by_label, numbers)))
    if by_place is not None:
        save_csv("Moves CSV", P + "moves", lambda: counted(move_records(by_place, numbers)))


def numbers_view(measured: Influence, _: Flips | None, __: Moves | None, numbers: tuple[int, ...], ___: int) -> None:
    """The table."""
    rows = influence_records(measured, numbers)
    names = {
        "demonstration": "#",
        "input": "Input",
        "label": "Label",
        "leave_one_out_model": "Leave one out",
        "alone_model": "Alone",
        "shapley_model": "Shapley",
        "shapley_error_model": "±",
        "leave_one_out_bayes": "Bayes: leave one out",
        "alone_bayes": "Bayes: alone",
        "shapley_bayes": "Bayes: Shapley",
        "answer_without": "Answer without it",
    }
    shown = [key for key in names if key in rows[0]]
    st.dataframe(
        {names[key]: [row[key] for row in rows] for key in shown},
        column_config={
            names[key]: st.column_config.NumberColumn(format="%.3f", width=110)
            for key in shown
            if isinstance(rows[0][key], float)
        }
        | {"#": st.column_config.NumberColumn(width=40)},
        hide_index=True,
        row_height=28,
        key=P + "table",
        alt="Influence of each demonstration in numbers",
    )


def _shares(removal: Removal) -> np.ndarray[Any, Any]:
    return removal.shapley.values if removal.shapley is not None else np.full_like(removal.leave_one_out, np.nan)


def _other(answer: str, usual: str) -> str | None:
    """The answer where it is another one."""
    return None if answer == usual else answer


REMOVAL = Card(P + "card_removal", "", "", _removal_reads, removal_view, controls=_removal_heading, height=HEIGHT)
FLIPS = Card(P + "card_flips", "Flip its label", HELP_FLIPS, _flips_reads, flips_view, height=HEIGHT)
MOVES = Card(P + "card_moves", "Move it", HELP_MOVES, _moves_reads, moves_view, height=HEIGHT)
NUMBERS = Card(
    P + "card_numbers",
    "Numbers",
    "Alone: v(i alone) − v(none). ± is the standard error of sampled Shapley values.",
    _numbers_reads,
    numbers_view,
    beside=_files,
    height=200,
    stretched=False,
)
