"""Reasoning on real networks: writing against transformers' own greedy generation, scores against plain scoring."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch

from core import Demonstration, Study, drop_earliest, load_model, run
from core.analysis.reasoning.comparison import compare, item_records, method_records
from core.errors import Cancelled, PromptTooLong, StudyError
from core.evaluation.questions import EvaluationQuestion
from core.reasoning import answers_after, reason, reason_together, reasonings, written_by
from core.reasoning.matching import matches, normalise
from core.statistics.distributions import softmax
from core.statistics.intervals import wilson
from tests.listening import listening
from tests.reasoning.scripted import SUMS, rows
from tests.tiny import ARCHITECTURES, _plain, plain_logprobs, tiny

LABELS = ("7", "9", "12")
STUDY = Study(demonstrations=SUMS, query="3 + 3 + 1", gold="7", labels=LABELS, longest=12)
METHODS = reasonings.names()


def of(name: str, **changes: object) -> Study:
    return STUDY.model_copy(update={"reasoning": name, "open_ended": True, **changes})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", METHODS)
def test_every_stage_is_what_transformers_writes(name: str, architecture: str) -> None:
    found = reason(of(name), tiny(architecture), SUMS)
    assert found is not None
    plain, tokenizer = _plain(architecture)
    for stage in found.stages:
        ids = tokenizer(stage.prompt.text, return_tensors="pt")["input_ids"]  # type: ignore[operator]
        written = plain.generate(  # type: ignore[attr-defined]
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=len(stage.tokens) or 1,
            pad_token_id=1,
        )[0, ids.shape[1] :]
        texts = tuple(tokenizer.decode([i], skip_special_tokens=True) for i in written.tolist())  # type: ignore[attr-defined]
        assert stage.tokens == texts[: len(stage.tokens)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ["steps", "self-ask", "least-to-most"])
def test_labels_are_scored_after_the_rationale(name: str, architecture: str) -> None:
    outcome = run(of(name), tiny(architecture))
    assert outcome.reasoning is not None
    final = outcome.reasoning.final
    assert outcome.prompt == final
    expected = np.array([plain_logprobs(architecture, final.text, final.gap + label).sum() for label in LABELS])
    np.testing.assert_allclose(outcome.answer.scores, expected, atol=1e-4)
    np.testing.assert_allclose(outcome.answer.probabilities, softmax(expected), atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_together_as_one_by_one(name: str) -> None:
    model = tiny()
    queries = ["3 + 3 + 1", "1 + 1", "2 + 2 + 2 + 2", "the film", "2 + 3 + 4"]
    asked = [(of(name, query=query, gold=None), SUMS if i % 2 else SUMS[:1]) for i, query in enumerate(queries)]
    together = reason_together(asked, model)
    for (study, shown), found in zip(asked, together, strict=True):
        alone = reason(study, model, shown)
        assert alone is not None
        assert [(s.name, s.written, s.tokens) for s in found.stages] == [
            (s.name, s.written, s.tokens) for s in alone.stages
        ]
        assert (found.final, found.notes) == (alone.final, alone.notes)
    requests = [(study, found, LABELS) for (study, _), found in zip(asked, together, strict=True)]
    scored = answers_after(requests, model)
    for request, answer in zip(requests, scored, strict=True):
        np.testing.assert_allclose(answer.scores, answers_after([request], model)[0].scores, atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("shown", "labels"),
    [((), LABELS), (rows(("cat", "chat", "")), LABELS), (SUMS, ("7",)), (SUMS, ())],
    ids=["k = 0", "no steps", "one label", "labels shown"],
)
def test_every_method_copes(name: str, shown: tuple[Demonstration, ...], labels: tuple[str, ...]) -> None:
    """Deterministic, finite, and with one sentence for what is odd."""
    study = of(name, demonstrations=shown, labels=labels)
    one, other = run(study, tiny()), run(study, tiny())
    assert one.reasoning is not None
    assert other.reasoning is not None
    assert one.prompt == other.prompt
    assert one.written is not None
    assert one.written.text == other.written.text if other.written else False
    np.testing.assert_array_equal(one.answer.scores, other.answer.scores)
    assert np.isfinite(one.answer.probabilities).all()
    assert one.notes == other.notes
    assert all(note.endswith(".") for note in one.notes)


@pytest.mark.parametrize("name", METHODS)
def test_it_can_be_stopped(name: str) -> None:
    with pytest.raises(Cancelled):
        reason(of(name), tiny(), SUMS, stop=lambda: True)
    asked = iter([False] * 4)
    with pytest.raises(Cancelled):
        reason(of(name), tiny(), SUMS, stop=lambda: next(asked, True))


def test_a_prompt_that_does_not_fit() -> None:
    many = SUMS * 12
    with pytest.raises(PromptTooLong):
        reason(of("self-ask"), tiny(), many)
    study = of("self-ask", demonstrations=SUMS * 3)
    for _ in range(4):  # what the model writes needs room too: another round may be needed
        with suppress(PromptTooLong):
            run(study, tiny())
            break
        with pytest.raises(PromptTooLong, match="would fit") as error:
            run(study, tiny())
        study = drop_earliest(study, error.value.fits)
    left = sum(not row.excluded for row in study.demonstrations)
    assert 0 < left < 6


def test_nothing_is_written_unless_asked() -> None:
    outcome = run(STUDY, tiny())
    assert (outcome.reasoning, outcome.written) == (None, None)
    with pytest.raises(StudyError, match="telepathy"):
        run(of("telepathy"), tiny())


def test_without_reasoning_the_scorer_stays() -> None:
    for scoring in ("direct", "channel", "perplexity"):
        plain = run(STUDY.model_copy(update={"scoring": scoring}), tiny())
        with_words = run(of("none", scoring=scoring), tiny())
        np.testing.assert_allclose(with_words.answer.scores, plain.answer.scores, atol=1e-6)
        assert with_words.written is not None
    assert any("scored directly" in note for note in run(of("steps", scoring="channel"), tiny()).notes)


def test_words_for_labels() -> None:
    """With verbalisers the word is written, and what comes out is named by the labels."""
    study = of("steps")
    words = study.template.model_copy(update={"words": (("9", "nine"), ("7", "seven"))})
    outcome = run(study.model_copy(update={"template": words}), tiny())
    assert "So the answer is nine\n" in outcome.prompt.text
    assert outcome.answer.labels == LABELS
    assert outcome.answer.scored[0].text.strip() == "seven"


@pytest.mark.parametrize(
    ("written", "gold", "exact", "squad"),
    [
        ("chat", "chat", True, True),
        (" chat\n", "chat", True, True),
        ("The  cat.", "cat", False, True),
        ("le chat", "chat", False, False),
        ("", "", False, False),
        ("", "the", False, False),
        ("U.S.", "us", False, True),
        ("a  b", "a b", True, False),
    ],
)
def test_matching(written: str, gold: str, exact: bool, squad: bool) -> None:
    assert matches(written, gold, "exact") is exact
    if (written, gold) != ("a  b", "a b"):
        assert matches(written, gold, "squad") is squad
    assert normalise("An apple, the pear!", "squad") == "apple pear"


def test_open_answers_of_the_embedded_model() -> None:
    """It translates and adds in its own words."""
    model = load_model()
    french = rows(("cat", "chat", ""), ("dog", "chien", ""), ("house", "maison", ""), ("bread", "pain", ""))
    sums = rows(("1 + 1", "2", ""), ("4 + 3", "7", ""), ("10 + 2", "12", ""), ("6 + 5", "11", ""))
    asked = [(french, "horse", "cheval"), (french, "fish", "poisson"), (sums, "2 + 3", "5"), (sums, "9 + 4", "13")]
    studies = [Study(demonstrations=shown, query=x, gold=y, open_ended=True) for shown, x, y in asked]
    found = reason_together([(study, study.demonstrations) for study in studies], model)
    written = [written_by(study, model, one) for study, one in zip(studies, found, strict=True)]
    assert sum(bool(one and one.right) for one in written) >= 3
    assert all(one and one.finished for one in written)


def test_methods_on_the_same_questions() -> None:
    model = tiny()
    questions = tuple(EvaluationQuestion(f"{a} + {b} + 1", str(a + b + 1), "pool") for a in (1, 2) for b in (3, 4))
    with listening() as told:
        found = compare(STUDY, model, questions)
    assert [attempt.method for attempt in found.attempts] == list(METHODS)
    assert told == sorted(told)
    assert told[-1] == 1.0
    for attempt in found.attempts:
        for place, question in enumerate(questions):
            study = of(attempt.method, query=question.input, gold=question.gold, labels=found.labels[place])
            outcome = run(study, model)
            assert outcome.written is not None
            assert attempt.written[place].text == outcome.written.text
            assert bool(attempt.said[place]) == outcome.written.right
            assert bool(attempt.right[place]) == (outcome.answer.best == question.gold)
            np.testing.assert_allclose(attempt.answers[place].scores, outcome.answer.scores, atol=1e-4)
        assert attempt.interval(True) == wilson(int(attempt.said.sum()), len(questions))
        assert attempt.cost.passes > 0
    assert [row["method"] for row in method_records(found)] == [attempt.title for attempt in found.attempts]
    assert [row["input"] for row in item_records(found)] == [question.input for question in questions]


def test_a_method_that_does_not_fit_is_left_out() -> None:
    study = STUDY.model_copy(update={"demonstrations": SUMS * 5})
    found = compare(study, tiny(), (EvaluationQuestion("1 + 1 + 1", "3", "pool"),), ("none", "self-ask"))
    assert [attempt.method for attempt in found.attempts] == ["none"]
    assert found.troubles[0][0] == "self-ask"
    with pytest.raises(StudyError):
        compare(study, tiny(), (EvaluationQuestion("1 + 1 + 1", "3", "pool"),), ("self-ask",))
    with pytest.raises(Cancelled):
        compare(STUDY, tiny(), (EvaluationQuestion("1 + 1 + 1", "3", "pool"),), stop=lambda: True)
