"""Other libraries that a benchmark measures against. One that does not load ends it: a report without it would look
complete, and what was compared before would be gone from it without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def loaded(peer: str, load: Callable[[], T]) -> T:
    """What `load` gives.

    Raises:
        SystemExit: it raises anything; one sentence that says what to do.
    """
    try:
        return load()
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise SystemExit(
            f"{peer} does not load ({said}), so there is nothing to compare with and no report is written: run "
            "“bin/setup benchmarks”."
        ) from error
