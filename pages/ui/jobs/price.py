"""What work costs that a page would do unasked: a sentence where it should rather be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.jobs.run import outcome

if TYPE_CHECKING:
    from core.models import LanguageModel

FREE_SECONDS = 20
"""Worked unasked, where the model's pace is known; the embedded model is so quick that texts are counted instead."""


def price(texts: int, model: LanguageModel, free: int, *, labels: int = 1, tokens: int | None = None) -> str:
    """A sentence on what work costs where it should be asked for, else "".

    Args:
        texts: to be scored.
        free: texts scored unasked where the model's pace is not known, or is the embedded one's.
        labels: texts that differ in their label alone, and so are read as one.
        tokens: that have to be read; if not given, at most the prompt's on screen for every text.
    """
    said = f"About {texts:,} texts are to be scored"
    if model.mixture is not None or model.pace is None:
        return f"{said}." if texts > free else ""
    most = "" if tokens is not None else "at most "
    if tokens is None:
        tokens = -(-texts // max(1, labels)) * len(model.encode(outcome().prompt.text))
    seconds = tokens / model.pace
    if seconds <= FREE_SECONDS:
        return ""
    return f"{said}, {most}{tokens:,} tokens: {most}some {lasting(seconds)} at the pace of this machine."


def lasting(seconds: float) -> str:
    """A length of time in words."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
