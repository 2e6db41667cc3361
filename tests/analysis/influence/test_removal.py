"""Leave-one-out, alone, other labels and other places, against plain loops over `run`."""

from __future__ import annotations

import numpy as np
import pytest

from core import Cancelled, Study, StudyError, run
from core.analysis.influence import (
    Quantity,
    flips,
    influence,
    moves,
    prompt_count,
    question,
    question_of,
    value_of,
    values,
)
from core.analysis.influence.changes import flipped, moved
from core.analysis.influence.removal import influences
from core.models import LanguageModel
from core.scoring import scorers
from tests.analysis.influence.conftest import LABELS, REVIEW, WORDS, answer_of, log_odds
from tests.listening import listening
from tests.tiny import REVIEWS, rows, tiny

SHOWN = REVIEW.demonstrations


@pytest.mark.parametrize("scoring", ["direct", "perplexity", "channel"])
def test_leave_one_out_and_alone(scoring: str) -> None:
    study, model = REVIEW.model_copy(update={"scoring": scoring}), tiny()
    asked = question(study, model)
    found = influence(asked, model)
    everything = log_odds(answer_of(study, model, SHOWN), asked.label)
    nothing = log_odds(answer_of(study, model, ()), asked.label)
    assert (found.model.everything, found.model.nothing) == pytest.approx((everything, nothing), abs=1e-4)
    for i in range(4):
        rest = answer_of(study, model, SHOWN[:i] + SHOWN[i + 1 :])
        assert found.model.leave_one_out[i] == pytest.approx(everything - log_odds(rest, asked.label), abs=2e-4)
        assert LABELS[found.without[i]] == rest.best
        single = log_odds(answer_of(study, model, SHOWN[i : i + 1]), asked.label)
        assert found.model.alone[i] == pytest.approx(single - nothing, abs=2e-4)
    assert found.bayes is None
    assert found.prompts == 16


def test_every_scorer_of_the_registry_has_influence() -> None:
    for scorer in scorers:
        study = REVIEW.model_copy(update={"scoring": scorer.name})
        found = influence(question(study, tiny()), tiny(), shapley=False)
        assert np.isfinite(found.model.leave_one_out).all(), scorer.name


def test_exact_bayes_beside_the_model(embedded: LanguageModel) -> None:
    asked = question(WORDS, embedded)
    found = influence(asked, embedded, shapley=False)
    assert found.bayes is not None
    assert found.bayes.shapley is None
    everything = log_odds(answer_of(WORDS, embedded, WORDS.demonstrations, bayes=True), asked.label)
    for i in range(4):
        rest = WORDS.demonstrations[:i] + WORDS.demonstrations[i + 1 :]
        effect = everything - log_odds(answer_of(WORDS, embedded, rest, bayes=True), asked.label)
        assert found.bayes.leave_one_out[i] == pytest.approx(effect, abs=1e-9)


@pytest.mark.parametrize("quantity", ["log-odds", "probability", "log-probability", "score"])
def test_what_v_is(quantity: Quantity) -> None:
    model = tiny()
    answer = run(REVIEW, model).answer
    p = answer.probabilities[1]
    expected = {
        "log-odds": np.log(p / (answer.probabilities[0] + answer.probabilities[2])),
        "probability": p,
        "log-probability": np.log(p),
        "score": answer.scores[1],
    }[quantity]
    assert value_of(answer, 1, quantity) == pytest.approx(expected)
    asked = question(REVIEW, model, "negative", quantity)
    assert influence(asked, model, shapley=False).model.everything == pytest.approx(expected, abs=1e-5)


def test_v_of_a_certain_answer_is_finite() -> None:
    from core import Answer

    certain = Answer(("a", "b"), np.array([0.0, -2000.0]), np.array([1.0, 0.0]))
    assert value_of(certain, 0, "log-odds") == pytest.approx(-np.log(1e-300))
    assert value_of(certain, 1, "log-probability") == pytest.approx(np.log(1e-300))


def test_the_question_is_that_of_the_outcome() -> None:
    study = REVIEW.model_copy(update={"ordering": "random", "ordering_seed": 3, "query": "  the plot "})
    outcome = run(study, tiny())
    assert question_of(outcome) == question(study, tiny())
    assert question_of(outcome).shown == outcome.demonstrations
    assert question_of(outcome, "good").label == "good"


@pytest.mark.parametrize(
    ("changes", "target", "quantity", "sentence"),
    [
        ({"demonstrations": ()}, None, "log-odds", "none is shown"),
        ({}, "excellent", "log-odds", "not among the candidate"),
        ({"labels": ("good",)}, None, "probability", "one candidate"),
        ({}, None, "surprise", "no value called"),
    ],
)
def test_questions_that_cannot_be_asked(changes: dict, target: str | None, quantity: Quantity, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        question(REVIEW.model_copy(update=changes), tiny(), target, quantity)


def test_flipped_labels() -> None:
    model = tiny()
    asked = question(REVIEW, model)
    found = flips(asked, model)
    assert found.own.tolist() == [0, 1, 0, 1]
    everything = log_odds(answer_of(REVIEW, model, SHOWN), asked.label)
    for i in range(4):
        for j, label in enumerate(LABELS):
            answer = answer_of(REVIEW, model, flipped(SHOWN, i, label))
            assert found.effects[i, j] == pytest.approx(log_odds(answer, asked.label) - everything, abs=2e-4)
            assert LABELS[found.answers[i, j]] == answer.best
            assert (found.effects[i, j] == 0) == (found.own[i] == j)
    assert found.bayes is None


def test_flipped_labels_under_exact_bayes_and_a_label_that_is_no_candidate(embedded: LanguageModel) -> None:
    asked = question(WORDS, embedded)
    found = flips(asked, embedded)
    assert found.own.tolist() == [-1] * 4
    assert found.bayes is not None
    everything = log_odds(answer_of(WORDS, embedded, WORDS.demonstrations, bayes=True), asked.label)
    changed = answer_of(WORDS, embedded, flipped(WORDS.demonstrations, 2, "horse"), bayes=True)
    assert found.bayes[2, 1] == pytest.approx(log_odds(changed, asked.label) - everything, abs=1e-9)


def test_moved_demonstrations() -> None:
    model = tiny()
    asked = question(REVIEW, model)
    found = moves(asked, model)
    everything = log_odds(answer_of(REVIEW, model, SHOWN), asked.label)
    for i in range(4):
        for j in range(4):
            rest = list(SHOWN)
            rest.insert(j, rest.pop(i))
            assert moved(SHOWN, i, j) == tuple(rest)
            answer = answer_of(REVIEW, model, rest)
            assert found.effects[i, j] == pytest.approx(log_odds(answer, asked.label) - everything, abs=2e-4)
            assert LABELS[found.answers[i, j]] == answer.best
    assert (np.diag(found.effects) == 0).all()


def test_no_move_matters_to_exact_bayes(embedded: LanguageModel) -> None:
    asked = question(WORDS, embedded)
    items = [(asked, moved(asked.shown, i, j)) for i in range(4) for j in range(4)]
    found = values(items, embedded)
    assert found.bayes is not None
    assert np.ptp(found.bayes) < 1e-9
    assert np.ptp(found.model) > 1e-3


def test_many_questions_at_once_are_each_as_alone() -> None:
    model = tiny()
    studies = [REVIEW, REVIEW.model_copy(update={"query": "a very bad film"})]
    asked = [question(study, model) for study in studies]
    for together, one in zip(influences(asked, model), asked, strict=True):
        alone = influence(one, model)
        np.testing.assert_allclose(together.model.leave_one_out, alone.model.leave_one_out, atol=2e-5)
        assert together.model.shapley is not None
        assert alone.model.shapley is not None
        np.testing.assert_allclose(together.model.shapley.values, alone.model.shapley.values, atol=2e-5)


def test_few_calls_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny()
    asked = question(REVIEW, model)
    calls = []
    plain = model.score
    monkeypatch.setattr(model, "score", lambda pairs, stop=None: calls.append(len(pairs)) or plain(pairs, stop=stop))
    influence(asked, model)
    assert calls == [16 * len(LABELS)]


def test_more_than_ten_are_sampled() -> None:
    study = REVIEW.model_copy(update={"demonstrations": rows([(f"film {i}", "good") for i in range(11)])})
    asked = question(study, tiny())
    with pytest.raises(StudyError, match=r"2\^11 prompts"):
        influence(asked, tiny())
    found = influence(asked, tiny(), permutations=4)
    assert found.model.shapley is not None
    assert found.prompts <= prompt_count(11, 4)
    assert found.model.shapley.residual == pytest.approx(0, abs=1e-9)


def test_prompt_counts() -> None:
    for n in range(1, 5):
        study = REVIEW.model_copy(update={"demonstrations": REVIEWS[:n]})
        asked = question(study, tiny())
        assert influence(asked, tiny()).prompts == prompt_count(n)
        assert influence(asked, tiny(), shapley=False).prompts <= prompt_count(n, shapley=False)


def test_progress_and_cancel() -> None:
    asked = question(REVIEW, tiny())
    with listening() as told:
        influence(asked, tiny())
    assert told[-1] == 1
    assert told == sorted(told)
    for work in (influence, flips, moves):
        with pytest.raises(Cancelled):
            work(asked, tiny(), stop=lambda: True)  # type: ignore[operator]


def test_white_space_is_not_read() -> None:
    spaced = Study.model_validate({**dict(REVIEW), "demonstrations": rows([(f" {d.input} ", d.label) for d in SHOWN])})
    one, other = (influence(question(study, tiny()), tiny()) for study in (spaced, REVIEW))
    np.testing.assert_allclose(one.model.leave_one_out, other.model.leave_one_out, atol=1e-5)
