"""A small study of two labels, its questions, and the plain way to score it: one text at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core import Study, load_model
from core.evaluation.questions import EvaluationQuestion
from core.models import LanguageModel
from core.study.demonstrations import Demonstration
from core.study.prompts import Template
from tests.tiny import rows

DEMONSTRATIONS = rows([("great film", "foo"), ("dull plot", "bar"), ("lovely cast", "foo"), ("boring", "bar")])
ASKED = (("a fine film", "foo"), ("weak cast", "bar"), ("charming", "foo"), ("awful plot", "bar"), ("bad film", "bar"))
STUDY = Study(demonstrations=DEMONSTRATIONS, pool=rows(ASKED), query="a great cast", labels=("foo", "bar"))
QUESTIONS = tuple(EvaluationQuestion(x, y, "pool") for x, y in ASKED)


@pytest.fixture(scope="session")
def embedded() -> LanguageModel:
    return load_model("embedded")


def by_hand(template: Template, x: str, shown: tuple[Demonstration, ...], instruction: str = "") -> tuple[str, str]:
    """The forward prompt by plain joining, its trailing spaces apart."""
    body = "".join(
        template.input_prefix + row.input + template.label_prefix + row.label + template.end for row in shown
    )
    text = (instruction + "\n\n" if instruction else "") + body + template.input_prefix + x + template.label_prefix
    kept = text.rstrip(" \t")
    return kept, text[len(kept) :]


def one_by_one(
    model: LanguageModel,
    template: Template,
    x: str,
    labels: tuple[str, ...],
    shown: tuple[Demonstration, ...] = DEMONSTRATIONS,
    instruction: str = "",
) -> NDArray[np.float64]:
    """log p(label | prompt), a call a label, (L,)."""
    text, gap = by_hand(template, x, shown, instruction)
    return np.array([float(np.sum(model.score([(text, gap + label)])[0].logprobs)) for label in labels])
