"""Checkpoints from the hub: what is in the cache first, the network second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ICLensError, ModelError
from core.runtime.progress import Advance, Stop, check, counting, part

_WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
_ENDINGS = tuple(pattern.removeprefix("*") for pattern in _WANTED)
_IGNORED = ("*/*", "*.onnx", "*.h5", "*.msgpack")


def download(name: str, stop: Stop | None = None) -> Path:
    """The local folder of a hub id, fetched when it is not in the cache; megabytes are counted meanwhile.

    Raises:
        ModelError: there is no such model, it is gated, only pickled, or the hub cannot be reached.
        Cancelled: `stop` said so; what has come is kept, and another try goes on from there.
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
    check(stop)
    wanted = {"allow_patterns": list(_WANTED), "ignore_patterns": list(_IGNORED)}
    with part(0.0, 0.6), counting(_check_listing(name), "MB") as advance:
        fetch: Any = snapshot_download
        return Path(_ask(name, lambda: fetch(name, **wanted, tqdm_class=_bar(advance, stop))))


def _bar(advance: Advance, stop: Stop | None) -> type[Any]:
    """A bar of tqdm that tells `advance` of the megabytes that have come, and ends the download where it is stopped."""
    from huggingface_hub import utils

    hidden: Any = utils

    class Megabytes(hidden.tqdm):  # type: ignore[misc]
        """Draws nothing."""

        def __init__(self, *given: Any, **how: Any) -> None:
            super().__init__(*given, **{**how, "disable": True})
            self.of_bytes = how.get("unit") == "B"  # there are bars of files too

        def update(self, n: float | None = 1) -> None:
            check(stop)
            self.n += n or 0
            if self.of_bytes:
                advance(int(self.n / 1e6))

    return Megabytes


def _complete(folder: Path) -> bool:
    """Whether every weight file that the index names is there."""
    import json

    index = folder / "model.safetensors.index.json"
    if index.exists():
        return all((folder / file).exists() for file in set(json.loads(index.read_text())["weight_map"].values()))
    return any(folder.glob("*.safetensors"))


def _check_listing(name: str) -> int:
    """Megabytes that are to be fetched; a model without safetensors is refused before."""
    from huggingface_hub import model_info

    listed = _ask(name, lambda: model_info(name, files_metadata=True)).siblings or ()
    files = [file.rfilename for file in listed]
    if not any(file.endswith(".safetensors") and "/" not in file for file in files):
        what = (
            "only pickled weights, which can run code when opened"
            if any(file.endswith((".bin", ".pt", ".pth")) for file in files)
            else "no weights"
        )
        raise ModelError(f'"{name}" has {what}: choose a model with safetensors.')
    wanted = [file for file in listed if "/" not in file.rfilename and any(map(file.rfilename.endswith, _ENDINGS))]
    return max(1, round(sum(getattr(file, "size", None) or 0 for file in wanted) / 1e6))


def _ask(name: str, question: Any) -> Any:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        return question()
    except ICLensError:
        raise
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
