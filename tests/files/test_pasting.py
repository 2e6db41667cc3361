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
    assert read_text("a | b\nc | d\ne | f | g").rows[2] == ("e | f", "g")
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


PREMISES = (("A man sleeps.", "Somebody rests.", "entailment"), ("A cat runs.", "A cat sleeps.", "contradiction"))


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        (
            "Premise: A man sleeps.\nHypothesis: Somebody rests.\nLabel: entailment\n\n"
            "Premise: A cat runs.\nHypothesis: A cat sleeps.\nLabel: contradiction",
            ("premise", "hypothesis", "label"),
            PREMISES,
        ),
        (
            "Premise: A man sleeps.\nHypothesis: Somebody rests.\nLabel: entailment",
            ("premise", "hypothesis", "label"),
            PREMISES[:1],
        ),
        (
            "Q: Which?\nOptions:\n(A) x\n(B) y\nA: (B)\n\nQ: What?\nOptions: (A) u\n(B) v\nA:",
            ("q", "options", "a"),
            (("Which?", "(A) x\n(B) y", "(B)"), ("What?", "(A) u\n(B) v", "")),
        ),
        (
            "A man sleeps. | Somebody rests. | entailment\nA cat runs. | A cat sleeps. | contradiction",
            ("column 1", "column 2", "column 3"),
            PREMISES,
        ),
        ("| word | French |\n|---|:--|\n| cat | chat |\n| dog | chien |", ("word", "French"), PAIRS),
        ("Input: cat\nOutput: chat\n###\nInput: dog\nOutput: chien\n###", ("input", "output"), PAIRS),
        ("English: cat\nFrench: chat\nEnglish: dog\nFrench: chien", ("english", "french"), PAIRS),
        ("Text: c\nRating_1: x\nLabel: l\nText: d\nRating_1: y\nLabel: m", ("text", "rating_1", "label"),
         (("c", "x", "l"), ("d", "y", "m"))),
        ("sep=;\ncat;chat\ndog;chien", ("column 1", "column 2"), PAIRS),
    ],
)  # fmt: skip
def test_fields_become_columns(text: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> None:
    table = read_text(text)
    assert (table.columns, table.rows) == (columns, rows)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "DESC:manner How did serfdom develop ?\nENTY:cremat What films are there ?",
            (("How did serfdom develop ?", "DESC:manner"), ("What films are there ?", "ENTY:cremat")),
        ),
        (
            "positive: a fine film\nnegative: a bad film\nnegative: awful",
            (("a fine film", "positive"), ("a bad film", "negative"), ("awful", "negative")),
        ),
        ("Sport: a goal\nSport: a match\nArt: a play", (("a goal", "Sport"), ("a match", "Sport"), ("a play", "Art"))),
    ],
)
def test_a_line_with_its_label_first_is_one_pair(text: str, rows: tuple[tuple[str, str], ...]) -> None:
    table = read_text(text)
    assert table.rows == rows
    assert table.guess == ("input", "label")
    assert "label" in table.notes[0]


def test_words_around_a_colon() -> None:
    assert read_text("cat: chat\ndog: chien").rows == PAIRS
    assert read_text("cat: chat, minou\ndog: chien").rows[0] == ("cat", "chat, minou")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Classify it.\nReview: cat\nSentiment: chat\nReview: dog\nSentiment: chien", "“Classify it.” stands"),
        ("Translate:\nin one word\ncat => chat\ndog => chien", "“Translate:” and 1 more line"),
        ("Here it is:\ncat,chat\ndog,chien", "“Here it is:”"),
        ("Words below\ncat\tchat\ndog\tchien", "“Words below”"),
        ("Label: one of two\nText: cat\nLabel: chat\nText: dog\nLabel: chien", "“Label: one of two”"),
    ],
)
def test_what_stands_above_the_first_demonstration_is_said(text: str, said: str) -> None:
    table = read_text(text)
    assert table.rows == PAIRS
    assert said in table.notes[0]


def test_lines_below_a_preamble_keep_their_numbers() -> None:
    with pytest.raises(DataError, match="Line 4 has 3 cells"):
        read_text("Here it is:\n\ncat,chat\nd,e,f")


def test_a_name_that_few_records_have_is_text_with_a_note() -> None:
    table = read_text("Review: good\nWarning: spoilers\nSentiment: a\nReview: b\nSentiment: c\nReview: d\nSentiment: e")
    assert table.rows[0] == ("good\nWarning: spoilers", "a")
    assert "“warning:” (line 2)" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Premise: a\nHypothesis: b\nLabel: c\nPremise: d\nLabel: e\nPremise: f\nHypothesis: g\nLabel: h",
         "Line 6 starts another “premise:” where “hypothesis:” is due"),
        ("Text: a\nLabel: b\nText: c\nText: d\nLabel: e", "Line 4 starts another “text:” where “label:” is due"),
        ("Premise: a\nHypothesis: b\nHypothesis: c\nLabel: d\nPremise: e\nHypothesis: f\nLabel: g",
         "Line 3 starts another “hypothesis:” where “label:” is due"),
        ("| a | b |\n|---|---|\n| c | d |\n| e |", "Line 4 has 1 cell between bars where other lines have 2"),
        ("a | b | c\nd | e | f\ng | h", "Line 3 has 2 cells between bars where other lines have 3"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_line(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_text(text)


def test_more_lines_than_are_read_are_said() -> None:
    table = read_text("Input: a\n" + "b\n" * 199_998 + "Label: c\nInput: d")
    assert table.rows[1:] == ()
    assert table.notes[0] == "There are more than 200,000 lines; the first 200,000 were read."
