"""Posterior: which task the demonstrations speak for, by exact Bayes, by the model, and by your hypotheses."""

from __future__ import annotations

from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.posterior import layers, probes, views
from pages.ui.posterior.under_prior import without_prior
from pages.ui.workbench.shown import prompt_card

CARDS = (views.STEPS, beside(views.MOVED, probes.PROBES, widths=(0.42, 0.58)))

page.show(
    "Posterior",
    CARDS,
    left=(prompt_card("posterior_"),),
    where_possible=((layers.LAYERS, layers.possible),),
    study=without_prior,
)
