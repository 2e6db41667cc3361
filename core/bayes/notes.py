"""What a reader must know of exact Bayes: where its assumptions do not hold."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.bayes.prior import unknown_tasks
from core.selection import selections
from core.study.cleaning import shorten
from core.study.outcome import Answer, MixtureFit
from core.study.study import Study

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

MOST = 0.5  # probability outside the candidates from which a note says so


def about_bayes(study: Study) -> Iterable[str]:
    """That exact Bayes takes demonstrations for independent draws, where a strategy chose them by what they say."""
    strategy = selections.find(study.selection)
    if not strategy.sampled:
        yield (
            f"“{strategy.title}” chooses demonstrations instead of sampling them, so exact Bayes, "
            "which takes them for independent draws, is misspecified here and no upper bound."
        )


def about_fit(fit: MixtureFit | None) -> Iterable[str]:
    """That what is shown is unlike any document of the mixture: then the posterior compares tasks that do not fit."""
    if fit is None or fit.fits:
        return
    found = []
    if fit.labels:
        found.append(f"gives the label of {_numbered(fit.labels)}")
    if fit.inputs or fit.query:
        inputs = f"the input of {_numbered(fit.inputs)}" if fit.inputs else ""
        found.append(f"writes {' or '.join(part for part in (inputs, 'the query' if fit.query else '') if part)}")
    yield (
        f"Does not fit: no task of this model's mixture {', and none '.join(found)}. {_rarity(fit.chance)} of its "
        "documents is as odd, so the posterior and exact Bayes's answer choose among tasks that do not fit."
    )


def _numbered(places: tuple[int, ...]) -> str:
    """Demonstrations by their numbers as shown, from 1."""
    numbers = [str(i + 1) for i in places]
    if len(numbers) == 1:
        return f"demonstration {numbers[0]}"
    listed = numbers if len(numbers) <= 6 else [*numbers[:5], f"{len(numbers) - 5} more"]
    return f"demonstrations {', '.join(listed[:-1])} and {listed[-1]}"


def _rarity(chance: float) -> str:
    """A chance as one in how many, to two digits, rounded down."""
    if chance < 1e-6:
        return "Fewer than one in a million"
    times = 1 / chance
    step = 10 ** max(0, int(math.log10(times)) - 1)
    return f"One in {int(times // step * step):,}"


def about_outside(answer: Answer, bayes: Answer | None) -> Iterable[str]:
    """That most of the probability lies on other texts than the candidates, where a scorer knows how much does."""
    names = {"the model": answer.outside, "exact Bayes": None if bayes is None else bayes.outside}
    known = {name: mass for name, mass in names.items() if mass is not None}
    if not known or max(known.values()) <= MOST:
        return
    said = " and ".join(f"{_share(mass)} by {name}" for name, mass in known.items())
    yield f"Outside the candidates lies most of the probability ({said}); the bars share out what is left."


def _share(mass: float) -> str:
    return "over .99" if mass > 0.99 else f"{mass:.2f}".removeprefix("0")


def about_prior(study: Study, mixture: Mixture | None) -> Iterable[str]:
    """A prior that is not the mixture's."""
    if mixture is None or not study.prior:
        return
    yield "Exact Bayes starts from a prior of your own, not from the mixture's, so it is no ideal for this model."
    unknown = unknown_tasks(mixture, study.prior)
    if unknown:
        yield f"“{shorten(unknown[0])}” in the prior is no task of this model's mixture and was left out."
