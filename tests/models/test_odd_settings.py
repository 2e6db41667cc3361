"""Whatever stands in a config.json: a model, or one sentence on one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core import load_model
from core.errors import ModelError
from tests.models.conftest import Folder

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2.5, 1e308, "three", "", [], [3], {}, {"a": {"b": [None]}}, 10**12, 2**63, 10**30,
    "9" * 5_000, [[[]]],
)  # fmt: skip
SETTINGS = {
    "llama": ("architectures", "model_type", "max_position_embeddings", "hidden_size", "num_attention_heads"),
    "gpt2": ("n_head", "n_embd", "vocab_size", "activation_function"),
}


def settled(folder: Path, place: Path, **settings: Any) -> str:
    """A copy of a checkpoint whose config.json says this."""
    shutil.copytree(folder, place, dirs_exist_ok=True)
    config = json.loads((folder / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, **settings}))
    return str(place)


def check(name: str) -> None:
    """It loads, or says in one sentence why not."""
    try:
        load_model(name)
    except ModelError as error:
        said = str(error)
        assert said.isprintable(), said
        assert said.endswith("."), said
        assert len(said) < 500, said


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("architecture", "setting"), [(a, s) for a, some in SETTINGS.items() for s in some])
def test_odd_settings(folder: Folder, tmp_path: Path, architecture: str, setting: str) -> None:
    for value in ODD:
        check(settled(folder(architecture), tmp_path / "odd", **{setting: value}))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "{", "[" * 100_000, '{"model_type": "llama"}', "\0", "1e999"]
)
def test_odd_files(folder: Folder, tmp_path: Path, text: str) -> None:
    place = settled(folder("llama"), tmp_path / "odd")
    (tmp_path / "odd" / "config.json").write_text(text)
    with pytest.raises(ModelError) as raised:
        load_model(place)
    assert str(raised.value).isprintable()
