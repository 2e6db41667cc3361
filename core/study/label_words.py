"""Words that stand for labels, and how a user types them: "foo = positive, bar = negative"."""

from __future__ import annotations

import re
from collections import Counter

from core.errors import StudyError
from core.study.value import Text

Words = tuple[tuple[Text, Text], ...]
# No white space in them: a run of blanks would be tried from every blank anew.
_TOKENS = re.compile(r"\\[\\,;\n=→:-]|->|→|=>|[\\,;\n=:-]|[^\\,;\n=→:-]+")  # every sign of a text is in one
_SPECIAL = re.compile(r"[\\,;\n=→]|-(?=>)")
_BREAKS = frozenset(",;\n")
_SIGNS = frozenset(("->", "→", "=>", "="))


def one_word_each(words: Words) -> Words:
    """The pairs without white space around their texts.

    Raises:
        ValueError: a label or a word is blank, a label has two words, or two labels share one, since then one would be
            counted as the other.
    """
    tidy = tuple((label.strip(), word.strip()) for label, word in words)
    if any(not label or not word for label, word in tidy):
        raise ValueError("a label word must not be blank")
    if any(len(set(side)) < len(tidy) for side in zip(*tidy, strict=True)):
        raise ValueError("each label must have one word, and each word one label")
    return tidy


def read_words(text: str) -> Words:
    r"""(label, word) pairs, in the order typed; "" is none.

    Pairs are parted by commas, semicolons or line breaks, label and word by =, -> or →, and by a colon where a pair has
    none of these: "NUM:count = number" has the label NUM:count. A backslash keeps a sign from meaning anything.

    Raises:
        StudyError: a piece without a label or a word, a label with two words, or a word for two labels.
    """
    pairs: list[tuple[str, str]] = []
    for piece in _pieces(text):
        label, word = _cut(piece)
        if not label or not word:
            said = "".join(piece).strip()
            raise StudyError(f"“{said[:60]}” names no label and word; write “foo = positive, bar = negative”.")
        pairs.append((label, word))
    for side, what in ((0, "label"), (1, "word")):
        times = Counter(pair[side] for pair in pairs)
        twice = next((name for name, count in times.items() if count > 1), None)
        if twice is not None:
            raise StudyError(f"The {what} “{twice[:60]}” stands twice; each label needs a word of its own.")
    return tuple(pairs)


def _pieces(text: str) -> list[list[str]]:
    """The signs and words of every pair."""
    pieces: list[list[str]] = [[]]
    for token in _TOKENS.findall(text):
        if token in _BREAKS:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [piece for piece in pieces if "".join(piece).strip()]


def _cut(piece: list[str]) -> tuple[str, str]:
    """Label and word of a pair, the word "" where no sign parts them."""
    place = next((place for place, token in enumerate(piece) if token in _SIGNS), None)
    if place is None:
        place = piece.index(":") if ":" in piece else len(piece)
    return _plain(piece[:place]), _plain(piece[place + 1 :])


def _plain(tokens: list[str]) -> str:
    return "".join(token[1:] if len(token) == 2 and token[0] == "\\" else token for token in tokens).strip()


def write_words(words: Words) -> str:
    """What `read_words` reads back."""
    return ", ".join(" = ".join(_SPECIAL.sub(r"\\\g<0>", side) for side in pair) for pair in words)
