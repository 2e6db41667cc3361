"""Two prompts as one text, with what is only in A and what is only in B."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from typing import Literal

from core.study.prompts import Prompt

WORDS = re.compile(r"\s|\w+|[^\w\s]")
MOST = 400_000  # words of A times words of B, over all changed blocks: what lies beyond is not taken apart
LIKE = 0.4  # blocks less alike than this are shown one after the other: shreds of chance agreement say nothing
LINES = 2_000  # lines above which a line that is everywhere is no anchor (keeps the search from growing as n²)

Kind = Literal["same", "only A", "only B"]
Edit = tuple[Kind, int, int, int, int]


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both prompts have, or one.

    Attributes:
        kind: which has it.
        text: never empty.
        a, b: the demonstration it stands in, 0-based among those shown by each side; None outside demonstrations and
            on the side that lacks it.
        begins: whether that demonstration begins here.
    """

    kind: Kind
    text: str
    a: int | None
    b: int | None
    begins: bool = False


def prompt_difference(a: Prompt, b: Prompt) -> tuple[Piece, ...]:
    """The prompts line by line, and changed lines word by word.

    The pieces that are "same" or "only A" spell A's text, those that are "same" or "only B" spell B's. A piece never
    crosses the border of a demonstration.
    """
    starts_a, starts_b = _Starts(a), _Starts(b)
    pieces = []
    for kind, a0, a1, b0, b1 in _steps(a.text, b.text):
        places = {0, max(a1 - a0, b1 - b0)}
        if kind != "only B":
            places |= {place - a0 for place in starts_a.within(a0, a1)}
        if kind != "only A":
            places |= {place - b0 for place in starts_b.within(b0, b1)}
        side = starts_a if kind == "only A" else starts_b
        text, offset = (a.text, a0) if kind == "only A" else (b.text, b0)
        for begin, end in pairwise(sorted(places)):
            in_a = starts_a.owner(a0 + begin) if kind != "only B" else None
            in_b = starts_b.owner(b0 + begin) if kind != "only A" else None
            begins = side.owner(offset + begin) is not None and offset + begin in side.owners
            pieces.append(Piece(kind, text[offset + begin : offset + end], in_a, in_b, begins))
    return tuple(pieces)


class _Starts:
    """Where each run of parts of one demonstration, or of none, begins in a prompt's text."""

    def __init__(self, prompt: Prompt) -> None:
        self.owners: dict[int, int | None] = {}
        owner: int | None = -1
        for part in prompt.parts:
            if part.demonstration != owner and part.end > part.start:
                owner = part.demonstration
                self.owners[part.start] = owner
        self.places = sorted(self.owners)

    def within(self, begin: int, end: int) -> list[int]:
        """Those strictly between two places."""
        return self.places[bisect_right(self.places, begin) : bisect_left(self.places, end)]

    def owner(self, place: int) -> int | None:
        """The demonstration that the character at `place` stands in."""
        at = bisect_right(self.places, place) - 1
        return self.owners[self.places[at]] if at >= 0 else None


def _steps(a: str, b: str) -> Iterator[Edit]:
    """(kind, from and to in A, from and to in B) from the first character to the last."""
    lines_a, lines_b = a.splitlines(keepends=True), b.splitlines(keepends=True)
    at_a, at_b = _ends(lines_a), _ends(lines_b)
    junk = max(len(lines_a), len(lines_b)) > LINES
    left = MOST
    for tag, i0, i1, j0, j1 in SequenceMatcher(None, lines_a, lines_b, junk).get_opcodes():
        if tag != "replace":
            yield from _plain(tag == "equal", at_a[i0], at_a[i1], at_b[j0], at_b[j1])
            continue
        by_line = i1 - i0 == j1 - j0
        pairs = zip(range(i0, i1), range(j0, j1), strict=True) if by_line else [(i0, j0)]
        for i, j in pairs:
            place = (at_a[i], at_a[i + 1 if by_line else i1], at_b[j], at_b[j + 1 if by_line else j1])
            one, other = WORDS.findall(a[place[0] : place[1]]), WORDS.findall(b[place[2] : place[3]])
            left -= len(one) * len(other)
            yield from _words(one, other, *place) if left >= 0 else _plain(False, *place)


def _words(one: list[str], other: list[str], a0: int, a1: int, b0: int, b1: int) -> Iterator[Edit]:
    """A changed block word by word, or whole where that would say nothing."""
    matcher = SequenceMatcher(None, one, other, False)
    if matcher.quick_ratio() < LIKE or matcher.ratio() < LIKE:
        yield from _plain(False, a0, a1, b0, b1)
        return
    at_a, at_b = _ends(one, a0), _ends(other, b0)
    for tag, i0, i1, j0, j1 in matcher.get_opcodes():
        yield from _plain(tag == "equal", at_a[i0], at_a[i1], at_b[j0], at_b[j1])


def _plain(equal: bool, a0: int, a1: int, b0: int, b1: int) -> Iterator[Edit]:
    if equal:
        yield "same", a0, a1, b0, b1
        return
    if a1 > a0:
        yield "only A", a0, a1, b0, b0
    if b1 > b0:
        yield "only B", a1, a1, b0, b1


def _ends(items: list[str], start: int = 0) -> list[int]:
    """(n + 1,) where each item begins, and where the last one ends."""
    return [*accumulate(map(len, items), initial=start)]
