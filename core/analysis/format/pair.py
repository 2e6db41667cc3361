"""Two templates side by side on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.evaluate import Evaluation, evaluate
from core.evaluation.questions import EvaluationQuestion
from core.runtime.progress import Stop
from core.statistics.paired import Paired, paired
from core.study.prompts import Template
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """What A and B answered.

    Attributes:
        templates: A and B.
        evaluation: of the two studies, A first.
        paired: their accuracies compared.
        gold: (2, N) probability of the right answer over the candidates.
        distance: (N,) total variation ½ Σ_y |p_A(y) − p_B(y)| between the two answers.
        order: (N,) places of the questions: where they answer differently first, among these where the probabilities
            differ most.
    """

    templates: tuple[Template, Template]
    evaluation: Evaluation
    paired: Paired
    gold: Floats
    distance: Floats
    order: tuple[int, ...]

    @property
    def differ(self) -> NDArray[np.bool_]:
        """(N,) whether the two answers differ."""
        a, b = self.evaluation.best
        return np.array([one != other for one, other in zip(a, b, strict=True)])


def compare_templates(
    study: Study,
    model: LanguageModel,
    a: Template,
    b: Template,
    questions: Sequence[EvaluationQuestion],
    *,
    stop: Stop | None = None,
) -> Pair:
    """The study with one template and with the other, everything else the same.

    A selection or an ordering that asks the model asks it in the template at hand, so it may choose other
    demonstrations for A than for B.

    Raises:
        StudyError, PromptTooLong, Cancelled: as `evaluate`.
    """
    studies = [study.model_copy(update={"template": template}) for template in (a, b)]
    found = evaluate(studies, model, questions, stop=stop)
    both = zip(*found.answers, strict=True)
    distance = np.array([0.5 * float(np.abs(one.probabilities - other.probabilities).sum()) for one, other in both])
    differ = np.array([one != other for one, other in zip(*found.best, strict=True)])
    order = np.lexsort((-np.round(distance, 6), ~differ))
    return Pair(
        (a, b),
        found,
        paired(found.right[0], found.right[1]),
        np.exp(found.gold_logprob),
        distance,
        tuple(int(i) for i in order),
    )


def pair_records(pair: Pair) -> list[dict[str, Any]]:
    """A row a question, in `Pair.order`."""
    rows = []
    best_a, best_b = pair.evaluation.best
    for i in pair.order:
        question = pair.evaluation.questions[i]
        rows.append(
            {
                "question": i + 1,
                "input": question.input,
                "gold": question.gold,
                "a": best_a[i],
                "b": best_b[i],
                "p_gold_a": float(pair.gold[0, i]),
                "p_gold_b": float(pair.gold[1, i]),
                "right_a": bool(pair.evaluation.right[0, i]),
                "right_b": bool(pair.evaluation.right[1, i]),
                "total_variation": float(pair.distance[i]),
            }
        )
    return rows
