"""P(T | first n demonstrations) in three ways: exact Bayes, decoded from the model, and by written hypotheses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.bayes.exact import ExactBayes
from core.posterior.decoding import DECODERS, condition, decode_em, decode_least_squares, mixed, residual
from core.posterior.implicit import implicit_posterior
from core.posterior.instruction import instruction_posterior
from core.study.outcome import Posterior
from core.study.question import Question

if TYPE_CHECKING:
    from core.models import LanguageModel

__all__ = [
    "DECODERS",
    "compute_posteriors",
    "condition",
    "decode_em",
    "decode_least_squares",
    "implicit_posterior",
    "instruction_posterior",
    "mixed",
    "residual",
]


def compute_posteriors(
    question: Question,
    model: LanguageModel,
    bayes: ExactBayes | None,
    *,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Posterior]:
    """The posteriors that the question's study asks for and that this model allows, by kind.

    "exact" and "implicit" need a model whose mixture is known and "instruction" needs hypotheses in the study; one that
    cannot be had is left out.

    Args:
        question: what the model is asked; its labels are the columns of each `Posterior.predictive`.
        bayes: exact Bayes of the question, None where no mixture is known.
        stop: asked now and then; True raises `Cancelled`.

    Raises:
        PromptTooLong: a hypothesis with its demonstrations does not fit the model's context.
        Cancelled: `stop` said so.
    """
    study = question.study
    found: dict[str, Posterior] = {}
    if bayes is not None:
        if "exact" in study.posteriors:
            found["exact"] = bayes.posterior
        if "implicit" in study.posteriors:
            found["implicit"] = implicit_posterior(bayes, model, stop=stop)
    if "instruction" in study.posteriors and study.hypotheses:
        found["instruction"] = instruction_posterior(question, model, stop=stop)
    return found
