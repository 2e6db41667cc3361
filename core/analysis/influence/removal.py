"""What a demonstration does for the answer: leave it out, show it alone, and its Shapley value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.influence.shapley import EXACT_LIMIT, Floats, Orders, Shapley, antithetic, exact, prefixes, sampled
from core.analysis.influence.value import InfluenceQuestion, Places, Rows, Values, values
from core.errors import StudyError
from core.runtime.progress import Stop

if TYPE_CHECKING:
    from core.models import LanguageModel


@dataclass(frozen=True)
class Removal:
    """Influence of each demonstration on v, by one reader: the model, or exact Bayes.

    Attributes:
        everything, nothing: v(all), v(none).
        leave_one_out: (n,) v(all) − v(all but i).
        alone: (n,) v(i alone) − v(none).
        shapley: φ, whose values sum to v(all) − v(none); None where it was not asked for.
    """

    everything: float
    nothing: float
    leave_one_out: Floats
    alone: Floats
    shapley: Shapley | None


@dataclass(frozen=True)
class Influence:
    """Influence by removal, of the model and of exact Bayes.

    Attributes:
        question: what v is.
        model, bayes: by reader; bayes is None where no mixture is known.
        without: (n,) place of the label that the model answers when demonstration i goes.
        prompts: distinct prompts that were scored.
        permutations: 0 where Shapley values are exact.
    """

    question: InfluenceQuestion
    model: Removal
    bayes: Removal | None
    without: Places
    prompts: int
    permutations: int


def influence(
    question: InfluenceQuestion,
    model: LanguageModel,
    *,
    shapley: bool = True,
    permutations: int = 0,
    seed: int = 0,
    stop: Stop | None = None,
) -> Influence:
    """Leave-one-out, alone and Shapley value of every demonstration shown.

    v(S) is read off the prompt that shows the demonstrations of S in the order in which they stand in the whole
    prompt, with the same candidates. The selection is not made anew when one goes.

    Args:
        shapley: whether Shapley values are wanted; without them 2n + 2 prompts do.
        permutations: 0 for exact values, from all 2^n coalitions, n ≤ 10; else an even number of at least 4.
        seed: of the permutations.

    Raises:
        StudyError: exact values of more than ten demonstrations, or a number of permutations that cannot be.
        Cancelled: `stop` answered True.
    """
    return influences(
        [question],
        model,
        shapley=shapley,
        permutations=permutations,
        seed=seed,
        stop=stop,
    )[0]


def influences(
    questions: Sequence[InfluenceQuestion],
    model: LanguageModel,
    *,
    shapley: bool = True,
    permutations: int = 0,
    seed: int = 0,
    stop: Stop | None = None,
) -> list[Influence]:
    """`influence` of many questions, whose prompts are scored together: those on the same set share its beginnings."""
    plans = [_orders(len(asked.shown), shapley, permutations, seed) for asked in questions]
    wanted = [_coalitions(len(asked.shown), shapley, orders) for asked, orders in zip(questions, plans, strict=True)]
    items = [
        (asked, rows_in(asked.shown, mask)) for asked, masks in zip(questions, wanted, strict=True) for mask in masks
    ]
    found = values(items, model, stop=stop)
    results, start = [], 0
    for asked, orders, masks in zip(questions, plans, wanted, strict=True):
        end = start + len(masks)
        part = Values(
            found.model[start:end], found.answers[start:end], None if found.bayes is None else found.bayes[start:end]
        )
        results.append(_result(asked, masks, part, shapley, orders))
        start = end
    return results


def rows_in(shown: Rows, mask: int) -> Rows:
    """The demonstrations of a coalition, in the order shown."""
    return tuple(row for i, row in enumerate(shown) if mask >> i & 1)


def prompt_count(n: int, permutations: int = 0, shapley: bool = True) -> int:
    """About how many prompts `influence` scores: the most there can be, before equal ones are found."""
    if not shapley:
        return 2 * n + 2
    return 1 << n if not permutations else min(1 << n, permutations * max(0, n - 1) + 2 * n + 2)


def _orders(n: int, shapley: bool, permutations: int, seed: int) -> Orders | None:
    """The permutations to walk, None where the values are exact or not wanted."""
    if not shapley:
        return None
    if permutations:
        return antithetic(n, permutations, seed)
    if n > EXACT_LIMIT:
        raise StudyError(
            f"Exact Shapley values of {n} demonstrations need 2^{n} prompts; above {EXACT_LIMIT}, sample permutations."
        )
    return None


def _coalitions(n: int, shapley: bool, orders: Orders | None) -> list[int]:
    if shapley and orders is None:
        return list(range(1 << n))
    whole = (1 << n) - 1
    masks = [0, whole, *(whole ^ (1 << i) for i in range(n)), *(1 << i for i in range(n))]
    if orders is not None:
        masks += [mask for path in prefixes(orders) for mask in path]
    return list(dict.fromkeys(masks))


def _result(
    asked: InfluenceQuestion, masks: list[int], found: Values, shapley: bool, orders: Orders | None
) -> Influence:
    n = len(asked.shown)
    place = {mask: i for i, mask in enumerate(masks)}
    whole = (1 << n) - 1
    without = np.array([found.answers[place[whole ^ (1 << i)]] for i in range(n)], dtype=np.intp)
    return Influence(
        question=asked,
        model=_removal(n, masks, found.model, shapley, orders),
        bayes=None if found.bayes is None else _removal(n, masks, found.bayes, shapley, orders),
        without=without,
        prompts=len(masks),
        permutations=0 if orders is None else len(orders),
    )


def _removal(n: int, masks: list[int], found: Floats, shapley: bool, orders: Orders | None) -> Removal:
    by_mask = dict(zip(masks, found.tolist(), strict=True))
    whole = (1 << n) - 1
    shares: Shapley | None = None
    if shapley:
        shares = exact(found) if orders is None else sampled(orders, by_mask)
    return Removal(
        everything=by_mask[whole],
        nothing=by_mask[0],
        leave_one_out=np.array([by_mask[whole] - by_mask[whole ^ (1 << i)] for i in range(n)]),
        alone=np.array([by_mask[1 << i] - by_mask[0] for i in range(n)]),
        shapley=shares,
    )
