"""What is taken from a pass that serves others is what a pass of one's own gives, and pieces are read as the whole."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from core import Demonstration, Study, run
from core.mixture.mixture import load_mixture
from core.models import LanguageModel, load_model
from core.scoring.shared import SharedPasses
from core.study.prompts import TEMPLATES, render
from tests.tiny import tiny

PROMPT = "a good film -> good\na bad film ->"
PAIRS = [(PROMPT, " good"), (PROMPT, " bad and odd"), ("a good film ->", " good")]


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "qwen3", "mistral", "gemma3", "gpt_neox"])
def test_attention_of_a_text_in_a_shared_pass(architecture: str) -> None:
    model = tiny(architecture)
    answers = model.answer(PAIRS, ["a good film ->", PROMPT], look=PROMPT)
    alone = model.read(PROMPT)
    if answers.reading is None:
        pytest.skip("this architecture's passes are not watched")
    assert answers.reading.attention is not None
    assert alone.attention is not None
    np.testing.assert_allclose(answers.reading.attention, alone.attention, atol=1e-5)
    np.testing.assert_allclose(answers.reading.logprobs, alone.logprobs, atol=1e-4)
    assert (answers.reading.texts, answers.reading.ids) == (alone.texts, alone.ids)


@pytest.mark.parametrize("architecture", ["embedded", "gpt2", "llama", "mistral", "gemma3"])
def test_a_large_trie_in_blocks_gives_what_each_text_gives(architecture: str) -> None:
    model = load_model() if architecture == "embedded" else tiny(architecture)
    words = ("good", "bad", "odd", "a", "film", "plot")
    stem = "a good film -> good\na bad film -> bad\n"
    some = [f"{stem}{a} {b} {c} ->" for a in words for b in words for c in words]
    some += [stem, "a", *(f"{word} film ->" for word in words)]
    together = model.next_logprobs(some)
    for place in (0, 17, 100, 215, 216, 217, 220):
        np.testing.assert_allclose(together[place], model.read(some[place]).logprobs, atol=1e-4)


def test_watching_changes_no_number() -> None:
    model = load_model()
    watched, unwatched = model.answer(PAIRS, [PROMPT], look=PROMPT), model.answer(PAIRS, [PROMPT])
    assert watched.reading is not None
    assert unwatched.reading is None
    np.testing.assert_array_equal(watched.rows, unwatched.rows)
    for a, b in zip(watched.scores, unwatched.scores, strict=True):
        np.testing.assert_array_equal(a.logprobs, b.logprobs)


def test_what_was_looked_at_is_read_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = SharedPasses(load_model())
    shared.want(PAIRS, [PROMPT], look=PROMPT)
    shared.fetch()
    seen = shared.read(PROMPT)
    assert shared.read(PROMPT, rows=(-1,)) is seen
    assert shared.read(PROMPT, head=(0, 0)).map is not None
    assert shared.read(PROMPT, rows=(0,)) is not seen


def texts(count: int) -> list[str]:
    """Prompts of the mixture, stretches of them, and noise."""
    mixture, rng = load_mixture(), random.Random(0)
    found = ["", " ", "\n", "a\nb", "\n\n a", " \n"]
    for number in range(count):
        pairs = mixture.sample(rng.choice(mixture.families), rng.randrange(1, 6), seed=number)
        template = rng.choice(list(TEMPLATES.values()))
        shown = [Row(x, y) for x, y in pairs[:-1]]
        text = render(shown, pairs[-1][0], template, rng.choice(["", "Give it."])).text  # type: ignore[arg-type]
        found += [text, text[: rng.randrange(len(text) + 1)]]
        found.append("".join(rng.choice("ab \n->:|Q.A1é\ud800") for _ in range(30)))
    return found


class Row:
    """What rendering reads of a demonstration."""

    def __init__(self, text: str, label: str) -> None:
        self.input, self.label, self.steps = text, label, ()


@pytest.mark.parametrize("model", [load_model(), tiny("gpt2")], ids=["by pieces", "whole"])
def test_texts_read_together_are_read_as_each_alone(model: LanguageModel) -> None:
    some = texts(60)
    alone = [model.encode(text) for text in some]
    assert model.encoder.encode_batch(some) == alone
    assert [tuple(ids) for ids in model.encoder.ids_batch(some)] == [encoding.ids for encoding in alone]


@pytest.mark.parametrize("architecture", ["embedded", "gpt2", "llama", "mistral", "gemma3"])
def test_texts_that_come_along_are_embedded_as_alone(architecture: str) -> None:
    model = load_model() if architecture == "embedded" else tiny(architecture)
    texts = ["a good film ->", PROMPT, "an odd plot ->"]
    along = ["a good film", "an odd plot", "a film that is not asked about"]
    answers = model.answer((), texts, along=along)
    np.testing.assert_allclose(answers.rows, model.next_logprobs(texts), atol=1e-4)
    assert set(answers.vectors) <= set(along)
    assert len(answers.vectors) == len(along) or architecture != "embedded"
    for text, vector in answers.vectors.items():
        alone = model.embed([text])[0]
        assert np.linalg.norm(vector - alone) < 1e-6 * np.linalg.norm(alone)


def test_nothing_comes_along_with_scores() -> None:
    model = load_model()
    without, given = model.answer(PAIRS, [PROMPT]), model.answer(PAIRS, [PROMPT], along=["a good film", "an odd plot"])
    assert not given.vectors
    np.testing.assert_array_equal(without.rows, given.rows)
    for a, b in zip(without.scores, given.scores, strict=True):
        np.testing.assert_array_equal(a.logprobs, b.logprobs)


def test_a_text_that_cannot_be_read_does_not_come_along() -> None:
    model = load_model()
    answers = model.answer((), [PROMPT, "a bad film ->"], along=["good " * model.context_length, "a good film"])
    assert set(answers.vectors) == {"a good film"}


def test_a_run_embeds_in_passing_and_answers_the_same_whatever_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model()
    pairs = load_mixture().sample("French", 9, seed=77)
    shown = tuple(Demonstration(input=x, label=y) for x, y in pairs[:8])
    study = Study(demonstrations=shown, query=pairs[8][0], similarity="cosine")
    embed, asked = model.embed, []

    def counted(texts: Sequence[str], layer: int = -1) -> NDArray[np.float32]:
        asked.extend(texts)
        return embed(texts, layer)

    monkeypatch.setattr(model, "embed", counted)
    first = run(study, model)
    assert not asked
    again = run(study, model)
    assert first.answer is not None
    assert again.answer is not None
    np.testing.assert_array_equal(first.answer.scores, again.answer.scores)
    kernel = first.kernels["hidden"].raw
    vectors = embed([study.query, *(d.input for d in shown)]).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors[1:] @ vectors[0]
    np.testing.assert_allclose(kernel, cosine, atol=1e-6)
