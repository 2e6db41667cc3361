"""A folder is read when its files are files and its settings announce the layers that its weights hold."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelError
from core.models import load_model
from core.models.depth import check_depth, compare_depth
from core.models.gguf import announce
from core.models.weights import tensor_shapes, weight_files
from tests.models.checkpoints import ARCHITECTURES
from tests.models.conftest import Folder
from tests.models.gguf_files import write_gguf
from tests.models.test_loading import refusal


@pytest.fixture
def llama(folder: Folder, tmp_path: Path) -> Path:
    """A copy of the tiny Llama of three layers, to be spoilt."""
    return Path(shutil.copytree(folder("llama"), tmp_path / "llama"))


def announcing(place: Path, layers: Any) -> Path:
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "num_hidden_layers": layers}))
    return place


@pytest.mark.parametrize("layers", [1, 2])
def test_fewer_layers_than_the_weights_hold_are_another_model(llama: Path, layers: int) -> None:
    assert f"announce {layers} layer" in refusal(announcing(llama, layers))
    assert "weights hold 3" in refusal(llama)


@pytest.mark.parametrize("layers", [4, 1_000_000, 10**12])
def test_more_layers_are_refused_before_they_are_built(llama: Path, layers: int) -> None:
    assert f"not complete: its settings announce {layers:,} layers and the weights hold 3." in refusal(
        announcing(llama, layers)
    )


@pytest.mark.parametrize("layers", [0, -1, True, 2.5, "three", [3], None])
def test_what_is_no_number_of_layers(llama: Path, layers: Any) -> None:
    assert "it takes a number above 0" in refusal(announcing(llama, layers))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_has_the_layers_that_it_announces(folder: Folder, architecture: str) -> None:
    """Whatever it calls them: with one more announced it is refused, as it is it loads."""
    place = folder(architecture)
    assert load_model(str(place)).layers >= 3
    config = json.loads((place / "config.json").read_text())
    key = next(key for key in ("num_hidden_layers", "n_layer", "num_layers") if key in config)
    names = tensor_shapes(weight_files(place))
    check_depth(config, names, "it")
    for other in (config[key] - 1, config[key] + 1):
        with pytest.raises(ModelError):
            check_depth({**config, key: other}, names, "it")


def test_several_stacks_and_layers_that_read_ahead() -> None:
    names = [f"vision.layers.{i}.w" for i in range(7)] + [f"model.layers.{i}.w" for i in range(4)]
    check_depth({"text_config": {"num_hidden_layers": 4}}, names, "it")
    with pytest.raises(ModelError, match="hold 7"):
        check_depth({"text_config": {"num_hidden_layers": 5}}, names, "it")
    compare_depth(3, 1, names[7:], "it")
    with pytest.raises(ModelError, match="hold 4"):
        compare_depth(3, 0, names[7:], "it")
    with pytest.raises(ModelError, match="2 tensors"):
        compare_depth(3, 0, ["a", "b"], "it")
    check_depth({"hidden_size": 4}, names, "it")


@pytest.mark.parametrize("blocks", [1, 4, 1_000_000])
def test_a_gguf_file(folder: Folder, tmp_path: Path, blocks: int) -> None:
    file = write_gguf(folder("llama"), tmp_path / "llama.gguf", settings={"llama.block_count": blocks})
    assert f"announce {blocks:,} layer" in refusal(file)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "generation_config.json", "more.safetensors"])
def test_a_pipe_is_not_opened(llama: Path, name: str) -> None:
    (llama / name).unlink(missing_ok=True)
    os.mkfifo(llama / name)
    assert f'"{name}" in the folder "llama" is no file' in refusal(llama)


def test_a_pipe_called_as_a_gguf_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.gguf")
    assert "is no file" in refusal(tmp_path)
    with pytest.raises(ModelError, match="is no file"):
        announce(str(tmp_path), "float32")
    assert "There is no folder" in refusal(tmp_path / "model.gguf")


def test_links_to_files_are_files(llama: Path, tmp_path: Path) -> None:
    """As the hub's cache has them."""
    linked = tmp_path / "linked"
    linked.mkdir()
    for path in llama.iterdir():
        (linked / path.name).symlink_to(path)
    assert load_model(str(linked)).layers == 3
