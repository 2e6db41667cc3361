"""Texts cut into words, in scripts with spaces between words and in scripts without: the only place for it.

A run of letters, digits and marks is a word: a vowel sign or a tone mark does not end one. A run in a script that is
written without spaces is cut further by ICU, which has dictionaries of Chinese, Japanese, Thai, Lao, Khmer and Burmese.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

_ASCII = re.compile(r"\w+|[^\w\s]")
_LETTER, _SIGN = r"\p{L}\p{N}_", r"\p{M}\u200c\u200d"  # U+200C and U+200D (joiners) stand inside words
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"


def words(text: str) -> list[str]:
    """Every word and every other single sign with its marks, in lower case, in Unicode's composed form (NFC)."""
    if text.isascii():
        return _ASCII.findall(text.lower())
    runs = _patterns()[0].findall(unicodedata.normalize("NFC", text.lower()))
    return [word for run in runs for word in _cut(run)]


def pieces(text: str) -> list[str]:
    """What stands between white space, cut further in scripts without spaces: as written, signs with their words."""
    if text.isascii():
        return text.split()
    found: list[str] = []
    for run in unicodedata.normalize("NFC", text).split():
        first = len(found)
        for part in _cut(run):
            if len(found) > first and not any(map(str.isalnum, part)):
                found[-1] += part
            else:
                found.append(part)
    return found


def joined(parts: Sequence[str]) -> str:
    """Pieces as one text, without spaces where both neighbours are of scripts without them."""
    text, before = "", False
    for place, part in enumerate(parts):
        unspaced = _is_unspaced(part)
        text += part if not place or (before and unspaced) else f" {part}"
        before = unspaced
    return text


def _is_unspaced(part: str) -> bool:
    return not part.isascii() and _patterns()[1].search(part) is not None


def _cut(run: str) -> list[str]:
    """A run's words: itself, or where it holds letters of a script without spaces, what ICU makes of it."""
    if not _is_unspaced(run):
        return [run]
    from icu4py.breakers import WordBreaker  # its dictionaries are large

    return list(WordBreaker(run, "root"))


@cache
def _patterns() -> tuple[Any, Any]:
    """Words and single signs; a letter of a script without spaces."""
    import regex  # `re` knows neither marks nor scripts

    word = f"[{_LETTER}][{_LETTER}{_SIGN}]*"
    return regex.compile(rf"{word}|[^{_LETTER}\s]\p{{M}}*"), regex.compile(f"[{_UNSPACED}]")
