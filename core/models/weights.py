"""A checkpoint folder's weight files: which there are, how large, and their hash. Nothing is loaded."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from functools import lru_cache
from math import prod
from pathlib import Path

from core.errors import ModelError
from core.runtime.progress import Stop, counting, pause, stoppable

WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes a weight, by number format."""

_BLOCK = 1 << 22  # bytes of a file between two questions whether to go on
_READ = (".json", ".safetensors", ".txt", ".model", ".jinja", ".gguf")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint.

    Raises:
        ModelError: there are none, or only pickled weights.
    """
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    if any(path.suffix in _PICKLES for path in folder.iterdir()):
        raise ModelError(
            f"{folder.name} has only pickled weights, which can run code when opened: convert them to safetensors "
            "(save_pretrained does) and load that folder."
        )
    raise ModelError(f"{folder.name} holds no weights: a model.safetensors file is needed.")


def check_regular(folder: Path) -> None:
    """See that what is read from a folder are files, or links to files: to open a pipe would wait for ever.

    Raises:
        ModelError: something that is read by its name is no file.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix in _READ and path.exists() and not path.is_file():
            raise ModelError(f'"{path.name}" in the folder "{folder.name}" is no file: choose a folder of files.')


def tensor_shapes(files: list[Path]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors in the files, from their headers alone.

    Raises:
        ModelError: a file is not safetensors.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            stat = path.stat()
            found.update(_shapes(str(path.resolve()), stat.st_size, stat.st_mtime_ns))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError) as error:
            raise ModelError(f"{path.name} is not a readable safetensors file: download or save it again.") from error
    return found


@lru_cache(maxsize=64)
def _shapes(path: str, size: int, modified: int) -> dict[str, tuple[int, ...]]:
    """Of one file; size and time of change are the key, so that a rewritten file is read again."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > size:
            raise ValueError("header longer than its file")
        header = json.loads(file.read(length))
    return {name: tuple(int(n) for n in of["shape"]) for name, of in header.items() if name != "__metadata__"}


def count_parameters(files: list[Path]) -> int:
    """Numbers in the files.

    Raises:
        ModelError: a file is not safetensors.
    """
    return sum(prod(shape) for shape in tensor_shapes(files).values())


def counted(parameters: int) -> str:
    """So many parameters in three digits: "17.6 K", "135 M", "1.1 B"."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if parameters >= 0.9995 * size:
            return f"{parameters / size:.3g} {letter}"
    return str(parameters)


def fingerprint(files: list[Path], form: str = "float32", stop: Stop | None = None) -> str:
    """First 12 hex digits of a SHA-256 over the files' contents, in the order of their names.

    Weights that are held in a 16-bit format are others, and what was worked out with them is kept apart: its name goes
    in front.

    Raises:
        Cancelled: `stop` said so, while a file was read.
    """
    digest = hashlib.sha256() if form == "float32" else hashlib.sha256(form.encode())
    with counting(len(files), "files") as advance, stoppable(stop):
        for done, path in enumerate(sorted(files), start=1):
            stat = path.stat()
            digest.update(_hash(str(path.resolve()), stat.st_size, stat.st_mtime_ns))
            advance(done)
    return digest.hexdigest()[:12]


@lru_cache(maxsize=64)
def _hash(path: str, size: int, modified: int) -> bytes:
    """SHA-256 of one file; size and time of change are the key, so that a rewritten file is read again."""
    digest = hashlib.sha256()
    with open(path, "rb") as file, counting(-(-size // _BLOCK), "blocks", inner=True) as advance:
        done = 0
        while block := file.read(_BLOCK):
            pause()
            digest.update(block)
            advance(done := done + 1)
    return digest.digest()


def available_memory(device: str) -> int | None:
    """Bytes free on a device, or None where that cannot be known."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return min(int(line.split()[1]) * 1024, _group_memory())
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError):
        return None


def _group_memory() -> int:
    """What a container's limit leaves."""
    group = Path("/sys/fs/cgroup")
    try:
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return 1 << 62
