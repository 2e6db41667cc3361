"""Words in scripts with spaces and without; what is alike to a reader is alike."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import Demonstration, Study
from core.embeddings.encoders import similarities
from core.embeddings.segmentation import joined, pieces, words
from core.kernels import KernelContext, kernel_of
from core.ordering import order
from core.scoring.calibration import calibrations
from core.selection import select
from tests.tiny import tiny

# query, an input that a reader calls near, one that is not
NEAR = {
    "Chinese": ("这部电影很好看", "我喜欢电影", "今天下雨了"),
    "Japanese": ("映画が好きです", "昨日映画を見た", "雨ふる"),
    "Thai": ("ฉันชอบหนัง", "หนังเรื่องนี้", "ฝนตก"),
    "Hindi": ("मुझे फिल्म पसंद", "यह फिल्म", "आज बारिश"),
    "decomposed": (unicodedata.normalize("NFD", "café"), "un café", "une maison"),
}


@pytest.mark.parametrize("language", list(NEAR))
@pytest.mark.parametrize("selection", ["bm25", "similarity"])
def test_what_shares_a_word_is_nearer(language: str, selection: str) -> None:
    """All scores were 0, or the two were equally far, and the first was taken."""
    query, near, far = NEAR[language]
    pool = tuple(Demonstration(input=x, label="a") for x in (far, near))
    chosen = select(Study(query=query, pool=pool, k=1, selection=selection, encoder="tfidf"), tiny())
    assert chosen.indices == (1,)
    assert chosen.scores is not None
    assert chosen.scores[1] > chosen.scores[0] == 0
    assert chosen.notes == ()


def test_each_script_by_its_words() -> None:
    assert words("我喜欢这部电影，它很好看。") == ["我", "喜欢", "这", "部", "电影", "，", "它", "很好", "看", "。"]
    assert words("ฉันชอบหนังเรื่องนี้มาก") == ["ฉัน", "ชอบ", "หนัง", "เรื่อง", "นี้", "มาก"]
    assert words("मुझे यह फिल्म बहुत पसंद है।") == ["मुझे", "यह", "फिल्म", "बहुत", "पसंद", "है", "।"]
    assert words("iPhone的屏幕") == ["iphone", "的", "屏幕"]
    assert words("映画スーパーマン") == ["映画", "スーパーマン"]
    assert words("안녕 세계") == ["안녕", "세계"]


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_cut_as_it_was(text: str) -> None:
    assert words(text) == re.findall(r"\w+|[^\w\s]", text.lower())
    assert pieces(text) == text.split()


@given(st.text(st.characters(categories=["L", "N", "M", "P", "Zs"]), max_size=20))
def test_composed_and_decomposed_are_the_same(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert words(composed) == words(decomposed)
    assert pieces(composed) == pieces(decomposed)


@given(st.text(max_size=30))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join("".join(pieces(text)).split()) == "".join(unicodedata.normalize("NFC", text).split())


def test_pieces_are_joined_as_their_script_is_written() -> None:
    assert joined(["喜欢", "电影", "very", "good", "电影"]) == "喜欢电影 very good 电影"
    assert joined([]) == ""


def test_domain_strings_are_made_of_words_and_not_of_sentences() -> None:
    pool = tuple(Demonstration(input=x, label="a") for x in ("这部电影很好看", "今天下雨了。"))
    strings = calibrations.find("domain-context").function(Study(query="x", pool=pool), ())
    assert len(set(strings)) > 10
    assert not any(row.input in text for row in pool for text in strings)


def test_a_note_where_nothing_is_alike() -> None:
    rows = tuple(Demonstration(input=x, label=y) for x, y in (("one two", "a"), ("three", "b"), ("four", "a")))
    study = Study(query="unheard", pool=rows, demonstrations=rows, k=2, encoder="tfidf")
    for selection in ("similarity", "bm25", "mmr"):
        chosen = select(study.model_copy(update={"selection": selection}), tiny())
        assert any("every score is 0" in note for note in chosen.notes), selection
    given = select(study, tiny())
    assert given.notes == ()
    assert any(
        "every score is 0" in note
        for note in order(study.model_copy(update={"ordering": "nearest-last"}), tiny(), given).notes
    )
    assert not similarities(study, tiny(), rows, range(3)).any()
    kernel = kernel_of("encoder", study, KernelContext(study, tiny(), rows, ["unheard"]), ("a", "b"))
    assert "Every weight of this kernel is 0" in kernel.note
    assert kernel_of("encoder", study, KernelContext(study, tiny(), rows, ["three"]), ("a", "b")).note == ""
