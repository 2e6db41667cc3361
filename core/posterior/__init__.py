"""P(T | first n demonstrations) in three ways: exact Bayes, decoded from the model, and by written hypotheses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.bayes.posterior import exact_posterior
from core.posterior.decoding import DECODERS, condition, decode_em, decode_least_squares, mixed, residual
from core.posterior.implicit import implicit_posterior
from core.posterior.instruction import instruction_posterior
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

__all__ = [
    "DECODERS",
    "compute_posteriors",
    "condition",
    "decode_em",
    "decode_least_squares",
    "exact_posterior",
    "implicit_posterior",
    "instruction_posterior",
    "mixed",
    "residual",
]


def compute_posteriors(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    *,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Posterior]:
    """The posteriors that `study.posteriors` asks for and that this model allows, by kind.

    "exact" and "implicit" need a model whose mixture is known (`model.mixture`) and "instruction" needs hypotheses in
    the study; one that cannot be had is left out.

    Args:
        shown: the demonstrations in the prompt, in order.
        labels: (L,) candidate answers, the columns of each `Posterior.predictive`.
        stop: asked now and then; True raises `Cancelled`.

    Raises:
        PromptTooLong: a hypothesis with its demonstrations does not fit the model's context.
        Cancelled: `stop` said so.
    """
    found: dict[str, Posterior] = {}
    if model.mixture is not None:
        if "exact" in study.posteriors:
            found["exact"] = exact_posterior(study, model.mixture, shown, labels)
        if "implicit" in study.posteriors:
            found["implicit"] = implicit_posterior(study, model, model.mixture, shown, labels, stop=stop)
    if "instruction" in study.posteriors and study.hypotheses:
        found["instruction"] = instruction_posterior(study, model, shown, labels, stop=stop)
    return found
