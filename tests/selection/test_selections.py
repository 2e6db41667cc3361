"""Every selection strategy: properties over the registry, and an oracle each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from core import Cancelled, Demonstration, Study, StudyError, load_model
from core.models import LanguageModel
from core.runtime.memo import forget
from core.selection import active, latent_concept, select, selections
from core.selection.learning import bi_encoder, q_learning
from tests.selection.pools import MANY, POOLS, chosen
from tests.tiny import REVIEWS, folder, plain_logprobs, rows, tiny

POOLED = [name for name in selections.names() if "pool" in selections.find(name).reads]
RANKING = ["similarity", "bm25", "entropy", "perplexity"]  # the k best of a score
EQUIVARIANT = [*RANKING, "k-means", "mmr", "dpp"]
POOLED = [name for name in POOLED if name != "self-generated"]  # which shows what the model wrote


@pytest.fixture(autouse=True)
def _short_training(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Properties hold from the first step on, and nothing learned so briefly is kept for other tests."""
    forget()
    for module in (latent_concept, bi_encoder, q_learning):
        monkeypatch.setattr(module, "STEPS", 3)
    monkeypatch.setattr(active, "EPISODES", 4)
    yield
    forget()


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("k", [0, 1, 4, 100])
def test_k_distinct_usable_rows(name: str, pool: tuple[Demonstration, ...], k: int) -> None:
    usable = [i for i, d in enumerate(pool) if not d.excluded and d.input.strip() and d.label.strip()]
    picked = chosen(name, pool, k)
    assert len(set(picked)) == len(picked) == min(k, len(usable))
    assert set(picked) <= set(usable)
    assert picked == chosen(name, pool, k)  # nothing but the seed decides
    assert picked == sorted(picked)  # a set: the order is another stage's


@pytest.mark.parametrize("name", POOLED)
def test_the_query_is_never_its_own_demonstration(name: str) -> None:
    pool = (*REVIEWS, Demonstration(input=" a good film ", label="positive"))
    assert len(pool) - 1 not in chosen(name, pool, 100)
    with pytest.raises(StudyError, match="nothing but the query"):
        chosen(name, pool[-1:], 2)


@pytest.mark.parametrize("name", POOLED)
def test_an_empty_pool_names_the_cure(name: str) -> None:
    with pytest.raises(StudyError, match="add examples to the pool"):
        chosen(name, (), 2)
    assert chosen(name, (), 0) == []


@pytest.mark.parametrize("name", EQUIVARIANT)
def test_the_order_of_the_pool_does_not_matter(name: str) -> None:
    picked = {REVIEWS[i] for i in chosen(name, REVIEWS, 3)}
    for seed in range(3):
        shuffled = [REVIEWS[i] for i in np.random.default_rng(seed).permutation(len(REVIEWS))]
        assert {shuffled[i] for i in chosen(name, tuple(shuffled), 3)} == picked


@pytest.mark.parametrize("name", POOLED)
def test_scores_belong_to_rows_that_could_be_chosen(name: str) -> None:
    pool = (*MANY[:8], Demonstration(input="a good film", label="positive"), Demonstration(input="x", label=""))
    study = Study(selection=name, pool=pool, k=3, query="a good film")
    scores = select(study, tiny()).scores
    if scores is not None:
        assert scores.shape == (len(pool),)
        assert np.isfinite(scores[:8]).any()
        assert np.isnan(scores[8:]).all()


@pytest.mark.parametrize("name", RANKING)
def test_the_best_scores_are_chosen(name: str) -> None:
    study = Study(selection=name, pool=MANY, k=5, query="a good film")
    picked = select(study, tiny())
    assert picked.scores is not None
    order = np.argsort(-np.round(picked.scores, 6), kind="stable")
    assert picked.indices == tuple(sorted(int(i) for i in order[:5]))


@lru_cache
def limited(architecture: str, tokens: int) -> LanguageModel:
    """A model with so much room in a pass."""
    model = load_model(str(folder(architecture)))
    model.limits = replace(model.limits, tokens=tokens, row=tokens, padding=0)
    return model


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_one_text_at_a_time_or_many_is_the_same(name: str, architecture: str) -> None:
    """Same choice, and scores within 1e-4, from models that read one text a pass and as many as they like."""
    study = Study(selection=name, pool=MANY[:10], k=3, query="a good film", organisations=4, validation=3)
    found = []
    for tokens in (1, 4096):
        forget()
        found.append(select(study, limited(architecture, tokens)))
    one, many = found
    assert one.indices == many.indices
    assert one.cost.passes >= many.cost.passes
    if one.scores is not None:
        assert one.scores == pytest.approx(many.scores, abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("name", [strategy.name for strategy in selections if strategy.slow])
def test_slow_ones_ask_whether_to_stop_and_keep_nothing_half_learned(name: str) -> None:
    study = Study(selection=name, pool=MANY[:10], k=3, query="a good film", labels=("positive", "negative"))
    asked = 0

    def count() -> bool:
        nonlocal asked
        asked += 1
        return False

    whole = select(study, tiny(), count)
    assert asked > 2
    for last in (2, asked - 1):
        forget()
        left = iter([False] * last)
        with pytest.raises(Cancelled):
            select(study, tiny(), lambda left=left: next(left, True))  # type: ignore[misc]
    assert select(study, tiny()).indices == whole.indices


@pytest.mark.parametrize("name", EQUIVARIANT)
def test_ties_go_to_the_lowest_index(name: str) -> None:
    assert chosen(name, REVIEWS[:1] * 5, 2) == [0, 1]


@pytest.mark.parametrize("name", ["random", "balanced"])
def test_seeds_and_nesting(name: str) -> None:
    pool = rows([(f"word {i}", "ab"[i % 2]) for i in range(40)])
    draws = {tuple(chosen(name, pool, 4, selection_seed=seed)) for seed in range(8)}
    assert len(draws) == 8
    assert set(chosen(name, pool, 4)) < set(chosen(name, pool, 5))


def test_random_is_uniform() -> None:
    pool = rows([(f"word {i}", "a") for i in range(5)])
    count = Counter(i for seed in range(600) for i in chosen("random", pool, 2, selection_seed=seed))
    # 240 expected each, standard deviation 12
    assert all(abs(count[i] - 240) < 60 for i in range(5))


def test_balanced_labels_differ_by_one_at_most() -> None:
    pool = rows([(f"word {i}", "rare" if i % 10 == 0 else "common" if i % 2 else "usual") for i in range(40)])
    for k in (3, 4, 7):
        counts = Counter(pool[i].label for i in chosen("balanced", pool, k))
        assert len(counts) == 3
        assert max(counts.values()) - min(counts.values()) <= 1
    assert Counter(pool[i].label for i in chosen("balanced", pool, 20))["rare"] == 4  # all that there are


def test_hand_picked_shows_the_table() -> None:
    table = (*REVIEWS[:2], REVIEWS[2].model_copy(update={"excluded": True}), REVIEWS[3])
    study = Study(demonstrations=table, query="x", k=1)
    picked = select(study, tiny())
    assert (picked.source, picked.indices) == ("demonstrations", (0, 1, 3))


def test_entropy_by_plain_loops() -> None:
    study = Study(selection="entropy", pool=REVIEWS, k=2, query="a good film", instruction="Judge.")
    picked = select(study, tiny())
    expected = []
    for row in REVIEWS:
        totals = [
            plain_logprobs("llama", f"Judge.\n\n{row.input} ->", f" {label}").sum()
            for label in ("positive", "negative")
        ]
        p = np.exp(totals) / np.exp(totals).sum()
        expected.append(-(p * np.log(p)).sum())
    assert picked.scores == pytest.approx(expected, abs=1e-5)
    assert set(picked.indices) == set(np.argsort(expected)[-2:])


def test_entropy_names_the_input_that_is_too_long() -> None:
    with pytest.raises(StudyError, match="An input of the pool takes"):
        chosen("entropy", (*REVIEWS, Demonstration(input="film " * 400, label="positive")), 2)
