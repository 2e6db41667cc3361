"""A study as another version of ICLens wrote it: what this one does not know is left out, and said."""

from __future__ import annotations

import json
from typing import Any

from core.errors import InvalidValue
from core.study.study import Study

MOST = 100  # fields that may be left out; what has more is no study


def read(body: str) -> tuple[Study | None, tuple[str, ...]]:
    """The study that a JSON text holds, and the fields that it was left out of; None where there is no study in it.

    A field that this version does not have is left out wherever it stands; one of the study's own whose value this
    version cannot take gets its default.
    """
    try:
        return Study.model_validate_json(body), ()
    except InvalidValue:
        pass
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return None, ()
    left: list[str] = []
    while isinstance(whole, dict) and len(left) < MOST:
        try:
            return Study.model_validate(whole), tuple(left)
        except InvalidValue as error:
            # The last of those that nobody knows: removing it moves none of the others.
            place = error.unknown[-1] if error.unknown else error.place[:1]
        if not place or not _remove(whole, place):
            break
        left.append(".".join(map(str, place)))
    return None, ()


def _remove(whole: Any, place: tuple[int | str, ...]) -> bool:
    """Take out what stands at a place; whether there was anything."""
    *way, last = place
    for step in way:
        try:
            whole = whole[step]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(whole, dict) and whole.pop(last, None) is not None
