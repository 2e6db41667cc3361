"""The model card's data, as training and evaluation wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

CARD = Path(__file__).resolve().parents[3] / "core" / "pretraining" / "checkpoint" / "card.json"


def card() -> dict[str, Any] | None:
    """The card, or None where there is none that can be read."""
    try:
        return _read(CARD.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@st.cache_data(max_entries=2, show_spinner=False)
def _read(changed: int) -> dict[str, Any]:
    found = json.loads(CARD.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("a card is a JSON object")
    return found
