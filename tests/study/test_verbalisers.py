"""A study with verbalisers is the study whose labels were replaced by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core import Study, load_model, run
from core.errors import InvalidValue, StudyError
from core.models import LanguageModel
from core.ordering import orderings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.study.demonstrations import Demonstration
from core.study.outcome import Outcome
from core.study.prompts import ARROW, INPUT_LABEL, TEMPLATES, Template, render, render_channel
from core.study.study import Hypothesis
from core.study.verbalisers import as_written

WORDS = {"foo": "positive", "bar": "negative"}
LABELS = ("foo", "bar", "foo", "bar", "bar", "foo")
INPUTS = ("great film", "dull plot", "a fine cast", "boring", "weak and slow", "lovely")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


def rows(pairs: list[tuple[str, str]]) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


def study(**changes: object) -> Study:
    pairs = list(zip(INPUTS, LABELS, strict=True))
    base = {
        "demonstrations": rows(pairs[:4]),
        "pool": rows(pairs),
        "query": "a great cast",
        "gold": "foo",
        "labels": ("foo", "bar"),
        "template": ARROW.model_copy(update={"words": tuple(WORDS.items())}),
        "hypotheses": (
            Hypothesis(name="a", instruction="Is it good?", words=(("foo", "good"), ("bar", "bad"))),
            Hypothesis(name="b", instruction="Reverse it.", words=(("foo", "negative"), ("bar", "positive"))),
            Hypothesis(name="c", instruction="Classify."),
        ),
        "posteriors": ("exact", "implicit", "instruction"),
    }
    return Study.model_validate({**base, **changes})


def by_hand(given: Study) -> Study:
    """Labels replaced one by one, without the code under test."""

    def replaced(table: tuple[Demonstration, ...]) -> tuple[Demonstration, ...]:
        return tuple(Demonstration(input=row.input, label=WORDS.get(row.label, row.label)) for row in table)

    hypotheses = tuple(
        Hypothesis(name=h.name, instruction=h.instruction, words=tuple((WORDS[y], word) for y, word in h.words))
        for h in given.hypotheses
    )
    return given.model_copy(
        update={
            "demonstrations": replaced(given.demonstrations),
            "pool": replaced(given.pool),
            "labels": tuple(WORDS.get(y, y) for y in given.labels),
            "gold": WORDS.get(given.gold or ""),
            "template": given.template.model_copy(update={"words": ()}),
            "hypotheses": hypotheses,
        }
    )


def assert_equal(ours: Outcome, theirs: Outcome) -> None:
    assert ours.prompt == theirs.prompt
    assert ours.chosen.indices == theirs.chosen.indices
    for one, other in ((ours.answer, theirs.answer), (ours.bayes, theirs.bayes)):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert tuple(WORDS.get(y, y) for y in one.labels) == other.labels
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
            assert [text.text for text in one.scored] == [text.text for text in other.scored]
            assert (one.bias is None) == (other.bias is None)
            if one.bias is not None and other.bias is not None:
                np.testing.assert_allclose(one.bias, other.bias, atol=1e-6)
    assert ours.posteriors.keys() == theirs.posteriors.keys()
    for name, posterior in ours.posteriors.items():
        np.testing.assert_allclose(posterior.weights, theirs.posteriors[name].weights, atol=1e-5)
        own, their = posterior.predictive, theirs.posteriors[name].predictive
        assert own is not None
        assert their is not None
        np.testing.assert_allclose(own, their, atol=1e-5)
    for name, kernel in ours.kernels.items():
        np.testing.assert_allclose(kernel.raw, theirs.kernels[name].raw, atol=1e-5)
        np.testing.assert_allclose(kernel.predictive, theirs.kernels[name].predictive, atol=1e-5)
        assert WORDS.get(kernel.best or "") == theirs.kernels[name].best
    assert ours.attention is not None
    assert theirs.attention is not None
    np.testing.assert_allclose(ours.attention.label_maxima, theirs.attention.label_maxima, atol=1e-6)


@pytest.mark.parametrize(
    ("scoring", "calibration"), list(itertools.product([s.name for s in scorers], [c.name for c in calibrations]))
)
def test_every_scorer_and_calibration(model: LanguageModel, scoring: str, calibration: str) -> None:
    given = study(scoring=scoring, calibration=calibration, label_prior="shown", posteriors=("exact",))
    assert_equal(run(given, model), run(by_hand(given), model))


@pytest.mark.parametrize("normalisation", ["token", "character", "byte"])
def test_normalisations_count_the_word(model: LanguageModel, normalisation: str) -> None:
    given = study(normalisation=normalisation)
    assert_equal(run(given, model), run(by_hand(given), model))


@pytest.mark.parametrize("template", [INPUT_LABEL, TEMPLATES["question-answer"]], ids=lambda t: t.name)
@pytest.mark.parametrize("chained", [False, True])
def test_posteriors_and_kernels(model: LanguageModel, template: Template, chained: bool) -> None:
    words = template.model_copy(update={"words": tuple(WORDS.items())})
    given = study(template=words, chained=chained, instruction="Classify")
    assert_equal(run(given, model), run(by_hand(given), model))


@pytest.mark.parametrize("selection", ["entropy", "mdl", "perplexity", "mutual-information", "self-generated"])
def test_selections_that_ask_the_model(model: LanguageModel, selection: str) -> None:
    given = study(selection=selection, k=2, pool=(*study().pool, *rows([("fun", "foo"), ("sad", "bar")])))
    ours, theirs = run(given, model), run(by_hand(given), model)
    assert_equal(ours, theirs)
    if ours.chosen.scores is not None and theirs.chosen.scores is not None:
        np.testing.assert_allclose(ours.chosen.scores, theirs.chosen.scores, atol=1e-4)


@pytest.mark.parametrize("ordering", [o.name for o in orderings])
def test_orderings(model: LanguageModel, ordering: str) -> None:
    given = study(ordering=ordering, probes=3, demonstrations=study().demonstrations[:3])
    ours, theirs = run(given, model), run(by_hand(given), model)
    assert_equal(ours, theirs)


def test_swapped_labels_are_no_collision(model: LanguageModel) -> None:
    swapped = ARROW.model_copy(update={"words": (("foo", "bar"), ("bar", "foo"))})
    outcome = run(study(template=swapped), model)
    plain = run(study(template=ARROW), model)
    assert outcome.prompt.text.count("-> bar") == plain.prompt.text.count("-> foo")
    assert outcome.answer.labels == ("foo", "bar")


def test_two_labels_written_alike_are_refused(model: LanguageModel) -> None:
    clash = ARROW.model_copy(update={"words": (("foo", "bar"),)})
    with pytest.raises(StudyError, match="both written “bar”"):
        run(study(template=clash), model)


def test_answers_of_the_mixture_come_back_as_labels(model: LanguageModel) -> None:
    words = ARROW.model_copy(update={"words": (("A", "dogs"), ("B", "cats"))})
    given = Study(demonstrations=rows([("dog", "A"), ("cat", "B")]), query="horse", template=words)
    outcome = run(given, model)
    plain = run(
        given.model_copy(update={"template": ARROW, "demonstrations": rows([("dog", "dogs"), ("cat", "cats")])}), model
    )
    assert {words.word(y) for y in outcome.answer.labels} == set(plain.answer.labels)
    assert "dogs" not in outcome.answer.labels
    assert words.label("dogs") == "A"
    assert words.label("A") is None
    assert words.label("other") == "other"


def test_label_spans_hold_the_word() -> None:
    template = INPUT_LABEL.model_copy(update={"words": (("foo", "positive"),)})
    for prompt in (
        render(rows([("x", "foo"), ("y", "bar")]), "z", template),
        render_channel(rows([("x", "foo"), ("y", "bar")]), "foo", template),
    ):
        spans = [prompt.text[part.start : part.end] for part in prompt.parts if part.kind == "label"]
        assert spans[:2] == ["positive", "bar"]
    assert spans == ["positive", "bar", "positive"]


@pytest.mark.parametrize(
    "words", [(("foo", " "),), (("", "x"),), (("foo", "x"), ("foo", "y")), (("foo", "x"), ("bar", " x "))]
)
def test_words_are_checked(words: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InvalidValue):
        Template(words=words)


def test_older_studies_stay_valid() -> None:
    old = '{"query": "x", "template": {"name": "custom", "input_prefix": "", "label_prefix": " -> ", "end": "\\n"}}'
    read = Study.model_validate_json(old)
    assert read.template.words == ()
    assert read.shots is None
    assert Study.model_validate_json(study(shots=2).model_dump_json()) == study(shots=2)


def test_as_written_twice_is_once() -> None:
    once = as_written(study(), study().demonstrations, ("foo", "bar"))
    assert as_written(*once) == once
    assert once[2] == ("positive", "negative")
