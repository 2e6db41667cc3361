"""Arrays in, plotly figure out. Nothing here computes a result or knows of a page.

Rules that every figure keeps: a demonstration is named by its number, a task by its colour (`core.figures.colours`);
whatever a user typed is escaped, since plotly reads <b> and <br>; colours carry their own transparency, so that one
figure is right on a light and on a dark page; numbers travel as float32.
"""

from core.figures.attention.attention import (
    demonstration_figure,
    head_figure,
    rows_at_most,
    rows_figure,
    token_figure,
)
from core.figures.base import Spec
from core.figures.colours import OTHERS, assign_colours
from core.figures.kernel.weights import kernel_figure
from core.figures.model_card.card import (
    by_family_figure,
    by_k_figure,
    calibration_figure,
    learning_figure,
    mixture_figure,
    open_figure,
)
from core.figures.playground.answer import answer_figure
from core.figures.posterior.posterior import Panel, bars_figure, path_figure

__all__ = [
    "OTHERS",
    "Panel",
    "Spec",
    "answer_figure",
    "assign_colours",
    "bars_figure",
    "by_family_figure",
    "by_k_figure",
    "calibration_figure",
    "demonstration_figure",
    "head_figure",
    "kernel_figure",
    "learning_figure",
    "mixture_figure",
    "open_figure",
    "path_figure",
    "rows_at_most",
    "rows_figure",
    "token_figure",
]
