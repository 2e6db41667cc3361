"""Kernel weights: many kernels on the study's query, and one kernel on many queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.kernel import weight_table as tables
from core.analysis.kernel.records import cautions, weight_records
from core.figures.kernel.answers import queries_figure, weights_figure
from core.files.csv_records import as_csv
from core.study.cleaning import tidied
from core.study.outcome import Kernel, Outcome
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.kernel import settings as kernel_settings
from pages.ui.session import session

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "kernel_"
SCALE, KERNEL, QUERIES, DRAWN, SEED = P + "scale", P + "kernel", P + "queries", P + "drawn", P + "seed"
SCALES = ("Normalised", "Raw")
MOST_QUERIES = 48
HELP_WEIGHTS = (
    "The answer read as kernel regression: ŷ = Σᵢ e(yᵢ) K(x,xᵢ) / Σᵢ K(x,xᵢ). On the left the weights, K/ΣK or K "
    "itself (kernels have no common unit, so each row of raw weights has its own colours); on the right ŷ over the "
    "candidates, above the model's answer and exact Bayes's. At the end of a row: ✓ where ŷ's best label is the "
    "model's, and TV, the total variation ½ Σ_y |ŷ(y) − p(y)| between ŷ and the model's distribution."
)
HELP_QUERIES = (
    "The same demonstrations, other queries. A row is a query; ŷ is this kernel's answer, ✓ where the model says the "
    "same. An attention weight is read off that query's own prompt."
)
ORDER = (
    "Kernel regression is a sum over demonstrations: in whatever order they stand, the same weights give the same ŷ, "
    "so it cannot explain an effect of order. Kernels of the texts alone keep their weights too; those of attention "
    "are read off the prompt and may move with the order, and the sum does not say why."
)


def scale_control() -> bool:
    """Whether raw weights are drawn."""
    st.session_state.setdefault(SCALE, SCALES[0])
    kind = st.segmented_control(
        "Weights", SCALES, key=SCALE, required=True, label_visibility="collapsed", persist_state="session"
    )
    return bool(kind == "Raw")


def download(records: list[dict[str, Any]], name: str) -> None:
    st.download_button(
        "CSV",
        as_csv(records),
        f"iclens-{name}.csv",
        "text/csv",
        key=f"{P}{name}_csv",
        icon=":material/download:",
        on_click="ignore",
        help="The numbers behind this view.",
    )


def weights_view(study: Study, model: LanguageModel, outcome: Outcome) -> None:
    """Demonstrations × kernels, and what each kernel would answer."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Demonstrations × kernels**", help=HELP_WEIGHTS, width="content")
        chosen = kernel_settings.rows(study, model)
        raw = scale_control()
        slot = st.container(width="content")
    if not outcome.demonstrations:
        st.caption("Kernels weigh demonstrations, and none is shown.")
        return
    if not chosen:
        st.caption("Choose a kernel to see its weights.")
        return
    shown, query = outcome.demonstrations, tidied(study).query
    table = analysis.result(
        P + "weights",
        study,
        model,
        {"rows": [variant.name for variant in chosen], "encoders": kernel_settings.sentence_encoders()},
        lambda stop: tables.kernel_table(study, model, shown, chosen, [query], stop=stop),
        "kernel weights",
    )
    if table is None:
        return
    kernels = [row[0] for row in table.kernels]
    with slot:
        download(weight_records(table, shown, session.numbers(outcome)), "weights")
    if kernels:
        _draw_weights(outcome, kernels, table.labels[0], raw)
    _say(kernels, outcome, table.missing)


def _draw_weights(outcome: Outcome, kernels: Sequence[Kernel], labels: tuple[str, ...], raw: bool) -> None:
    model, bayes, shown = outcome.answer, outcome.bayes, outcome.demonstrations
    references = [("the model", _over(labels, model.labels, model.probabilities))]
    if bayes is not None:
        references.append(("exact Bayes", _over(labels, bayes.labels, bayes.probabilities)))
    normalised = np.stack([kernel.normalised for kernel in kernels])
    plain_weights = np.stack([kernel.raw for kernel in kernels])
    figure = weights_figure(
        [kernel.name for kernel in kernels],
        plain_weights if raw else normalised,
        normalised if raw else plain_weights,
        np.stack([kernel.predictive for kernel in kernels]),
        references,
        labels,
        [_verdict(kernel, outcome, labels) for kernel in kernels],
        [row.input for row in shown],
        [row.label for row in shown],
        session.numbers(outcome),
        session.marked_in(outcome),
        raw,
        outcome.study.gold,
    )
    source = outcome.chosen.source
    alt = f"Weight of each demonstration in {len(kernels)} kernels; the model answers {model.best}"
    chart(figure, P + "weights", alt, on_click=lambda data: session.mark(data[0], source))


def _over(labels: Sequence[str], own: Sequence[str], probabilities: Any) -> list[float]:
    by_label = dict(zip(own, probabilities, strict=True))
    return [float(by_label.get(label, 0.0)) for label in labels]


def _verdict(kernel: Kernel, outcome: Outcome, labels: Sequence[str]) -> str:
    if kernel.best is None or not kernel.raw.any():
        return "no weight"
    sign = "✓" if kernel.best == outcome.answer.best else "✗"
    away = tables.distance(kernel, outcome.answer, labels)
    return f"{sign} TV {away:.2f}" if np.isfinite(away) else sign


def _say(kernels: Sequence[Kernel], outcome: Outcome, missing: Sequence[tuple[str, str]]) -> None:
    """Counts and cautions below the chart."""
    answering = [kernel for kernel in kernels if kernel.best is not None and kernel.raw.any()]
    alike = sum(kernel.best == outcome.answer.best for kernel in answering)
    details = "\n\n".join(f"**{plain(kernel.name)}**: {plain(kernel.detail, 200)}" for kernel in kernels[:24])
    if answering:
        st.caption(
            f"{alike} of {len(answering)} kernels answer “{plain(outcome.answer.best, 24)}”, as the model does.",
            help=details,
        )
        if outcome.answer.best.strip() not in {row.label.strip() for row in outcome.demonstrations}:
            st.caption(
                "The model's answer is the label of no demonstration shown, so no kernel regression can give it."
            )
    for note in cautions(kernels):
        st.warning(note, icon=":material/info:")
    for name, why in missing:
        st.caption(f"{plain(name)}: {plain(why, 300)}")


def queries_view(study: Study, model: LanguageModel, outcome: Outcome) -> None:
    """Demonstrations × queries, for one kernel."""
    known = kernel_settings.offered(model)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Demonstrations × queries**", help=HELP_QUERIES, width="content")
        name = _kernel_control(list(known))
        raw = scale_control()
        slot = st.container(width="content")
    asked = _queries(study, outcome)
    if not outcome.demonstrations:
        st.caption("Kernels weigh demonstrations, and none is shown.")
        return
    shown, variant = outcome.demonstrations, known[name]
    found = analysis.result(
        P + "over_queries",
        study,
        model,
        {"kernel": name, "queries": list(asked), "encoders": kernel_settings.sentence_encoders()},
        lambda stop: (
            tables.ask(study, model, shown, list(asked), stop=stop),
            tables.kernel_table(study, model, shown, [variant], list(asked), stop=stop),
        ),
        "queries",
    )
    if found is None:
        return
    answers, table = found
    if not table.kernels:
        st.caption(plain(table.missing[0][1], 300))
        return
    kernels = table.kernels[0]
    with slot:
        download(weight_records(table, shown, session.numbers(outcome)), "queries")
    _draw_queries(outcome, asked, kernels, answers, raw)
    alike = sum(kernel.best == answer.best for kernel, answer in zip(kernels, answers.answers, strict=True))
    st.caption(
        f"On {alike} of {len(kernels)} queries this kernel answers as the model does. "
        f"It is: {plain(kernels[0].detail, 200)}."
    )
    cautioned = [query for query, kernel in zip(table.queries, kernels, strict=True) if kernel.note]
    if cautioned:
        st.warning(f"{len(cautioned)} of {len(kernels)} queries: {kernels[table.queries.index(cautioned[0])].note}")


def _kernel_control(names: list[str]) -> str:
    if st.session_state.get(KERNEL) not in names:
        st.session_state[KERNEL] = names[0]
    chosen: str = st.selectbox(
        "Kernel", names, key=KERNEL, label_visibility="collapsed", width=240, persist_state="session"
    )
    return chosen


def _queries(study: Study, outcome: Outcome) -> dict[str, str | None]:
    """The queries asked, each with its right answer where known: the study's own, typed ones, some of the pool."""
    study = tidied(study)
    labels = {row.input: row.label for row in reversed(study.pool)}
    st.session_state.setdefault(DRAWN, 8)
    st.session_state.setdefault(SEED, 0)
    left, middle, right = st.columns([3, 1, 0.8], gap="small", vertical_alignment="bottom")
    with left:
        st.session_state.setdefault(QUERIES, [])
        typed = st.multiselect(
            "Other queries",
            list(dict.fromkeys([*st.session_state[QUERIES], *list(labels)[:500]])),
            key=QUERIES,
            accept_new_options=True,
            persist_state="session",
            placeholder="type inputs, or choose some of the pool",
        )
    with middle:
        count = st.number_input(
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
        seed = st.number_input("Seed", 0, 2**31 - 1, step=1, key=SEED, persist_state="session", disabled=not study.pool)
    found: dict[str, str | None] = {study.query: study.gold}
    for text in typed:
        if text.strip() and len(found) < MOST_QUERIES:
            found.setdefault(text.strip(), labels.get(text.strip()))
    for row in tables.queries_from_pool(study, outcome.demonstrations, int(count), int(seed)):
        found.setdefault(row.input, row.label)
    return found


def _draw_queries(
    outcome: Outcome, asked: dict[str, str | None], kernels: Sequence[Kernel], answers: tables.QueryAnswers, raw: bool
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
    shown = outcome.demonstrations
    normalised, plain_weights = (
        np.stack([getattr(kernel, field) for kernel in kernels]) for field in ("normalised", "raw")
    )
    figure = queries_figure(
        list(asked),
        plain_weights if raw else normalised,
        normalised if raw else plain_weights,
        rows,
        heads,
        [row.input for row in shown],
        [row.label for row in shown],
        session.numbers(outcome),
        session.marked_in(outcome),
        raw,
    )
    source = outcome.chosen.source
    alt = f"Weights of {len(shown)} demonstrations for {len(asked)} queries, and the answers to them"
    chart(figure, P + "over_queries", alt, on_click=lambda data: session.mark(data[0], source))
