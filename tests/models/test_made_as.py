"""A 16-bit load is nobody else's affair: the default type stays, and what is made is what transformers makes."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, modeling_utils

from core import load_model
from core.models import made_as
from tests.models.checkpoints import ARCHITECTURES
from tests.models.conftest import Folder, Model

ROOT = Path(__file__).parents[2]


@contextmanager
def for_the_whole_process(dtype: torch.dtype, model_class_name: str | None = None) -> Iterator[None]:
    """What transformers does."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def everything(model: Any) -> dict[str, torch.Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_every_tensor_is_what_transformers_makes(
    architecture: str, dtype: torch.dtype, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    place: Path = folder(architecture)
    made_as.install()
    ours = everything(AutoModelForCausalLM.from_pretrained(place, dtype=dtype))
    with monkeypatch.context() as patched:
        patched.setattr(modeling_utils, "local_torch_dtype", for_the_whole_process)
        theirs = everything(AutoModelForCausalLM.from_pretrained(place, dtype=dtype))
    assert {name: (one.dtype, one.shape) for name, one in ours.items()} == {
        name: (one.dtype, one.shape) for name, one in theirs.items()
    }
    for name, one in ours.items():
        assert torch.equal(one, theirs[name]), name


def test_the_default_type_stays_while_another_thread_loads(folder: Folder, model: Model) -> None:
    """Passes beside loads once failed, or gave other numbers."""
    place, beside = str(folder("llama")), model("llama")
    texts = [("the film was", " positive"), ("the plot was", " negative")]
    alone = [one.logprobs for one in beside.score(texts)]
    seen: set[torch.dtype] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.update((torch.get_default_dtype(), torch.zeros(1).dtype))

    watcher = threading.Thread(target=watch)
    loader = threading.Thread(target=lambda: [load_model(place, dtype="bfloat16") for _ in range(8)])
    watcher.start()
    loader.start()
    passes = 0
    while loader.is_alive() or not passes:
        for one, expected in zip(beside.score(texts), alone, strict=True):
            np.testing.assert_array_equal(one.logprobs, expected)
        passes += 1
    loader.join()
    over.set()
    watcher.join()
    assert seen == {torch.float32}


def test_what_is_given_a_type_keeps_it() -> None:
    with made_as.made_as(torch.bfloat16):
        assert torch.zeros(2).dtype == torch.tensor(1.5).dtype == torch.bfloat16
        assert torch.zeros(2, dtype=torch.float32).dtype == torch.tensor(np.ones(2, np.float32)).dtype == torch.float32
        assert torch.arange(3).dtype == torch.tensor([1, 2]).dtype == torch.int64
        assert torch.get_default_dtype() == torch.float32
    assert torch.zeros(2).dtype == torch.float32
    with pytest.raises(ValueError, match="cannot be made"), made_as.made_as(torch.int64):
        pass


def test_every_tensor_of_ours_is_made_with_a_type() -> None:
    """Of those that would get the default one: what another library sets must not reach them."""
    makers = {"empty", "eye", "full", "linspace", "ones", "rand", "randn", "zeros"}
    untyped = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "core").rglob("*.py"))
        if "pretraining" not in path.parts  # never at run time
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr in makers) == ("torch", True)
        and "dtype" not in {keyword.arg for keyword in node.keywords}
    ]
    assert untyped == []
