"""Loading a causal language model: embedded, a folder, a GGUF file, or from the hub. One sentence when it cannot be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ICLensError, ModelError
from core.models.depth import announces_depth, check_depth, compare_depth
from core.models.embedded import EMBEDDED
from core.models.encoding import Encoder
from core.models.gguf import find_gguf, gguf_config, left_out, unpacking
from core.models.gguf_header import Header, read_header
from core.models.gguf_tokenizer import load_gguf_tokenizer
from core.models.hub import download
from core.models.telling import reading
from core.models.tokenizer import load_tokenizer
from core.models.weights import (
    WIDTHS,
    available_memory,
    check_regular,
    count_parameters,
    fingerprint,
    tensor_shapes,
    weight_files,
)
from core.runtime.one_load import one_load
from core.runtime.progress import Stop, check, part
from core.study.study import Dtype, ModelChoice

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models.language_model import LanguageModel

LONGEST_NAME, LONGEST_PATH = 255, 4_000  # bytes of a file's name, letters of a path; a file system takes no longer ones
_NO_CONTEXT_LIMIT = 1_000_000
_CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")
_ORIGINAL = "original_max_position_embeddings"
_OTHER_HEADS = ("ForMaskedLM", "ForPreTraining", "ForSequenceClassification", "ForTokenClassification")


def load_model(
    choice: ModelChoice | str = "embedded",
    *,
    dtype: Dtype = "float32",
    device: str = "cpu",
    stop: Stop | None = None,
) -> LanguageModel:
    """Load a model, and find out by a few random texts what it can do.

    Args:
        choice: "embedded", a hub id, a local folder, a GGUF file (or a folder with one), or a `ModelChoice` (whose
            dtype and device then count).
        dtype: number format of the weights in memory.
        device: "cpu", "cuda", "cuda:1", "mps".
        stop: asked between stages, between tensors, and while files are read; True ends the work.

    Raises:
        ModelError: in one sentence: it does not exist, holds no safetensors, has no fast tokenizer, is not causal,
            needs code of its own, does not fit in memory, or its device is not there.
        Cancelled: `stop` said so.
    """
    if isinstance(choice, ModelChoice):
        name, dtype, device = choice.name.strip(), choice.dtype, choice.device
    else:
        name = choice.strip()
    wait_asleep()
    _check_device(device)
    files = _find(name, stop)
    try:
        return _load(files, dtype, device, stop)
    except (ICLensError, MemoryError):
        raise
    except Exception as error:  # whatever transformers and torch make of settings that nobody foresaw
        raise ModelError(f'"{name[-80:]}" cannot be used as its files describe it: {_first_line(error)}.') from error


def _load(files: _Files, dtype: Dtype, device: str, stop: Stop | None) -> LanguageModel:
    """The model that lies there."""
    name = files.name
    with part(0.0, 0.35):
        config, tokenizer, notes = _described(files, dtype, device, stop)

    # late: loads torch, and what can be refused was refused before
    from core.models.checking import examine
    from core.models.language_model import LanguageModel
    from core.models.output_layer import widen_output

    context, middle = _context_length(config, tokenizer), 0.35 if dtype == "float32" else 0.575
    with part(0.35, middle):
        exact = None if dtype == "float32" else _in_float32(files, config, context, device, stop)
    with part(middle, 0.8):
        model = _weights(files, config, dtype, device, stop)
    if files.gguf:
        notes = (*left_out(read_header(files.gguf), config, model), *notes)
    widen_output(model)
    with part(0.8, 0.9):
        stamp = fingerprint(files.weights, dtype, stop)
    check(stop)
    return LanguageModel(
        model,
        tokenizer,
        examine(model, context, exact, Encoder(tokenizer).ids_batch([""])[0]),
        name=name,
        fingerprint=stamp,
        context_length=context,
        mixture=_mixture() if name == "embedded" else None,
        notes=notes,
    )


def _described(files: _Files, dtype: str, device: str, stop: Stop | None) -> tuple[Any, Any, tuple[str, ...]]:
    """Configuration, tokenizer and what must be known of it, once it is sure that the weights have room."""
    if not files.gguf:
        check_regular(files.folder)
    config = _config(files)
    _check_memory(files, dtype, device)
    check(stop)
    read = load_gguf_tokenizer(files.gguf, files.name) if files.gguf else load_tokenizer(files.folder, files.name)
    check(stop)
    return config, *read


def _mixture() -> Mixture:
    # late: no other model has a mixture, and this one reads its words
    from core.mixture.mixture import load_mixture

    return load_mixture()


@dataclass(frozen=True)
class _Files:
    """Where a model lies: a folder with a configuration and safetensors, or one GGUF file in a folder."""

    name: str
    folder: Path
    gguf: Path | None = None

    @property
    def weights(self) -> list[Path]:
        return [self.gguf] if self.gguf else weight_files(self.folder)

    def memory(self, dtype: str) -> int:
        """Bytes that its weights take in a number format; of a GGUF file also what unpacking takes beside them."""
        if self.gguf:
            return read_header(self.gguf).memory(WIDTHS[dtype])
        return count_parameters(self.weights) * WIDTHS[dtype]


def wait_asleep() -> None:
    """Called before torch is first imported: its threads sleep while they have nothing to do.

    They would spin otherwise, and take the processor from whatever else runs: a server's other threads, a browser.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _check_device(device: str) -> None:
    import torch

    try:
        kind = torch.device(device)
    except RuntimeError as error:
        raise ModelError(f'There is no device named "{device}": choose cpu, cuda or mps.') from error
    if kind.type == "cpu":
        return
    if kind.type == "mps" and torch.backends.mps.is_available():
        return
    if kind.type == "cuda" and torch.cuda.is_available() and (kind.index or 0) < torch.cuda.device_count():
        return
    raise ModelError(f'The device "{device}" is not available on this machine: choose cpu.')


def memory_of(choice: ModelChoice) -> int:
    """Bytes that a model's weights take in memory.

    Raises:
        ModelError: as `load_model`, where its files are not there.
    """
    return _find(choice.name.strip(), None).memory(choice.dtype)


def fingerprint_of(choice: ModelChoice, stop: Stop | None = None) -> str:
    """`LanguageModel.fingerprint` as this model would have it, by its files alone.

    Raises:
        ModelError: as `load_model`, where its files are not there.
        Cancelled: `stop` said so.
    """
    return fingerprint(_find(choice.name.strip(), stop).weights, choice.dtype, stop)


def _find(name: str, stop: Stop | None) -> _Files:
    if name == "embedded":
        if not (EMBEDDED / "config.json").is_file():
            raise ModelError("The embedded model's checkpoint is missing from this installation: install ICLens again.")
        return _Files(name, EMBEDDED)
    if len(name) > LONGEST_PATH or not name.isprintable() or max(map(_bytes, name.split("/"))) > LONGEST_NAME:
        raise ModelError(
            f'"{_shown(name[:60])}" cannot be a model\'s name: give a folder, or a hub id such as "gpt2", on one line.'
        )
    try:
        local = Path(name).expanduser()
    except RuntimeError:  # the home of a user whom nobody knows
        local = Path(name)
    if name and (local.is_dir() or local.is_file()):
        gguf = find_gguf(local)
        return _Files(name, gguf.parent if gguf else local, gguf)
    if not name or local.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name:
        raise ModelError(f'There is no folder "{name}": give a folder that exists, or a hub id such as "gpt2".')
    return _Files(name, download(name, stop))


def _bytes(name: str) -> int:
    """How long a name is to a file system."""
    return len(name.encode())


def _config(files: _Files) -> Any:
    """The configuration of a causal language model whose code is part of transformers."""
    if files.gguf:
        _check_blocks(read_header(files.gguf), files.name)
        config = gguf_config(files.gguf, files.name)
    else:
        config = _filed_config(files.folder, files.name)
    _check_causal(config, files.name)
    return config


def _check_blocks(header: Header, name: str) -> None:
    announced = header.settings.get(f"{header.architecture}.block_count")
    if isinstance(announced, int):
        ahead = header.settings.get(f"{header.architecture}.nextn_predict_layers")
        beside = ahead if isinstance(ahead, int) else 0
        compare_depth(announced - beside, beside, (tensor.name for tensor in header.tensors), name)


def _filed_config(folder: Path, name: str) -> Any:
    from transformers import AutoConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(f'The folder "{name}" holds no config.json: choose one that save_pretrained wrote.')
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        kind = raw["model_type"]
        if not isinstance(kind, str):
            raise TypeError("no name")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f'The config.json of "{name}" does not name its architecture: save it again.') from error
    heads = raw.get("architectures")
    if heads is not None and not (isinstance(heads, list) and all(isinstance(head, str) for head in heads)):
        raise ModelError(f'The “architectures” in the config.json of "{name}" are no list of names: save it again.')
    if kind not in CONFIG_MAPPING:
        if "auto_map" in raw:
            raise ModelError(
                f'"{name}" needs code of its own to run, which ICLens never executes: '
                "choose a model whose architecture is part of transformers."
            )
        raise ModelError(
            f'"{name}" is a "{_shown(kind[:60])}", which this version of transformers does not know: upgrade it.'
        )
    tensors = tensor_shapes(weight_files(folder))
    check_depth(raw, tensors, name)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        layers = getattr(config.get_text_config(), "num_hidden_layers", None)
    except Exception as error:
        raise ModelError(f'The config.json of "{name}" cannot be read: {_first_line(error)}.') from error
    if isinstance(layers, int) and not announces_depth(raw):  # the architecture's own, billions of weights of Llama's
        check_depth({"num_hidden_layers": layers}, tensors, name)
    return config


def _check_causal(config: Any, name: str) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    heads = tuple(config.architectures or ())
    causal = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING and not getattr(config, "is_encoder_decoder", False)
    if not causal or any(head.endswith(_OTHER_HEADS) for head in heads):
        raise ModelError(
            f'"{name}" ({heads[0] if heads else config.model_type}) is not a causal language model: '
            "choose one that predicts the next word, such as GPT-2 or Llama."
        )


def _in_float32(files: _Files, config: Any, context: int, device: str, stop: Stop | None) -> list[Any] | None:
    """What the checkpoint says of the texts of the check in float32, or None where there is no room for it.

    The weights are let go before those of another format are loaded.
    """
    import torch

    # late: loads torch
    from core.models.checking import predictions

    if not _room(files, "float32", device):
        return None
    try:
        model = _weights(files, config, "float32", device, stop)
    except ModelError:  # what is wrong with the files is said of the format that was asked for
        return None
    try:
        return predictions(model, context)
    except (MemoryError, torch.OutOfMemoryError):
        return None


def _room(files: _Files, dtype: str, device: str) -> bool:
    """Whether the weights fit in the memory that is free, where that is known."""
    free = available_memory(device)
    return free is None or files.memory(dtype) * 1.1 <= free


def _check_memory(files: _Files, dtype: str, device: str) -> None:
    free = available_memory(device)
    if free is not None and not _room(files, dtype, device):
        needed, smaller = files.memory(dtype), "choose a smaller model"
        raise ModelError(
            f'"{files.name}" needs {needed / 1e9:.1f} GB for its weights in {dtype} and {free / 1e9:.1f} GB are free: '
            + (f"{smaller}." if dtype != "float32" else f"{smaller}, or bfloat16.")
        )


def _weights(files: _Files, config: Any, dtype: str, device: str, stop: Stop | None) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    # late: loads torch
    from core.models.made_as import install

    install()
    load: Any = AutoModelForCausalLM.from_pretrained
    name = files.name
    how: dict[str, Any] = {"use_safetensors": True}
    if files.gguf:  # unpacked on every machine: packed weights would be other numbers where a kernel is installed
        how = {"gguf_file": files.gguf.name, "config": config, "quantization_config": GgufConfig(dequantize=True)}
    try:
        with one_load(stop), _quiet(), unpacking(stop) if files.gguf else reading(stop):
            model, report = load(
                files.folder,
                dtype=getattr(torch, dtype),
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                **how,
            )
            missing = sorted(report["missing_keys"])
            if missing:
                raise ModelError(f'The weights of "{name}" are not complete ({missing[0]} is missing): save it again.')
            model.config.pad_token_id = None  # padding is ours and stands where nothing reads it: no advice on it
            return model.eval().requires_grad_(False).to(device)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ModelError(f'"{name}" does not fit in the memory of {device}: choose a smaller model.') from error
    except ICLensError:
        raise
    except Exception as error:
        raise ModelError(f'"{name}" cannot be loaded: {_first_line(error)}.') from error


def _context_length(config: Any, tokenizer: Any) -> int:
    """How many tokens the model reads: its position embeddings, else what its tokenizer was saved with.

    Rotary embeddings of the "longrope" kind change for a whole batch once one of its texts passes the original
    length, so that a text's numbers would depend on its neighbours: there the original length counts.
    """
    text = config.get_text_config()
    rope = getattr(text, "rope_parameters", None) or {}
    if rope.get("rope_type") == "longrope":
        original = rope.get("original_max_position_embeddings") or getattr(text, _ORIGINAL, None)
        if original:
            return int(original)
    for name in _CONTEXT_NAMES:
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return int(min(tokenizer.model_max_length, _NO_CONTEXT_LIMIT))


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers' progress bar and advice are for a terminal."""
    from transformers.utils import logging

    talk: Any = logging
    bar, level = talk.is_progress_bar_enabled(), talk.get_verbosity()
    talk.disable_progress_bar()
    talk.set_verbosity_error()
    try:
        yield
    finally:
        talk.set_verbosity(level)
        if bar:
            talk.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return _shown((str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")[:200])


def _shown(text: str) -> str:
    """The text on one line, without signs that cannot be seen."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
