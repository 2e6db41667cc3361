"""Selection: the pool as a map, who chose what and why, and what each test item was shown."""

from __future__ import annotations

from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.selection import comparison as choices
from pages.ui.selection import items, map, settings, why

CARDS = (
    beside(map.CARD, why.CARD, widths=(0.56, 0.44)),
    beside(choices.TABLE, choices.LEADS, widths=(0.6, 0.4)),
    beside(choices.REQUESTS, choices.SQUARE, widths=(0.6, 0.4)),
    items.CONTROLS,
    beside(items.ACCURACY, items.ITEMS, widths=(0.32, 0.68)),
    items.SHOWN,
)

page.show("Selection", CARDS, left=(settings.CARD,))
