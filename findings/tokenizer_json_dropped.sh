#!/bin/sh
# transformers 5.23.0: AutoTokenizer drops the pre-tokenizer of tokenizer.json where tokenizer_config.json names
# GPT2Tokenizer, GPTNeoXTokenizer or CodeGenTokenizer, without a warning.
#
# The file below is valid: made by tokenizers, saved by transformers, and it cuts every digit apart. Under the class that
# transformers itself wrote, and under Qwen2Tokenizer, texts are cut as the file says. Under those three the class builds
# a tokenizer anew from the file's vocabulary and merges alone: numbers come in pieces that the model was not trained on,
# and save_pretrained writes a tokenizer.json that says so from then on. ICLens reads the file itself
# (core/models/tokenizer.py).
#
# Seen on 2026-11-29 (tokenizers 0.23.3), tokens of "12 -> 24, 305 -> 610" by AutoTokenizer, by the file, saved again:
#   TokenizersBackend 16 16 16
#   Qwen2Tokenizer 16 16 16
#   GPT2Tokenizer 11 16 11
#   GPTNeoXTokenizer 11 16 11
#   CodeGenTokenizer 11 16 11
#
# Installs into a temporary folder, needs no model and no ICLens. Ends with status 1 where that is no longer what happens.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check transformers==5.23.0 tokenizers==0.23.3
cd "$folder"
HF_HUB_OFFLINE=1 "$folder/env/bin/python" - <<'PYTHON'
import json
import sys
import tempfile
import warnings
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

TEXT = "12 -> 24, 305 -> 610"
EXPECTED = {
    "TokenizersBackend": (16, 16, 16),
    "Qwen2Tokenizer": (16, 16, 16),
    "GPT2Tokenizer": (11, 16, 11),
    "GPTNeoXTokenizer": (11, 16, 11),
    "CodeGenTokenizer": (11, 16, 11),
}

words = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer, tokenizer.decoder = words, decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False)
tokenizer.train_from_iterator([f"{n} -> {2 * n}" for n in range(10, 500)], trainer)
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), words])

said = []
logging.disable_default_handler()
logging.add_handler(type("Keep", (__import__("logging").Handler,), {"emit": lambda self, one: said.append(one)})())
logging.set_verbosity_warning()
found = {}
for name in EXPECTED:
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as again, warnings.catch_warnings():
        warnings.simplefilter("error")
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="<s>").save_pretrained(place)
        path = Path(place, "tokenizer_config.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": name}))
        loaded = AutoTokenizer.from_pretrained(place)
        loaded.save_pretrained(again)
        files = [Tokenizer.from_file(str(Path(folder, "tokenizer.json"))) for folder in (place, again)]
        found[name] = (len(loaded(TEXT)["input_ids"]), *(len(file.encode(TEXT).ids) for file in files))
        print(name, *found[name])
print("warnings:", [one.getMessage() for one in said])
sys.exit(found != EXPECTED or bool(said))
PYTHON
