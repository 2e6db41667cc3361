"""The trie and the plan, by themselves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.models.packing import Limits, plan
from core.models.trie import build, lexicographic, shared

SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=12)


def arrays(lists: list[list[int]]) -> list[np.ndarray]:
    return [np.array(numbers, dtype=np.int64) for numbers in lists]


@given(SEQUENCES)
def test_a_trie_holds_every_prefix_once_and_ancestors_are_prefixes(lists: list[list[int]]) -> None:
    sequences = arrays(lists)
    order = lexicographic(sequences)
    common = [0] + [shared(sequences[a], sequences[b]) for a, b in pairwise(order)]
    trie = build(sequences, order, common)
    prefixes = {tuple(numbers[: i + 1]) for numbers in lists for i in range(len(numbers))}
    assert len(trie.tokens) == len(prefixes)
    text: dict[int, tuple[int, ...]] = {}
    for member, path in zip(trie.members, trie.paths, strict=True):
        assert trie.tokens[path].tolist() == lists[member]
        assert trie.depths[path].tolist() == list(range(len(path)))
        for i, node in enumerate(path.tolist()):
            text[node] = tuple(lists[member][: i + 1])
    for i in range(len(trie.tokens)):
        for j in range(len(trie.tokens)):
            assert (j <= i < trie.ends[j]) == (text[i][: len(text[j])] == text[j])
    assert trie.is_chain == (len(prefixes) == max(len(numbers) for numbers in lists))


@given(SEQUENCES, st.booleans(), st.booleans(), st.integers(1, 40), st.integers(1, 4))
def test_a_plan_covers_every_sequence(
    lists: list[list[int]], packable: bool, cacheable: bool, tokens: int, shortest: int
) -> None:
    sequences = arrays(lists)
    marks = [np.array([len(sequence) - 1]) for sequence in sequences]
    limits = Limits(tokens=tokens, shortest_trunk=shortest)
    chosen = plan(sequences, marks, width=8, vocabulary=10, packable=packable, cacheable=cacheable, limits=limits)
    seen: list[int] = []
    for part in chosen:
        front = part.trunk.tolist()
        assert not front or (cacheable and len(front) >= shortest)
        for batch in part.batches:
            assert len({row.trie.is_chain for row in batch}) == 1
            longest = max(len(row.trie.tokens) for row in batch)
            assert len(batch) == 1 or len(batch) * longest <= tokens
            for row in batch:
                assert packable or row.trie.is_chain
                for member, path in zip(row.trie.members, row.trie.paths, strict=True):
                    seen.append(member)
                    assert front + row.trie.tokens[path].tolist() == lists[member]
                    assert path[-1] in row.marked
    assert sorted(seen) == list(range(len(lists)))


def test_what_is_not_shared_is_not_packed() -> None:
    draw = np.random.default_rng(0)
    sequences = [draw.integers(0, 50_000, size) for size in (60, 200, 90, 75)]
    marks = [np.array([len(sequence) - 1]) for sequence in sequences]
    chosen = plan(sequences, marks, width=768, vocabulary=50_000, packable=True, cacheable=True, limits=Limits())
    assert all(row.trie.is_chain for part in chosen for batch in part.batches for row in batch)
    assert all(len(part.trunk) == 0 for part in chosen)


def test_a_shared_beginning_token_alone_does_not_make_a_pack() -> None:
    """Two long texts that share BOS would hold every token against the other text's for nothing."""
    draw = np.random.default_rng(0)
    sequences = [np.concatenate([[0], draw.integers(1, 50_000, 1500)]) for _ in range(2)]
    marks = [np.array([1500])] * 2
    chosen = plan(sequences, marks, width=64, vocabulary=50_000, packable=True, cacheable=True, limits=Limits())
    assert all(row.trie.is_chain for part in chosen for batch in part.batches for row in batch)


def test_each_order_of_the_demonstrations_has_a_trunk_of_its_own() -> None:
    """Where tries may not branch, prompts that share a beginning share it as a trunk, and others do not cost them."""
    draw = np.random.default_rng(0)
    fronts = [np.concatenate([[0], draw.integers(1, 500, 100)]) for _ in range(3)]
    sequences = [np.concatenate([front, draw.integers(1, 500, 9)]) for front in fronts for _ in range(6)]
    sequences.append(np.array([0, 3, 4]))  # and one that shares nothing to speak of
    marks = [np.array([len(sequence) - 1]) for sequence in sequences]
    chosen = plan(sequences, marks, width=64, vocabulary=500, packable=False, cacheable=True, limits=Limits())
    assert sorted(part.trunk.tolist() for part in chosen) == [[], *sorted(front.tolist() for front in fronts)]
