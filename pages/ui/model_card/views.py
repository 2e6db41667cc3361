"""The cards of the Model card: what is on record of the embedded model, a card for each thing that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.figures import (
    by_family_figure,
    by_k_figure,
    calibration_figure,
    learning_figure,
    mixture_figure,
    open_figure,
)
from core.runtime.numbers import fixed
from pages.ui.components.card import Card
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import engine
from pages.ui.model_card.card import card

P = "model_card_"
Rows = list[dict[str, Any]]
ABOUT = (
    "A small causal transformer, pretrained on a mixture of tasks that we wrote: so the exact posterior over tasks and "
    "the exact answer are known, and its own can be held against them."
)
HELP_MIXTURE = "Areas are P(family). A document draws a domain, a task of it, and then its examples."
HELP_FAMILIES = "Σ_y p(y) log p(y)/q(y) in nats per label, p exact Bayes, q the model. 0 is equal."
HELP_OPEN = (
    "Total variation ½ Σ |p − q| between the model and exact Bayes on fresh documents after 1 to 6 demonstrations, by "
    "the entropy of the exact posterior over task families, in nats: where it is near 0 one task is left. Bars are "
    "means, lines 95 % intervals over documents. Probes are inputs on which the tasks still alive disagree; the grey "
    "bars are the posterior decoded from exact Bayes’s own answers, so what the reading itself costs.\n\n"
    "Covered: the share of states in which the intervals under the bars of the implicit posterior hold exact Bayes’s "
    "values, all bars at once; width: of the one under the largest bar."
)
HELP_SHARED = (
    "Demonstrations are nouns that French and English share, so they say nothing of which of the two tasks it is; the "
    "query is another noun. Exact Bayes stays where the prior has it."
)
HELP_CALIBRATION = (
    "The probability of the model’s likeliest answer, and the weight of the largest bar of its posterior, beside how "
    "often it is the answer drawn, or the document’s task. Expected calibration error: Σ_b N_b/N |true_b − said_b| "
    "over ten bins."
)
HELP_SUMS = (
    "Share of right answers in the model's own words, the likeliest token at each step. The demonstrations, k of them, "
    "are sums of three or four numbers. Low, high: Wilson's interval at 95 %."
)


def _card(name: str, title: str, value: Any, draw: Callable[[Any], None], help: str = "") -> Card:
    return Card(f"{P}{name}", title, help, lambda: (value,), draw, stretched=False)


def left() -> list[Card]:
    """How it was made, what it can't do, how it learned, and two tables."""
    record = card()
    training, evaluation = (record or {}).get("training", {}), (record or {}).get("evaluation", {})
    cards = [
        _card("facts", "How it was made", record, _facts),
        _card("limits", "What it can’t do", (record or {}).get("limits", []), _limits),
    ]
    if curve := training.get("curve", []):
        cards.append(_card("learning", "Learning curve", (curve, training.get("note")), _learning))
    if templates := evaluation.get("by_template", []):
        cards.append(_card("templates", "By template", templates, _templates))
    if sums := evaluation.get("long_sums", []):
        cards.append(_card("sums", "Long sums, at once and in steps", sums, _sums, HELP_SUMS))
    return cards


def right() -> list[Card]:
    """The mixture, and the model against exact Bayes: over all, by k, by family."""
    record, mixture = card(), engine.mixture()
    beside, evaluation = (record or {}).get("beside"), (record or {}).get("evaluation", {})
    domains = len(set(mixture.domains.values()))
    title = f"**The mixture and its prior**: {len(mixture.families)} task families in {domains} domains"
    cards = [Card(P + "mixture", "", "", lambda: (title, beside), _mixture, stretched=False)]
    if record is not None:
        cards.append(_card("targets", "Against exact Bayes", evaluation, _targets))
    if by_k := evaluation.get("by_k", []):
        cards.append(_card("by_k", "By number of demonstrations k", by_k, _by_k))
    if still_open := evaluation.get("open", {}):
        cards.append(_card("open", "While the task is open", still_open, _open, HELP_OPEN))
        cards.append(
            _card("shared", "After nouns that French shares", still_open["shared_nouns"], _shared, HELP_SHARED)
        )
        cards.append(_card("calibration", "Said beside true", still_open, _calibration, HELP_CALIBRATION))
    if families := evaluation.get("by_family", []):
        cards.append(_card("families", "", families, _families))
    return cards


def _facts(record: dict[str, Any] | None) -> None:
    """Architecture, seed and tokens in a row."""
    if record is None:
        st.info("This checkpoint comes without a card, so its training and its evaluation cannot be shown.")
        return
    shape, training = record.get("architecture", {}), record.get("training", {})
    items = [(name, shape[name]) for name in shape] + [
        (name, training[name]) for name in ("seed", "tokens", "steps", "device", "seconds") if name in training
    ]
    if items:
        st.table({plain(str(name)): _value(value) for name, value in items}, border="horizontal", width="stretch")


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"  # 16,220 seconds, not 1.622e+04
    return plain(str(value), 60)


def _limits(limits: Sequence[object]) -> None:
    for sentence in limits:
        st.markdown(f"- {plain(str(sentence), 400)}")
    if not limits:
        st.caption("No limits are on record.")


def _mixture(title: str, beside: object) -> None:
    mixture = engine.mixture()
    st.markdown(title, help=HELP_MIXTURE)
    figure = mixture_figure(mixture.families, mixture.prior, mixture.domains)
    chart(figure, "card_mixture", "Prior of every task family, grouped by domain", modebar=False)
    if beside:
        st.caption(plain(str(beside), 600))


def _targets(evaluation: dict[str, Any]) -> None:
    """What was aimed at and what was reached, whether met or not."""
    overall = evaluation.get("overall", {})
    if not overall:
        st.caption("The checkpoint has not been evaluated yet.")
        return
    rows = {
        "": [{True: "✓", False: "✗"}.get(entry.get("met"), "not shown") for entry in overall.values()],
        "figure": list(overall),
        "reached": [entry.get("value") for entry in overall.values()],
        "95 %": [f"{fixed(row['low'])} to {fixed(row['high'])}" if "low" in row else "" for row in overall.values()],
        "target": [entry.get("target") for entry in overall.values()],
    }
    st.dataframe(
        rows,
        hide_index=True,
        alt="Every target, what was reached, and whether it was met",
        column_config={
            "": st.column_config.TextColumn(width=70),
            "reached": st.column_config.NumberColumn(format="%.3f", width=70),
            "95 %": st.column_config.TextColumn(width=116),
            "target": st.column_config.NumberColumn(format="%.3f", width=70),
        },
    )
    if documents := evaluation.get("documents"):
        st.caption(f"On {documents:,} fresh documents.")


def _learning(shown: tuple[Rows, object]) -> None:
    curve, note = shown
    chart(learning_figure(curve), "card_learning", "Learning curve")
    if note:
        st.caption(plain(str(note), 1_000))


def _by_k(rows: Rows) -> None:
    chart(by_k_figure(rows), "card_by_k", "By number of demonstrations k")


def _open(found: dict[str, Any]) -> None:
    """By entropy, and the same by n."""
    chart(open_figure(found["by_entropy"], "entropy"), "card_open", "Total variation to exact Bayes by entropy")
    shown = (
        "entropy",
        "share",
        "posterior",
        "covered",
        "width",
        "decoded",
        "probes",
        "random",
        "kl_answer",
        "kl_posterior",
    )
    st.dataframe(
        [{name: row[name] for name in shown if name in row} for row in found["by_entropy"]],
        hide_index=True,
        alt="Distances to exact Bayes by entropy of the exact posterior",
    )
    st.dataframe(
        [{name: row[name] for name in ("n", *shown[2:]) if name in row} for row in found["by_n"]],
        hide_index=True,
        alt="Distances to exact Bayes by number of demonstrations",
    )
    st.caption(f"On {found['documents']:,} fresh documents.")


def _shared(rows: Rows) -> None:
    figures = ("answer", "posterior", "covered", "exact_french", "exact_copy", "implicit_french", "implicit_copy")
    names = ("nouns", *figures)
    st.dataframe(
        [{name: str(row[name]) if name == "nouns" else row[name] for name in names if name in row} for row in rows],
        hide_index=True,
        alt="Distances to exact Bayes after nouns that French and English share",
    )


def _calibration(found: dict[str, Any]) -> None:
    chart(calibration_figure(found["calibration"]), "card_calibration", "Probabilities said beside how often true")
    names = ("entropy", "ece_answer", "ece_bayes_answer", "ece_posterior", "ece_exact_posterior")
    st.dataframe(
        [{name: row[name] for name in names if name in row} for row in found["by_entropy"]],
        hide_index=True,
        alt="Expected calibration errors of the model and of exact Bayes by entropy",
    )


def _families(families: Rows) -> None:
    st.markdown("**Where it is close and where it isn’t**: KL(Bayes‖model) by family, mean over k", help=HELP_FAMILIES)
    names = list(dict.fromkeys(row["family"] for row in families))
    kl = [float(np.mean([row["kl"] for row in families if row["family"] == name])) for name in names]
    chart(by_family_figure(names, kl, 0.08), "card_by_family", "KL to exact Bayes of every task family, worst first")
    st.dataframe(families, hide_index=True, height=240, alt="Every family at every k")


def _templates(rows: Rows) -> None:
    st.dataframe(rows, hide_index=True, alt="Accuracy and KL of every template")


def _sums(rows: Rows) -> None:
    st.dataframe(rows, hide_index=True, height=240, alt="Accuracy on long sums by way of answering")
