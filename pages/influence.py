"""Influence: what happens to the answer when a demonstration goes, changes its label or moves."""

from __future__ import annotations

from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.influence import agreement, settings, views

CARDS = (
    beside(views.REMOVAL, views.FLIPS, views.MOVES, widths=(0.35, 0.4, 0.25)),
    agreement.CARD,
    views.NUMBERS,
)

page.show("Influence", CARDS, left=(settings.CARD,))
