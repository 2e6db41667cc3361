"""Format: how a prompt is written, two templates side by side, a family of them, and instructions."""

from __future__ import annotations

from pages.ui.components import menu
from pages.ui.format import editor, instructions, pair, sensitivity, shared
from pages.ui.frame import page

VIEW = "format_view"
VIEWS = {
    "Editor": editor.CARDS,
    "Two templates": pair.CARDS,
    "Sensitivity": sensitivity.CARDS,
    "Instructions": instructions.CARDS,
}

page.show(
    "Format",
    VIEWS[menu.held(list(VIEWS), VIEW)],
    (shared.SHOTS,),
    above=lambda: menu.switch("View", list(VIEWS), VIEW),
)
