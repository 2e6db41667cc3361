"""Example sets: studies in which tasks compete, so that the views have something to say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.study.demonstrations import Demonstration, read_steps
from core.study.prompts import TEMPLATES
from core.study.study import Study

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Example:
    """An entry of the menu of example sets.

    Attributes:
        name: in the menu.
        about: one sentence on what to look at.
        study: what to run.
    """

    name: str
    about: str
    study: Study


def _row(text: str, label: str, steps: str = "") -> Demonstration:
    return Demonstration(input=text, label=label, steps=read_steps(steps))


def _study(fields: dict[str, Any]) -> Study:
    """A study from the file's short forms: lists for demonstrations and hypotheses, a template by name."""
    whole = dict(fields)
    for rows in ("demonstrations", "pool"):
        whole[rows] = [_row(*row) for row in fields.get(rows, [])]
    whole["hypotheses"] = [{"name": name, "instruction": text} for name, text in fields.get("hypotheses", [])]
    whole["template"] = TEMPLATES[fields.get("template", "arrow")]
    return Study.model_validate(whole)


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """Every example set, in menu order; the first is what a new visitor sees."""
    entries = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(Example(entry["name"], entry["about"], _study(entry["study"])) for entry in entries)


def default_study() -> Study:
    """What a new visitor sees."""
    return examples()[0].study
