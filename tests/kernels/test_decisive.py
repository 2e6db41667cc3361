"""What is said of the exact kernel is what was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

from core.kernels import kernels
from core.kernels.exact import DECISIVE
from pages.ui.kernel.views import HELP_WEIGHTS
from pages.ui.playground.views import HELP_KERNELS

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "decisive.json"


def test_the_sentence_says_what_was_measured() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    row = found["rows"]["exact"]
    parts = [row["kinds"]["map"], row["kinds"]["natural"]]
    shares = [round(100 * one["found"] / one["count"]) for one in (row, *parts)]
    chance = 1 / found["demonstrations"]
    said = [int(number) for number in re.findall(r"(\d+) %", DECISIVE)]
    assert said == [shares[0], round(100 * chance), *shares[1:]]
    assert f"of {row['count']} questions with {found['demonstrations']} demonstrations" in DECISIVE
    assert row["low"] > chance
    assert all(one["low"] < chance < one["high"] for one in parts), "not told from chance"


def test_it_is_said_where_the_kernel_stands() -> None:
    for text in (kernels.find("exact").help, HELP_WEIGHTS, HELP_KERNELS):
        assert DECISIVE in text
