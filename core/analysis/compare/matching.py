"""Which demonstration of B is which of A: the same text is the same demonstration."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from core.study.cleaning import shorten
from core.study.demonstrations import Demonstration

LONGEST = 4  # demonstrations named in one kind of change; the rest is counted


@dataclass(frozen=True)
class Match:
    """A demonstration of either side.

    Attributes:
        a, b: its 0-based place on each side, or None where that side lacks it.
        input: x.
        label_a, label_b: its label on each side, or None.
    """

    a: int | None
    b: int | None
    input: str
    label_a: str | None
    label_b: str | None

    @property
    def relabelled(self) -> bool:
        """Whether both sides have it, with different labels."""
        return self.a is not None and self.b is not None and self.label_a != self.label_b


def match(a: Sequence[Demonstration], b: Sequence[Demonstration]) -> tuple[Match, ...]:
    """Pair demonstrations up: first those of the same input and label, then what is left by input alone.

    Of several equal ones the first meets the first. The result is in B's order; one that only A has stands after the
    one that precedes it in A.
    """
    partner = _pair(a, b, lambda row: (row.input, row.label), {})
    partner = _pair(a, b, lambda row: row.input, partner)
    of_b = {j: i for i, j in partner.items()}
    # Those that only A has, by the place in B of the paired one before them; -1 is the beginning.
    lonely: dict[int, list[int]] = defaultdict(list)
    before = -1
    for i in range(len(a)):
        if i in partner:
            before = partner[i]
        else:
            lonely[before].append(i)
    found = [Match(i, None, a[i].input, a[i].label, None) for i in lonely[-1]]
    for j, row in enumerate(b):
        of_a = of_b.get(j)
        found.append(Match(of_a, j, row.input, None if of_a is None else a[of_a].label, row.label))
        found += [Match(i, None, a[i].input, a[i].label, None) for i in lonely[j]]
    return tuple(found)


def _pair(
    a: Sequence[Demonstration],
    b: Sequence[Demonstration],
    key: Callable[[Demonstration], Hashable],
    taken: dict[int, int],
) -> dict[int, int]:
    """`taken` (place in A → place in B) and those of the rest whose keys are equal, in order of appearance."""
    used = set(taken.values())
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for j, row in enumerate(b):
        if j not in used:
            waiting[key(row)].append(j)
    found = dict(taken)
    for i, row in enumerate(a):
        if i not in taken and waiting[key(row)]:
            found[i] = waiting[key(row)].popleft()
    return found


def moved(matched: Sequence[Match]) -> list[Match]:
    """The fewest paired demonstrations whose moving turns A's order into B's: those outside a longest common order."""
    pairs = sorted((pair for pair in matched if pair.a is not None and pair.b is not None), key=lambda p: p.a or 0)
    kept = _longest_rise([pair.b or 0 for pair in pairs])
    return [pair for place, pair in enumerate(pairs) if place not in kept]


def _longest_rise(values: Sequence[int]) -> set[int]:
    """Places of a longest strictly rising subsequence (patience sorting, n log n)."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        at = bisect_left(tails, value)
        before.append(places[at - 1] if at else -1)
        if at == len(tails):
            tails.append(value)
            places.append(place)
        else:
            tails[at], places[at] = value, place
    kept = set()
    place = places[-1] if places else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return kept


def moves(matched: Sequence[Match], size_a: int, size_b: int, where: str = "", word: str = "number") -> tuple[str, ...]:
    """What differs between two lists of demonstrations, one sentence each: lacking, added, relabelled, moved.

    Args:
        matched: their demonstrations, paired.
        size_a, size_b: how long the lists are.
        where: what every sentence begins with, such as "Pool: ".
        word: what a place in the list is called.
    """
    said: list[str] = []
    for side, other, size in (("A", "B", size_a), ("B", "A", size_b)):
        rows = [pair for pair in matched if (pair.b if side == "A" else pair.a) is None]
        if rows and len(rows) == size > 1:
            said.append(f"{where}None of the {size} demonstrations of {side} is in {other}.")
        else:
            said += several(
                [f"{where}{_named(pair, side, word)} is only in {side}." for pair in rows], where, f"only in {side}"
            )
    relabelled = [pair for pair in matched if pair.relabelled]
    told = [
        f"{where}“{shorten(p.input)}” is labelled “{_short(p.label_a)}” in A and “{_short(p.label_b)}” in B."
        for p in relabelled
    ]
    said += several(told, where, "labelled otherwise in B")
    order = [pair.a for pair in matched if pair.a is not None and pair.b is not None]
    if len(order) > 2 and order == sorted(order, reverse=True):
        said.append(f"{where}The {len(order)} demonstrations of both stand in reverse order.")
        return tuple(said)
    told = [
        f"{where}“{shorten(p.input)}” is {_place(p.a, word)} in A and {_place(p.b, word)} in B." for p in moved(matched)
    ]
    said += several(told, where, "elsewhere in B")
    return tuple(said)


def several(told: list[str], where: str, what: str) -> list[str]:
    """The first few sentences, and one that counts the rest: "3 more demonstrations are " + `what`."""
    rest = len(told) - LONGEST
    if rest <= 1:  # a sentence that counts one is no shorter than the one it stands for
        return told
    return [*told[:LONGEST], f"{where}{rest} more demonstrations are {what}."]


def _named(pair: Match, side: str, word: str) -> str:
    label, place = (pair.label_a, pair.a) if side == "A" else (pair.label_b, pair.b)
    return f"“{shorten(pair.input)}” → “{_short(label)}” ({_place(place, word)})"


def _short(label: str | None) -> str:
    return shorten(label or "", 24)


def _place(place: int | None, word: str) -> str:
    return f"{word} {(place or 0) + 1}"
