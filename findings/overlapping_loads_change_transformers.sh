#!/bin/sh
# transformers 5.23.0 with torch 2.13.0: two loads that overlap in threads leave the process changed. The next model whose
# output layer is its embedding loads without it, and new tensors may be bfloat16 for good.
#
# While from_pretrained makes a model it replaces `PreTrainedModel.tie_weights` by a function that does nothing, and
# torch's default dtype by the model's, and puts back what it found. Both belong to the process and not to the thread:
# meanwhile torch.zeros(1) in another thread is bfloat16, and where a second load begins within the first and ends after
# it, what it found, and leaves, are the replacements. A server that loads for two visitors at once meets this. ICLens
# makes one model at a time (core/runtime/one_load.py) and gives the format to the loading thread's own tensors
# (core/models/made_as.py).
#
# The script lets loads wait inside the model's constructor. The controls: before, after one load, beside a float32 load.
# Seen on 2026-11-29 (tied: whether the model loaded next has its embedding as its output layer):
#   before torch.float32, beside a float32 load torch.float32, beside a bfloat16 load torch.bfloat16
#   after one load torch.float32, tied True, missing []
#   after two that overlap torch.bfloat16, tied False, missing ['lm_head.weight']
#
# Installs into a temporary folder, needs no model and no ICLens. Ends with status 1 where that is no longer what happens.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0
cd "$folder"
HF_HUB_OFFLINE=1 "$folder/env/bin/python" - <<'PYTHON'
import sys
import threading

import torch
from transformers import GPT2Config, GPT2LMHeadModel

PATIENCE = 60  # seconds
SHAPE = {"n_layer": 1, "n_embd": 32, "n_head": 2, "vocab_size": 50, "bos_token_id": 0, "eos_token_id": 0}
GPT2LMHeadModel(GPT2Config(**SHAPE)).save_pretrained("model")


class Waits(GPT2LMHeadModel):
    """Says that it is being made, and goes on when it is told to."""

    begun, go_on = {}, {}

    def __init__(self, config):
        super().__init__(config)
        name = threading.current_thread().name
        self.begun[name].set()
        assert self.go_on[name].wait(PATIENCE)


def begin(name: str, dtype: torch.dtype) -> threading.Thread:
    Waits.begun[name], Waits.go_on[name] = threading.Event(), threading.Event()
    thread = threading.Thread(target=Waits.from_pretrained, args=("model",), kwargs={"dtype": dtype}, name=name)
    thread.start()
    assert Waits.begun[name].wait(PATIENCE)
    return thread


def end(thread: threading.Thread) -> None:
    Waits.go_on[thread.name].set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def made() -> str:
    return str(torch.zeros(1).dtype)


def loads() -> tuple:
    model, report = GPT2LMHeadModel.from_pretrained("model", dtype=torch.float32, output_loading_info=True)
    return model.lm_head.weight is model.transformer.wte.weight, sorted(report["missing_keys"])


before, beside = made(), []
for dtype in (torch.float32, torch.bfloat16):
    load = begin(f"one of {dtype}", dtype)
    beside.append(made())
    end(load)
one = (made(), *loads())
first, second = begin("first", torch.bfloat16), begin("second", torch.bfloat16)
end(first)
end(second)
two = (made(), *loads())

print(f"before {before}, beside a float32 load {beside[0]}, beside a bfloat16 load {beside[1]}")
print("after one load {}, tied {}, missing {}".format(*one))
print("after two that overlap {}, tied {}, missing {}".format(*two))
plain, short = "torch.float32", "torch.bfloat16"
expected = (plain, [plain, short], (plain, True, []), (short, False, ["lm_head.weight"]))
sys.exit(0 if (before, beside, one, two) == expected else 1)
PYTHON
