"""Reasoning: what the model writes before it answers, stage by stage, and what that is worth over many questions."""

from __future__ import annotations

from pages.ui.frame import page
from pages.ui.reasoning import compare, settings, views

CARDS = {settings.QUESTION: views.CARDS, settings.MANY: compare.CARDS}
LEFT = {settings.QUESTION: (settings.CARD,), settings.MANY: (settings.CARD, compare.QUESTIONS)}

view = settings.view()
page.show("Reasoning", CARDS[view], LEFT[view], above=settings.view_switch)
