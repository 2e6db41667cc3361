"""Ordering: what the same demonstrations do in every order."""

from __future__ import annotations

from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.ordering import settings, tables, views

CARDS = (
    tables.PICKS,
    beside(views.ACCURACY, views.ANSWERS),
    beside(views.ENTROPY, views.POSITIONS),
    beside(tables.STRATEGIES, tables.ORDERS),
)

page.show("Ordering", CARDS, left=(settings.CARD,))
