"""Words that stand for labels, and how a user types them: "foo = positive, bar = negative"."""

from __future__ import annotations

import re

from core.errors import StudyError

Words = tuple[tuple[str, str], ...]
ARROWS = re.compile(r"\s*(?:->|→|=>|=|:)\s*")
BREAKS = re.compile(r"[,;\n]")


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
    """(label, word) pairs, in the order typed; "" is none.

    Pairs are parted by commas, semicolons or line breaks, label and word by =, :, -> or →.

    Raises:
        StudyError: a piece without a label or a word, a label with two words, or a word for two labels.
    """
    pairs: list[tuple[str, str]] = []
    for piece in filter(None, (piece.strip() for piece in BREAKS.split(text))):
        sides = [side.strip() for side in ARROWS.split(piece, maxsplit=1)]
        if len(sides) != 2 or not all(sides):
            raise StudyError(f"“{piece}” names no label and word; write “foo = positive, bar = negative”.")
        pairs.append((sides[0], sides[1]))
    for side, what in ((0, "label"), (1, "word")):
        named = [pair[side] for pair in pairs]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise StudyError(f"The {what} “{twice}” stands twice; each label needs a word of its own.")
    return tuple(pairs)


def write_words(words: Words) -> str:
    """What `read_words` reads back, for labels and words without commas and signs of equality."""
    return ", ".join(f"{label} = {word}" for label, word in words)
