"""Long sums, answered at once and in steps, by the embedded model: `python -m benchmarks.embedded` runs it.

Every way of answering is given the same questions and the same demonstrations. These are sums of three or four addends;
so are the mixture's own. Reasoned documents were taught up to six, answers at once to five or six never: there only the
steps can carry the model.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core import Demonstration, Study
from core.mixture.catalogue import LARGEST_ADDEND, LONG_SUMS
from core.models import LanguageModel
from core.pretraining.chain_of_thought import ADDENDS, written
from core.reasoning import reason_together, written_by
from core.reasoning.forms import sum_steps
from core.statistics.intervals import wilson
from core.study.prompts import ARROW, TEMPLATES, Template

SHOTS = (4, 8)
MOST = 96  # tokens a stage may write; six addends in self-ask take 67
WAYS = {"direct": "none", "chain of thought": "steps", "self-ask": "self-ask", "least-to-most": "least-to-most"}


@dataclass(frozen=True)
class Item:
    """A question, and the sums shown before it, of which none is the question."""

    shown: tuple[Demonstration, ...]
    query: str
    gold: str


def items(count: int, addends: int, shots: int) -> list[Item]:
    """Fresh questions with so many addends, each with its own demonstrations."""
    rng = random.Random(f"evaluation/sums/{addends}/{shots}")
    out = []
    for _ in range(count):
        query, gold = _draw(rng, addends)
        shown: list[Demonstration] = []
        while len(shown) < shots:
            x, y = _draw(rng, rng.choice(LONG_SUMS))
            if x != query:
                shown.append(Demonstration(input=x, label=y, steps=sum_steps(x)))
        out.append(Item(tuple(shown), query, gold))
    return out


def _draw(rng: random.Random, addends: int) -> tuple[str, str]:
    drawn = [rng.randint(1, LARGEST_ADDEND) for _ in range(addends)]
    return written(drawn), str(sum(drawn))


def answered(model: LanguageModel, asked: Sequence[Item], way: str, template: Template = ARROW) -> list[bool]:
    """Whether the model's own words, the likeliest token at each step, end in the sum."""
    studies = [
        Study(
            demonstrations=item.shown,
            query=item.query,
            gold=item.gold,
            template=template,
            reasoning=WAYS[way],
            open_ended=True,
            longest=MOST,
            posteriors=(),
        )
        for item in asked
    ]
    reasoned = reason_together([(study, study.demonstrations) for study in studies], model)
    said = [written_by(study, model, one) for study, one in zip(studies, reasoned, strict=True)]
    return [one is not None and bool(one.right) for one in said]


def row_of(right: Sequence[bool]) -> dict[str, Any]:
    """Accuracy with its Wilson interval at 95 %."""
    low, high = wilson(sum(right), len(right))
    return {
        "items": len(right),
        "accuracy": round(sum(right) / len(right), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def long_sums(model: LanguageModel, count: int) -> list[dict[str, Any]]:
    """Accuracy by number of addends, number of demonstrations and way of answering, in the arrow template."""
    return [
        {"addends": addends, "k": shots, "way": way, **row_of(answered(model, asked, way))}
        for addends in ADDENDS
        for shots in SHOTS
        for asked in [items(count, addends, shots)]
        for way in WAYS
    ]


def sums_by_template(model: LanguageModel, count: int) -> list[dict[str, Any]]:
    """Accuracy on five addends after four demonstrations, by template and way of answering."""
    asked = items(count, 5, 4)
    return [
        {"template": name, **{way: row_of(answered(model, asked, way, template))["accuracy"] for way in WAYS}}
        for name, template in TEMPLATES.items()
    ]
