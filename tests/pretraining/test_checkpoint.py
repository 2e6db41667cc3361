"""The committed checkpoint: plain transformers loads it, and what its card says is so."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.embedded_sums import answered, items
from core import load_model
from core.mixture.mixture import load_mixture
from core.models import LanguageModel
from core.pretraining.architecture import CHECKPOINT
from core.pretraining.closeness import compare, fresh_documents
from core.pretraining.first_token import FirstToken
from core.pretraining.tokenizer import build_tokenizer

LARGEST = 10_000_000  # bytes of the whole folder
CARD = json.loads((CHECKPOINT / "card.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


def test_size() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) <= LARGEST


def test_plain_transformers_loads_it_and_agrees(model: LanguageModel) -> None:
    plain = AutoModelForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
    text = "cat -> chat\ndog -> chien\nhorse ->"
    with torch.no_grad():
        logits = plain(**tokenizer(text, return_tensors="pt")).logits[0, -1]
    ours = model.next_logprobs([text])[0]
    assert torch.log_softmax(logits, -1).numpy() == pytest.approx(ours, abs=1e-4)
    assert sum(p.numel() for p in plain.parameters()) == CARD["training"]["parameters"]


def test_tokenizer_is_the_one_that_the_code_builds() -> None:
    saved, built = AutoTokenizer.from_pretrained(CHECKPOINT), build_tokenizer()
    assert saved.get_vocab() == built.get_vocab()
    text = "Translate to French.\n\nInput: blicket\nLabel: Œuvre 42\n\nQ: 2 + 3\nA: 5"
    assert saved(text)["input_ids"] == built(text)["input_ids"]


def test_card_is_of_these_weights(model: LanguageModel) -> None:
    assert CARD["fingerprint"] == model.fingerprint
    assert {row["family"] for row in CARD["evaluation"]["by_family"]} <= set(load_mixture().families)
    assert CARD["training"]["curve"][-1]["step"] == CARD["training"]["steps"]
    for name, row in CARD["evaluation"]["overall"].items():
        ends = [row.get(end, row["value"]) for end in ("low", "high")]
        met = [end <= row["target"] if row["better"] == "lower" else end >= row["target"] for end in ends]
        assert row["met"] == (met[0] if met[0] == met[1] else None), name


def test_card_holds_on_other_documents(model: LanguageModel) -> None:
    """KL on documents of another seed, against the card's, within four standard errors of the documents' means."""
    mixture = load_mixture()
    first = FirstToken(mixture)
    means = [
        float(np.mean([label.kl for label in compare(model, mixture, document, first)]))
        for document in fresh_documents(mixture, 120, seed=77)
    ]
    card = next(iter(CARD["evaluation"]["overall"].values()))["value"]
    assert abs(np.mean(means) - card) < 4 * np.std(means) / len(means) ** 0.5


def test_addition_and_translation(model: LanguageModel) -> None:
    """The sources' own examples: "2 + 3 =" and word translation."""
    prompts = {
        "1 + 4 = 5\n6 + 2 = 8\n3 + 7 = 10\n2 + 3 =": "5",
        "cat -> chat\nbread -> pain\nhouse -> maison\ndog ->": "chien",
    }
    ids = AutoTokenizer.from_pretrained(CHECKPOINT)
    for text, answer in prompts.items():
        assert ids.convert_ids_to_tokens(int(model.next_logprobs([text])[0].argmax())) == answer


@pytest.mark.parametrize("way", ["chain of thought", "self-ask", "least-to-most"])
def test_steps_carry_it_further_than_it_was_taught_to_answer_at_once(model: LanguageModel, way: str) -> None:
    """Sums of five numbers: the mixture has three and four."""
    asked = items(16, 5, 4)
    assert sum(answered(model, asked, way)) > sum(answered(model, asked, "direct"))
    card = {(row["addends"], row["k"], row["way"]): row for row in CARD["evaluation"]["long_sums"]}[5, 4, way]
    assert sum(answered(model, asked, way)) / 16 > card["low"] - 0.3


def test_card_names_what_was_taught_beside_the_mixture() -> None:
    assert "reasoned" in CARD["beside"]
    assert any(phase["menu"]["reasoned"] for phase in CARD["training"]["recipe"]["phases"])
    assert CARD["training"]["steps"] == sum(phase["steps"] for phase in CARD["training"]["recipe"]["phases"])
