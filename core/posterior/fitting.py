"""Whether a prompt is one that a mixture writes, and a model's answers a mixture of its tasks, in a few words."""

from __future__ import annotations

from typing import Literal

from core.posterior.implicit import ILL_CONDITIONED, UNLIKELY_RESIDUAL
from core.study.outcome import MixtureFit, Posterior

Verdict = Literal["fits", "ambiguous", "does not fit"]


def verdict(posterior: Posterior, n: int) -> Verdict | None:
    """What residual and condition number come to after n demonstrations; None for a posterior that has neither.

    "does not fit" where the residual KL(q ‖ Pw) is above `UNLIKELY_RESIDUAL`; else "ambiguous" where the condition
    number of P over the tasks that hold a hundredth of the weight is above `ILL_CONDITIONED`; else "fits".
    """
    if posterior.residual is None or posterior.condition is None:
        return None
    if posterior.residual[n] > UNLIKELY_RESIDUAL:
        return "does not fit"
    return "ambiguous" if posterior.condition[n] > ILL_CONDITIONED else "fits"


def sign(posterior: Posterior, n: int, fit: MixtureFit | None) -> str:
    """How far to trust a posterior after n demonstrations, in a few words; "" where nothing is known.

    What fits is named, since the two stand side by side and may differ: an exact posterior is judged by the prompt, all
    of it, since `fit` is, and so at its last row alone; an implicit one by the model's answers, which can be those of
    some task to a prompt that none of them writes.
    """
    if posterior.kind == "exact":
        judged = fit is not None and n == fit.k
        return "" if not judged or fit is None else "prompt fits" if fit.fits else "prompt does not fit"
    found = verdict(posterior, n)
    return {None: "", "fits": "answers fit", "does not fit": "answers do not fit"}.get(found, found or "")
