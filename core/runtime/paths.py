"""The folder that ICLens may write to."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """The folder ICLENS_HOME, or `.iclens` beside dashboard.py. It need not exist."""
    return Path(os.environ.get("ICLENS_HOME") or ROOT / ".iclens")
