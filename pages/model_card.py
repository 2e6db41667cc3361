"""Model card: the embedded model, its mixture, how it learned, and how close to exact Bayes it is."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures import by_family_figure, by_k_figure, learning_figure, mixture_figure
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.frame import shell
from pages.ui.jobs import engine
from pages.ui.model_card.card import card

shell.guard()
st.markdown("### The embedded model")
st.caption(
    "A small causal transformer, pretrained on a mixture of tasks that we wrote: so the exact posterior over tasks and "
    "the exact answer are known, and its own can be held against them."
)
found = card()
mixture = engine.mixture()


def facts() -> None:
    """Architecture, seed and tokens in a row, and each target with what was reached."""
    assert found is not None
    shape, training = found.get("architecture", {}), found.get("training", {})
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
    return f"{value:.4g}" if isinstance(value, float) else plain(str(value), 60)


def targets() -> None:
    """What was aimed at and what was reached, whether met or not."""
    assert found is not None
    overall = found.get("evaluation", {}).get("overall", {})
    if not overall:
        st.caption("The checkpoint has not been evaluated yet.")
        return
    rows = {
        "": ["✓" if entry.get("met") else "✗" for entry in overall.values()],
        "figure": list(overall),
        "reached": [entry.get("value") for entry in overall.values()],
        "target": [entry.get("target") for entry in overall.values()],
    }
    documents = found["evaluation"].get("documents")
    st.dataframe(
        rows,
        hide_index=True,
        alt="Every target, what was reached, and whether it was met",
        column_config={
            "": st.column_config.TextColumn(width=30),
            "reached": st.column_config.NumberColumn(format="%.3f"),
            "target": st.column_config.NumberColumn(format="%.3f"),
        },
    )
    if documents:
        st.caption(f"On {documents:,} fresh documents.")


left, right = st.columns([0.4, 0.6], gap="medium")
with left.container(border=True):
    st.markdown("**How it was made**")
    if found is None:
        st.info("This checkpoint comes without a card, so its training and its evaluation cannot be shown.")
    else:
        facts()
with left.container(border=True):
    st.markdown("**What it can’t do**")
    limits = (found or {}).get("limits", [])
    for sentence in limits:
        st.markdown(f"- {plain(str(sentence), 400)}")
    if not limits:
        st.caption("No limits are on record.")
with right.container(border=True):
    domains = len(set(mixture.domains.values()))
    st.markdown(
        f"**The mixture and its prior**: {len(mixture.families)} task families in {domains} domains",
        help="Areas are P(family). A document draws a domain, a task of it, and then its examples.",
    )
    chart(
        mixture_figure(mixture.families, mixture.prior, mixture.domains),
        "card_mixture",
        "Prior of every task family, grouped by domain",
        modebar=False,
    )
    if beside := (found or {}).get("beside"):
        st.caption(plain(str(beside), 600))
if found is not None:
    evaluation = found.get("evaluation", {})
    with right.container(border=True):
        st.markdown("**Against exact Bayes**")
        targets()
    curve, by_k = found.get("training", {}).get("curve", []), evaluation.get("by_k", [])
    for slot, rows, words, make, key in (
        (left, curve, "Learning curve", learning_figure, "card_learning"),
        (right, by_k, "By number of demonstrations k", by_k_figure, "card_by_k"),
    ):
        if rows:
            with slot.container(border=True):
                st.markdown(f"**{words}**")
                chart(make(rows), key, words)
                if words == "Learning curve" and (note := found.get("training", {}).get("note")):
                    st.caption(plain(str(note), 1_000))
    if families := evaluation.get("by_family", []):
        names = list(dict.fromkeys(row["family"] for row in families))
        kl = [float(np.mean([row["kl"] for row in families if row["family"] == name])) for name in names]
        with right.container(border=True):
            st.markdown(
                "**Where it is close and where it isn’t**: KL(Bayes‖model) by family, mean over k",
                help="Σ_y p(y) log p(y)/q(y) in nats per label, p exact Bayes, q the model. 0 is equal.",
            )
            chart(
                by_family_figure(names, kl, 0.08),
                "card_by_family",
                "KL to exact Bayes of every task family, worst first",
            )
            st.dataframe(families, hide_index=True, height=240, alt="Every family at every k")
    if templates := evaluation.get("by_template", []):
        with left.container(border=True):
            st.markdown("**By template**")
            st.dataframe(templates, hide_index=True, alt="Accuracy and KL of every template")
    if sums := evaluation.get("long_sums", []):
        with left.container(border=True):
            st.markdown(
                "**Long sums, at once and in steps**",
                help="Share of right answers in the model's own words, the likeliest token at each step. The "
                "demonstrations, k of them, are sums of three or four numbers. Low, high: Wilson's interval at 95 %.",
            )
            st.dataframe(sums, hide_index=True, height=240, alt="Accuracy on long sums by way of answering")
