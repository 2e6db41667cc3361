"""Two loads at once are two loads one after the other, and leave transformers as it was."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from transformers import GPT2LMHeadModel, LlamaForCausalLM, PreTrainedModel

from core import load_model
from core.errors import Cancelled
from core.runtime.one_load import one_load
from tests.models.conftest import Folder

OVERLAP = 0.3  # seconds that a load stays where another one could begin


def test_loads_of_two_visitors(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Side by side the second would put back what the first had replaced, and no model were whole from then on."""
    inside, most = 0, 0
    lock = threading.Lock()

    def waiting(own: Any) -> Any:
        def made(self: Any, *given: Any, **named: Any) -> None:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(OVERLAP)
            own(self, *given, **named)
            with lock:
                inside -= 1

        return made

    for kind in (GPT2LMHeadModel, LlamaForCausalLM):
        monkeypatch.setattr(kind, "__init__", waiting(kind.__init__))
    places = [str(folder(name)) for name in ("gpt2", "llama", "gpt2")]
    ties = PreTrainedModel.tie_weights
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(load_model, places))
    assert most == 1
    assert PreTrainedModel.tie_weights is ties
    first, _, third = (model.score([("the film was", " positive")])[0].logprobs for model in models)
    assert torch.equal(torch.from_numpy(first), torch.from_numpy(third))
    assert load_model(places[0]).layers == 3


def test_one_that_waits_can_be_cancelled(folder: Folder) -> None:
    stop = threading.Event()
    with one_load(), ThreadPoolExecutor(1) as pool:
        waits = pool.submit(load_model, str(folder("gpt2")), stop=stop.is_set)
        time.sleep(OVERLAP)
        assert not waits.done()
        stop.set()
        with pytest.raises(Cancelled):
            waits.result(timeout=30)
    assert load_model(str(folder("gpt2"))).layers == 3
