"""The number format that a model is made in, for the thread that makes it and no other.

transformers makes a 16-bit model under `torch.set_default_dtype`, which counts for the whole process: a pass that
another thread makes meanwhile gets tensors of that format where float32 was meant, and fails or rounds. Here the same
tensors get the format by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

# What makes tensors of the default format where none is given.
_MAKERS: frozenset[Callable[..., Any]] = frozenset(
    (
        torch.arange,
        torch.empty,
        torch.eye,
        torch.full,
        torch.linspace,
        torch.logspace,
        torch.ones,
        torch.rand,
        torch.randn,
        torch.scalar_tensor,
        torch.tensor,
        torch.zeros,
    )
)


class _Made(TorchFunctionMode):
    """Tensors that are made without a format get this one, as they would under `torch.set_default_dtype`."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        given = (kwargs or {}).get("dtype") is not None or any(hasattr(one, "dtype") for one in args)
        if func in _MAKERS and not given and found.dtype == torch.get_default_dtype():
            return found.to(self._dtype)
        return found


@contextmanager
def made_as(dtype: torch.dtype, model_class_name: str | None = None) -> Iterator[None]:
    """In place of transformers' `local_torch_dtype`.

    Raises:
        ValueError: not a format of numbers with a point.
    """
    if not dtype.is_floating_point:
        raise ValueError(f"{model_class_name or 'A model'} cannot be made in {dtype}")
    with _Made(dtype):
        yield


@cache
def install() -> None:
    """Have transformers make models so from now on."""
    from transformers import modeling_utils

    if not hasattr(modeling_utils, "local_torch_dtype"):
        raise AttributeError("transformers sets the default type elsewhere now")
    modeling_utils.local_torch_dtype = made_as
