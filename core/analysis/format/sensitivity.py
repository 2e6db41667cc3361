"""How much the accuracy depends on the template (Sclar et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.format.family import describe
from core.analysis.format.tokens import unread
from core.errors import StudyError
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import EvaluationQuestion
from core.runtime.progress import Stop
from core.study.prompts import Template, ready_made
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
SHUFFLES = 1000


@dataclass(frozen=True)
class Sensitivity:
    """What S templates make of the same N questions.

    Attributes:
        templates: (S,).
        questions: (N,).
        answers: (S, N) labels.
        right: (S, N) whether they are gold.
        gold_logprob: (S, N) log p(gold) over the candidates, nats.
        accuracy: (S,).
        interval: (S, 2) Wilson's 95 %.
        agreement: (S, S) share of questions that two templates answer alike.
        changed: share of questions that not all templates answer alike.
        unread: (S,) whether a template has signs that the model cannot read.
        chance: mean and 95 % quantile of the spread if the template did not matter, see `spread_by_chance`.
    """

    templates: tuple[Template, ...]
    questions: tuple[EvaluationQuestion, ...]
    answers: tuple[tuple[str, ...], ...]
    right: NDArray[np.bool_]
    gold_logprob: Floats
    accuracy: Floats
    interval: Floats
    agreement: Floats
    changed: float
    unread: tuple[bool, ...]
    chance: tuple[float, float]

    @property
    def spread(self) -> float:
        """max − min of the accuracies (Sclar et al.'s performance spread)."""
        return float(self.accuracy.max() - self.accuracy.min())

    @property
    def order(self) -> tuple[int, ...]:
        """Places of the templates, most accurate first; ties as given."""
        return tuple(int(i) for i in np.argsort(-self.accuracy, kind="stable"))


def sensitivity(
    study: Study,
    model: LanguageModel,
    templates: Sequence[Template],
    questions: Sequence[EvaluationQuestion],
    *,
    seed: int = 0,
    stop: Stop | None = None,
) -> Sensitivity:
    """The study in every template, on the same questions with the same candidates.

    Args:
        templates: S, at least two.
        questions: N.
        seed: of the shuffles behind `chance`.

    Raises:
        StudyError: fewer than two templates, or what `evaluate` raises.
        PromptTooLong, Cancelled: as `evaluate`.

    Source: the spread after Sclar et al. 2024 (arXiv 2310.11324), who search for it; here a sample is scored whole.
    """
    if len(templates) < 2:
        raise StudyError("Sensitivity needs at least two templates.")
    studies = [study.model_copy(update={"template": template}) for template in templates]
    found = evaluate(studies, model, questions, stop=stop)
    said = np.array(found.best, dtype=object)  # (S, N)
    agreement = np.array([[float((one == other).mean()) for other in said] for one in said])
    return Sensitivity(
        templates=tuple(templates),
        questions=found.questions,
        answers=found.best,
        right=found.right,
        gold_logprob=found.gold_logprob,
        accuracy=found.accuracy,
        interval=found.interval,
        agreement=agreement,
        changed=float((said != said[0]).any(axis=0).mean()),
        unread=tuple(bool(unread(template, model)) for template in templates),
        chance=spread_by_chance(found.right, seed),
    )


def spread_by_chance(right: NDArray[np.bool_], seed: int = 0) -> tuple[float, float]:
    """Mean and 95 % quantile of max − min over templates were they all alike.

    Where the template does not matter, which of the S answers to a question are right is a draw without meaning: they
    are shuffled over templates question by question, 1,000 times. The largest of many noisy accuracies lies above the
    smallest even then, so a spread says something only beyond this.

    Args:
        right: (S, N).
    """
    rng = np.random.default_rng([seed, 7])
    spreads = np.empty(SHUFFLES)
    for i in range(SHUFFLES):
        accuracy = rng.permuted(right, axis=0).mean(axis=1)
        spreads[i] = accuracy.max() - accuracy.min()
    return float(spreads.mean()), float(np.quantile(spreads, 0.95))


def sensitivity_records(found: Sensitivity) -> list[dict[str, Any]]:
    """A row a template, most accurate first."""
    return [
        {
            "template": describe(found.templates[i]),
            "ready_made": ready_made(found.templates[i]) or "",
            "unread_signs": found.unread[i],
            "accuracy": float(found.accuracy[i]),
            "low": float(found.interval[i, 0]),
            "high": float(found.interval[i, 1]),
            "mean_log_p_gold": float(found.gold_logprob[i].mean()),
            "questions": len(found.questions),
            **{name: value for name, value in found.templates[i] if name not in ("name", "words", "chat")},
        }
        for i in found.order
    ]
