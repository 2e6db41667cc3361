"""Room set aside for keys and values holds what transformers' own growing cache holds, and no view holds more."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from core.models.layer import Layer
from core.models.observers import LastRow
from core.models.reserved import reserved

Pair = tuple[Tensor, Tensor]


def states(layers: int, tokens: int, heads: int = 2) -> list[Pair]:
    return [(torch.randn(1, heads, tokens, 4), torch.randn(1, heads, tokens, 4)) for _ in range(layers)]


@pytest.mark.parametrize("front", [0, 3])
@pytest.mark.parametrize("heads", [(2, 2, 2), (2, 3, 2)], ids=["alike", "one of another shape"])
def test_the_keys_and_values_are_those_of_a_growing_cache(front: int, heads: tuple[int, ...]) -> None:
    known = [states(1, front, h)[0] for h in heads] if front else []
    before = [(k.clone(), v.clone()) for k, v in known]
    ours, theirs = reserved(known, 3), DynamicCache(known) if known else DynamicCache()
    for tokens in (5, 1):  # a pass, and one more token
        for place, h in enumerate(heads):
            new = states(1, tokens, h)[0]
            for mine, other in zip(ours.update(*new, place), theirs.update(*new, place), strict=True):
                assert torch.equal(mine, other)
        assert ours.get_seq_length() == theirs.get_seq_length()
    for (k, v), (old_k, old_v) in zip(known, before, strict=True):
        assert torch.equal(k, old_k)
        assert torch.equal(v, old_v)


def test_layers_of_one_shape_lie_in_one_block() -> None:
    cache = reserved([], 3)
    kept = [cache.update(*new, place) for place, new in enumerate(states(3, 5))]
    blocks = {one.untyped_storage().data_ptr() for pair in kept for one in pair}
    assert len(blocks) == 1
    assert kept[0][0].untyped_storage().nbytes() == sum(one.nbytes for pair in kept for one in pair)


def test_the_row_that_is_looked_at_keeps_no_other_queries_alive() -> None:
    """A view of one row of (H, t, d) queries would hold all of them, of every layer until the last."""
    seen = LastRow(6)
    for number in range(3):
        query, key = torch.randn(2, 7, 4), torch.randn(2, 7, 4)
        seen.see(Layer(number, 2, 7, query=query, key=key, mask=None, scale=0.5, value=key))
        assert seen._asked[number][0].untyped_storage().nbytes() == 2 * 4 * 4
    assert seen.weights().shape == (3, 2, 7)


def test_many_keys_are_multiplied_a_few_layers_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    asked = [(torch.randn(4, 7, 4), torch.randn(2, 7, 4)) for _ in range(5)]
    found = []
    for most in (1, 2 * 2 * 7 * 4, 1 << 22):
        monkeypatch.setattr("core.models.observers._STACKED", most)
        seen = LastRow(6)
        for number, (query, key) in enumerate(asked):
            seen.see(Layer(number, 4, 7, query=query, key=key, mask=None, scale=0.5, value=key))
        found.append(seen.weights())
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[0], found[2])
    by_hand = torch.stack(
        [(0.5 * q[:, 6:7] @ k.repeat_interleave(2, 0).transpose(1, 2)).softmax(-1)[:, 0] for q, k in asked]
    )
    torch.testing.assert_close(found[0], by_hand)
