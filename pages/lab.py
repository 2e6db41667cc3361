"""Lab: a question about how to prompt, asked over many questions and demonstration sets, with an interval."""

from __future__ import annotations

from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.lab import items, kept, settings, views

CARDS = (
    settings.CARD,
    views.PROGRESS,
    views.VERDICTS,
    beside(views.MEANS, views.DIFFERENCES),
    beside(views.VARIANCE, views.CONFIDENCE),
    items.CARD,
    kept.CARD,
)

page.show("Lab", CARDS, answers=False)
