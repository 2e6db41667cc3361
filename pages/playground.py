"""Playground: demonstrations in, what the model infers from them out."""

from __future__ import annotations

from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.playground import views
from pages.ui.workbench.shown import prompt_card

CARDS = (beside(views.ANSWER, views.POSTERIOR, widths=(0.34, 0.66)), beside(views.KERNELS, views.ATTENTION))

page.show("Playground", CARDS, left=(prompt_card("playground_", grows=True),), hidden=(views.DIALOG,))
