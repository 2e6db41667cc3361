"""Which explanation predicts influence: correlations of kernels and heads, on this query or over many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.influence import (
    READINGS,
    Agreement,
    Measure,
    Method,
    Reading,
    Survey,
    SurveyedQuery,
    agreement,
    effects_of,
    evidence,
    prompt_count,
    survey,
    weights_of,
)
from core.analysis.influence.agreement import BAYES, LABEL, PLACE, Compared
from core.analysis.influence.records import agreement_records
from core.figures.influence.agreement import correlation_figure, head_correlation_figure, weight_figure
from core.runtime.numbers import signed
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components.card import Card, Values, empty, heading, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.influence.settings import InfluenceSettings
from pages.ui.influence.settings import settings as chosen
from pages.ui.influence.views import P, removal
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing
from pages.ui.session import session
from pages.ui.workbench.shown import ShownRows, rows_of

# Explanations read the kernels' settings too.
EXPLAINED = ANSWERS | {"heads", "hidden_layer", "similarity", "bandwidth", "span", "pooling"}
ROW = 330
SCOPE, COUNT, MEASURE, COMPARED, USUAL, METHOD, READING, CHOSEN = (
    P + name for name in ("scope", "count", "measure", "compared", "usual", "method", "reading", "chosen")
)
HERE, MANY = "This query", "Many queries"
COUNTS, FIRST_COUNT = (10, 20, 50, 100), 20
MEASURES: dict[Measure, str] = {"leave-one-out": "Leave one out", "shapley": "Shapley"}
COMPARISONS: dict[Compared, str] = {"signed": "Signed", "plain": "Plain", "size": "Size"}
METHODS: dict[Method, str] = {"spearman": "Spearman ρ", "kendall": "Kendall τ"}
SYMBOLS: dict[Method, str] = {"spearman": "ρ", "kendall": "τ"}
WORDS = {
    ("demonstration", "max"): "largest weight in it",
    ("label", "max"): "largest weight on its label",
    ("demonstration", "sum"): "sum of weights in it",
    ("label", "sum"): "sum of weights on its label",
}
HELP = (
    "Rank correlation, over the demonstrations, of what an explanation says with what happened to v. A weight K has "
    "no sign and influence φ has one, so three comparisons. **Signed**: K·s with φ, s = +1 where a demonstration's "
    "label is the label asked about and −1 elsewhere. **Plain**: K with φ, for labels that never repeat, such as "
    "translations, where every s is −1. **Size**: K with |φ|, who matters, whichever way.\n\n"
    "Grey rows are there to compare with: exact Bayes's own influence, the sign s alone (K = 1), and the place in the "
    "prompt. An explanation that does no better than the sign alone explains nothing about weights."
)
HELP_P = (
    "p: the chance of a correlation at least as far from 0 if ranks were paired at random, over all orders up to n = 8 "
    "and by SciPy above; not corrected for looking at many heads."
)


@dataclass(frozen=True)
class AgreementSettings:
    """What is correlated with what.

    Attributes:
        measure, compared, method, reading: as `core.analysis.influence.agreement` takes them.
        seed: of its intervals.
    """

    measure: Measure
    compared: Compared
    method: Method
    reading: Reading
    seed: int

    def of(self, pieces: Sequence[SurveyedQuery]) -> Agreement:
        """The correlations."""
        return agreement(
            pieces,
            measure=self.measure,
            compared=self.compared,
            method=self.method,
            reading=self.reading,
            seed=self.seed,
        )


def _scope() -> str:
    scope: str = st.session_state.get(SCOPE, HERE)
    return scope


def _comparison(settings: InfluenceSettings) -> AgreementSettings:
    """What the controls say; the comparison starts as the labels suggest."""
    usual = _usual(settings)
    compared = st.session_state.get(COMPARED, usual) if st.session_state.get(USUAL) == usual else usual
    return AgreementSettings(
        st.session_state.get(MEASURE, "shapley"),
        compared,
        st.session_state.get(METHOD, "spearman"),
        st.session_state.get(READING, READINGS[0]),
        settings.seed,
    )


def _usual(settings: InfluenceSettings) -> Compared:
    repeats = any(row.label == settings.question.label for row in settings.question.shown)
    return "signed" if repeats else "plain"


def _reads() -> Values:
    found = outcome()
    settings = chosen(found)
    if len(found.demonstrations) < 3:
        raise Nothing("Ranks need at least three demonstrations.")
    comparison = _comparison(settings)
    if _scope() == MANY:
        asked = _survey(found, settings, comparison.measure)
        return asked.evidence, asked.source, comparison, rows_of(found)
    return (_here(found, settings),), None, comparison, rows_of(found)


def _controls(values: Values | None) -> None:
    def menus() -> None:
        _segments("Scope", [HERE, MANY], SCOPE, HERE)
        if values is not None:
            pieces, _, comparison, _ = values
            save_csv("CSV", P + "correlations", lambda: agreement_records(comparison.of(pieces)))

    heading("Which explanation predicts it?", f"{HELP}\n\n{HELP_P}", menus)
    settings = chosen(outcome())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _comparison_controls(settings)
        if _scope() == MANY:
            _count_control()


def agreement_view(
    pieces: tuple[SurveyedQuery, ...], source: str | None, comparison: AgreementSettings, rows: ShownRows
) -> None:
    """Correlations, heads, and the weights behind one of them."""
    over, method = comparison.of(pieces), comparison.method
    picked = _picked(over)
    left, middle, right = st.columns([0.38, 0.28, 0.34], gap="small")
    with left:
        _rows(over, method, picked)
    with middle:
        _heads(over, method, picked)
    with right:
        if source is None:
            _points(pieces[0], picked, comparison, rows)
        else:
            _spread(over, picked, SYMBOLS[method])
    st.caption(_summary(over, source, comparison.compared, SYMBOLS[method], pieces))


def _segments(label: str, options: list[Any], key: str, first: Any, names: dict[Any, str] | None = None) -> None:
    if st.session_state.get(key) not in options:
        st.session_state[key] = first
    st.segmented_control(
        label,
        options,
        key=key,
        format_func=lambda option: names[option] if names else option,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def _comparison_controls(settings: InfluenceSettings) -> None:
    """What is correlated with what."""
    usual = _usual(settings)
    if st.session_state.get(USUAL) != usual:  # other labels: start from what makes sense for them
        st.session_state[USUAL] = st.session_state[COMPARED] = usual
    _segments("Influence", list(MEASURES), MEASURE, "shapley", dict(MEASURES))
    _segments("Comparison", list(COMPARISONS), COMPARED, usual, dict(COMPARISONS))
    _segments("Correlation", list(METHODS), METHOD, "spearman", dict(METHODS))
    st.selectbox(
        "Attention to a demonstration",
        READINGS,
        format_func=WORDS.__getitem__,
        key=READING,
        width=210,
        help="What is read of a head's attention from the prompt's last token.",
        label_visibility="collapsed",
        persist_state="session",
    )


def _count_control() -> None:
    st.selectbox(
        "Queries",
        COUNTS,
        index=COUNTS.index(FIRST_COUNT),
        key=COUNT,
        width=110,
        format_func=lambda count: f"{count} queries",
        label_visibility="collapsed",
        help="Inputs of the pool, drawn with the seed; without a pool, on the embedded model, of the task that "
        "exact Bayes believes in most.",
        persist_state="session",
    )


def _here(found: Outcome, settings: InfluenceSettings) -> SurveyedQuery:
    """The evidence of the query on screen."""
    measured, known = removal(found, settings), model()

    def work(study: Study, stop: Stop) -> SurveyedQuery:
        return evidence(replace(measured, question=settings.about(study)), known, stop)

    decides = {**settings.value, **settings.sampling}
    return analysis.value(P + "evidence", found.study, known, decides, work, "explanations", reads=EXPLAINED)


def _survey(found: Outcome, settings: InfluenceSettings, measure: Measure) -> Survey:
    """The evidence of many queries; its cost is said before it is paid."""
    known, quantity, gold = model(), settings.question.quantity, settings.gold
    count, shapley = int(st.session_state.get(COUNT) or FIRST_COUNT), measure == "shapley"

    def work(study: Study, stop: Stop) -> Survey:
        return survey(
            study,
            known,
            count,
            quantity=quantity,
            gold=gold,
            shapley=shapley,
            permutations=settings.permutations,
            seed=settings.seed,
            stop=stop,
        )

    decides = {"quantity": quantity, "gold": gold, "shapley": shapley, "count": count, "draw": settings.seed}
    prompts = prompt_count(len(found.demonstrations), settings.permutations, shapley)
    about = "its own right answer" if gold else "the model's answer to it"
    return analysis.value(
        P + "survey",
        found.study,
        known,
        decides | settings.sampling,
        work,
        f"{count} queries",
        reads=EXPLAINED,
        ask=f"Up to {count} other queries, {prompts:,} prompts each; v is about {about}.",
    )


def _picked(over: Agreement) -> str | tuple[int, int]:
    """The explanation drawn beside: what was clicked, else the one of largest mean."""
    chosen = st.session_state.get(CHOSEN)
    if isinstance(chosen, tuple) and over.heads is not None:
        layers, heads = over.heads.over.mean.shape
        if chosen[0] < layers and chosen[1] < heads:
            return chosen[0], chosen[1]
    if isinstance(chosen, str) and chosen in over.names:
        return chosen
    kernels = [i for i, name in enumerate(over.names) if name not in (BAYES, LABEL, PLACE)]
    means = over.over.mean[kernels]
    return over.names[kernels[int(np.nanargmax(means))] if np.isfinite(means).any() else 0]


def _pick(value: Any) -> None:
    st.session_state[CHOSEN] = value


def _rows(over: Agreement, method: Method, picked: str | tuple[int, int]) -> None:
    """A dot an explanation."""
    many = over.p is None
    symbol = SYMBOLS[method]
    kernels = sum(name not in (BAYES, LABEL, PLACE) for name in over.names)
    figure = correlation_figure(
        over.names,
        over.details,
        over.over.mean,
        over.over.low if many else None,
        over.over.high if many else None,
        [_note(over, i) for i in range(len(over.names))],
        kernels,
        symbol,
        picked if isinstance(picked, str) else None,
        height=ROW,
    )
    best = over.names[int(np.nanargmax(over.over.mean))] if np.isfinite(over.over.mean).any() else "none"
    chart(
        figure,
        P + "correlations",
        f"Rank correlation of each explanation with influence; highest: {best}",
        on_click=lambda data: _pick(str(data[0])),
    )


def _note(over: Agreement, i: int) -> str:
    if over.p is not None:
        return f", p = {over.p[i]:.3f}"
    return f", 95 % from {signed(over.over.low[i], 2)} to {signed(over.over.high[i], 2)}, {over.over.count[i]} queries"


def _heads(over: Agreement, method: Method, picked: str | tuple[int, int]) -> None:
    """A cell a head."""
    if over.heads is None:
        empty("This model gives no attention weights.", ROW)
        return
    heads = over.heads
    layers, per_layer = heads.over.mean.shape

    def note(layer: int, head: int) -> str:
        if heads.p is not None:
            return f", p = {heads.p[layer, head]:.3f}"
        low, high = heads.over.low[layer, head], heads.over.high[layer, head]
        return f"<br>95 % from {signed(low, 2)} to {signed(high, 2)}, {heads.over.count[layer, head]} queries"

    figure = head_correlation_figure(
        heads.over.mean,
        [[note(layer, head) for head in range(per_layer)] for layer in range(layers)],
        SYMBOLS[method],
        picked if isinstance(picked, tuple) else None,
        height=ROW,
    )
    chart(
        figure,
        P + "heads",
        f"Rank correlation of each head's attention with influence; highest: layer and head {heads.best}",
        on_click=lambda data: _pick((int(data[0]), int(data[1]))),
    )


def _points(one: SurveyedQuery, picked: str | tuple[int, int], by: AgreementSettings, rows: ShownRows) -> None:
    """Weight against influence, a point a demonstration."""
    name, measure, compared = _name(picked), by.measure, by.compared
    of_bayes = picked == BAYES
    signed = f"{name} × sign" if compared == "signed" and not of_bayes else name
    across = f"|{name}|" if of_bayes and compared == "size" else signed
    up = f"|{MEASURES[measure]}|" if compared == "size" else MEASURES[measure]
    figure = weight_figure(
        weights_of(one, picked, measure, compared, by.reading),
        effects_of(one, measure, compared),
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        across,
        up,
        rows.marked,
        height=ROW,
    )
    chart(
        figure,
        P + "points",
        f"What {name} gives each demonstration, against its influence",
        on_click=lambda data: session.mark(data[0], rows.source),
    )


def _spread(over: Agreement, picked: str | tuple[int, int], symbol: str) -> None:
    """The picked explanation's correlation, query by query."""
    if isinstance(picked, tuple):
        assert over.heads is not None
        values = over.heads.by_query[:, picked[0], picked[1]]
    else:
        values = over.by_query[:, over.names.index(picked)]
    st.caption(f"{_name(picked)}, query by query")
    st.dataframe(
        {symbol: [float(v) for v in values], "Query": list(over.queries)},
        column_config={
            symbol: st.column_config.NumberColumn(format="%.2f", width=60),
            "Query": st.column_config.TextColumn(width="large"),
        },
        hide_index=True,
        row_height=28,
        height=ROW - 34,
        key=P + "by_query",
        alt=f"Correlation of {_name(picked)} with influence, query by query",
    )


def _name(picked: str | tuple[int, int]) -> str:
    return picked if isinstance(picked, str) else f"layer {picked[0]}, head {picked[1]}"


def _summary(
    over: Agreement, source: str | None, compared: Compared, symbol: str, pieces: Sequence[SurveyedQuery]
) -> str:
    """What the numbers rest on, and what not to make of them."""
    parts = []
    n = len(pieces[0].signs)
    if source is None:
        parts.append(f"One query and {n} demonstrations: {symbol} moves in large steps, so ask many queries.")
    else:
        parts.append(f"{len(pieces)} queries from {plain(source, 60)}; bars are 95 % bootstrap intervals.")
        heads = over.heads
        if heads is not None and heads.best is not None and heads.chosen:
            layer, head = heads.best
            parts.append(
                f"Best head: layer {layer}, head {head}, {symbol} = {signed(heads.over.mean[heads.best], 2)}, the best "
                f"of {heads.over.mean.size}; chosen on one half and measured on the other: {signed(heads.held_out, 2)}."
            )
    if compared == "signed" and all(len(set(one.signs.tolist())) == 1 for one in pieces):
        parts.append("No demonstration differs from the others in sign here: read “Plain”.")
    return " ".join(parts)


CARD = Card(P + "card_agreement", "", "", _reads, agreement_view, controls=_controls, height=ROW + 50, stretched=False)
