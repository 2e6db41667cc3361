"""What a reader must know of exact Bayes: where its assumptions do not hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.bayes.prior import unknown_tasks
from core.selection import selections
from core.study.cleaning import shorten
from core.study.study import Study

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture


def about_bayes(study: Study) -> Iterable[str]:
    """That exact Bayes takes demonstrations for independent draws, where a strategy chose them by what they say."""
    strategy = selections.find(study.selection)
    if not strategy.sampled:
        yield (
            f"“{strategy.title}” chooses demonstrations instead of sampling them, so exact Bayes, "
            "which takes them for independent draws, is misspecified here and no upper bound."
        )


def about_prior(study: Study, mixture: Mixture | None) -> Iterable[str]:
    """A prior that is not the mixture's."""
    if mixture is None or not study.prior:
        return
    yield "Exact Bayes starts from a prior of your own, not from the mixture's, so it is no ideal for this model."
    unknown = unknown_tasks(mixture, study.prior)
    if unknown:
        yield f"“{shorten(unknown[0])}” in the prior is no task of this model's mixture and was left out."
