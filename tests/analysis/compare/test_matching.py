"""The same text is the same demonstration; the fewest moves, against trying every subset."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from core import Demonstration
from core.analysis.compare import match
from core.analysis.compare.matching import moved, moves
from tests.analysis.compare.outcomes import rows

lists = st.lists(st.builds(Demonstration, input=st.sampled_from("xyz"), label=st.sampled_from("ab")), max_size=7)


@given(lists, lists)
def test_every_demonstration_is_paired_at_most_once(a: list[Demonstration], b: list[Demonstration]) -> None:
    found = match(a, b)
    assert sorted(pair.a for pair in found if pair.a is not None) == list(range(len(a)))
    assert [pair.b for pair in found if pair.b is not None] == list(range(len(b)))  # B's order
    for pair in found:
        if pair.a is not None:
            assert (a[pair.a].input, a[pair.a].label) == (pair.input, pair.label_a)
        if pair.b is not None:
            assert (b[pair.b].input, b[pair.b].label) == (pair.input, pair.label_b)


@given(lists, lists)
def test_as_many_pairs_as_there_can_be(a: list[Demonstration], b: list[Demonstration]) -> None:
    paired = [pair for pair in match(a, b) if pair.a is not None and pair.b is not None]
    whole = Counter((row.input, row.label) for row in a) & Counter((row.input, row.label) for row in b)
    inputs = Counter(row.input for row in a) & Counter(row.input for row in b)
    assert sum(not pair.relabelled for pair in paired) == whole.total()
    assert len(paired) == inputs.total()


@given(lists, lists)
def test_one_that_only_a_has_follows_its_neighbour(a: list[Demonstration], b: list[Demonstration]) -> None:
    order = [pair.a for pair in match(a, b) if pair.a is not None]
    paired = {pair.a for pair in match(a, b) if pair.b is not None}
    for place, i in enumerate(order):
        if i not in paired and i > 0:
            assert order[place - 1] == i - 1


@given(st.permutations(range(6)))
def test_the_fewest_moves(order: list[int]) -> None:
    a = rows(*((str(i), "y") for i in range(6)))
    found = moved(match(a, [a[i] for i in order]))
    rising = max(
        size for size in range(7) for kept in combinations(order, size) if list(kept) == sorted(kept)
    )  # the largest set that need not move
    assert len(found) == 6 - rising


A = rows(("cat", "chat"), ("dog", "chien"), ("sun", "soleil"), ("sea", "mer"))


def told(b: tuple[Demonstration, ...], a: tuple[Demonstration, ...] = A) -> tuple[str, ...]:
    return moves(match(a, b), len(a), len(b))


def test_sentences() -> None:
    assert told(A) == ()
    assert told(A[1:]) == ("“cat” → “chat” (number 1) is only in A.",)
    assert told((*A, A[0])) == ("“cat” → “chat” (number 5) is only in B.",)
    assert told((*A[1:], A[0])) == ("“cat” is number 1 in A and number 4 in B.",)
    assert told(A[::-1]) == ("The 4 demonstrations of both stand in reverse order.",)
    assert told((*rows(("cat", "lion")), *A[1:])) == ("“cat” is labelled “chat” in A and “lion” in B.",)
    assert told(rows(("moon", "lune"), ("bee", "abeille"))) == (
        "None of the 4 demonstrations of A is in B.",
        "None of the 2 demonstrations of B is in A.",
    )


def test_a_long_list_is_counted() -> None:
    many = rows(*((f"word {i}", "y") for i in range(40)))
    said = told((*A, *many))
    assert len(said) == 5
    assert said[-1] == "36 more demonstrations are only in B."
