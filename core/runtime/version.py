"""Which code computed something: what is kept is not served by other code."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

CORE = Path(__file__).resolve().parents[1]


@lru_cache(maxsize=1)
def code_version() -> str:
    """The first 12 hex digits of a SHA-256 over the source of `core`, read once a process."""
    digest = hashlib.sha256()
    for path in sorted(CORE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
