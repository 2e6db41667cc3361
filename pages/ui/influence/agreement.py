"""Which explanation predicts influence: correlations of kernels and heads, on this query or over many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.influence import (
    READINGS,
    Agreement,
    Influence,
    InfluenceQuestion,
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
from core.study.outcome import Outcome
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.influence.settings import GOLD, TARGET, Settings
from pages.ui.influence.views import P, save, title
from pages.ui.jobs import analysis
from pages.ui.session import session

if TYPE_CHECKING:
    from core.models import LanguageModel

ROW = 330
SCOPE, COUNT, MEASURE, COMPARED, USUAL, METHOD, READING, CHOSEN = (
    P + name for name in ("scope", "count", "measure", "compared", "usual", "method", "reading", "chosen")
)
HERE, MANY = "This query", "Many queries"
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


def agreement_view(outcome: Outcome, model: LanguageModel, settings: Settings, found: Influence | None) -> None:
    """Controls, correlations, heads, and the weights behind one of them."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Which explanation predicts it?", f"{HELP}\n\n{HELP_P}")
        scope = _segments("Scope", [HERE, MANY], SCOPE, HERE)
        slot = st.container(width="content")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        measure, compared, method, reading = _choices(settings.question)
    if len(outcome.demonstrations) < 3:
        st.caption("Ranks need at least three demonstrations.")
        return
    if scope == MANY:
        asked = _survey(outcome, model, settings, measure)
        pieces = list(asked.evidence) if asked is not None else None
    else:
        asked = None
        pieces = _here(outcome, model, settings, found)
    if not pieces:
        return
    over = agreement(pieces, measure=measure, compared=compared, method=method, reading=reading, seed=settings.seed)
    with slot:
        save("CSV", "correlations", agreement_records(over))
    picked = _picked(over, compared)
    left, middle, right = st.columns([0.38, 0.28, 0.34], gap="small")
    with left:
        _rows(over, method, picked)
    with middle:
        _heads(over, method, picked)
    with right:
        if asked is None:
            _points(outcome, pieces[0], picked, measure, compared, reading)
        else:
            _spread(over, picked, SYMBOLS[method])
    st.caption(_summary(over, asked, compared, SYMBOLS[method], pieces))


def _segments(label: str, options: list[Any], key: str, first: Any, names: dict[Any, str] | None = None) -> Any:
    if st.session_state.get(key) not in options:
        st.session_state[key] = first
    return st.segmented_control(
        label,
        options,
        key=key,
        format_func=lambda option: names[option] if names else option,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def _choices(asked: InfluenceQuestion) -> tuple[Measure, Compared, Method, Reading]:
    """What is correlated with what; the comparison starts as the labels suggest."""
    repeats = any(row.label == asked.label for row in asked.shown)
    usual: Compared = "signed" if repeats else "plain"
    if st.session_state.get(USUAL) != usual:  # other labels: start from what makes sense for them
        st.session_state[USUAL] = st.session_state[COMPARED] = usual
    measure = _segments("Influence", list(MEASURES), MEASURE, "shapley", dict(MEASURES))
    compared = _segments("Comparison", list(COMPARISONS), COMPARED, "signed" if repeats else "plain", dict(COMPARISONS))
    method = _segments("Correlation", list(METHODS), METHOD, "spearman", dict(METHODS))
    reading = st.selectbox(
        "Attention to a demonstration",
        READINGS,
        format_func=WORDS.__getitem__,
        key=READING,
        width=210,
        help="What is read of a head's attention from the prompt's last token.",
        label_visibility="collapsed",
        persist_state="session",
    )
    return measure, compared, method, reading


def _here(
    outcome: Outcome, model: LanguageModel, settings: Settings, found: Influence | None
) -> list[SurveyedQuery] | None:
    """The evidence of the query on screen."""
    if found is None:
        st.caption("Correlations come when the influence above is known.")
        return None
    one = analysis.result(
        P + "evidence",
        outcome.study,
        model,
        {**settings.value, **settings.sampling},
        lambda stop: evidence(found, model, stop),
        "explanations",
    )
    return None if one is None else [one]


def _survey(outcome: Outcome, model: LanguageModel, settings: Settings, measure: Measure) -> Survey | None:
    """The evidence of many queries; its cost is said before it is paid."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = st.selectbox(
            "Queries",
            [10, 20, 50, 100],
            index=1,
            key=COUNT,
            width=110,
            help="Inputs of the pool, drawn with the seed; without a pool, on the embedded model, of the task that "
            "exact Bayes believes in most.",
            persist_state="session",
        )
    shapley = measure == "shapley"
    gold = st.session_state.get(TARGET) == GOLD
    prompts = prompt_count(len(outcome.demonstrations), settings.permutations, shapley)
    about = "its own right answer" if gold else "the model's answer to it"
    return analysis.result(
        P + "survey",
        outcome.study,
        model,
        {
            "quantity": settings.question.quantity,
            "gold": gold,
            "shapley": shapley,
            "count": count,
            **settings.sampling,
            "draw": settings.seed,
        },
        lambda stop: survey(
            outcome.study,
            model,
            int(count),
            quantity=settings.question.quantity,
            gold=gold,
            shapley=shapley,
            permutations=settings.permutations,
            seed=settings.seed,
            stop=stop,
        ),
        f"{count} queries",
        ask=f"Up to {count} other queries, {prompts:,} prompts each; v is about {about}.",
    )


def _picked(over: Agreement, compared: Compared) -> str | tuple[int, int]:
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
    return f", 95 % from {over.over.low[i]:+.2f} to {over.over.high[i]:+.2f}, {over.over.count[i]} queries"


def _heads(over: Agreement, method: Method, picked: str | tuple[int, int]) -> None:
    """A cell a head."""
    if over.heads is None:
        st.container(height=ROW, border=False).caption("This model gives no attention weights.")
        return
    heads = over.heads
    layers, per_layer = heads.over.mean.shape

    def note(layer: int, head: int) -> str:
        if heads.p is not None:
            return f", p = {heads.p[layer, head]:.3f}"
        low, high = heads.over.low[layer, head], heads.over.high[layer, head]
        return f"<br>95 % from {low:+.2f} to {high:+.2f}, {heads.over.count[layer, head]} queries"

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


def _points(
    outcome: Outcome,
    one: SurveyedQuery,
    picked: str | tuple[int, int],
    measure: Measure,
    compared: Compared,
    reading: Reading,
) -> None:
    """Weight against influence, a point a demonstration."""
    source = outcome.chosen.source
    name = _name(picked)
    own = picked == BAYES
    across = f"|{name}|" if own and compared == "size" else name if own or compared != "signed" else f"{name} × sign"
    up = f"|{MEASURES[measure]}|" if compared == "size" else MEASURES[measure]
    figure = weight_figure(
        weights_of(one, picked, measure, compared, reading),
        effects_of(one, measure, compared),
        [row.input for row in outcome.demonstrations],
        [row.label for row in outcome.demonstrations],
        session.numbers(outcome),
        across,
        up,
        session.marked_in(outcome),
        height=ROW,
    )
    chart(
        figure,
        P + "points",
        f"What {name} gives each demonstration, against its influence",
        on_click=lambda data: session.mark(data[0], source),
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
    over: Agreement, asked: Survey | None, compared: Compared, symbol: str, pieces: list[SurveyedQuery]
) -> str:
    """What the numbers rest on, and what not to make of them."""
    parts = []
    n = len(pieces[0].signs)
    if asked is None:
        parts.append(f"One query and {n} demonstrations: {symbol} moves in large steps, so ask many queries.")
    else:
        parts.append(
            f"{len(asked.evidence)} queries from {plain(asked.source, 60)}; bars are 95 % bootstrap intervals."
        )
        heads = over.heads
        if heads is not None and heads.best is not None and heads.chosen:
            layer, head = heads.best
            parts.append(
                f"Best head: layer {layer}, head {head}, {symbol} = {heads.over.mean[heads.best]:+.2f}, the best of "
                f"{heads.over.mean.size}; chosen on one half and measured on the other: {heads.held_out:+.2f}."
            )
    if compared == "signed" and all(len(set(one.signs.tolist())) == 1 for one in pieces):
        parts.append("No demonstration differs from the others in sign here: read “Plain”.")
    return " ".join(parts)
