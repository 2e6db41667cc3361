"""Label imbalance: counts by hand, one change a step, no question shown, and answers as `run` gives them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from core import Demonstration, Study, StudyError, run
from core.analysis.scoring.grid import combinations
from core.analysis.scoring.label_imbalance import (
    counts_of,
    draw_demonstrations,
    even_questions,
    imbalance,
    imbalance_records,
    labels_that_repeat,
    shared_out,
)
from core.evaluation.questions import EvaluationQuestion
from core.models import LanguageModel
from core.statistics.bootstrap import mean_over_both
from tests.tiny import rows, tiny

TWO = rows([(f"a{i}", "foo") for i in range(5)] + [(f"b{i}", "bar") for i in range(5)])
THREE = rows([(f"{y}{i}", y) for y in ("foo", "bar", "baz") for i in range(4)])
KEYS = ("direct/sum/none", "channel/even/none", "direct/sum/contextual")
WAYS = [way for way in combinations() if way.key in KEYS]
ASKED = tuple(
    EvaluationQuestion(x, y, "pool") for x, y in (("film", "foo"), ("bird", "bar"), ("dog", "foo"), ("plot", "bar"))
)


@pytest.fixture(scope="module")
def embedded() -> LanguageModel:
    from core import load_model

    return load_model()


def test_counts_go_from_even_to_all() -> None:
    assert counts_of(8, 2) == ((4, 4), (5, 3), (6, 2), (7, 1), (8, 0))
    assert counts_of(7, 2)[0] == (4, 3)
    assert counts_of(6, 3) == ((2, 4), (3, 3), (4, 2), (5, 1), (6, 0))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("table", "n"), [(TWO, 8), (THREE, 8), (TWO, 3), (TWO[:6], 16)])
def test_a_draw(table: tuple[Demonstration, ...], n: int, seed: int) -> None:
    """As many of each as the ratio says; a step changes one slot, from another label to the repeated one."""
    draws = draw_demonstrations(table, "foo", n, seed)
    labels = len({row.label for row in table})
    assert [(sum(r.label == "foo" for r in d), sum(r.label != "foo" for r in d)) for d in draws] == list(
        counts_of(n, labels)
    )
    for before, after in pairwise(draws):
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert [(a.label != "foo", b.label) for a, b in changed] == [(True, "foo")]
    assert {row for draw in draws for row in draw} <= set(table)
    assert draws == draw_demonstrations(table, "foo", n, seed)


def test_rows_are_repeated_only_where_they_run_out() -> None:
    for draw in draw_demonstrations(TWO, "foo", 8, 0):
        shown = Counter(row.input for row in draw)
        ours = sum(row.label == "foo" for row in draw)
        assert max(shown.values()) == (2 if ours > 5 else 1)
    others = [Counter(r.label for r in d if r.label != "foo") for d in draw_demonstrations(THREE, "foo", 9, 1)]
    assert all(abs(count["bar"] - count["baz"]) <= 1 for count in others)  # the others stay even among themselves


def test_one_side_alone_cannot_be_out_of_balance() -> None:
    with pytest.raises(StudyError, match="at least two labels"):
        draw_demonstrations(TWO[:5], "foo", 4, 0)
    assert labels_that_repeat(TWO[:5]) == ()
    assert labels_that_repeat(rows([("a", "x"), ("b", "y")])) == ()
    assert labels_that_repeat(TWO[3:]) == ("bar", "foo")
    assert labels_that_repeat(rows([("a", "x"), ("b", "y"), ("c", "y")])) == ("y", "x")
    assert labels_that_repeat([row.model_copy(update={"excluded": True}) for row in TWO]) == ()


def test_questions_are_even() -> None:
    many = [EvaluationQuestion(f"q{i}", "foo" if i < 9 else "bar", "pool") for i in range(12)]
    kept = even_questions(many, "foo", 50)
    assert Counter(q.gold for q in kept) == {"foo": 3, "bar": 3}
    assert kept == even_questions(many, "foo", 6)
    assert Counter(q.gold for q in even_questions(many, "foo", 4)) == {"foo": 2, "bar": 2}
    with pytest.raises(StudyError, match="another label than foo"):
        even_questions(many[:9], "foo", 4)
    with pytest.raises(StudyError, match="the answer baz"):
        even_questions(many, "baz", 4)


def test_what_is_asked_is_not_shown() -> None:
    asked = tuple(EvaluationQuestion(row.input, row.label, "pool") for row in TWO)
    left, kept = shared_out(TWO, asked, "foo", 50)
    assert Counter(q.gold for q in kept) == {"foo": 2, "bar": 2}  # at most half of either side
    assert {row.input for row in left}.isdisjoint(q.input for q in kept)
    assert len(left) == 6
    other, fresh = shared_out(TWO, ASKED, "foo", 50)
    assert (other, fresh) == (TWO, ASKED)
    with pytest.raises(StudyError, match="single row"):
        shared_out(TWO[4:], asked, "foo", 4)


def test_answers_are_those_of_run() -> None:
    study = Study(query="house", labels=("foo", "bar"))
    found = imbalance(study, tiny(), TWO, ASKED, WAYS, majority="bar", n=4, draws=2, seed=3)
    assert found.names == ("2:2", "3:1", "4:0")
    assert found.right.shape == found.majority_probability.shape == (len(WAYS), 3, 2, 4)
    assert found.bayes_right.shape == (0, 3, 2, 4)
    for d in range(2):
        assert found.demonstrations[d] == draw_demonstrations(TWO, "bar", 4, 3 + d)
    for c, way in enumerate(found.combinations):
        for r in range(3):
            for q, question in enumerate([*ASKED, EvaluationQuestion("house", "foo", "")]):
                d = 1 if q < 4 else 0
                asked = {"query": question.input, "demonstrations": found.demonstrations[d][r]}
                answer = run(way.of(study).model_copy(update=asked), tiny()).answer
                p = answer.probabilities[answer.labels.index("bar")]
                if q < 4:
                    assert found.majority_probability[c, r, d, q] == pytest.approx(p, abs=1e-4)
                    assert found.right[c, r, d, q] == (answer.best == question.gold)
                else:
                    own = found.query[r].answers[c]
                    assert own is not None
                    assert own.probabilities[own.labels.index("bar")] == pytest.approx(p, abs=1e-4)


def test_rows_that_are_asked_are_never_shown() -> None:
    asked = (EvaluationQuestion("a0", "foo", "pool"), EvaluationQuestion("b0", "bar", "pool"))
    found = imbalance(Study(query="a1"), tiny(), TWO, asked, WAYS[:1], majority="foo", n=6, draws=2)
    assert {row.input for d in found.demonstrations for r in d for row in r}.isdisjoint({"a0", "b0", "a1"})


def test_exact_bayes_beside(embedded: LanguageModel) -> None:
    from core.bayes.answer import bayes_answer

    table = rows(
        [("lion", "foo"), ("cat", "foo"), ("bird", "foo"), ("table", "bar"), ("chair", "bar"), ("lamp", "bar")]
    )
    asked = (EvaluationQuestion("dog", "foo", ""), EvaluationQuestion("desk", "bar", ""))
    study = Study(query="horse", labels=("foo", "bar"))
    found = imbalance(study, embedded, table, asked, WAYS[:1], majority="foo", n=4, draws=1)
    assert found.bayes_right.shape == (2, 3, 1, 2)
    for way, scoring in enumerate(("direct", "channel")):
        for r in range(3):
            for q, question in enumerate(asked):
                alone = bayes_answer(
                    study.model_copy(update={"query": question.input, "scoring": scoring}),
                    embedded,
                    found.demonstrations[0][r],
                    found.labels,
                )
                assert alone is not None
                assert found.bayes_majority[way, r, 0, q] == pytest.approx(alone.probabilities[0])
    rows_ = imbalance_records(found)
    assert [row["combination"] for row in rows_][:: len(found.counts)] == [
        WAYS[0].key,
        "Exact Bayes",
        "Exact Bayes, channel",
    ]
    assert [row["of_majority"] for row in rows_[:3]] == [2, 3, 4]


def test_a_calibration_without_inputs_says_so() -> None:
    prior = next(way for way in combinations() if way.key == "direct/sum/prior")
    with pytest.raises(StudyError, match="choose another calibration"):
        imbalance(Study(query="x"), tiny(), TWO, ASKED, [prior], majority="foo", n=4, draws=1)


def test_intervals() -> None:
    """The mean itself; what else may be where nothing varies; ±1.96 standard errors where draws do not matter."""
    constant = np.full((2, 3, 10), 0.25)
    mean, low, high = mean_over_both(constant)
    other = 1 - 0.025**0.1  # the share that ten questions alike leave open
    assert mean == pytest.approx([0.25, 0.25])
    assert low == pytest.approx([0.25 * (1 - other)] * 2)
    assert high == pytest.approx([0.25 + 0.75 * other] * 2)
    values = np.tile((np.arange(400) % 2).astype(float), (3, 1))  # the same in every draw
    mean, low, high = mean_over_both(values)
    assert mean == pytest.approx(0.5)
    assert high - mean == pytest.approx(1.96 * 0.5 / 20, rel=0.15)
    assert mean - low == pytest.approx(1.96 * 0.5 / 20, rel=0.15)
