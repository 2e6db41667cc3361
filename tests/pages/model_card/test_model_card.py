"""The model card shows what is on record, and says so where nothing is."""

from __future__ import annotations

import json

import pytest

from core.mixture.mixture import load_mixture
from pages.ui.model_card import card

NOUNS = ("answer", "posterior", "exact_french", "exact_copy", "implicit_french", "implicit_copy")
CARD = {
    "architecture": {"layers": 4, "width": 192, "parameters": 1_900_000},
    "training": {
        "seed": 3,
        "tokens": 17_000_000,
        "steps": 100,
        "device": "cpu",
        "seconds": 2700.5,
        "curve": [{"step": i, "tokens": i * 1e6, "loss": 3 / (i + 1), "kl": 1 / (i + 1)} for i in range(5)],
    },
    "evaluation": {
        "documents": 1000,
        "overall": {
            "KL over the mixture": {"value": 0.143, "target": 0.08, "met": False},
            "accuracy gap": {"value": 0.01, "target": 0.02, "met": True},
        },
        "by_family": [
            {"family": f, "domain": "nouns", "k": k, "kl": 0.1 * k, "accuracy_model": 0.9, "accuracy_bayes": 0.95}
            for f in ("French", "<b>odd")
            for k in (0, 4)
        ],
        "by_k": [{"k": k, "kl": 0.1, "accuracy_model": 0.8, "accuracy_bayes": 0.9, "tv": 0.1} for k in range(3)],
        "open": {
            "documents": 40,
            "by_entropy": [dict.fromkeys(("probes", "probes_low", "probes_high"), 0.1) | {"entropy": "all"}],
            "by_n": [{"n": 1, "probes": 0.1}],
            "shared_nouns": [dict.fromkeys(NOUNS, 0.5) | {"nouns": n} for n in (1, "all")],
            "calibration": [{"of": "answer", "said": 0.5, "true": 0.4, "cases": 3}],
        },
        "by_template": [{"template": "arrow", "accuracy": 0.9, "kl": 0.1}],
        "long_sums": [{"addends": 5, "k": 4, "way": "self-ask", "items": 200, "accuracy": 0.99}],
    },
    "beside": "A tenth of the documents are *reasoned*.",
    "limits": ["Numbers at small k are *weak*."],
}


@pytest.fixture
def with_card(monkeypatch, tmp_path):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(CARD))
    monkeypatch.setattr(card, "CARD", path)


def charts(page) -> set[str]:
    return set(page.plots)


def test_everything_on_record_is_shown(start, with_card) -> None:
    page = start("pages/model_card.py")
    assert charts(page) == {
        "card_mixture",
        "card_learning",
        "card_by_k",
        "card_by_family",
        "card_open",
        "card_calibration",
    }
    (targets,) = [frame.value for frame in page.at.dataframe if "reached" in frame.value]
    assert targets["reached"].tolist() == [0.143, 0.01]
    assert targets[""].tolist() == ["✗", "✓"]
    assert "1,000 fresh documents" in page.said
    assert "On 40 fresh documents" in page.said
    assert any(
        "implicit_french" in frame.value and frame.value["nouns"].tolist() == ["1", "all"]
        for frame in page.at.dataframe
    )
    assert "reasoned" in page.said
    assert any("way" in frame.value and frame.value["way"].tolist() == ["self-ask"] for frame in page.at.dataframe)
    assert any("Numbers at small k are \\*weak" in text.value for text in page.at.markdown)


@pytest.mark.parametrize("text", [None, "not json", "[]", "{}"])
def test_a_missing_or_broken_card(start, monkeypatch, tmp_path, text: str | None) -> None:
    path = tmp_path / "card.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(card, "CARD", path)
    page = start("pages/model_card.py")
    assert "card_mixture" in charts(page)
    assert ("without a card" in page.said) == (text != "{}")


def test_the_mixture_is_the_real_one(start) -> None:
    page = start("pages/model_card.py")
    families = len(load_mixture().families)
    assert any(f"{families} task families" in text.value for text in page.at.markdown)
