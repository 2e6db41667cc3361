"""Compare: a study put aside as A, the present one as B, and B − A in every view."""

from __future__ import annotations

from pages.ui.compare import views
from pages.ui.components.card import beside
from pages.ui.frame import page

CARDS = (views.CHANGES, beside(views.ANSWER, views.POSTERIOR), beside(views.KERNELS, views.ATTENTION))

page.show("Compare", CARDS, left=(views.PROMPT,))
