"""Prompts that are too long say how many demonstrations fit, and can be made to."""

from __future__ import annotations

import pytest

from core import Demonstration, PromptTooLong, Study, drop_earliest, run
from core.pipeline.context_window import last_that_fit
from core.study.prompts import render, render_channel
from tests.tiny import REVIEWS, tiny

MANY = tuple(
    Demonstration(input=f"{row.input} {'film ' * (i % 5)}{i}", label=row.label) for i, row in enumerate(REVIEWS * 12)
)


def tokens(shown: tuple[Demonstration, ...], query: str, label: str, scoring: str) -> int:
    if scoring == "channel":
        prompt = render_channel(shown, label)
        return len(tiny().encode(prompt.text + prompt.gap + query).ids)
    prompt = render(shown, query)
    return len(tiny().encode(prompt.text + prompt.gap + label).ids)


def test_last_that_fit() -> None:
    for n in range(8):
        for context in range(30):
            expected = max([m for m in range(n) if 10 + 3 * m <= context], default=0)
            assert last_that_fit(n, lambda m: 10 + 3 * m, context) == expected


@pytest.mark.parametrize("scoring", ["direct", "perplexity", "channel"])
@pytest.mark.parametrize("ordering", ["given", "nearest-last", "random"])
def test_fits_is_the_largest_number_that_does(scoring: str, ordering: str) -> None:
    study = Study(demonstrations=MANY, query="a good film", scoring=scoring, ordering=ordering)
    model = tiny()
    with pytest.raises(PromptTooLong) as caught:
        run(study, model)
    fits = caught.value.fits
    assert 0 < fits < len(MANY)
    assert caught.value.context == model.context_length
    if ordering == "given":
        for m in (fits, fits + 1):
            longest = max(tokens(MANY[-m:], study.query, y, scoring) for y in ("positive", "negative"))
            assert (longest <= model.context_length) == (m == fits)
        smaller = drop_earliest(study, fits)
        assert len(run(smaller, model).demonstrations) == fits
        assert len(smaller.demonstrations) == len(MANY)  # excluded, not lost


def test_a_pool_gives_fewer() -> None:
    study = Study(pool=MANY, selection="random", k=60, query="a good film")
    for _ in range(5):
        try:
            outcome = run(study, tiny())
            break
        except PromptTooLong as error:
            study = drop_earliest(study, error.fits)
    assert 0 < len(outcome.demonstrations) < 60


def test_entropy_orders_too() -> None:
    pool = (Demonstration(input="plot " * 60, label="positive"), Demonstration(input="plot " * 61, label="negative"))
    study = Study(demonstrations=MANY[:30], pool=pool, query="good", ordering="locale", probes=2)
    with pytest.raises(PromptTooLong) as caught:
        run(study, tiny())
    assert run(drop_earliest(study, caught.value.fits), tiny()).demonstrations


@pytest.mark.parametrize("more", [{}, {"selection": "similarity", "pool": REVIEWS}, {"scoring": "channel"}])
def test_a_query_of_ten_thousand_words(more: dict[str, object]) -> None:
    study = Study.model_validate({"demonstrations": REVIEWS, "query": "film " * 10_000, **more})
    with pytest.raises(PromptTooLong, match="shorten the query"):
        run(study, tiny())
