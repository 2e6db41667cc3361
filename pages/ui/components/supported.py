"""What our own drawing draws of a figure: anything else is refused rather than left out without a word.

`drawing/supported.json` says it for every kind of trace, the layout, axes, shapes and annotations. An attribute is
`true` where the drawing reads it; a list where it takes just these values; a sentence where it changes nothing here,
and why. What plotly would fill in otherwise than the drawing does is required.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core.figures import Spec

TABLE = Path(__file__).parent / "drawing" / "supported.json"
AXIS = re.compile(r"[xy]axis\d*")
LISTS = {"shapes": "shape", "annotations": "annotation"}


class Unsupported(ValueError):
    """A figure asks for what our drawing does not draw: plotly draws it (`charts.chart`)."""


@cache
def table() -> dict[str, dict[str, Any]]:
    """`required` and `attributes` of every kind of thing."""
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def check_supported(figure: Spec) -> None:
    """Raise `Unsupported` unless the drawing does all that a figure asks for."""
    troubles = [
        trouble for kind, where, thing in _things(figure) for trouble in _troubles(kind, where, dict(_flat(thing)))
    ]
    if troubles:
        raise Unsupported("; ".join(troubles))


def _things(figure: Spec) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Everything in a figure that is drawn: its kind, where it stands, and its attributes."""
    for place, trace in enumerate(figure["data"]):
        yield _kind(trace), f"data[{place}]", trace
    layout = figure["layout"]
    yield "layout", "layout", {name: value for name, value in layout.items() if not _apart(name)}
    for name, value in layout.items():
        if AXIS.fullmatch(name):
            yield "axis", name, value
        elif name in LISTS:
            for place, thing in enumerate(value):
                yield LISTS[name], f"{name}[{place}]", thing


def _apart(name: str) -> bool:
    return name in LISTS or AXIS.fullmatch(name) is not None


def _kind(trace: Mapping[str, Any]) -> str:
    kind = str(trace.get("type"))
    return "targets" if kind == "scatter" and trace.get("marker", {}).get("opacity") == 0 else kind


def _flat(thing: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Attributes by their paths, `marker.color`; one that is None is as good as absent."""
    for name, value in thing.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield before + name, value


def _troubles(kind: str, where: str, given: Mapping[str, Any]) -> Iterator[str]:
    if kind not in table():
        yield f"{where}: no traces of type {kind} are drawn"
        return
    known = table()[kind]["attributes"]
    for name, value in given.items():
        drawn = known.get(name)
        if drawn is None:
            yield f"{where}.{name} is not drawn"
        elif isinstance(drawn, list) and value not in drawn:
            yield f"{where}.{name} is {value!r}, and what is drawn is {' or '.join(map(repr, drawn))}"
    for name in table()[kind]["required"]:
        if name not in given:
            yield f"{where}.{name} is missing"
