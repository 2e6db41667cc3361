"""Tokens and their spans."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from core import Demonstration, Study, run
from core.models import LanguageModel, load_model
from core.models.encoding import Encoder
from tests.models.conftest import Folder, Model


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


def test_control_tokens_in_a_text_are_named(smollm2: LanguageModel) -> None:
    """Those that are read as control tokens, and no others: not the tokenizer's own start token, not half of one."""
    control = smollm2.encoder.control
    assert control("a <|endoftext|> b<|im_start|>user <|endoftext|>") == ("<|endoftext|>", "<|im_start|>")
    assert control("<repo_name>") == ("<repo_name>",)  # not among the tokenizer's own special tokens
    assert control("a <|endoftext b | im_start |>") == ()
    assert 0 in smollm2.encode("a <|endoftext|> b").ids
    assert Encoder(words(single="<s> $A </s>")).control("a b") == ()
    assert Encoder(words(single="<s> $A </s>")).control("a </s> dog") == ("</s>",)


def test_control_tokens_are_said_in_the_outcome(smollm2: LanguageModel) -> None:
    def notes(query: str, *labels: str) -> list[str]:
        study = Study(query=query, demonstrations=(Demonstration(input="dog", label="dogs"),), labels=labels, k=1)
        return [note for note in run(study, smollm2).notes if "control token" in note]

    assert notes("bird", "birds", "bird") == []
    assert notes("<|endoftext|>", "birds", "bird") == [
        "“<|endoftext|>” is read as a control token of the model, not as text."
    ]
    assert "“<|im_end|>”" in notes("bird", "birds", "<|im_end|>")[0]


DROPPED = ("GPT2Tokenizer", "GPTNeoXTokenizer", "CodeGenTokenizer")


@pytest.mark.parametrize("kind", DROPPED)
def test_texts_are_cut_as_the_file_says(kind: str, folder: Folder, tmp_path: Path) -> None:
    """A file that cuts every digit apart, under a name whose class drops that."""
    shutil.copytree(folder("gpt2"), tmp_path / "cut")
    path = tmp_path / "cut"
    _train_with_digits_apart(path, kind)
    filed = Tokenizer.from_file(str(path / "tokenizer.json"))
    text = "12 -> 24\n305 -> 610\n77 ->"
    assert "305" not in filed.encode(text).tokens
    assert AutoTokenizer.from_pretrained(path)(text)["input_ids"] != filed.encode(text).ids  # what is made up for
    loaded = load_model(str(path))
    assert list(loaded.encode(text).ids) == filed.encode(text).ids
    assert list(zip(loaded.encode(text).starts, loaded.encode(text).ends, strict=True)) == filed.encode(text).offsets
    (note,) = loaded.notes
    assert kind in note
    assert "tokenizer.json" in note


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma3"])
def test_no_note_where_the_file_is_read(architecture: str, model: Model) -> None:
    assert model(architecture).notes == ()


def test_no_note_on_a_real_model(smollm2: LanguageModel) -> None:
    assert smollm2.notes == ()


def _train_with_digits_apart(path: Path, kind: str) -> None:
    """Put a byte-level BPE tokenizer of 400 tokens that cuts numbers into digits into a checkpoint of 400 tokens.

    Its vocabulary holds whole numbers too, as one taken over from another model would, so that a reader who drops the
    cutting reads other tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([f"{n} -> {2 * n}\n" for n in range(10, 500)] * 2, trainer)
    digits, words = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>").save_pretrained(path)
    config = json.loads((path / "tokenizer_config.json").read_text())
    (path / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": kind}))
