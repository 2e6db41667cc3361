"""What is taken from a pass that serves others is what a pass of one's own gives, and pieces are read as the whole."""

from __future__ import annotations

import random

import numpy as np
import pytest

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
