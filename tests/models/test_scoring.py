"""Scoring: every architecture, packed and fallen back, against one text at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Cancelled, ModelError, PromptTooLong
from core.models.packing import Limits
from tests.models import plain
from tests.models.checkpoints import ARCHITECTURES, CONTEXT, TWELVE
from tests.models.conftest import Folder, Model

SHOWN = "the film was very good -> positive\nthe plot was bad -> negative\nthe bird is a dog -> negative\n"
QUERIES = ("the film ->", "a very bad plot of the film ->", "what is the capital ->")
LABELS = (" positive", " negative", " pos", " positively", "\npositive", "x")
PAIRS = [(SHOWN + query, label) for query in QUERIES for label in LABELS]
OTHERS = [("a cat", "ab"), ("Review: good", " film\n"), ("", "the dog"), ("x", "")]
PACKED = {"gpt2", "gpt_neox", "opt", "llama", "mistral", "gemma3", "qwen2", "qwen3", "phi", "falcon", "gemma2", "gptj"}


def assert_same(folder: Path, pairs: list[tuple[str, str]], scored: list[object]) -> None:
    for (context, continuation), mine in zip(pairs, scored, strict=True):
        expected = plain.score(folder, context, continuation)
        assert mine.logprobs.shape == expected.shape  # type: ignore[attr-defined]
        np.testing.assert_allclose(mine.logprobs, expected, atol=1e-4)  # type: ignore[attr-defined]


@pytest.mark.parametrize("architecture", TWELVE)
def test_scores_equal_one_by_one(architecture: str, folder: Folder, model: Model) -> None:
    assert_same(folder(architecture), PAIRS + OTHERS, model(architecture).score(PAIRS + OTHERS))


@pytest.mark.parametrize("architecture", [*TWELVE, "gemma2", "gptj"])
@pytest.mark.parametrize("way", ["trunk and trie", "trunk and chains", "chains", "one row each"])
def test_every_way_gives_the_same(
    architecture: str, way: str, folder: Folder, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = model(architecture)
    if way == "trunk and trie":  # rows so short that the prompts need several, behind one trunk
        monkeypatch.setattr(tested, "limits", Limits(tokens=24, row=24))
    else:
        monkeypatch.setattr(tested, "packable", False)
    if way == "chains":
        monkeypatch.setattr(tested, "limits", Limits(shortest_trunk=10**6))
    if way == "one row each":
        monkeypatch.setattr(tested, "limits", Limits(tokens=1, shortest_trunk=10**6))
    assert_same(folder(architecture), PAIRS, tested.score(PAIRS))


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_who_can_be_packed(architecture: str, model: Model) -> None:
    tested = model(architecture)
    assert tested.packable == (architecture in PACKED)
    assert tested.packable == (tested.why_not_packable == "")


def test_prompts_share_their_tokens(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = model("llama")
    sizes: list[int] = []
    inner = tested._passes.logits
    monkeypatch.setattr(
        tested._passes, "logits", lambda batch, *rest: sizes.append(len(batch[0].trie.tokens)) or inner(batch, *rest)
    )
    tested.score(PAIRS)
    assert len(sizes) == 1
    assert sizes[0] < sum(len(tested.encode(a + b)) for a, b in PAIRS) / 8


def test_a_label_that_is_the_prefix_of_another(folder: Folder, model: Model) -> None:
    pairs = [(SHOWN + "the dog ->", label) for label in (" a", " ab", " abc", " a", " a b")]
    scored = model("llama").score(pairs)
    assert_same(folder("llama"), pairs, scored)
    np.testing.assert_array_equal(scored[0].logprobs, scored[3].logprobs)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize(
    ("context", "continuation"),
    [
        ("the film ->", " positive"),
        ("the film -> ", "positive"),  # the space joins the word: one token straddles the join
        ("the film -", "> positive"),
        ("the fi", "lm"),
        ("the film\n", "\npositive"),
        ("the film", "\n"),
        ("the film ->", " 🙂é"),
    ],
)
def test_the_join_is_tokenised_in_the_whole_text(
    architecture: str, context: str, continuation: str, folder: Folder, model: Model
) -> None:
    scored = model(architecture).score([(context, continuation)])[0]
    whole = model(architecture).encode(context + continuation)
    kept = [i for i in range(1, len(whole)) if whole.ends[i] > len(context)]
    assert scored.tokens == tuple(whole.texts[i] for i in kept)
    assert kept
    assert_same(folder(architecture), [(context, continuation)], [scored])


def test_a_first_token_without_bos_is_left_out(model: Model) -> None:
    with_bos, without = model("llama").score([("", "the film")])[0], model("gpt2").score([("", "the film")])[0]
    assert len(with_bos.tokens) == len(model("llama").encode("the film")) - 1
    assert len(without.tokens) == len(model("gpt2").encode("the film")) - 1
    assert with_bos.tokens[0].startswith("the")
    assert without.tokens[0] == " film" or "film" in without.tokens[-1]


def test_nothing_to_score(model: Model) -> None:
    assert model("gpt2").score([]) == []
    assert model("gpt2").score([("film", "")])[0].tokens == ()


TEXT = st.text(st.sampled_from("ab ->\n.é"), min_size=1, max_size=30)


@pytest.mark.parametrize("architecture", ["mistral", "gpt_neo"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=64))
def test_alone_and_together_give_the_same(architecture: str, pairs: list[tuple[str, str]], model: Model) -> None:
    tested = model(architecture)
    together = tested.score(pairs)
    for pair, scored in zip(pairs, together, strict=True):
        alone = tested.score([pair])[0]
        assert alone.tokens == scored.tokens
        np.testing.assert_allclose(alone.logprobs, scored.logprobs, atol=1e-4)


@pytest.mark.parametrize("architecture", ["llama", "falcon", "bloom"])
def test_next_logprobs(architecture: str, folder: Folder, model: Model) -> None:
    texts = [SHOWN + query for query in QUERIES] + ["the"]
    found = model(architecture).next_logprobs(texts)
    assert found.shape == (4, model(architecture).vocabulary_size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found.astype(np.float64)).sum(axis=1), 1.0, atol=1e-5)
    for text, row in zip(texts, found, strict=True):
        logits = plain.read(folder(architecture), text).logits[0, -1].double()
        np.testing.assert_allclose(row, (logits - logits.logsumexp(0)).numpy(), atol=1e-4)


def test_next_logprobs_of_nothing(model: Model) -> None:
    np.testing.assert_array_equal(model("gpt2").next_logprobs([""]), model("gpt2").next_logprobs(["<s>"]))
    assert model("gpt2").next_logprobs([]).shape == (0, model("gpt2").vocabulary_size)


def test_nothing_to_start_from(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model("gpt2"), "_start", None)
    with pytest.raises(ModelError, match="no token to start from"):
        model("gpt2").next_logprobs([""])


@pytest.mark.parametrize("call", ["score", "next_logprobs", "read", "embed"])
def test_too_long(call: str, model: Model) -> None:
    text = "the film was good " * CONTEXT
    arguments = {"score": [(text, " good")], "next_logprobs": [text], "read": text, "embed": [text]}[call]
    with pytest.raises(PromptTooLong) as caught:
        getattr(model("gpt2"), call)(arguments)
    assert caught.value.context == CONTEXT
    assert caught.value.tokens > CONTEXT


def test_as_long_as_the_context(folder: Folder, model: Model) -> None:
    text = "a" * CONTEXT
    assert len(model("gpt2").encode(text)) == CONTEXT
    assert_same(folder("gpt2"), [(text[:-1], "a")], model("gpt2").score([(text[:-1], "a")]))


def test_stop_between_passes(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = model("llama")
    monkeypatch.setattr(tested, "limits", Limits(tokens=8, row=8))
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        tested.score(PAIRS, stop=stop)
    assert len(asked) == 3
    with pytest.raises(Cancelled):
        tested.next_logprobs(["a"], stop=lambda: True)
    assert tested.score(PAIRS, stop=lambda: False)
