"""Kernel weights: many kernels on the study's query, and one kernel on many queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.kernel import weight_table as tables
from core.analysis.kernel.head_grid import HeadGrid, head_grid
from core.analysis.kernel.records import cautions, weight_records
from core.figures.kernel.answers import queries_figure, weights_figure
from core.kernels.exact import DECISIVE
from core.runtime.progress import Stop
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, Kernel, Outcome
from core.study.study import Study
from pages.ui.components.card import Card, Values, heading, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import message, plain
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing, Waiting
from pages.ui.kernel import every_head
from pages.ui.kernel import settings as kernel_settings
from pages.ui.session import session, state
from pages.ui.workbench.shown import ShownRows, rows_of

P = "kernel_"
SCALE, KERNEL, QUERIES_TYPED, DRAWN, SEED = P + "scale", P + "kernel", P + "queries", P + "drawn", P + "seed"
SCALES = ("Normalised", "Raw")
MOST_QUERIES, FIRST_DRAWN = 48, 8
HELP_WEIGHTS = (
    "The answer read as kernel regression: ŷ = Σᵢ e(yᵢ) K(x,xᵢ) / Σᵢ K(x,xᵢ). On the left the weights, K/ΣK or K "
    "itself (kernels have no common unit, so each row of raw weights has its own colours); on the right ŷ over the "
    "candidates, above the model's answer and exact Bayes's. At the end of a row: ✓ where ŷ's best label is the "
    "model's, and TV, the total variation ½ Σ_y |ŷ(y) − p(y)| between ŷ and the model's distribution. " + DECISIVE
)
HELP_QUERIES = (
    "The same demonstrations, other queries. A row is a query; ŷ is this kernel's answer, ✓ where the model says the "
    "same. An attention weight is read off that query's own prompt."
)
ORDER_WORDS = (
    "Kernel regression is a sum over demonstrations: in whatever order they stand, the same weights give the same ŷ, "
    "so it cannot explain an effect of order. Kernels of the texts alone keep their weights too; those of attention "
    "are read off the prompt and may move with the order, and the sum does not say why."
)


def scale_control() -> None:
    """Whether raw weights are drawn."""
    st.session_state.setdefault(SCALE, SCALES[0])
    st.segmented_control(
        "Weights", SCALES, key=SCALE, required=True, label_visibility="collapsed", persist_state="session"
    )


def _raw() -> bool:
    return bool(st.session_state.get(SCALE) == "Raw")


def download(rows: Callable[[], list[dict[str, Any]]], name: str) -> None:
    """The numbers of a view as a file."""
    save_csv("CSV", P + name, rows, help="The numbers behind this view.")


def _shown() -> Outcome:
    """The outcome, where it shows demonstrations.

    Raises:
        Waiting: it does not, or there is none.
    """
    found = outcome()
    if not found.demonstrations:
        raise Nothing("Kernels weigh demonstrations, and none is shown.")
    return found


def _weights_reads() -> Values:
    found, known = _shown(), model()
    shown, chosen = found.demonstrations, kernel_settings.rows(found.study, known)
    if not chosen:
        raise Nothing("Choose a kernel to see its weights.")

    def work(study: Study, stop: Stop) -> tables.KernelTable:
        return tables.kernel_table(study, known, shown, chosen, [tidied(study).query], stop=stop)

    decides = {"rows": [variant.name for variant in chosen], "encoders": kernel_settings.sentence_encoders()}
    table = analysis.value(
        P + "weights", found.study, known, decides, work, "kernel weights", reads=kernel_settings.READS
    )
    many = len(chosen) > every_head.MANY
    grid = head_grid(table, chosen, known.layers, known.heads) if many else None
    return table, shown, found.answer, found.bayes, found.study.gold, rows_of(found), grid


def _weights_controls(values: Values | None) -> None:
    def menus() -> None:
        with suppress(Waiting):
            kernel_settings.rows_control(state.study(), model())
        scale_control()
        if values is not None:
            table, shown, *_, rows, _ = values
            download(lambda: weight_records(table, shown, rows.numbers), "weights")

    heading("Demonstrations × kernels", HELP_WEIGHTS, menus)


def weights_view(
    table: tables.KernelTable,
    shown: Sequence[Demonstration],
    answer: Answer,
    bayes: Answer | None,
    gold: str | None,
    rows: ShownRows,
    grid: HeadGrid | None,
) -> None:
    """Demonstrations × kernels, and what each kernel would answer; of many heads a map first, and those that lead."""
    weights = [row[0] for row in table.kernels]
    drawn = weights if grid is None else every_head.map_view(grid, answer, rows)
    if drawn:
        _draw_weights(drawn, table.labels[0], answer, bayes, gold, rows)
    _say(weights, shown, answer, table.missing)


def _draw_weights(
    weights: Sequence[Kernel],
    labels: tuple[str, ...],
    answer: Answer,
    bayes: Answer | None,
    gold: str | None,
    rows: ShownRows,
) -> None:
    references = [("the model", _over(labels, answer.labels, answer.probabilities))]
    if bayes is not None:
        references.append(("exact Bayes", _over(labels, bayes.labels, bayes.probabilities)))
    raw = _raw()
    normalised = np.stack([kernel.normalised for kernel in weights])
    plain_weights = np.stack([kernel.raw for kernel in weights])
    figure = weights_figure(
        [kernel.name for kernel in weights],
        plain_weights if raw else normalised,
        normalised if raw else plain_weights,
        np.stack([kernel.predictive for kernel in weights]),
        references,
        labels,
        [_verdict(kernel, answer, labels) for kernel in weights],
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        rows.marked,
        raw,
        gold,
    )
    alt = f"Weight of each demonstration in {len(weights)} kernels; the model answers {answer.best}"
    chart(figure, P + "weights", alt, on_click=lambda data: session.mark(data[0], rows.source))


def _over(labels: Sequence[str], own: Sequence[str], probabilities: Any) -> list[float]:
    by_label = dict(zip(own, probabilities, strict=True))
    return [float(by_label.get(label, 0.0)) for label in labels]


def _verdict(kernel: Kernel, answer: Answer, labels: Sequence[str]) -> str:
    if kernel.best is None or not kernel.raw.any():
        return "no weight"
    sign = "✓" if kernel.best == answer.best else "✗"
    away = tables.distance(kernel, answer, labels)
    return f"{sign} TV {away:.2f}" if np.isfinite(away) else sign


def _say(
    kernels: Sequence[Kernel], shown: Sequence[Demonstration], answer: Answer, missing: Sequence[tuple[str, str]]
) -> None:
    """Counts and cautions below the chart."""
    answering = [kernel for kernel in kernels if kernel.best is not None and kernel.raw.any()]
    alike = sum(kernel.best == answer.best for kernel in answering)
    details = "\n\n".join(f"**{plain(kernel.name)}**: {plain(kernel.detail, 200)}" for kernel in kernels[:24])
    if answering:
        st.caption(
            f"{alike} of {len(answering)} kernels answer “{plain(answer.best, 24)}”, as the model does.",
            help=details,
        )
        if answer.best.strip() not in {row.label.strip() for row in shown}:
            st.caption(
                "The model's answer is the label of no demonstration shown, so no kernel regression can give it."
            )
    for note in cautions(kernels):
        st.warning(message(note), icon=":material/info:")
    for name, why in missing:
        st.caption(f"{plain(name)}: {plain(why, 300)}")


def _queries_reads() -> Values:
    found, known = _shown(), model()
    shown, offered = found.demonstrations, kernel_settings.offered(known)
    name = _kernel(list(offered))
    queries = _queries(found)
    asked = list(queries)

    def work(study: Study, stop: Stop) -> tuple[tables.QueryAnswers, tables.KernelTable]:
        return (
            tables.ask(study, known, shown, asked, stop=stop),
            tables.kernel_table(study, known, shown, [offered[name]], asked, stop=stop),
        )

    decides = {"kernel": name, "queries": asked, "encoders": kernel_settings.sentence_encoders()}
    answers, table = analysis.value(
        P + "over_queries", found.study, known, decides, work, "queries", reads=kernel_settings.READS
    )
    if not table.kernels:
        raise Nothing(table.missing[0][1])
    return answers, table, queries, shown, rows_of(found)


def _queries_controls(values: Values | None) -> None:
    def menus() -> None:
        with suppress(Waiting):
            _kernel_control(list(kernel_settings.offered(model())))
        scale_control()
        if values is not None:
            _, table, _, shown, rows = values
            download(lambda: weight_records(table, shown, rows.numbers), "queries")

    heading("Demonstrations × queries", HELP_QUERIES, menus)
    _asked_controls(tidied(state.study()))


def queries_view(
    answers: tables.QueryAnswers,
    table: tables.KernelTable,
    queries: dict[str, str | None],
    shown: Sequence[Demonstration],
    rows: ShownRows,
) -> None:
    """Demonstrations × queries, for one kernel."""
    weights = table.kernels[0]
    _draw_queries(queries, weights, answers, rows)
    alike = sum(kernel.best == answer.best for kernel, answer in zip(weights, answers.answers, strict=True))
    st.caption(
        f"On {alike} of {len(weights)} queries this kernel answers as the model does. "
        f"It is: {plain(weights[0].detail, 200)}."
    )
    cautioned = [query for query, kernel in zip(table.queries, weights, strict=True) if kernel.note]
    if cautioned:
        note = weights[table.queries.index(cautioned[0])].note
        st.warning(message(f"{len(cautioned)} of {len(weights)} queries: {note}"))


def _kernel(names: list[str]) -> str:
    """The kernel chosen."""
    name = st.session_state.get(KERNEL)
    return name if name in names else names[0]


def _kernel_control(names: list[str]) -> None:
    st.session_state[KERNEL] = _kernel(names)
    st.selectbox("Kernel", names, key=KERNEL, label_visibility="collapsed", width=240, persist_state="session")


def _queries(found: Outcome) -> dict[str, str | None]:
    """The queries asked, each with its right answer where known: the study's own, typed ones, some of the pool."""
    study = tidied(found.study)
    labels = {row.input: row.label for row in reversed(study.pool)}
    count, seed = (int(st.session_state.get(key, first)) for key, first in ((DRAWN, FIRST_DRAWN), (SEED, 0)))
    queries: dict[str, str | None] = {study.query: study.gold}
    for text in st.session_state.get(QUERIES_TYPED) or ():
        if text.strip() and len(queries) < MOST_QUERIES:
            queries.setdefault(text.strip(), labels.get(text.strip()))
    for row in tables.queries_from_pool(study, found.demonstrations, count, seed):
        queries.setdefault(row.input, row.label)
    return queries


def _asked_controls(study: Study) -> None:
    """Which queries are asked."""
    for key, first in ((DRAWN, FIRST_DRAWN), (SEED, 0)):
        st.session_state.setdefault(key, first)
    st.session_state.setdefault(QUERIES_TYPED, [])
    inputs = list(dict.fromkeys(row.input for row in study.pool))[:500]
    left, middle, right = st.columns([3, 1, 0.8], gap="small", vertical_alignment="bottom")
    with left:
        st.multiselect(
            "Other queries",
            list(dict.fromkeys([*st.session_state[QUERIES_TYPED], *inputs])),
            key=QUERIES_TYPED,
            accept_new_options=True,
            persist_state="session",
            placeholder="type inputs, or choose some of the pool",
        )
    with middle:
        st.number_input(
            "Drawn from the pool",
            0,
            MOST_QUERIES,
            step=1,
            key=DRAWN,
            persist_state="session",
            disabled=not study.pool,
            help="Inputs of the pool that are not shown, drawn without replacement.",
        )
    with right:
        st.number_input("Seed", 0, 2**31 - 1, step=1, key=SEED, persist_state="session", disabled=not study.pool)


def _draw_queries(
    asked: dict[str, str | None], kernels: Sequence[Kernel], answers: tables.QueryAnswers, shown: ShownRows
) -> None:
    heads = ["ŷ", "the model"]
    known = any(gold is not None for gold in asked.values())
    bayesian = any(bayes is not None for bayes in answers.bayes)
    heads += ["exact Bayes"] * bayesian + ["right answer"] * known
    rows = []
    for kernel, answer, bayes, gold in zip(kernels, answers.answers, answers.bayes, asked.values(), strict=True):
        sign = "" if kernel.best is None else "✓ " if kernel.best == answer.best else "✗ "
        row = [sign + (kernel.best or "–"), answer.best]
        row += [bayes.best if bayes is not None else "–"] * bayesian + [gold or "–"] * known
        rows.append(row)
    raw = _raw()
    normalised, plain_weights = (
        np.stack([getattr(kernel, field) for kernel in kernels]) for field in ("normalised", "raw")
    )
    figure = queries_figure(
        list(asked),
        plain_weights if raw else normalised,
        normalised if raw else plain_weights,
        rows,
        heads,
        [x for x, _ in shown.texts],
        [y for _, y in shown.texts],
        list(shown.numbers),
        shown.marked,
        raw,
    )
    alt = f"Weights of {len(shown.texts)} demonstrations for {len(asked)} queries, and the answers to them"
    chart(figure, P + "over_queries", alt, on_click=lambda data: session.mark(data[0], shown.source))


def _order() -> None:
    st.caption(ORDER_WORDS)


WEIGHTS = Card(P + "card_weights", "", "", _weights_reads, weights_view, controls=_weights_controls, stretched=False)
QUERIES = Card(P + "card_queries", "", "", _queries_reads, queries_view, controls=_queries_controls, stretched=False)
ORDER = Card(P + "card_order", "", "", tuple, _order, framed=False)
