"""A model as llama.cpp and Ollama keep it, one GGUF file: found, read by transformers, and held against what it says.

transformers reads it: https://huggingface.co/docs/transformers/gguf. Weights come unpacked, in the number format that
was asked for. It passes over settings that it does not know and weights that it has no place for; here that is said.
"""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ModelError
from core.models.gguf_header import Header, is_gguf, past_strings, read_header, unpacking_seconds
from core.models.telling import instead, told
from core.models.weights import WIDTHS, check_regular, counted
from core.runtime.progress import Stop

_PART = re.compile(r"-\d{5}-of-\d{5}\.gguf$")
_NAMED = 6  # files of a folder that a sentence names
_LONG = 4096  # values of an array, more than a model has layers
_ONE_AT_A_TIME = threading.Lock()

# What a configuration says of a setting of the file, where that can be asked.
_ASKED: dict[str, Callable[[Any], Any]] = {
    "block_count": lambda config: config.num_hidden_layers,
    "embedding_length": lambda config: config.hidden_size,
    "attention.head_count": lambda config: config.num_attention_heads,
    "attention.key_length": lambda config: _head_size(config),
    "attention.value_length": lambda config: _head_size(config),
    "rope.dimension_count": lambda config: round(_head_size(config) * _rope(config, "partial_rotary_factor", 1.0)),
    "rope.freq_base": lambda config: _rope(config, "rope_theta", None),
    "rope.scaling.type": lambda config: {"default": "none"}.get(_rope(config, "rope_type", ""), "scaled"),
    "attention.sliding_window": lambda config: getattr(config, "sliding_window", None),
    "attn_logit_softcapping": lambda config: getattr(config, "attn_logit_softcapping", None),
    "final_logit_softcapping": lambda config: getattr(config, "final_logit_softcapping", None),
    "attention.causal": lambda config: True,
}
_OF_NO_WEIGHT = ("context_length", "tensor_data_layout")  # how much is read, and how the file was written


def find_gguf(place: Path) -> Path | None:
    """The GGUF file that a path names, or the one in a folder; None for a folder of another kind.

    Raises:
        ModelError: a file that is none, or a folder with several.
    """
    if place.is_file():
        if not is_gguf(place):
            read_header(place)  # says what is wrong with it
        return place
    if any(place.glob("*.safetensors")):
        return None
    check_regular(place)
    files = sorted(path for path in place.glob("*.gguf") if not path.name.startswith("mmproj"))  # what reads pictures
    if len(files) < 2:
        return files[0] if files else None
    if all(_PART.search(path.name) for path in files):
        read_header(files[0])  # says that it is a part
    names = ", ".join(path.name for path in files[:_NAMED]) + (" and others" if len(files) > _NAMED else "")
    raise ModelError(
        f'The folder "{place.name}" holds {len(files)} GGUF files ({names}): give the path of one of them, such as '
        f'"{files[0]}".'
    )


@dataclass(frozen=True)
class Announced:
    """What a GGUF file says of itself before it is loaded.

    Attributes:
        title: its own name, or the file's.
        architecture, licence: as it says; "" where it does not.
        parameters: numbers in it.
        memory, peak: bytes of the weights in a number format, and the most that loading takes.
        seconds: about how long transformers takes to read and unpack it on this machine; checks come after that.
    """

    title: str
    architecture: str
    licence: str
    parameters: int
    memory: int
    peak: int
    seconds: float

    def sentence(self, dtype: str) -> str:
        """All of it in a line."""
        kind = f"{self.architecture}, {counted(self.parameters)} parameters"
        licence = f", licence {self.licence}" if self.licence else ""
        return (
            f"{self.title} ({kind}{licence}): {_bytes(self.memory)} in {dtype}. To unpack it takes {_bytes(self.peak)} "
            f"and about {max(1, round(self.seconds))} s; trying out what it can do comes on top."
        )


def _bytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def announce(name: str, dtype: str) -> Announced | None:
    """What loading a GGUF file would take; None where a name is none of one.

    Args:
        name: a file or a folder, as typed.
        dtype: "float32", "bfloat16" or "float16"; a 16-bit format is read twice, once as float32 to measure rounding.

    Raises:
        ModelError: as `find_gguf` and `read_header`, or its weights cannot be unpacked.
    """
    place = Path(name).expanduser()
    path = find_gguf(place) if place.is_dir() or place.is_file() else None
    if path is None:
        return None
    header = read_header(path)
    said, width, times = header.settings, WIDTHS[dtype], 1 if dtype == "float32" else 2
    return Announced(
        str(said.get("general.name") or path.stem),
        header.architecture,
        str(said.get("general.license") or ""),
        header.parameters,
        header.parameters * width,
        header.memory(width),
        unpacking_seconds(header) * times,
    )


def gguf_config(path: Path, name: str) -> Any:
    """The configuration that transformers makes of a GGUF file.

    Raises:
        ModelError: it cannot read this architecture from GGUF.
    """
    from transformers import AutoConfig

    header = read_header(path)
    try:
        with _in_passing():
            return AutoConfig.from_pretrained(
                path.parent, gguf_file=path.name, trust_remote_code=False, local_files_only=True
            )
    except Exception as error:
        if "not supported" in str(error):
            raise ModelError(
                f'"{name}" is a "{header.architecture}", which transformers cannot read from a GGUF file: give its '
                "safetensors folder or hub id."
            ) from error
        raise ModelError(
            f'The settings of "{name}" cannot be read: {(str(error) or type(error).__name__).splitlines()[0][:200]}.'
        ) from error


@contextmanager
def unpacking(stop: Stop | None) -> Iterator[None]:
    """While transformers unpacks a GGUF file: its tensors are counted, and between two of them it can be stopped.

    transformers tells of its progress by a bar of tqdm alone, which is ours meanwhile. It also asks for the table of an
    architecture's names once for every module of the model (SmolLM2: 397 times, half of the loading); here it is built
    once.
    """

    names = lru_cache(maxsize=1)(vars(import_module("gguf"))["get_tensor_name_map"])
    with instead("transformers.modeling_gguf_pytorch_utils", tqdm=told(stop)), _in_passing(get_tensor_name_map=names):
        yield


@contextmanager
def _in_passing(**others: Any) -> Iterator[None]:
    """One file at a time, and of its header only what decides the model: the tokenizer is read by another way."""
    with _ONE_AT_A_TIME, instead("gguf", GGUFReader=_reader(), **others):
        yield


@lru_cache(maxsize=1)
def _reader() -> Any:
    """gguf's reader, which passes over arrays as long as a vocabulary.

    It would make an object of each of their values, two million of Gemma's, which takes most of the time that loading
    takes.
    """
    library: Any = import_module("gguf")
    widths = {int(kind): np.dtype(of).itemsize for kind, of in library.GGUFReader.gguf_scalar_to_np.items()}
    zero, zeros = np.zeros(1, np.int32), [library.GGUFValueType.ARRAY, library.GGUFValueType.INT32]

    class Reader(library.GGUFReader):  # type: ignore[misc]
        def _get_field_parts(self, orig_offs: int, raw_type: int) -> Any:
            if raw_type == library.GGUFValueType.ARRAY:
                kind, count = struct.unpack_from("<IQ", self.data, orig_offs)
                begin = orig_offs + 12
                if count > _LONG and kind in widths:
                    return 12 + widths[kind] * count, [], [], [library.GGUFValueType.ARRAY, library.GGUFValueType(kind)]
                if count > _LONG:  # strings: as many zeros, since a vocabulary's length decides a configuration
                    return past_strings(self.data, begin, count) - orig_offs, [zero], [0] * count, zeros
            return super()._get_field_parts(orig_offs, raw_type)

    return Reader


def left_out(header: Header, config: Any, model: Any) -> tuple[str, ...]:
    """What of the file does not decide what the model says, though it should: a sentence each."""
    unread, found = _unread(header, config.get_text_config()), []
    if unread:
        found.append(
            f"transformers does not read {_listed(unread)} of this file as it stands there, so what the model "
            "says here may differ from what llama.cpp says."
        )
    if any(tensor.name == "rope_freqs.weight" for tensor in header.tensors):
        found.append(
            "transformers does not read this file's rope_freqs.weight, which stretches positions (Llama 3.1 and "
            "later need it): what the model says here differs from what llama.cpp says; its safetensors folder has no "
            "such gap."
        )
    spare = sum(each.elements for each in header.tensors if each.name != "rope_freqs.weight")
    spare -= sum(weight.numel() for weight in model.parameters())
    if spare > 0:
        found.append(
            f"transformers' model has no place for {spare:,} of the {header.parameters:,} numbers in this file."
        )
    return tuple(found)


def _unread(header: Header, config: Any) -> list[str]:
    """Settings of the file's architecture that the configuration does not have, or has otherwise."""
    from transformers.integrations.ggml import GGUF_CONFIG_MAPPING

    name = header.architecture
    of_all: Any = GGUF_CONFIG_MAPPING
    known: dict[str, Any] = of_all.get(name) or of_all.get(name.replace("-", "_")) or {}
    unread = []
    for key, value in header.settings.items():
        setting = key.removeprefix(f"{name}.")
        if setting == key or setting in _OF_NO_WEIGHT:
            continue
        said = _ASKED[setting](config) if setting in _ASKED else None
        if (known.get(setting) is None) if said is None else not _same(said, value):
            unread.append(key)
    return unread


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return abs(float(one) - float(other)) <= 1e-6 * abs(float(other))
    return bool(one == other)


def _head_size(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _rope(config: Any, name: str, default: Any) -> Any:
    """A rotary setting; of a model that has one set for each kind of layer, that of full attention."""
    found = getattr(config, "rope_parameters", None) or {}
    found = found.get("full_attention", found)
    return found.get(name, getattr(config, name, default))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more settings" if len(names) > _NAMED else "")
