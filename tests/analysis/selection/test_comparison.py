"""Selections side by side: each choice is what `run` makes of it; overlaps by sets, correlations by scipy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from core import Cancelled, Demonstration, Study, StudyError, run
from core.analysis.selection.comparison import (
    Choice,
    Refusal,
    choose,
    overlap,
    rows_to_show,
    score_correlation,
    standing,
    usage,
    with_pool,
)
from core.analysis.selection.records import choice_records, item_records, usage_records
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import questions_of
from core.selection import selections
from tests.listening import listening
from tests.selection.pools import MANY
from tests.tiny import REVIEWS, rows, tiny

TABLE = (MANY[3], MANY[7], *rows([("a new one", "positive")]))
STUDY = Study(pool=MANY[:12], demonstrations=TABLE, k=3, query="a bird")
QUICK = [strategy.name for strategy in selections if not strategy.slow]


@pytest.fixture(scope="module")
def choices() -> list[Choice]:
    found = choose(STUDY, tiny(), QUICK)
    assert all(isinstance(one, Choice) for one in found)
    return [one for one in found if isinstance(one, Choice)]


def test_every_choice_is_what_run_makes_of_it(choices: list[Choice]) -> None:
    assert [choice.name for choice in choices] == QUICK
    for choice in choices:
        outcome = run(STUDY.model_copy(update={"selection": choice.name}), tiny())
        assert choice.shown == outcome.demonstrations
        assert choice.chosen.indices == outcome.chosen.indices
        assert choice.answer.labels == outcome.answer.labels
        np.testing.assert_allclose(choice.answer.scores, outcome.answer.scores, atol=1e-4)
        assert choice.probability("nowhere") != choice.probability("nowhere")  # NaN


def test_ranks_follow_the_scores_where_the_best_are_taken(choices: list[Choice]) -> None:
    by_name = {choice.name: choice for choice in choices}
    for name in ("similarity", "bm25", "entropy", "perplexity"):
        choice = by_name[name]
        assert choice.scores is not None
        order = np.argsort(-np.round(choice.scores, 6), kind="stable")[:3]
        assert choice.ranks == {int(place): rank + 1 for rank, place in enumerate(order)}
    assert by_name["mdl"].ranks == by_name["k-means"].ranks == {}
    assert sorted(by_name["random"].ranks.values()) == [1, 2, 3]


def test_hand_picked_rows_are_found_in_the_pool(choices: list[Choice]) -> None:
    hand = next(choice for choice in choices if choice.name == "hand-picked")
    assert hand.places == (3, 7)
    assert [row.input for row in hand.outside] == ["a new one"]
    assert hand.scores is None
    assert len(hand.members) == 3
    twice = Study(pool=(REVIEWS[0], REVIEWS[0], REVIEWS[1]), demonstrations=(REVIEWS[0],) * 3, query="x")
    (found,) = choose(twice, tiny(), ["hand-picked"])
    assert isinstance(found, Choice)
    assert found.places == (0, 1)
    assert len(found.outside) == 1


def test_overlap_by_sets(choices: list[Choice]) -> None:
    found = overlap(choices)
    for (i, a), (j, b) in product(enumerate(choices), repeat=2):
        one, other = ({(row.input, row.label) for row in c.shown} for c in (a, b))  # rows of this pool are distinct
        assert found[i, j] == pytest.approx(len(one & other) / len(one | other))
    nothing = choose(STUDY.model_copy(update={"k": 0}), tiny(), ["random", "bm25"])
    assert np.isnan(overlap([one for one in nothing if isinstance(one, Choice)])).all()
    assert overlap([]).shape == (0, 0)


def test_correlation_by_scipy(choices: list[Choice]) -> None:
    ranking = [choice for choice in choices if choice.scores is not None]
    assert len(ranking) > 5
    rho, count = score_correlation(ranking)
    for (i, a), (j, b) in product(enumerate(ranking), repeat=2):
        assert a.scores is not None
        assert b.scores is not None
        both = np.isfinite(a.scores) & np.isfinite(b.scores)
        assert count[i, j] == both.sum()
        # What differs by rounding alone is tied.
        pair = [np.round(c[both] / np.abs(c[both]).max(initial=1e-300) * 1e6) for c in (a.scores, b.scores)]
        if both.sum() < 3 or np.ptp(pair[0]) == 0 or np.ptp(pair[1]) == 0:
            assert np.isnan(rho[i, j])
        else:
            assert rho[i, j] == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-9)


def test_standing() -> None:
    np.testing.assert_allclose(standing(np.array([3.0, np.nan, 1, 3, 2])), [1, np.nan, 0.25, 1, 0.5])
    assert np.isnan(standing(np.full(3, np.nan))).all()


def test_rows_chosen_by_most_come_first(choices: list[Choice]) -> None:
    rows_ = rows_to_show(choices, choices[3].scores, 5, 3)
    votes = [sum(place in choice.places for choice in choices) for place in range(len(STUDY.pool))]
    assert [votes[i] for i in rows_] == sorted(votes, reverse=True)[:5]
    one = [choice for choice in choices if choice.name == "similarity"]
    filled = rows_to_show(one, one[0].scores, 20, 6)
    assert one[0].scores is not None
    assert filled == [int(i) for i in np.argsort(-one[0].scores, kind="stable")[:6]]
    assert len(rows_to_show(one, None, 20, 6)) == 3


def test_one_that_cannot_choose_does_not_stop_the_others() -> None:
    long = Study(pool=(*REVIEWS, Demonstration(input="film " * 400, label="positive")), k=7, query="a film")
    found = choose(long, tiny(), ["random", "entropy", "no such thing", "bm25"])
    assert [type(one) for one in found] == [Refusal] * 4  # all seven rows do not fit in one prompt
    short = choose(long.model_copy(update={"k": 1, "selection_seed": 1}), tiny(), ["random", "entropy", "nothing"])
    assert [type(one) for one in short] == [Choice, Refusal, Refusal]
    assert isinstance(short[1], Refusal)
    assert "tokens" in short[1].why


def test_no_query_and_cancelling() -> None:
    with pytest.raises(StudyError, match="no query"):
        choose(Study(pool=REVIEWS), tiny(), ["random"])
    with pytest.raises(Cancelled):
        choose(STUDY, tiny(), QUICK, stop=lambda: True)


def test_progress_goes_up_to_the_end() -> None:
    with listening() as told:
        choose(STUDY, tiny(), ["entropy", "mdl", "mutual-information", "self-generated"])
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 4


def test_the_demonstrations_stand_in_for_a_pool() -> None:
    study = Study(demonstrations=REVIEWS, query="x")
    assert with_pool(study).pool == REVIEWS
    assert with_pool(STUDY) is STUDY
    blank = study.model_copy(update={"pool": (Demonstration(input="", label=""),)})
    assert with_pool(blank).pool == REVIEWS


def test_records(choices: list[Choice]) -> None:
    found = choice_records(STUDY, choices)
    assert len({(row["selection"], row["row"], row["input"]) for row in found}) == len(found)
    for choice in choices:
        mine = [row for row in found if row["selection"] == choice.name]
        assert sum(row["chosen"] for row in mine) == len(choice.chosen.taken)
        for row in mine:
            if row["score"] is not None:
                assert choice.scores is not None
                assert row["score"] == choice.scores[row["row"] - 1]


def test_usage_by_counting() -> None:
    studies = [STUDY.model_copy(update={"selection": name}) for name in ("random", "similarity", "hand-picked")]
    found = evaluate(studies, tiny(), questions_of(studies[2], tiny(), "pool", 5, 0))
    counts = usage(found, len(STUDY.pool))
    for s, name in enumerate(("random", "similarity")):
        expected = [0] * len(STUDY.pool)
        for question in found.questions:
            one = run(studies[s].model_copy(update={"query": question.input, "gold": question.gold}), tiny())
            for i in one.chosen.indices:
                expected[i] += 1
                assert STUDY.pool[i].input != question.input, name
        assert counts[s].tolist() == expected
    assert counts[2].sum() == 0
    assert usage_records(STUDY, found)[0]["row"] - 1 == int(np.argmax(counts.sum(axis=0)))
    items = item_records(found)
    assert len(items) == 3 * 5
    assert [row["right"] for row in items] == found.right.ravel().tolist()
