"""The model that comes with ICLens: where its files are, and what was put into it before it was trained."""

from __future__ import annotations

from pathlib import Path

EMBEDDED = Path(__file__).parent.parent / "pretraining" / "checkpoint"
LOOK_BACK = (1, 2)
"""Tokens that the first layer's first heads look back by, head by head, at the start of training: planted, not
emerged (`core.pretraining.architecture`)."""
