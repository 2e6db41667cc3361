"""Attention: between the parts of the prompt, head by head, token by token, and what role each head plays."""

from __future__ import annotations

from pages.ui.attention import controls, every_head, parts, roles, tokens
from pages.ui.components.card import beside
from pages.ui.frame import page
from pages.ui.workbench.shown import prompt_card

CARDS = (controls.CARD, beside(parts.ATLAS, parts.BETWEEN, widths=(0.4, 0.6)), tokens.CARD, roles.CARD, every_head.CARD)

page.show("Attention", CARDS, left=(prompt_card("attention_"),))
