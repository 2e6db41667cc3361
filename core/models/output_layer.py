"""The output layer of a 16-bit model in float32, so that scores do not stand on the format's grid.

A logit of some 20 nats has steps of 0.0625 (bfloat16) or 0.0156 (float16) between it and the next, so that different
queries would get one and the same probability. The states before the output layer are rounded too, but each number by
itself; their products are summed here in float32 (docs/methods.md §3.9).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

_ROWS = 8192  # of the output matrix that are float32 at a time: all of them would take twice the matrix's own memory


def widen_output(model: Any) -> None:
    """Let a model's output layer compute in float32 from here on; its weights stay as they are.

    What the architecture does with logits afterwards (a soft cap, a scale) is then float32 as well.
    """
    head = model.get_output_embeddings()
    if isinstance(head, torch.nn.Linear) and head.weight.dtype != torch.float32:
        head.forward = partial(_project, head)  # type: ignore[method-assign]


def _project(head: torch.nn.Linear, states: Tensor) -> Tensor:
    """(…, V) logits of (…, d) states: W·h + b, a block of rows of W after another."""
    wide = states.float()
    logits = [
        torch.nn.functional.linear(
            wide,
            head.weight[a : a + _ROWS].float(),
            None if head.bias is None else head.bias[a : a + _ROWS].float(),
        )
        for a in range(0, head.out_features, _ROWS)
    ]
    return torch.cat(logits, dim=-1)
