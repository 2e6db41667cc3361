"""What demonstrations do to the answer: bars by removal, cells by label, lines by position, and the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.influence import Flips, Influence, Moves, Removal, flips, influence, moves, prompt_count
from core.analysis.influence.records import flip_records, influence_records, move_records
from core.figures.influence.changes import flip_figure, move_figure
from core.figures.influence.influence import influence_figure
from core.files.csv_records import as_csv
from core.study.outcome import Outcome
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.influence.settings import Settings
from pages.ui.jobs import analysis
from pages.ui.session import session

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "influence_"
ROW = 290  # pixels of a chart
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


def title(words: str, help: str) -> None:
    st.markdown(f"**{words}**", help=help, width="content")


def nothing(words: str, help: str, why: str) -> None:
    """A view with nothing to show."""
    title(words, help)
    st.container(height=ROW, border=False).caption(why)


def cost(texts: int, model: LanguageModel) -> str:
    """A sentence on what work costs where it should be asked for, else ""."""
    return f"{texts:,} texts are to be scored." if texts > FREE[model.mixture is not None] else ""


def removal_view(outcome: Outcome, model: LanguageModel, settings: Settings) -> Influence | None:
    """Leave-one-out and Shapley, the model beside exact Bayes."""
    asked = settings.question
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title(f"Influence on {plain(asked.label, 20)}", HELP_INFLUENCE)
        bayes = " :gray[■ exact Bayes]" if outcome.bayes is not None else ""
        st.markdown(f":small[:violet[■ model]{bayes}]", width="content")
    texts = prompt_count(len(asked.shown), settings.permutations) * len(asked.labels)
    found = analysis.result(
        P + "removal",
        outcome.study,
        model,
        {**settings.value, **settings.sampling},
        lambda stop: influence(asked, model, permutations=settings.permutations, seed=settings.seed, stop=stop),
        "influence",
        ask=cost(texts, model),
    )
    if found is None:
        return None
    numbers, source = session.numbers(outcome), outcome.chosen.source
    readers = [found.model, *([found.bayes] if found.bayes is not None else [])]
    model_bars, *bayes_bars = (np.stack([r.leave_one_out, _shares(r)]) for r in readers)
    errors = None
    if found.model.shapley is not None and found.model.shapley.errors is not None:
        errors = np.stack([np.zeros(len(numbers)), found.model.shapley.errors])
    figure = influence_figure(
        ["Leave one out", "Shapley"],
        model_bars,
        bayes_bars[0] if bayes_bars else None,
        errors,
        [row.input for row in asked.shown],
        [row.label for row in asked.shown],
        numbers,
        [_other(asked.labels[i], outcome.answer.best) for i in found.without],
        settings.unit,
        session.marked_in(outcome),
        height=ROW,
    )
    top = numbers[int(np.argmax(np.abs(_shares(found.model))))]
    alt = f"Influence of each demonstration on {asked.label}; number {top} has the largest Shapley value"
    chart(figure, P + "bars", alt, on_click=lambda data: session.mark(data[0], source))
    st.caption(efficiency(found.model, settings.unit), help=HELP_INFLUENCE)
    return found


def efficiency(removal: Removal, unit: str) -> str:
    """Σ φ beside v(all) − v(none), with what is left between them."""
    shares = removal.shapley
    if shares is None:
        return ""
    whole = removal.everything - removal.nothing
    ended = f" {unit}" if unit else ""
    left = f"{abs(shares.residual):.0e}" if shares.residual else "0"
    line = (
        f"Σφ = {shares.values.sum():+.3f}; v(all) − v(none) = {removal.everything:.3f} − ({removal.nothing:.3f}) "
        f"= {whole:+.3f}{ended}; residual {left}"
    )
    return line.replace("-", "−")


def flips_view(outcome: Outcome, model: LanguageModel, settings: Settings) -> Flips | None:
    """Every demonstration with every label."""
    asked = settings.question
    title("Flip its label", HELP_FLIPS)
    found = analysis.result(
        P + "flips",
        outcome.study,
        model,
        settings.value,
        lambda stop: flips(asked, model, stop=stop),
        "flips",
        ask=cost(len(asked.shown) * len(asked.labels) ** 2, model),
    )
    if found is None:
        return None
    source = outcome.chosen.source
    figure = flip_figure(
        found.effects,
        found.own,
        [[_other(asked.labels[j], outcome.answer.best) for j in row] for row in found.answers],
        found.bayes,
        asked.labels,
        [row.input for row in asked.shown],
        [row.label for row in asked.shown],
        session.numbers(outcome),
        session.marked_in(outcome),
        height=ROW,
    )
    changed = int((found.answers != found.answer).sum())
    total = len(asked.shown) * len(asked.labels) - int((found.own >= 0).sum())
    chart(
        figure,
        P + "flips_cells",
        f"Change of v when a demonstration carries another label; {changed} of {total} flips change the answer",
        on_click=lambda data: session.mark(data[0], source),
    )
    st.caption(f"{changed} of {total} flips change the model's answer.", help=HELP_FLIPS)
    return found


def moves_view(outcome: Outcome, model: LanguageModel, settings: Settings) -> Moves | None:
    """Every demonstration in every position."""
    asked = settings.question
    title("Move it", HELP_MOVES)
    n = len(asked.shown)
    found = analysis.result(
        P + "moves",
        outcome.study,
        model,
        settings.value,
        lambda stop: moves(asked, model, stop=stop),
        "moves",
        ask=cost(n * n * len(asked.labels), model),
    )
    if found is None:
        return None
    source = outcome.chosen.source
    figure = move_figure(
        found.effects,
        [row.input for row in asked.shown],
        [row.label for row in asked.shown],
        session.numbers(outcome),
        session.marked_in(outcome),
        height=ROW,
    )
    widest = float(np.ptp(found.effects))
    chart(
        figure,
        P + "moves_lines",
        f"Change of v when a demonstration moves; the moves span {widest:.3f}",
        on_click=lambda data: session.mark(data[0], source),
    )
    changed = int((found.answers != found.answer).sum())
    unit = f" {settings.unit}" if settings.unit else ""
    truth = " Exact Bayes: 0 everywhere." if outcome.bayes is not None else ""
    st.caption(f"Moves span {widest:.3f}{unit}; {changed} of {n * n - n} change the answer.{truth}", help=HELP_MOVES)
    return found


def numbers_view(outcome: Outcome, found: Influence, flipped: Flips | None, moved: Moves | None) -> None:
    """The table, and everything as files."""
    numbers = session.numbers(outcome)
    rows = influence_records(found, numbers)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Numbers", "Alone: v(i alone) − v(none). ± is the standard error of sampled Shapley values.")
        st.space("stretch")
        save("Influence CSV", "influence", rows)
        if flipped is not None:
            save("Flips CSV", "flips", flip_records(flipped, numbers))
        if moved is not None:
            save("Moves CSV", "moves", move_records(moved, numbers))
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


def save(label: str, name: str, rows: list[dict[str, Any]]) -> None:
    """A download of rows."""
    st.download_button(
        label,
        lambda: as_csv(rows),
        f"iclens-{name}.csv",
        "text/csv",
        key=f"{P}{name}_csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _shares(removal: Removal) -> np.ndarray[Any, Any]:
    return removal.shapley.values if removal.shapley is not None else np.full_like(removal.leave_one_out, np.nan)


def _other(answer: str, usual: str) -> str | None:
    """The answer where it is another one."""
    return None if answer == usual else answer
