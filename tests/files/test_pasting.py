"""Pasted text."""

from __future__ import annotations

import pytest

from core import DataError
from core.files import read_text

PAIRS = (("cat", "chat"), ("dog", "chien"))


@pytest.mark.parametrize(
    "text",
    [
        "cat -> chat\ndog->chien",
        "cat → chat\n\n  dog → chien  \n",
        "cat => chat\r\ndog => chien\r\n",
        "cat = chat\ndog = chien",
        "cat | chat\ndog | chien",
        "cat\tchat\ndog\tchien",
        "cat, chat\ndog, chien",
        "Input: cat\nLabel: chat\nInput: dog\nLabel: chien\n",
        "Q: cat\nA: chat\n\nQ: dog\nA: chien\n",
        "input: cat\nLABEL: chat\nInput: dog\nLabel: chien",
        "word\tfrench\ncat\tchat\ndog\tchien",
        "__label__chat cat\n__label__chien dog",
    ],
)
def test_layouts(text: str) -> None:
    assert read_text(text).rows == PAIRS


def test_the_last_sign_cuts() -> None:
    assert read_text("2 + 3 = 5\n1 = 1 = 2").rows == (("2 + 3", "5"), ("1 = 1", "2"))
    assert read_text("a -> b -> c").rows == (("a -> b", "c"),)
    assert read_text("cat, dog -> chat, chien").rows == (("cat, dog", "chat, chien"),)


def test_fields_of_several_lines_and_an_open_end() -> None:
    text = "Review: good\nreally good\nSentiment: positive\n\nReview: bad\nSentiment:"
    table = read_text(text)
    assert table.columns == ("review", "sentiment")
    assert table.rows == (("good\nreally good", "positive"), ("bad", ""))
    assert table.guess == ("review", "sentiment")
    assert read_text("Input: a\nLabel: b\nInput: c").rows == (("a", "b"), ("c", ""))


def test_numbers_first_is_the_layout_of_sst_2() -> None:
    table = read_text("0 dull , slow\n1 a joy\n0 no")
    assert table.rows == (("dull , slow", "0"), ("a joy", "1"), ("no", "0"))
    assert "first word" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("just words", "No separator"),
        ("a -> b\nc -> d\ne f", "Line 3 lacks the separator"),
        ("a\tb\nc\td\te", "Line 2 has 3 cells"),
        ("Input: a\nLabel: b\nLabel: c", "Line 3 starts another “label:” where “input:” is due"),
        ("Input: a\nInput: b\nLabel: c", "Line 2 starts another “input:” where “label:” is due"),
        ("a\0 -> b", "NUL"),
        ("x" * (20 * 2**20 + 1), "more than 20 MB"),
    ],
)
def test_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_text(text)
