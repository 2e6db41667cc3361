"""Writing against transformers' own greedy generation, and sampling against its distribution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import Cancelled, PromptTooLong
from core.models.generation import cut, draw, generate
from tests.models.checkpoints import ARCHITECTURES, CONTEXT
from tests.models.conftest import Folder, Model
from tests.models.plain import load

TEXT = "Review: a very good film.\nSentiment: positive\n\nReview: a very bad plot.\nSentiment:"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_greedy_equals_transformers(architecture: str, folder: Folder, model: Model) -> None:
    """Windows are shorter than the prompt, so a cache that forgets wrongly shows here."""
    # transformers' own eager and fused attention differ on Falcon with ALiBi; models are loaded with the fused one.
    plain, tokenizer = load(folder(architecture), "sdpa" if architecture == "falcon_alibi" else "eager")
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        for _ in range(12):  # the model's whole text at every step, without any cache
            following = plain(ids).logits[0, -1].argmax()
            if int(following) == tokenizer.eos_token_id:
                break
            ids = torch.cat([ids, following[None, None]], dim=1)
    prompt = len(tokenizer(TEXT)["input_ids"])
    expected = tuple(tokenizer.decode([i], skip_special_tokens=True) for i in ids[0, prompt:].tolist())
    found = generate(model(architecture), [TEXT], until="", most=12)[0]
    assert found.tokens == expected
    assert found.logprobs.shape == (len(expected),)


@pytest.mark.parametrize("architecture", ["gpt2", "mistral", "bloom"])
def test_logprobs_are_those_of_scoring(architecture: str, model: Model) -> None:
    loaded = model(architecture)
    (growing,) = loaded.begin([TEXT])
    assert growing.logprobs()[0] == pytest.approx(loaded.next_logprobs([TEXT])[0], abs=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_many_at_once_write_as_one_by_one(architecture: str, model: Model) -> None:
    """Texts of several lengths, with and without a beginning in common, some of which end early."""
    loaded = model(architecture)
    texts = [TEXT + ending for ending in ("", " a good", " a dog", " positive\n\nReview: the", " no", " yes")]
    texts += ["the film", "the plot was", "the bird was", TEXT]
    # A random model writes no stop string of ours, so one is taken from what it writes.
    said = generate(loaded, [texts[1]], until="", most=6)[0].tokens[2:]
    until = next((token for token in said if token.strip()), "e")
    together = generate(loaded, texts, until=until, most=12)
    for text, found in zip(texts, together, strict=True):
        alone = generate(loaded, [text], until=until, most=12)[0]
        assert (found.text, found.tokens, found.finished) == (alone.text, alone.tokens, alone.finished)
        np.testing.assert_allclose(found.logprobs, alone.logprobs, atol=1e-4)


def test_batches_stay_within_what_a_pass_may_hold(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = model("gpt2")
    texts = [f"the film {word}" for word in ("a", "b", "c", "d", "e", "f", "g")]
    expected = [one.tokens for one in generate(loaded, texts, until="", most=5)]
    monkeypatch.setattr(loaded, "limits", replace(loaded.limits, tokens=12))
    assert max(len(batch.places) for batch in loaded.begin(texts)) < len(texts)
    assert [one.tokens for one in generate(loaded, texts, until="", most=5)] == expected


def test_sampling_follows_the_model(model: Model) -> None:
    """First tokens of 400 draws against p, by total variation over the likeliest."""
    rng = np.random.default_rng(0)
    logprobs = model("gpt2").next_logprobs([TEXT])[0].astype(np.float64)
    sharp = logprobs * 3  # a random model is almost flat
    p = np.exp(sharp - sharp.max())
    p /= p.sum()
    draws = np.bincount([draw(logprobs, 1 / 3, rng) for _ in range(4_000)], minlength=len(p)) / 4_000
    top = np.argsort(-p)[:20]
    assert np.abs(draws[top] - p[top]).max() < 4 * np.sqrt(p.max() / 4_000)


def test_a_text_draws_alike_whatever_stands_beside_it(model: Model) -> None:
    alone = generate(model("gpt2"), ["the film"], temperature=1.0, seed=3, most=6)[0]
    beside = generate(model("gpt2"), ["the film", "a plot"], temperature=1.0, seed=3, most=6)[0]
    assert alone.tokens == beside.tokens
    assert generate(model("gpt2"), ["the film"], temperature=1.0, seed=4, most=6)[0].tokens != alone.tokens


@pytest.mark.parametrize(
    ("text", "until", "expected"),
    [
        (" chien\nchat", ("\n",), ("chien", "\n")),
        ("\n chien\nchat", ("\n",), ("chien", "\n")),
        ("\n chien\n\nchat", ("\n\n",), ("chien", "\n\n")),
        (" chien", ("\n",), ("chien", None)),
        ("", ("\n",), ("", None)),
        ("a b", ("",), ("a b", None)),
        ("Follow up : 2 Intermediate answer : 5", ("Intermediate answer:",), ("Follow up : 2", "Intermediate answer:")),
        ("a up: b\n", ("\n", "up:"), ("a", "up:")),
        ("a up: b\n", ("up:", "\n"), ("a", "up:")),
        (" Follow up: a", ("Follow up:",), ("", "Follow up:")),
        ("a ###b", (" ###",), ("a", " ###")),
    ],
)
def test_cut(text: str, until: tuple[str, ...], expected: tuple[str, str | None]) -> None:
    assert cut(text, until) == expected


def test_it_ends_where_the_context_does(model: Model) -> None:
    long = "the film " * 150
    room = CONTEXT - len(model("gpt2").encode(long).ids)
    assert 0 < room < 200
    assert len(generate(model("gpt2"), [long], until="", most=500)[0].tokens) == room
    with pytest.raises(PromptTooLong):
        generate(model("gpt2"), ["the film " * 400])


def test_it_can_be_stopped(model: Model) -> None:
    with pytest.raises(Cancelled):
        generate(model("gpt2"), [TEXT], stop=lambda: True)


def test_the_embedded_model_answers_in_words() -> None:
    from core import load_model

    found = generate(
        load_model("embedded"), ["dog -> dogs\ncat -> cats\nbird ->", "xyzzy -> xyzzy\nqwv -> qwv\nplugh ->"]
    )
    assert found[0].text
    assert "\n" not in found[0].text
    assert all(one.finished for one in found)
