"""Label words as they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StudyError
from core.study.label_words import read_words, write_words
from core.study.study import Hypothesis

WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@pytest.mark.parametrize(
    "text",
    [
        "foo = positive, bar = negative",
        "foo→positive;bar → negative",
        "foo: positive\nbar: negative,",
        "foo -> positive,bar=>negative",
    ],
)
def test_ways_to_type_them(text: str) -> None:
    assert read_words(text) == (("foo", "positive"), ("bar", "negative"))


@given(st.lists(st.tuples(WORD, WORD), unique_by=(lambda p: p[0], lambda p: p[1]), max_size=5))
def test_what_is_written_is_read_back(pairs: list[tuple[str, str]]) -> None:
    words = read_words(write_words(tuple(pairs)))
    assert words == tuple(pairs)
    hypothesis = Hypothesis(name="t", instruction="i", words=words)
    assert [hypothesis.word(label) for label, _ in pairs] == [word for _, word in pairs]
    assert hypothesis.word("never named") == "never named"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo", "names no"),
        ("foo = ", "names no"),
        ("a = b, a = c", "stands twice"),
        ("a = c, b = c", "“c” stands twice"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_words(text)
