"""What a GGUF file says of itself, in its first few megabytes: settings, vocabulary, and which weights it holds.

GGUF is the file format of llama.cpp and Ollama (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic,
version, counts, then (key, value) pairs, then (name, shape, type, offset) of every tensor, then the tensors' bytes. The
weights themselves are left where they are. A file is not believed: nothing is read beyond its end, whatever it counts.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import ModelError

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_ALIGNMENT = 32
_SAMPLE = 1 << 18  # weights of each kind that are unpacked to see how long that takes
_HEADER_AGAIN = 24  # so many times as long as this module transformers takes over a header and its tokenizer


@dataclass(frozen=True)
class Tensor:
    """One tensor: its name in llama.cpp, shape (fastest-moving dimension first), ggml type, and place in the file."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Header:
    """The head of a GGUF file.

    Attributes:
        path: the file.
        settings: its keys and values; an array stands as a tuple, or where it is long as its length.
        tensors: what it holds.
        seconds: how long it took to read.
    """

    path: Path
    settings: dict[str, Any]
    tensors: tuple[Tensor, ...]
    seconds: float

    @property
    def architecture(self) -> str:
        return str(self.settings["general.architecture"])

    @property
    def parameters(self) -> int:
        """Numbers in the file."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def largest(self) -> int:
        """Numbers in its largest tensor."""
        return max((tensor.elements for tensor in self.tensors), default=0)

    def memory(self, width: int) -> int:
        """Bytes that loading takes at its height: all weights at `width` bytes each, and beside them the largest tensor
        twice as float32, in which it is unpacked and copied. (Measured: SmolLM2-135M .69 GB of .76, Gemma 3 270M 2.35
        of 2.41.)"""
        return self.parameters * width + 8 * self.largest


def is_gguf(path: Path) -> bool:
    """Whether a file begins as a GGUF file, whatever it is called: Ollama's have no ending."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def read_header(path: Path) -> Header:
    """The head of a GGUF file.

    Raises:
        ModelError: in one sentence: it is no GGUF file, of a version not known, cut short, or one part of several.
    """
    try:
        stat = path.stat()
        return _header(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ModelError(f'The file "{path.name}" cannot be read: {error.strerror or error}.') from error


@lru_cache(maxsize=16)
def _header(path: Path, size: int, modified: int) -> Header:
    """By size and time of change, so that a file that was written anew is read anew."""
    begun = time.perf_counter()
    settings, tensors = _parse(path, size, frozenset())
    _check_whole(path, size, settings, tensors)
    return Header(path, settings, tensors, time.perf_counter() - begun)


def read_vocabulary(path: Path) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """(V,) tokens as the file spells them, and (V,) their kinds: 3 is a control token, 4 one that the user defined.

    Raises:
        ModelError: as `read_header`, or it holds no tokens.
    """
    names = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
    settings, _ = _parse(path, path.stat().st_size, frozenset(names))
    tokens, kinds = settings.get(names[0]), settings.get(names[1], ())
    if not isinstance(tokens, tuple) or not tokens or not isinstance(tokens[0], str):
        raise ModelError(f'The file "{path.name}" holds no tokenizer: choose another GGUF file.')
    return tokens, kinds if isinstance(kinds, tuple) else ()


def past_strings(data: Any, place: int, count: int) -> int:
    """Where `count` strings end that begin at `place`.

    Args:
        data: the file's bytes, whole (`read_header` has seen to that).
    """
    for _ in range(count):
        place += 8 + struct.unpack_from("<Q", data, place)[0]
    return place


class _Short(Exception):
    """The file ends before what it announces."""


class _Reader:
    """Reads forward through a file, never beyond its end."""

    def __init__(self, file: BinaryIO, size: int, keep: frozenset[str]) -> None:
        self.file, self.left, self.keep = file, size, keep

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise _Short
        self.left -= count
        return self.file.read(count)

    def skip(self, count: int) -> None:
        if count > self.left:
            raise _Short
        self.left -= count
        self.file.seek(count, 1)

    def number(self, form: str) -> Any:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def value(self, key: str, kind: int) -> Any:
        """One value; a long array that is not in `keep` is passed over and counts itself."""
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            raise ValueError(f"a value of type {kind}")
        element, count = self.number("I"), self.number("Q")
        if count > self.left:
            raise _Short
        wanted = key in self.keep or count <= 64
        if element in _SCALARS:
            width = struct.calcsize("<" + _SCALARS[element])
            if not wanted:
                self.skip(width * count)
                return count
            return struct.unpack(f"<{count}{_SCALARS[element]}", self.take(width * count))
        if element != _STRING:
            raise ValueError(f"an array of type {element}")
        if wanted:
            return tuple(self.text() for _ in range(count))
        for _ in range(count):
            self.skip(self.number("Q"))
        return count

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self.text(), self.number("I")
        if dimensions > 8:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        shape = tuple(self.number("Q") for _ in range(dimensions))
        return name, shape, self.number("I"), self.number("Q")


def _parse(path: Path, size: int, keep: frozenset[str]) -> tuple[dict[str, Any], tuple[Tensor, ...]]:
    with path.open("rb", buffering=1 << 20) as file:
        reader = _Reader(file, size, keep)
        try:
            if reader.take(4) != MAGIC:
                raise ModelError(_no_gguf(path))
            version = reader.number("I")
            if version not in _VERSIONS:
                raise ModelError(
                    f'The file "{path.name}" is of a GGUF version that cannot be read (2 and 3 can, on a '
                    "little-endian machine): convert it with a present llama.cpp."
                )
            tensors, pairs = reader.number("Q"), reader.number("Q")
            settings: dict[str, Any] = {}
            for _ in range(pairs):
                key = reader.text()
                settings[key] = reader.value(key, reader.number("I"))
            found = [reader.tensor() for _ in range(tensors)]
        except _Short:
            raise ModelError(_cut_short(path, "its list of contents")) from None
        except (ValueError, struct.error) as error:
            raise ModelError(f'The file "{path.name}" is damaged ({error}): download it again.') from error
        alignment = settings.get("general.alignment", _ALIGNMENT)
        alignment = alignment if isinstance(alignment, int) and alignment > 0 else _ALIGNMENT
        begin = -(-(size - reader.left) // alignment) * alignment
    return settings, tuple(Tensor(name, shape, kind, begin + offset) for name, shape, kind, offset in found)


def _no_gguf(path: Path) -> str:
    if path.suffix == ".safetensors":
        return f'"{path.name}" is a safetensors file: give the folder that it lies in, with its config.json.'
    return f'The file "{path.name}" is no GGUF file: give one, a folder that save_pretrained wrote, or a hub id.'


def _cut_short(path: Path, what: str) -> str:
    return f'The file "{path.name}" is cut short: it ends within {what}, so download it again.'


def _check_whole(path: Path, size: int, settings: dict[str, Any], tensors: tuple[Tensor, ...]) -> None:
    """Refuse a part of several files, one without an architecture or weights, one that lacks its end."""
    parts = settings.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise ModelError(
            f'The file "{path.name}" is one of {parts} parts of a model: join them with `llama-gguf-split --merge` and '
            "give the whole file."
        )
    if not isinstance(settings.get("general.architecture"), str):
        raise ModelError(f'The file "{path.name}" does not name its architecture: choose another GGUF file.')
    if not tensors:
        raise ModelError(f'The file "{path.name}" holds no weights, only a vocabulary: choose another GGUF file.')
    end = max(tensor.start + _bytes(path, tensor) for tensor in tensors)
    if end > size:
        raise ModelError(
            f'The file "{path.name}" is cut short: {size / 1e6:,.1f} of {end / 1e6:,.1f} MB are there, so download it '
            "again."
        )


def _bytes(path: Path, tensor: Tensor) -> int:
    """How long a tensor is in the file."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, width = GGML_QUANT_SIZES[GGMLQuantizationType(tensor.kind)]
    except (ValueError, KeyError):
        raise ModelError(
            f'The file "{path.name}" packs weights in a way that is not known here (ggml type {tensor.kind}): '
            "choose one packed as Q8_0, Q6_K or Q4_K."
        ) from None
    return tensor.elements // block * width


def unpacking_seconds(header: Header) -> float:
    """About how long transformers takes to read the header and unpack all weights on this machine, from unpacking a
    few of each kind here and now.

    Raises:
        ModelError: a kind of packing that cannot be unpacked.
    """
    total = header.seconds * _HEADER_AGAIN
    most: dict[int, Tensor] = {}
    for tensor in header.tensors:
        held = most.get(tensor.kind)
        if held is None or tensor.elements > held.elements:
            most[tensor.kind] = tensor
    for kind, tensor in most.items():
        rate = _seconds_a_weight(header.path, tensor)
        total += rate * sum(each.elements for each in header.tensors if each.kind == kind)
    return total


def _seconds_a_weight(path: Path, tensor: Tensor) -> float:
    import numpy as np
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    kind = GGMLQuantizationType(tensor.kind)
    block, width = GGML_QUANT_SIZES[kind]
    blocks = max(1, min(tensor.elements, _SAMPLE) // block)
    with path.open("rb") as file:
        file.seek(tensor.start)
        packed = np.frombuffer(file.read(blocks * width), np.uint8)
    begun = time.perf_counter()
    try:
        dequantize(packed.reshape(1, -1), kind)
    except (NotImplementedError, ValueError) as error:
        raise ModelError(
            f'The file "{path.name}" packs weights as {kind.name}, which cannot be unpacked here: choose one packed as '
            "Q8_0, Q6_K or Q4_K."
        ) from error
    return (time.perf_counter() - begun) / (blocks * block)
