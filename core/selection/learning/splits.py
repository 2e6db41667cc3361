"""What strategies share that try whole sets, or learn from part of the pool and measure on the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import PromptTooLong, StudyError
from core.runtime.memo import learned
from core.runtime.progress import Stop
from core.selection import selections
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

T = TypeVar("T")
Floats = NDArray[np.float64]
SETS, HELD, SAMPLED, ROUNDS = 1, 2, 3, 4
"""Streams of `selection_seed`: one draw must not move another."""


def draw_sets(places: Sequence[int], k: int, count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """`count` distinct sets of k of the places, uniformly at random; all of them where there are no more.

    Each set is in ascending order, as the pool would show it.
    """
    if comb(len(places), k) <= count:
        return [tuple(sorted(chosen)) for chosen in combinations(places, k)]
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < count:
        drawn[tuple(sorted(int(i) for i in rng.choice(places, k, replace=False)))] = None
    return list(drawn)


def hold_out(study: Study, free: Sequence[int], most: int) -> tuple[list[int], list[int]]:
    """Split the candidates by input: (places left to choose from, places held out, one for each input held out).

    Held out are at most `most` distinct inputs, and at most half of them, drawn with `selection_seed`. All rows of an
    input stay on one side, so that no text is measured on itself. The draw does not depend on the pool's order.
    """
    first: dict[str, int] = {}
    for i in free:
        first.setdefault(study.pool[i].input, i)
    texts = sorted(first)
    shuffled = np.random.default_rng([study.selection_seed, HELD]).permutation(len(texts))
    held = {texts[i] for i in shuffled[: min(most, len(texts) // 2)]}
    return [i for i in free if study.pool[i].input not in held], sorted(first[text] for text in held)


def sample(study: Study, places: Sequence[int], most: int) -> list[int]:
    """At most `most` of the places, drawn with `selection_seed`, in ascending order."""
    if len(places) <= most:
        return list(places)
    drawn = np.random.default_rng([study.selection_seed, SAMPLED]).choice(len(places), most, replace=False)
    return sorted(places[i] for i in drawn)


def filled(picked: Iterable[int], free: Sequence[int], k: int) -> list[int]:
    """`picked`, and where it has fewer than k, the first of the other candidates."""
    chosen = list(dict.fromkeys(picked))
    return [*chosen, *(i for i in free if i not in set(chosen))][:k]


def spread(study: Study, sets: Sequence[Sequence[int]], values: Floats) -> Floats:
    """(N,) for each row of the pool the best value of a set that it is in, NaN where it is in none."""
    scores = np.full(len(study.pool), np.nan)
    for chosen, value in zip(sets, values, strict=True):
        scores[list(chosen)] = np.fmax(scores[list(chosen)], value)
    return scores


def decided_by(study: Study, model: LanguageModel, places: Sequence[int], *fields: str) -> tuple[object, ...]:
    """What something learned from the rows at `places` depends on: those rows, the model, how a prompt is written."""
    rows = tuple((study.pool[i].input, study.pool[i].label) for i in places)
    written = (study.template.model_dump_json(), study.instruction, study.labels)
    with model.module() as module:
        numbers = str(module.dtype)
    model_key = (model.name, model.fingerprint, numbers)
    return (study.selection, *model_key, rows, written, *((f, getattr(study, f)) for f in fields))


def learn_once(
    study: Study,
    model: LanguageModel,
    places: Sequence[int],
    fields: Sequence[str],
    learn: Callable[[], T],
    stop: Stop | None,
    *more: object,
) -> T:
    """`learn()` from the rows at `places`, or what came of it before, kept on disk.

    Args:
        fields: of the study, that decide what is learned, besides those in `decided_by`.
        more: what else does.

    Raises:
        StudyError: a prompt that `learn` tried is longer than the model's context.
    """
    key = (*decided_by(study, model, places, *fields), *more)
    rows = f"{len(places):,} row{'s' if len(places) != 1 else ''}"
    # On disk a name must not tell where on this machine a model lies.
    name = model.name.replace("\\", "/").rstrip("/").split("/")[-1]
    with prompts_fit(study):
        return learned(key, learn, stop, about=f"{selections.find(study.selection).title}, {rows}, {name}")


@contextmanager
def prompts_fit(study: Study) -> Iterator[None]:
    """Say of a prompt that is too long that it was one of those tried.

    Raises:
        StudyError: in place of `PromptTooLong`.
    """
    try:
        yield
    except PromptTooLong as error:
        raise StudyError(
            f"“{study.selection}” tries prompts of up to {error.tokens:,} tokens and this model reads "
            f"{error.context:,}; lower k, exclude long inputs, or choose another selection."
        ) from None
