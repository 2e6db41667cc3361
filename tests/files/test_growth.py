"""No text takes time that grows faster than it: else one visitor's paste would stop the page for all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from core.analysis.attention.many_heads import found
from core.errors import ICLensError
from core.files import read_file, read_text
from core.reasoning.forms import sum_steps
from core.study.demonstrations import read_steps
from core.study.label_words import read_words, write_words

TIMES = 8
MOST = 4 * TIMES
"""A text of eight times the size takes eight times as long where time is linear, 64 times where it is quadratic."""
FLOOR = 0.01
"""Seconds of processor time that count as nothing: less is noise."""

BLANKS = 20_000
TEXTS: dict[str, tuple[Callable[[str], object], Callable[[int], str], int]] = {
    "blanks": (read_text, lambda n: "a" + " " * n + "b", BLANKS),
    "blanks before a bar": (read_text, lambda n: "a" + " " * n + "|" + "\t" * n, BLANKS),
    "blanks before a colon": (read_text, lambda n: "Input" + " " * n + ": b\nLabel" + " " * n, BLANKS),
    "blanks behind a number": (read_text, lambda n: "1" + " " * n + "\n1 a", BLANKS),
    "lines of a field": (read_text, lambda n: "Input: a\n" + "b\n" * n + "Label: c", 20_000),
    "records": (read_text, lambda n: "Input: a\nLabel: b\n" * n, 2_500),
    "records with other names": (
        read_text,
        lambda n: "".join(f"Input: a\nName {i}: c\nLabel: b\n" for i in range(n)),
        1_000,
    ),
    "labels first": (read_text, lambda n: "".join(f"NUM:count How many {i}\n" for i in range(n)), 5_000),
    "pairs around colons": (read_text, lambda n: "".join(f"cat {i}: b\n" for i in range(n)), 5_000),
    "arrows in a line": (read_text, lambda n: "a" + "->" * n, BLANKS),
    "bars in a line": (read_text, lambda n: "a" + "|" * n, BLANKS),
    "dashes between bars": (read_text, lambda n: "a|b\n|" + "-" * n + "x\n", BLANKS),
    "commas": (read_text, lambda n: "a" + "," * n, BLANKS),
    "quotation marks": (read_text, lambda n: 'a,"' + '""' * n + "\nb,c", 10_000),
    "dividers": (read_text, lambda n: "-" * n + "x -> y", BLANKS),
    "steps": (read_steps, lambda n: "a" * n, 50_000),
    "steps with backslashes": (read_steps, lambda n: "\\" * n, 25_000),
    "steps of one sign": (read_steps, lambda n: "1=2;" * n, 5_000),
    "label words with blanks": (read_words, lambda n: "a" + " " * n + "b", BLANKS),
    "label words": (read_words, lambda n: ",".join(f"a{i}=b{i}" for i in range(n)), 5_000),
    "names of heads": (lambda text: found(text, 8, 8), lambda n: "1" + " " * n + "x", 4_000),
    "commas between heads": (lambda text: found(text, 8, 8), lambda n: "1,2" * n, 2_000),
    "a sum": (sum_steps, lambda n: "1" + " " * n + "+ 1", BLANKS),
    "JSON lines": (lambda text: read_file(text.encode(), "a.jsonl"), lambda n: '{"a": 1, "b": 2}\n' * n, 2_000),
}


def _seconds(read: Callable[[str], object], text: str) -> float:
    """Processor time, the least of three."""
    taken = []
    gc.disable()  # what it takes depends on all that other tests left
    try:
        for _ in range(3):
            start = time.process_time()
            with suppress(ICLensError):
                read(text)
            taken.append(time.process_time() - start)
            if taken[-1] < FLOOR:
                break
    finally:
        gc.enable()
    return min(taken)


@pytest.mark.parametrize("name", TEXTS)
def test_time_grows_with_the_text(name: str) -> None:
    read, write, size = TEXTS[name]
    small = _seconds(read, write(size))
    assert small < 200 * FLOOR, "a small text takes seconds already"
    assert _seconds(read, write(TIMES * size)) < MOST * max(small, FLOOR)


def test_label_words_with_every_sign_are_read_back() -> None:
    words = (("NUM:count", "how many"), ("a, b; c", "x = y"), ("p -> q", "→\\"), ("two\nlines", "=>"), ("x:y", "a-b"))
    assert read_words(write_words(words)) == words
