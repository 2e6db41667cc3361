"""B − A of outcomes made by hand: every number is looked up by name, in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core import Chosen, Study
from core.analysis.compare import difference
from tests.analysis.compare.outcomes import answer, attention, kernel, outcome, posterior, rows

A = rows(("cat", "a"), ("dog", "b"), ("sun", "a"))
B = rows(("sun", "a"), ("cat", "b"), ("bee", "b"))  # sun moved, cat relabelled, bee new, dog gone


def test_the_same_outcome_differs_in_nothing() -> None:
    one = outcome(
        A, posteriors={"exact": posterior("exact", "st", [0.5, 0.5], [0.8, 0.2])}, kernels={"k": kernel("k", [1, 2, 1])}
    )
    found = difference(one, one)
    assert (found.changes, found.shown, found.notes) == ((), (), ())
    assert found.answer.total_variation == 0
    assert found.posteriors["exact"].tasks.kl_from_a == 0
    assert not found.kernels["k"].change.any()
    assert {piece.kind for piece in found.prompt} == {"same"}


def test_answers_are_aligned_by_label() -> None:
    found = difference(
        outcome(A, answer=answer({"a": 0.6, "b": 0.3, "c": 0.1}), bayes=answer({"a": 0.5, "b": 0.5, "c": 0.0})),
        outcome(B, answer=answer({"b": 0.7, "a": 0.2, "d": 0.1}), bayes=answer({"b": 0.9, "a": 0.1, "d": 0.0})),
    )
    assert (found.best_a, found.best_b) == ("a", "b")
    values = dict(zip(found.answer.names, found.answer.change, strict=True))
    assert (values["a"], values["b"]) == (pytest.approx(-0.4), pytest.approx(0.4))
    assert math.isnan(values["c"])
    assert math.isnan(values["d"])
    assert found.bayes is not None
    assert dict(zip(found.bayes.names, found.bayes.change, strict=True))["b"] == pytest.approx(0.4)


def test_posteriors_are_taken_at_the_end_of_each_side() -> None:
    one = outcome(A, posteriors={"exact": posterior("exact", "st", [0.5, 0.5], [0.6, 0.4], [0.9, 0.1], evidence=-7)})
    other = outcome(B, posteriors={"exact": posterior("exact", "tu", [0.5, 0.5], [0.25, 0.75], evidence=-3)})
    found = difference(one, other).posteriors["exact"]
    assert (found.n_a, found.n_b) == (2, 1)
    assert found.tasks.names == ("s", "t", "u")
    assert found.tasks.change[1] == pytest.approx(0.15)
    assert np.isnan(found.tasks.change[[0, 2]]).all()
    assert math.isnan(found.tasks.total_variation)  # one task in common is no choice between tasks
    assert (found.log_evidence_a, found.log_evidence_b) == (-7, -3)


def test_kernels_are_matched_by_demonstration() -> None:
    weights_a, weights_b = [1.0, 2.0, 1.0], [3.0, 1.0, 1.0]
    found = difference(
        outcome(A, kernels={"k": kernel("k", weights_a), "old": kernel("old", weights_a)}),
        outcome(B, kernels={"k": kernel("k", weights_b, detail="other", best="b"), "new": kernel("new", weights_b)}),
    )
    assert list(found.kernels) == ["k"]
    by_input_a = {row.input: w / 4 for row, w in zip(A, weights_a, strict=True)}
    by_input_b = {row.input: w / 5 for row, w in zip(B, weights_b, strict=True)}
    one = found.kernels["k"]
    for pair, a, b in zip(found.demonstrations, one.a, one.b, strict=True):
        assert a == pytest.approx(by_input_a.get(pair.input, math.nan), nan_ok=True)
        assert b == pytest.approx(by_input_b.get(pair.input, math.nan), nan_ok=True)
    assert (one.best_a, one.best_b) == ("a", "b")
    assert "The k kernel is mean in A, and other in B." in found.notes
    assert "The old kernel is known in A only, so it is not compared." in found.notes
    assert "The new kernel is known in B only, so it is not compared." in found.notes


def test_attention_is_compared_on_the_same_spans() -> None:
    rng = np.random.default_rng(0)
    cube_a, cube_b = rng.random((2, 3, 4)), rng.random((2, 3, 5))
    one = outcome(A, attention=attention(["1", "2", "3", "query"], cube_a))
    study = Study(demonstrations=B, query="x", instruction="Do.")
    other = outcome(B, study, attention=attention(["instruction", "1", "2", "3", "query"], cube_b))
    full = difference(one, other)
    found = full.attention
    assert found is not None
    assert found.spans[0] == "instruction"
    assert found.spans[-1] == "query"
    for column, span in enumerate(found.spans):
        if isinstance(span, int):
            pair = full.demonstrations[span]
            places = (pair.a, None if pair.b is None else pair.b + 1)
        else:
            places = (None, 0) if span == "instruction" else (3, 4)
        for cube, place, heads, mean in (
            (cube_a, places[0], found.heads_a, found.mean_a),
            (cube_b, places[1], found.heads_b, found.mean_b),
        ):
            assert heads is not None
            for layer in range(2):
                for head in range(3):
                    expected = math.nan if place is None else cube[layer, head, place]
                    assert heads[layer, head, column] == pytest.approx(expected, nan_ok=True)
            expected = math.nan if place is None else cube[:, :, place].sum() / 6
            assert mean[column] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("fingerprint", ["0", "1"])
def test_heads_of_different_models_are_not_the_same_heads(fingerprint: str) -> None:
    spans, cube = ["1", "2", "3", "query"], np.ones((2, 2, 4))
    found = difference(
        outcome(A, attention=attention(spans, cube)),
        outcome(A, attention=attention(spans, 2 * cube), fingerprint=fingerprint),
    )
    assert found.attention is not None
    np.testing.assert_allclose(found.attention.mean_b - found.attention.mean_a, 1)
    assert (found.attention.heads_a is None) == (fingerprint == "1")
    assert any("not the same heads" in note for note in found.notes) == (fingerprint == "1")


def test_what_one_side_lacks_is_said() -> None:
    one = outcome(A, bayes=answer({"a": 1.0}), posteriors={"exact": posterior("exact", "st", [0.5, 0.5])})
    other = outcome(A, attention=attention(["query"], np.ones((1, 1, 1))))
    found = difference(one, other)
    assert (found.bayes, found.attention, found.posteriors) == (None, None, {})
    assert "Exact Bayes is known in A only, so it is not compared." in found.notes
    assert "The exact posterior is known in A only, so it is not compared." in found.notes
    assert "Attention is known in B only, so it is not compared." in found.notes


def test_what_a_difference_does_not_mean() -> None:
    study = Study(demonstrations=A, query="x")
    asked = difference(outcome(A, study), outcome(A, study.model_copy(update={"query": "y"})))
    assert "The queries differ, so the answers are to two questions." in asked.notes
    channel = difference(outcome(A, study), outcome(A, study.model_copy(update={"scoring": "channel"})))
    assert "A is scored by Direct and B by Channel: their probabilities are two kinds of number." in channel.notes
    mean = difference(outcome(A, study), outcome(A, study.model_copy(update={"normalisation": "token"})))
    assert "Labels are scored in two ways, so the probabilities are two kinds of number." in mean.notes


def test_what_a_strategy_chose_is_told_too() -> None:
    study = Study(pool=A, query="x", selection="similarity", k=2)
    one = outcome(A[:2], study, chosen=Chosen("pool", (0, 1)))
    other = outcome((A[2], A[0]), study, chosen=Chosen("pool", (2, 0)))
    found = difference(one, other)
    assert found.changes == ()
    assert found.shown == (
        "Shown: “dog” → “b” (place 2) is only in A.",
        "Shown: “sun” → “a” (place 1) is only in B.",
    )


def test_no_demonstrations_at_all() -> None:
    found = difference(
        outcome((), kernels={"k": kernel("k", [])}, attention=attention(["query"], np.ones((1, 2, 1)))),
        outcome(
            A, kernels={"k": kernel("k", [1, 1, 1])}, attention=attention(["1", "2", "3", "query"], np.ones((1, 2, 4)))
        ),
    )
    assert np.isnan(found.kernels["k"].a).all()
    assert found.attention is not None
    assert found.attention.spans == (0, 1, 2, "query")
