"""Model card: the embedded model, its mixture, how it learned, and how close to exact Bayes it is."""

from __future__ import annotations

from pages.ui.frame import page
from pages.ui.model_card import views

page.show_alone("The embedded model", views.ABOUT, views.left(), views.right(), widths=(0.4, 0.6))
