"""Weights that are no numbers, and passes without memory: a sentence, never [nan, nan] or a raw error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from core import Demonstration, Study, load_model, run
from core.errors import ModelError
from core.models import LanguageModel
from tests.models.checkpoints import write_tiny
from tests.models.conftest import Model

STUDY = Study(
    query="dog", demonstrations=(Demonstration(input="cat", label="chat"), Demonstration(input="bird", label="chien"))
)
WHERE = {
    "a layer": lambda model, token: model.model.layers[1].mlp.down_proj.weight[0],
    "the output": lambda model, token: model.get_output_embeddings().weight[token],
    "a word": lambda model, token: model.get_input_embeddings().weight[token],  # which no text of the check may have
}


def spoil(folder: Path, where: str, value: float) -> None:
    """Write the checkpoint anew with one row of its weights all this value."""
    token = load_model(str(folder)).encode(" chat").ids[-1]
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        WHERE[where](model, token)[:] = value
    model.save_pretrained(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("where", WHERE)
def test_weights_that_are_no_numbers_are_refused(where: str, value: float, tmp_path: Path) -> None:
    folder = write_tiny("llama", tmp_path / "llama")
    spoil(folder, where, value)
    with pytest.raises(ModelError, match=r"no numbers .*again\.$"):
        run(STUDY, load_model(str(folder)))


@pytest.mark.parametrize("call", ["score", "next_logprobs", "read", "embed"])
def test_a_word_that_is_no_number_is_refused_at_the_pass(call: str, tmp_path: Path) -> None:
    folder = write_tiny("llama", tmp_path / "llama")
    spoil(folder, "a word", float("nan"))
    model = load_model(str(folder))
    arguments: Any = {
        "score": [("cat chat", " dog")],
        "next_logprobs": ["cat chat"],
        "read": "cat chat",
        "embed": ["cat chat"],
    }[call]
    more = {"hidden": True} if call == "read" else {}
    with pytest.raises(ModelError, match="no numbers"):
        getattr(model, call)(arguments, **more)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory: you tried to …"),
    ],
)
def test_a_pass_without_memory_is_a_sentence_and_the_next_goes_well(
    error: Exception, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: LanguageModel = model("llama")
    expected = run(STUDY, tested).answer.probabilities
    other = STUDY.model_copy(update={"query": "house"})

    def fail(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(tested._model.model, "forward", fail)
        with pytest.raises(
            ModelError, match=r"^A pass of [\d,]+ × [\d,]+ tokens does not fit in the memory of cpu: .*\.$"
        ):
            run(other, tested)
    assert run(STUDY, tested).answer.probabilities == pytest.approx(expected, abs=1e-6)
    assert run(other, tested).answer.probabilities.sum() == pytest.approx(1)


def test_other_errors_of_a_pass_are_not_taken_for_it(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = model("llama")

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(tested._model.model, "forward", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        tested.read("a text of its own", hidden=True)
