"""What holds for every selection, whatever the pool: nothing but what it says it reads decides, and nothing leaks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Demonstration, Study
from core.runtime.memo import forget
from core.selection import active, latent_concept, select, selections, self_generated
from core.selection.learning import bi_encoder, q_learning
from core.study.outcome import Chosen
from tests.listening import listening
from tests.selection.pools import MANY
from tests.tiny import REVIEWS, tiny

ALL = selections.names()
POOLED = [name for name in ALL if "pool" in selections.find(name).reads and name != "self-generated"]
WITHOUT_MODEL = ["random", "balanced", "similarity", "bm25", "k-means", "mmr", "dpp", "vote-k"]  # by words
UNSEEDED = [name for name in POOLED if "selection_seed" not in selections.find(name).reads]
SCORED_ALONE = ["similarity", "bm25", "entropy", "perplexity", "k-means"]  # a row's score is no matter of its place
STUDY = Study(pool=MANY[:10], demonstrations=MANY[20:23], k=3, query="a good film", organisations=4, validation=3)
OTHER = {
    "k": 2,
    "encoder": "tfidf",
    "shortlist": 5,
    "mmr_lambda": 0.9,
    "neighbours": 2,
    "organisations": 3,
    "selection_probes": 2,
    "validation": 2,
    "concept_tokens": 3,
    "selection_seed": 11,
    "ordering": "random",
    "ordering_seed": 5,
    "probes": 3,
    "gold": "negative",
    "demonstrations": MANY[24:27],
}


@pytest.fixture(autouse=True)
def _short_training(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    forget()
    for module in (latent_concept, bi_encoder, q_learning):
        monkeypatch.setattr(module, "STEPS", 3)
    monkeypatch.setattr(active, "EPISODES", 4)
    monkeypatch.setattr(self_generated, "TOKENS", 4)
    yield
    forget()


def same(one: Chosen, other: Chosen) -> bool:
    scores = (one.scores is None and other.scores is None) or np.allclose(
        one.scores,
        other.scores,
        atol=1e-6,
        equal_nan=True,  # type: ignore[arg-type]
    )
    return one.indices == other.indices and one.taken == other.taken and scores and one.generated == other.generated


@pytest.mark.parametrize("name", ALL)
def test_nothing_decides_but_what_it_says_it_reads(name: str) -> None:
    study = STUDY.model_copy(update={"selection": name})
    first = select(study, tiny())
    reads = {*selections.find(name).reads, *(["demonstrations"] if name == "self-generated" else [])}
    for field, value in OTHER.items():
        if field not in reads:
            assert same(first, select(study.model_copy(update={field: value}), tiny())), field


@pytest.mark.parametrize("name", POOLED)
def test_the_label_of_the_query_is_never_read(name: str) -> None:
    """The pool may hold the query with its answer: another answer there changes nothing."""
    found = []
    for label in ("positive", "negative"):
        pool = (*MANY[:9], Demonstration(input=" a good film", label=label))
        found.append(select(STUDY.model_copy(update={"selection": name, "pool": pool}), tiny()))
        assert 9 not in found[-1].indices
    assert same(*found)


@pytest.mark.parametrize("name", POOLED)
def test_rows_that_cannot_be_shown_change_nothing(name: str) -> None:
    study = STUDY.model_copy(update={"selection": name})
    idle = (Demonstration(input="a bird", label=""), Demonstration(input="a plot", label="positive", excluded=True))
    first, other = select(study, tiny()), select(study.model_copy(update={"pool": (*study.pool, *idle)}), tiny())
    if name in ("random", "balanced"):  # they shuffle the whole pool, so that the choice survives another query
        assert set(other.indices) <= set(range(len(study.pool)))
        return
    assert first.indices == other.indices


@pytest.mark.parametrize("name", ALL)
def test_what_was_taken_is_what_is_shown(name: str) -> None:
    found = select(STUDY.model_copy(update={"selection": name}), tiny())
    assert tuple(sorted(found.taken)) == found.indices
    if selections.find(name).at_once:
        assert found.taken == found.indices


@pytest.mark.parametrize("name", POOLED)
def test_scores_come_with_what_they_mean(name: str) -> None:
    found = select(STUDY.model_copy(update={"selection": name}), tiny())
    assert bool(selections.find(name).scores) == (found.scores is not None)
    assert len(selections.find(name).scores) < 200


@pytest.mark.parametrize("name", SCORED_ALONE)
def test_scores_move_with_their_rows(name: str) -> None:
    study = STUDY.model_copy(update={"selection": name})
    first = select(study, tiny()).scores
    assert first is not None
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(study.pool))
        moved = select(study.model_copy(update={"pool": tuple(study.pool[i] for i in order)}), tiny()).scores
        np.testing.assert_allclose(moved, first[order], atol=1e-5)


@pytest.mark.parametrize("name", [*SCORED_ALONE, "latent-concept"])
def test_a_row_s_copy_scores_the_same(name: str) -> None:
    study = STUDY.model_copy(update={"selection": name, "pool": (*REVIEWS, *REVIEWS[:2])})
    scores = select(study, tiny()).scores
    assert scores is not None
    assert scores[:2] == pytest.approx(scores[-2:], abs=1e-6)


@pytest.mark.parametrize("name", [entry.name for entry in selections if entry.slow])
def test_slow_ones_say_how_far_they_are(name: str) -> None:
    with listening() as told:
        select(STUDY.model_copy(update={"selection": name}), tiny())
    assert told == sorted(told)
    assert told
    assert told[-1] == pytest.approx(1.0)


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Pools of few words, with repeats, ties, blanks and excluded rows, and a query that may stand among them."""
    word = st.sampled_from(["film", "plot", "good", "bad", "🙂", "…"])
    text = st.lists(word, max_size=3).map(" ".join)
    row = st.builds(Demonstration, input=text, label=st.sampled_from(["a", "b", ""]), excluded=st.booleans())
    pool = draw(st.lists(row, min_size=1, max_size=9))
    free = [r for r in pool if r.input and r.label and not r.excluded]
    pool = pool if free else [*pool, Demonstration(input="film good", label="a")]
    query = draw(st.sampled_from([r.input for r in free] or ["film"]) | st.just("another one"))
    if all(r.input == query for r in pool if r.input and r.label and not r.excluded):
        query = "another one"
    seed = draw(st.integers(0, 3))
    return Study(
        pool=tuple(pool), k=draw(st.integers(0, 10)), query=query, encoder="tfidf", neighbours=2, selection_seed=seed
    )


@pytest.mark.parametrize("name", WITHOUT_MODEL)
@settings(max_examples=40)
@given(study=studies())
def test_any_pool(name: str, study: Study) -> None:
    study = study.model_copy(update={"selection": name})
    free = [
        i
        for i, row in enumerate(study.pool)
        if row.input.strip() and row.label and not row.excluded and row.input.strip() != study.query.strip()
    ]
    found = select(study, tiny())
    assert len(found.indices) == len(set(found.indices)) == min(study.k, len(free))
    assert set(found.indices) <= set(free)
    assert same(found, select(study, tiny()))
    if found.scores is not None:
        assert found.scores.shape == (len(study.pool),)
        scored = set(np.flatnonzero(np.isfinite(found.scores)).tolist())
        assert scored <= set(free)
    if name in UNSEEDED:
        assert same(found, select(study.model_copy(update={"selection_seed": 99}), tiny()))
