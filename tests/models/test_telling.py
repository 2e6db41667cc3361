"""A load of safetensors says how far it is, ends between tensors and files, and leaves transformers as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import transformers.core_model_loading as loading
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from core import load_model
from core.errors import Cancelled
from core.models.weights import fingerprint
from core.runtime.progress import Progress, reporting
from tests.models.conftest import Folder


@pytest.fixture
def shards(folder: Folder, tmp_path: Path) -> Path:
    """A checkpoint in several files."""
    place = folder("llama")
    AutoModelForCausalLM.from_pretrained(place).save_pretrained(tmp_path, max_shard_size="20KB")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((place / name).read_bytes())
    assert len(list(tmp_path.glob("*.safetensors"))) > 3
    return tmp_path


def test_tensors_are_counted_to_the_last(shards: Path) -> None:
    heard: list[Progress] = []
    with reporting(heard.append):
        load_model(str(shards))
    counted = [one for one in heard if one.unit == "tensors"]
    held = sum(len(load_file(path)) for path in shards.glob("*.safetensors"))
    assert counted[-1].done == counted[-1].total == held
    assert [one.done for one in counted] == sorted(one.done for one in counted)
    assert heard == sorted(heard, key=lambda one: one.share)


@pytest.mark.parametrize("told", [2, 9, 17])
def test_it_ends_between_two_tensors(shards: Path, told: int) -> None:
    bar, heard = loading.tqdm, []
    with reporting(heard.append), pytest.raises(Cancelled):
        load_model(str(shards), stop=lambda: any(one.unit == "tensors" and one.done >= told for one in heard))
    assert max(one.done for one in heard if one.unit == "tensors") == told
    assert loading.tqdm is bar
    assert load_model(str(shards)).layers == 3


def test_it_ends_while_a_file_is_read_for_its_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.models.weights._BLOCK", 1_000)
    files = [tmp_path / name for name in ("a.safetensors", "b.safetensors")]
    for path in files:
        path.write_bytes(path.name.encode() * 1_000)
    heard: list[Progress] = []
    with reporting(heard.append), pytest.raises(Cancelled):
        fingerprint(files, stop=lambda: len(heard) > 5)
    assert 5 < len(heard) < 8
    assert fingerprint(files) == fingerprint(files[::-1])
