"""Checkpoints from the hub: what is in the cache first, the network second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ModelError

_WANTED = ("*.json", "*.safetensors", "*.model", "*.txt")
_IGNORED = ("*/*", "*.onnx", "*.h5", "*.msgpack")


def download(name: str) -> Path:
    """The local folder of a hub id, fetched when it is not in the cache.

    Raises:
        ModelError: there is no such model, it is gated, only pickled, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True, allow_patterns=list(_WANTED)))
        if (folder / "config.json").exists() and _complete(folder):
            return folder
    except HFValidationError as error:
        raise ModelError(f'"{name}" is neither a folder nor a hub id such as "gpt2".') from error
    except LocalEntryNotFoundError:
        pass
    _check_listing(name)
    return Path(
        _ask(name, lambda: snapshot_download(name, allow_patterns=list(_WANTED), ignore_patterns=list(_IGNORED)))
    )


def _complete(folder: Path) -> bool:
    """Whether every weight file that the index names is there."""
    import json

    index = folder / "model.safetensors.index.json"
    if index.exists():
        return all((folder / file).exists() for file in set(json.loads(index.read_text())["weight_map"].values()))
    return any(folder.glob("*.safetensors"))


def _check_listing(name: str) -> None:
    """Refuse before downloading: a model without safetensors."""
    from huggingface_hub import model_info

    files = [file.rfilename for file in _ask(name, lambda: model_info(name)).siblings or ()]
    if not any(file.endswith(".safetensors") and "/" not in file for file in files):
        what = (
            "only pickled weights, which can run code when opened"
            if any(file.endswith((".bin", ".pt", ".pth")) for file in files)
            else "no weights"
        )
        raise ModelError(f'"{name}" has {what}: choose a model with safetensors.')


def _ask(name: str, question: Any) -> Any:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        return question()
    except GatedRepoError as error:
        raise ModelError(
            f'"{name}" is open only to people who accepted its terms: log in with `hf auth login`.'
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(f'There is no model "{name}", neither a folder here nor on the hub.') from error
    except Exception as error:
        raise ModelError(
            f'"{name}" is not on this machine and the hub cannot be reached: connect, or give a local folder.'
        ) from error
