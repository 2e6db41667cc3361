"""No text takes time that grows faster than it: else one visitor's paste would stop the page for all.

What is timed goes into the slow part; the suite reads what `benchmarks.parsing` measured last, and that each text is
read or refused at all.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.parsing import PARSERS, TIMES, growth, report, seconds
from core.errors import ICLensError
from core.study.label_words import read_words, write_words

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
STEEPEST = 1.4
"""Between linear, 1, and quadratic, 2; a text that is sorted, or reaches past a cache, is a little above 1."""

slow = pytest.mark.skipif(os.environ.get("ICLENS_SLOW") != "1", reason="times parsers: set ICLENS_SLOW=1")


@pytest.mark.parametrize("name", PARSERS)
def test_every_text_is_read_or_refused_in_one_sentence(name: str) -> None:
    parser = PARSERS[name]
    with suppress(ICLensError):
        parser.read(parser.write(parser.size // 10))
    assert 0.9 * parser.most < len(parser.longest()) <= parser.most


@slow
@pytest.mark.parametrize("name", PARSERS)
def test_time_grows_with_the_text(name: str) -> None:
    parser = PARSERS[name]
    texts = [parser.write(parser.size * times) for times in TIMES]
    slope = growth([len(text) for text in texts], [seconds(parser, text) for text in texts])
    assert slope is None or slope < STEEPEST


def test_what_was_measured_grows_with_the_text() -> None:
    rows = json.loads((RESULTS / "parsing.json").read_text())["rows"]
    assert [row["name"] for row in rows] == list(PARSERS)
    for row in rows:
        assert row["growth"] == growth(row["lengths"], row["seconds"])
        assert row["growth"] is None or row["growth"] < STEEPEST
    assert report(rows) == (RESULTS / "parsing.md").read_text()


def test_growth_by_hand() -> None:
    assert growth([10, 20, 40], [0.1, 0.2, 0.4]) == pytest.approx(1.0)
    assert growth([10, 20, 40], [0.1, 0.4, 1.6]) == pytest.approx(2.0)
    assert growth([10, 20, 40], [0.0001, 0.0002, 0.4]) is None


def test_label_words_with_every_sign_are_read_back() -> None:
    words = (("NUM:count", "how many"), ("a, b; c", "x = y"), ("p -> q", "→\\"), ("two\nlines", "=>"), ("x:y", "a-b"))
    assert read_words(write_words(words)) == words
