"""Tokens and their spans."""

from __future__ import annotations

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from core.models.encoding import Encoder
from tests.models.conftest import Model


def words(**template: str) -> PreTrainedTokenizerFast:
    """Whole words a, b, c; anything else is unknown."""
    vocabulary = {"<s>": 0, "</s>": 1, "[UNK]": 2, "a": 3, "b": 4, "c": 5}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template["single"], special_tokens=[("<s>", 0), ("</s>", 1)]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="[UNK]")


def test_bos_is_kept_and_eos_is_not() -> None:
    encoding = Encoder(words(single="<s> $A </s>")).encode_batch(["a b"])[0]
    assert encoding.ids == (0, 3, 4)
    assert encoding.texts == ("<s>", "a", "b")
    assert encoding.starts == (0, 0, 2)
    assert encoding.ends == (0, 1, 3)


def test_an_empty_text_keeps_its_bos() -> None:
    assert Encoder(words(single="<s> $A </s>")).encode_batch([""])[0].ids == (0,)
    assert Encoder(words()).encode_batch([""])[0].ids == ()


def test_unknown_words_are_named_once() -> None:
    encoding = Encoder(words()).encode_batch(["a dog b dog 🙂 [UNK]"])[0]
    assert encoding.unknown[:2] == ("dog", "🙂")
    assert Encoder(words()).encode_batch(["a b c"])[0].unknown == ()


def test_half_an_emoji(model: Model) -> None:
    encoding = model("gpt2").encode("a\ud83d b")
    assert encoding.ends[-1] == 4


def test_characters_of_several_bytes(model: Model) -> None:
    text = "é🙂 b"
    encoding = model("gpt2").encode(text)
    assert encoding.ends[-1] == len(text)
    assert set("".join(encoding.texts)) >= {"é", "🙂", "b"}


def test_white_space_is_shown_as_it_is(model: Model) -> None:
    assert "".join(model("gpt2").encode("a   b").texts).replace(" ", "") == "ab"
    assert model("gpt2").encode("a ").texts == ("a", " ")
