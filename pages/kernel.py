"""Kernel: the answer as a weighted vote of the demonstrations, by attention, hidden states, encoders, exact Bayes."""

from __future__ import annotations

from pages.ui.frame import page
from pages.ui.kernel import convergence, head_atlas, settings, views
from pages.ui.kernel.switch import ATLAS, CONVERGENCE, QUERIES, WEIGHTS, switch, view

CARDS = {
    WEIGHTS: (views.WEIGHTS, views.ORDER),
    QUERIES: (views.QUERIES, views.ORDER),
    ATLAS: (head_atlas.CARD,),
    CONVERGENCE: (convergence.CARD,),
}

page.show("Kernel", CARDS[view()], left=(settings.CARD,), above=switch)
