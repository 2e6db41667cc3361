"""Outcomes made by hand: every number in them is chosen, none computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core import Answer, Attention, Chosen, Demonstration, Kernel, Outcome, Posterior, Study
from core.study.prompts import render


def rows(*pairs: tuple[str, str]) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


def answer(probabilities: Mapping[str, float]) -> Answer:
    p = np.array(list(probabilities.values()))
    return Answer(tuple(probabilities), np.log(np.maximum(p, 1e-300)), p)


def posterior(kind: Any, tasks: Sequence[str], *weights: Sequence[float], evidence: float | None = None) -> Posterior:
    log_evidence = None if evidence is None else np.linspace(0, evidence, len(weights))
    return Posterior(kind, tuple(tasks), np.array(weights), log_evidence)


def kernel(name: str, weights: Sequence[float], detail: str = "mean", best: str | None = "a") -> Kernel:
    raw = np.array(weights, dtype=float)
    return Kernel(name, detail, raw, raw / raw.sum() if raw.size else raw, np.ones(1), best)


def attention(spans: Sequence[str], pooled: Any) -> Attention:
    cube = np.array(pooled, dtype=float)
    nothing = np.zeros((*cube.shape[:2], sum(name.isdigit() for name in spans)))
    return Attention(tuple(spans), cube, nothing, nothing, (), (), ())


def outcome(shown: Sequence[Demonstration], study: Study | None = None, **fields: Any) -> Outcome:
    """An outcome that shows `shown`, with what else is given."""
    given = study or Study(demonstrations=tuple(shown), query="x")
    whole: dict[str, Any] = {
        "study": given,
        "model": "hand",
        "fingerprint": "0",
        "chosen": Chosen("demonstrations", tuple(range(len(shown)))),
        "demonstrations": tuple(shown),
        "prompt": render(shown, given.query, given.template, given.instruction),
        "answer": answer({"a": 0.5, "b": 0.5}),
        "bayes": None,
        "posteriors": {},
        "kernels": {},
        "attention": None,
    }
    return Outcome(**{**whole, **fields})
