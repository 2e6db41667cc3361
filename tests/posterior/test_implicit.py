"""Decoding a stand-in model that answers by exact Bayes over a small mixture: the posterior must come back."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from core.bayes.predictive import predictive
from core.bayes.probing import choose_probes, components
from core.errors import PromptTooLong
from core.models import Encoding, Scored
from core.posterior.evidence import ProbePrompts, answers_of, ask, before_labels, single_tokens
from core.study.demonstrations import Demonstration
from core.study.prompts import TEMPLATES, Template, render
from core.study.question import Question
from core.study.study import Study
from tests.asked import exact_posterior, implicit, posteriors_of

Floats = NDArray[np.float64]

# family -> input -> (chance of the input, {answer: chance}); "verbs" shares no input with the others
TABLE: dict[str, dict[str, tuple[float, dict[str, float]]]] = {
    "plural": {"cat": (0.4, {"cats": 1.0}), "dog": (0.4, {"dogs": 1.0}), "sheep": (0.2, {"sheep": 1.0})},
    "copy": {"cat": (0.3, {"cat": 1.0}), "dog": (0.3, {"dog": 1.0}), "sheep": (0.4, {"sheep": 1.0})},
    "french": {"cat": (0.5, {"chat": 0.7, "minou": 0.3}), "dog": (0.5, {"hot dog": 0.5, "chien": 0.5})},
    "past": {"go": (0.5, {"went": 1.0}), "see": (0.5, {"saw": 1.0})},
    "verb-copy": {"go": (0.6, {"go": 1.0}), "see": (0.4, {"see": 1.0})},
}
NOISE = 0.02
FAMILIES = tuple(TABLE)
PRIOR = np.array([0.3, 0.1, 0.2, 0.25, 0.15])
INPUTS = sorted({x for rows in TABLE.values() for x in rows})
WORDS = sorted({w for rows in TABLE.values() for _, answers in rows.values() for w in answers})


def joint(family: str, x: str, y: str) -> float:
    """p(x, y | family), with label noise over all words."""
    chance, answers = TABLE[family].get(x, (0.0, {}))
    return chance * ((1 - NOISE) * answers.get(y, 0.0) + NOISE / len(WORDS))


@dataclass(frozen=True)
class Domain:
    name: str
    first: str  # a family of this domain

    def draw_input(self, rng: random.Random) -> str:
        inputs = TABLE[self.first]
        return rng.choices(list(inputs), [chance for chance, _ in inputs.values()])[0]


@dataclass(frozen=True)
class Parts:
    answers: tuple[tuple[str, ...], ...]
    families: NDArray[np.intp]
    joint: Floats


class SmallMixture:
    families = FAMILIES
    domains: ClassVar = {family: "verbs" if "go" in TABLE[family] else "nouns" for family in FAMILIES}
    blocks = (SimpleNamespace(domain=Domain("nouns", "plural")), SimpleNamespace(domain=Domain("verbs", "past")))

    def posterior(self, pairs: Sequence[tuple[str, str]], instruction: str = "") -> tuple[Floats, Floats]:
        rows = [PRIOR * (np.array([3.0, 1, 1, 1, 1]) if instruction else 1.0)]
        for x, y in pairs:
            rows.append(rows[-1] * [joint(f, x, y) for f in FAMILIES])
        stacked = np.stack(rows)
        return stacked / stacked.sum(1, keepdims=True), np.log(stacked.sum(1))

    log_prior, family_of = np.log(PRIOR), np.arange(len(FAMILIES))

    def log_joint(self, pairs: Sequence[tuple[str, str]], instruction: str = "") -> Floats:
        return np.log(self.posterior(pairs, instruction)[0] + 1e-300)

    def log_instruction(self, instruction: str) -> Floats:
        return np.log([3.0, 1, 1, 1, 1]) if instruction else np.zeros(len(FAMILIES))

    def log_inputs(self, x: str) -> Floats:
        return np.log([TABLE[f].get(x, (1e-30, {}))[0] for f in FAMILIES])

    def fresh_inputs(self, inputs: Sequence[str]) -> Floats:
        return np.array([self.log_inputs(x) for x in inputs]).reshape(len(inputs), len(FAMILIES))

    def by_family(self, mass: Floats) -> Floats:
        return mass

    def predictive(self, pairs: Sequence[tuple[str, str]], x: str, labels: Sequence[str], i: str = "") -> Floats:
        each = np.array([[joint(f, x, y) for y in labels] for f in FAMILIES])  # (F, L)
        inputs = np.array([TABLE[f].get(x, (0.0, {}))[0] for f in FAMILIES])
        weights = self.posterior(pairs, i)[0]
        total = weights @ inputs[:, None]  # (k + 1, 1)
        blank = np.full((len(weights), len(labels)), 1 / len(WORDS))
        return np.divide(weights @ each, total, out=blank, where=total > 0)

    def probes(self, pairs: Sequence[tuple[str, str]], count: int = 8, seed: int = 0) -> tuple[str, ...]:
        return ("cat", "dog", "go", "see", "sheep")[:count]

    def components(self, pairs: Sequence[tuple[str, str]], probes: Sequence[str], instruction: str = "") -> Parts:
        answers = tuple(tuple(WORDS) for _ in probes)
        one = np.array([[[joint(f, x, y) for y in WORDS] for f in FAMILIES] for x in probes])
        rows = np.tile(one.reshape(1, len(probes), len(FAMILIES), -1), (len(pairs) + 1, 1, 1, 1))
        return Parts(answers, np.arange(len(FAMILIES)), rows)


choose_probes.register(SmallMixture)(SmallMixture.probes)
components.register(SmallMixture)(SmallMixture.components)
predictive.register(SmallMixture)(SmallMixture.predictive)


class BayesModel:
    """Answers "x -> " by exact Bayes over the small mixture; a word with a space is two tokens."""

    layers, heads, mixture = 2, 2, SmallMixture()

    def __init__(self, context_length: int = 200) -> None:
        self.context_length = context_length
        self.vocabulary = sorted({piece for word in [*WORDS, *INPUTS] for piece in word.split()})
        self.vocabulary_size = len(self.vocabulary)

    def encode(self, text: str) -> Encoding:
        spans = [(0, 0)]
        place = 0
        for word in text.split():
            start = text.index(word, place)
            place = start + len(word)
            spans.append((start, place))
        pieces = [text[a:b] for a, b in spans]
        ids = [self.vocabulary.index(w) if w in self.vocabulary else 99 for w in pieces]
        return Encoding(tuple(ids), tuple(a for a, _ in spans), tuple(b for _, b in spans), tuple(pieces), ())

    def answer(self, text: str) -> dict[str, float]:
        if text.endswith("\n") or not text:  # what input comes next
            lines = text.strip().split("\n")
            pairs = [(x, y) for x, y in (line.split(" -> ") for line in lines if "->" in line)]
            instruction = lines[0] if text and "->" not in lines[0] else ""
            weights = self.mixture.posterior(pairs, instruction)[0][-1]
            chances = np.array([[TABLE[f].get(x, (0.0, {}))[0] for x in INPUTS] for f in FAMILIES])
            return dict(zip(INPUTS, (weights @ chances).tolist(), strict=True))
        lines = [line for line in text.split("\n") if line]
        instruction = lines.pop(0) if "->" not in lines[0] else ""
        pairs = [tuple(line.split(" -> ")) for line in lines[:-1]]
        row = self.mixture.predictive(pairs, lines[-1].removesuffix(" ->"), WORDS, instruction)[-1]  # type: ignore[arg-type]
        return dict(zip(WORDS, row.tolist(), strict=True))

    def next_logprobs(self, texts: Sequence[str], *, stop: Callable[[], bool] | None = None) -> NDArray[np.float32]:
        out = np.full((len(texts), len(self.vocabulary)), 1e-30)
        for n, text in enumerate(texts):
            for word, p in self.answer(text).items():
                out[n, self.vocabulary.index(word.split()[0])] += p
        return np.log(out).astype(np.float32)

    def score(self, pairs: Sequence[tuple[str, str]], *, stop: Callable[[], bool] | None = None) -> list[Scored]:
        found = []
        for context, word in pairs:
            pieces, p = tuple(word.split()), self.answer(context)[word.strip()]
            found.append(Scored(pieces, np.full(len(pieces), np.log(p) / len(pieces))))
        return found


def demonstrations(*pairs: tuple[str, str]) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


NOUNS = demonstrations(("sheep", "sheep"), ("cat", "cats"), ("dog", "hot dog"), ("dog", "dogs"))
VERBS = demonstrations(("go", "went"), ("see", "see"))


def total_variation(a: Floats, b: Floats) -> Floats:
    result: Floats = 0.5 * np.abs(a - b).sum(1)
    return result


@pytest.mark.parametrize("decoding", ["em", "least-squares"])
@pytest.mark.parametrize("shown", [(), NOUNS, VERBS, NOUNS[1:]], ids=["none", "nouns", "verbs", "without sheep"])
@pytest.mark.parametrize("instruction", ["", "Give the plural."])
def test_exact_answers_decode_to_the_exact_posterior(
    shown: tuple[Demonstration, ...], decoding: str, instruction: str
) -> None:
    study = Study(query="cat", posterior_solver=decoding, instruction=instruction)  # type: ignore[arg-type]
    model = BayesModel()
    labels = ("cats", "minou", "unheard")
    found = implicit(study, model, model.mixture, shown, labels)
    exact = exact_posterior(study, model.mixture, shown, labels)
    assert found.weights.shape == (len(shown) + 1, len(FAMILIES))
    assert total_variation(found.weights, exact.weights).max() < 0.02
    assert found.residual is not None
    assert found.condition is not None
    assert found.residual.max() < 1e-3
    assert np.isfinite(found.condition).all()
    assert found.predictive is not None
    assert exact.predictive is not None
    if shown != VERBS:
        np.testing.assert_allclose(found.predictive[:, :2], exact.predictive[:, :2], atol=0.02)
    np.testing.assert_allclose(found.predictive[:, 2], 0.0)


def test_words_of_several_tokens_are_scored_whole() -> None:
    model = BayesModel()
    words = ("dogs", "hot dog", "dog")
    single = single_tokens(model, words)  # type: ignore[arg-type]
    assert set(single) == {"dogs", "dog"}
    asked = ProbePrompts(("dog",), ("",), " ->", " ")
    logs = model.next_logprobs(["dog ->"])[None]
    q = answers_of(model, logs, asked, [words], single, 4)  # type: ignore[arg-type]
    each = model.answer("dog ->")
    expected = np.array([each["dogs"], each["hot dog"], each["dog"], 0.0])
    np.testing.assert_allclose(q[0, 0], expected, rtol=1e-5)
    without = answers_of(model, logs, asked, [words], single, 4, {(0, 1)})  # type: ignore[arg-type]
    np.testing.assert_allclose(without[0, 0], expected * [1, 0, 1, 1], rtol=1e-5)


@pytest.mark.parametrize("template", list(TEMPLATES.values()), ids=list(TEMPLATES))
def test_prompts_asked_are_the_prompts_rendered(template: Template) -> None:
    study = Study(query="cat", template=template, instruction="Give the plural.")
    asked = ask(Question.of(study, NOUNS, ()), BayesModel(), ("dog", "a longer one"))  # type: ignore[arg-type]
    written = [render(NOUNS[:n], x, template, study.instruction) for n in range(5) for x in ("dog", "a longer one")]
    assert asked.texts() == [prompt.text for prompt in written]
    assert {asked.gap} == {prompt.gap for prompt in written}


def test_before_labels_is_bayes_on_inputs_alone() -> None:
    mixture = SmallMixture()
    rows = before_labels(mixture, ["sheep", "dog", "go", "unheard"])  # type: ignore[arg-type]
    mass = PRIOR.copy()
    np.testing.assert_allclose(rows[0], PRIOR)
    for n, x in enumerate(["sheep", "dog", "go", "unheard"], start=1):
        mass = mass * [TABLE[f].get(x, (1e-30, {}))[0] for f in FAMILIES]
        np.testing.assert_allclose(rows[n], mass / mass.sum())


def test_long_probes_are_left_out_and_none_left_is_said() -> None:
    model = BayesModel(context_length=3)  # BOS, word, arrow; the answer needs one more
    study = Study(query="cat")
    with pytest.raises(PromptTooLong):
        implicit(study, model, model.mixture, (), ("cats",))
    roomy = BayesModel(context_length=4)
    wide = Study(query="a very long query")
    found = implicit(wide, roomy, roomy.mixture, (), ("cats",))
    assert found.predictive is None
    np.testing.assert_allclose(found.weights[0], PRIOR, atol=0.02)


def test_a_query_that_no_task_knows() -> None:
    model = BayesModel()
    found = implicit(Study(query="xyz"), model, model.mixture, NOUNS[:1], ("cats",))
    assert found.predictive is None
    assert np.isfinite(found.weights).all()


def test_compute_posteriors_gives_both_and_says_when_misspecified() -> None:
    model = BayesModel()
    both = posteriors_of(Study(query="cat"), model, NOUNS, ("cats",))
    assert set(both) == {"exact", "implicit"}
    assert both["exact"].note == ""
    for selection in ("similarity", "entropy"):
        study = Study(query="cat", selection=selection, posteriors=("exact",))
        found = posteriors_of(study, model, NOUNS, ("cats",))
        assert "misspecified" in found["exact"].note
    random = posteriors_of(Study(query="cat", selection="random"), model, NOUNS, ("cats",))
    assert random["exact"].note == ""
