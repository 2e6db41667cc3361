"""Scoring: every scorer and calibration on the query, on many questions, and as labels get out of balance."""

from __future__ import annotations

from pages.ui.components import menu
from pages.ui.frame import page
from pages.ui.scoring import items, label_imbalance, query

VIEW = "scoring_view"
VIEWS = {"This query": query.CARDS, "Items": items.CARDS, "Imbalance": label_imbalance.CARDS}
LEFT = {"Items": (items.QUESTIONS,), "Imbalance": (label_imbalance.SETTINGS,)}

view = menu.held(list(VIEWS), VIEW)
page.show("Scoring", VIEWS[view], LEFT.get(view, ()), above=lambda: menu.switch("View", list(VIEWS), VIEW))
