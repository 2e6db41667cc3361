"""What a model says after a text is computed once, and predictive answers equal the mixture's own."""

from __future__ import annotations

import numpy as np
import pytest

from core import load_model
from core.bayes.predictive import predictive
from core.mixture.mixture import load_mixture
from core.models import LanguageModel
from core.posterior import next_token_cache as asking
from core.study.prompts import TEMPLATES, Template
from tests.tiny import tiny

TEXTS = ["a good film", "a bad film", "a good film ->"]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[LanguageModel, list[str]]:
    """A model, and the texts that it was asked about."""
    model, asked = tiny(), []
    passes = model.next_logprobs

    def count(texts, *, stop=None):
        asked.extend(texts)
        return passes(texts, stop=stop)

    monkeypatch.setattr(model, "next_logprobs", count)
    monkeypatch.setattr(asking, "_kept", type(asking._kept)())
    return model, asked


def test_a_text_is_asked_about_once(counted: tuple[LanguageModel, list[str]]) -> None:
    model, asked = counted
    first = asking.next_logprobs(model, [*TEXTS, TEXTS[0]])
    second = asking.next_logprobs(model, [TEXTS[2], "another", TEXTS[0]])
    assert asked == [*TEXTS, "another"]
    np.testing.assert_array_equal(second[[0, 2]], first[[2, 3]])
    np.testing.assert_allclose(first[:3], tiny().next_logprobs(TEXTS), atol=1e-5)


def test_the_longest_unused_go_first(counted: tuple[LanguageModel, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = counted
    monkeypatch.setattr(asking, "MAX_BYTES", 2 * 4 * model.vocabulary_size)
    asking.next_logprobs(model, TEXTS)
    asking.next_logprobs(model, TEXTS[1:])
    assert asked == TEXTS
    asking.next_logprobs(model, TEXTS[:1])
    assert asked == [*TEXTS, TEXTS[0]]


@pytest.mark.parametrize("query", ["cat", "zzz", "?!", "a b c d", "shown"])
@pytest.mark.parametrize("family", ["French", "nouns: codebook", "living (flipped)"])
def test_the_predictive_is_the_mixtures_own(family: str, query: str) -> None:
    mixture = load_mixture()
    pairs = mixture.sample(family, 9, seed=2)
    pairs += [pairs[0], (pairs[0][0], "odd")]
    text = pairs[0][0] if query == "shown" else query
    labels = [*mixture.answers(text), "odd", pairs[0][1]]
    for instruction in ("", mixture.distinct_instructions[2]):
        mine = predictive(mixture, pairs, text, labels, instruction)
        np.testing.assert_allclose(mine, mixture.predictive(pairs, text, labels, instruction), rtol=1e-9, atol=1e-15)
    assert not mine.flags.writeable


def test_a_query_typed_anew_costs_few_texts() -> None:
    """Of k + 1 prompts for every probe, an edit of the query asks about k + 1 alone."""
    from core import Demonstration, Study, run
    from core.runtime.cost import metered

    model = load_model()
    pairs = load_mixture().sample("French", 8, seed=5)
    study = Study(demonstrations=tuple(Demonstration(input=x, label=y) for x, y in pairs), query="cat")
    spent = []
    for query in ("cat", "horse"):
        with metered() as meter:
            run(study.model_copy(update={"query": query}), model)
        spent.append(meter.spent.texts)
    assert spent[1] < spent[0] / 2


def test_stages_share_their_passes() -> None:
    """Answer, hypotheses and probes come from passes made together, and are what each would get by itself."""
    from core import Demonstration, Hypothesis, Study, run
    from core.pipeline.prefetch import foreseen
    from core.runtime.cost import metered
    from core.scoring.together import score
    from core.study.question import Question
    from tests.asked import posteriors_of

    model, mixture = load_model(), load_mixture()
    shown = tuple(Demonstration(input=x, label=y) for x, y in mixture.sample("plural", 6, seed=11))
    study = Study(
        demonstrations=shown,
        query="cat",
        hypotheses=(Hypothesis(name="plural", instruction="Give the plural."),),
        posteriors=("exact", "implicit", "instruction"),
    )
    with metered() as together:
        outcome = run(study, model)
    labels = outcome.answer.labels
    question = Question.of(study, shown, labels)
    pairs, texts = foreseen(question, model)
    assert len(pairs) == len(labels) + len(shown) + len(labels)
    assert texts[-1] == question.prompt.text
    assert len(texts) == len(shown) + 1
    with metered() as apart:
        answer = score(study, model, shown, labels)
        posteriors = posteriors_of(study, model, shown, labels)
    np.testing.assert_allclose(outcome.answer.scores, answer.scores, atol=1e-5)
    for name, posterior in posteriors.items():
        np.testing.assert_allclose(outcome.posteriors[name].weights, posterior.weights, atol=1e-5)
    assert apart.spent.passes == 2  # labels, hypotheses
    assert together.spent.passes <= 5  # all of them, the other probes, the attention, the hidden states


def test_an_answer_does_not_depend_on_what_was_run_before(monkeypatch: pytest.MonkeyPatch) -> None:
    from core import Demonstration, Study, run

    model = load_model()
    pairs = load_mixture().sample("antonym", 8, seed=4)
    study = Study(demonstrations=tuple(Demonstration(input=x, label=y) for x, y in pairs[:-1]), query=pairs[-1][0])
    outcomes = []
    for before in ((), ("big",), ("cat", "small")):
        monkeypatch.setattr(asking, "_kept", type(asking._kept)())
        for query in before:
            run(study.model_copy(update={"query": query}), model)
        outcomes.append(run(study, model))
    first, *others = outcomes
    for other in others:
        np.testing.assert_array_equal(other.answer.scores, first.answer.scores)
        np.testing.assert_allclose(
            other.posteriors["implicit"].weights, first.posteriors["implicit"].weights, atol=1e-4
        )


def test_what_cannot_be_read_is_left_to_who_asks() -> None:
    from core.errors import PromptTooLong
    from core.scoring.shared import SharedPasses

    model = tiny()
    shared = SharedPasses(model)
    shared.want([("a good film", " good")], ["word " * 5000])
    shared.try_fetch()
    assert len(shared.score([("a good film", " good")])) == 1
    with pytest.raises(PromptTooLong):
        shared.next_logprobs(["word " * 5000])
    shared.want([("a", " b")], ["c"])
    shared.try_fetch()
    inside = shared.score([("a", " b")])[0].logprobs
    np.testing.assert_allclose(inside, model.score([("a", " b")])[0].logprobs, atol=1e-5)


@pytest.mark.parametrize("instruction", ["", "Give the plural."])
@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_prompts_of_fewer_demonstrations_are_those_that_rendering_gives(template: Template, instruction: str) -> None:
    from core import Demonstration, Study
    from core.posterior.evidence import ask
    from core.study.prompts import render
    from core.study.question import Question

    shown = [Demonstration(input=x, label=y) for x, y in (("cat", "cats"), ("a b", "c"), ("ox", "oxen"))]
    study = Study(demonstrations=tuple(shown), query="cow", template=template, instruction=instruction)
    asked = ask(Question.of(study, shown, ()), tiny(), ["dog", "cow"])
    for n in range(len(shown) + 1):
        for j, probe in enumerate(asked.probes):
            prompt = render(shown[:n], probe, template, instruction)
            assert (asked.text(n, j), asked.gap) == (prompt.text, prompt.gap)
