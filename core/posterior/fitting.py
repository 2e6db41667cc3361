"""Whether a model's answers are a mixture of the tasks that they are decoded by, in one word."""

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
    """How far to trust a posterior after n demonstrations, in one to three words; "" where nothing is known.

    An exact posterior is judged by the whole prompt, since `fit` is, and so at its last row alone.
    """
    if posterior.kind == "exact":
        judged = fit is not None and n == fit.k
        return "" if not judged or fit is None else "fits" if fit.fits else "does not fit"
    return verdict(posterior, n) or ""
