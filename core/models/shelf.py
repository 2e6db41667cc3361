"""Which models can be loaded: those on this machine, and some on the hub whose architectures the tests load."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from core.errors import ModelError
from core.models.embedded import EMBEDDED
from core.models.gguf import find_gguf
from core.models.gguf_header import read_header
from core.models.weights import WIDTHS, count_parameters, counted, weight_files
from core.runtime.paths import home

Place = Literal["here", "cache", "hub"]
_MOST = 100  # models of a folder that are listed
_REMEMBERED = 12


@dataclass(frozen=True)
class Shelved:
    """A model that can be asked for by name.

    Attributes:
        name: what `load_model` takes.
        title: what a menu calls it.
        place: "here" in a folder, "cache" in the hub's cache on this machine, or "hub".
        parameters: numbers in its weights, from the files' headers; of one on the hub as its card says.
        licence: as its file or its card says; "" where neither does.
    """

    name: str
    title: str
    place: Place
    parameters: int
    licence: str = ""

    def line(self, dtype: str) -> str:
        """Title, size, memory in a number format, licence, and where it is."""
        memory = self.parameters * WIDTHS[dtype]
        size = f"{memory / 1e9:.2f} GB" if memory >= 1e8 else f"{memory / 1e6:.0f} MB"
        where = {"here": "on this machine", "cache": "in the hub's cache here", "hub": "on the hub"}[self.place]
        licence = (self.licence,) if self.licence else ()
        return " · ".join((self.title, counted(self.parameters), f"{size} in {dtype}", *licence, where))


HUB = (
    Shelved("openai-community/gpt2", "GPT-2 small", "hub", 124_439_808, "MIT"),
    Shelved("distilbert/distilgpt2", "DistilGPT2", "hub", 81_912_576, "Apache-2.0"),
    Shelved("EleutherAI/pythia-160m", "Pythia 160M", "hub", 162_322_944, "Apache-2.0"),
    Shelved("HuggingFaceTB/SmolLM2-135M-Instruct", "SmolLM2 135M Instruct", "hub", 134_515_008, "Apache-2.0"),
    Shelved("HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M Instruct", "hub", 361_821_120, "Apache-2.0"),
    Shelved("google/gemma-3-270m-it", "Gemma 3 270M Instruct", "hub", 268_098_176, "Gemma, to be accepted first"),
    Shelved("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5 0.5B Instruct", "hub", 494_032_768, "Apache-2.0"),
    Shelved("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "TinyLlama 1.1B Chat", "hub", 1_100_048_384, "Apache-2.0"),
)
"""Small ones, of architectures that the tests load (GPT-2, GPT-NeoX, Llama, Gemma 3, Qwen2)."""


def shelf() -> list[Shelved]:
    """The embedded model, models loaded before, those in ICLENS_MODELS, Ollama's, the hub's cache, and `HUB`."""
    found: dict[str, Shelved] = {}
    for shelved in (*_embedded(), *_before(), *_in_folder(), *_of_ollama(), *_cached(), *HUB):
        found.setdefault(shelved.name, shelved)
    return list(found.values())


def remember(name: str) -> None:
    """Keep the name of a model that was loaded, the latest first; where that cannot be written it is not kept."""
    names = [name, *(other for other in remembered() if other != name)][:_REMEMBERED]
    try:
        home().mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=home(), prefix="models-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(names, file)
        Path(draft).replace(_list())
    except OSError:
        return


def remembered() -> list[str]:
    """Names of models that were loaded before, the latest first."""
    try:
        names = json.loads(_list().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _list() -> Path:
    return home() / "models.json"


def _embedded() -> Iterator[Shelved]:
    shelved = _on_disk(EMBEDDED, "embedded", "Embedded model")
    if shelved is not None:
        yield shelved


def _before() -> Iterator[Shelved]:
    """Those that are still where they were; what came from the hub is found in its cache, or in the list of the hub."""
    for name in remembered():
        place = Path(name).expanduser()
        shelved = _on_disk(place, name) if place.exists() else None
        if shelved is not None:
            yield shelved


def _in_folder() -> Iterator[Shelved]:
    """Models in the folder that ICLENS_MODELS names, in its folders and in theirs."""
    root = os.environ.get("ICLENS_MODELS")
    if not root:
        return
    top = Path(root).expanduser()
    for place in islice(_models([top, *_sorted(top.glob("*")), *_sorted(top.glob("*/*"))]), _MOST):
        shelved = _on_disk(place, str(place))
        if shelved is not None:
            yield shelved


def _models(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if (place / "config.json").is_file() or (place.suffix == ".gguf" and place.is_file()):
            yield place


def _of_ollama() -> Iterator[Shelved]:
    """Models that Ollama has fetched: each has a manifest, which names the file that holds its weights."""
    root = Path(os.environ.get("OLLAMA_MODELS") or Path.home() / ".ollama" / "models").expanduser()
    for manifest in islice(_sorted((root / "manifests").glob("*/*/*/*")), _MOST):
        try:
            layers = json.loads(manifest.read_text(encoding="utf-8"))["layers"]
            (digest,) = (each["digest"] for each in layers if each["mediaType"].endswith(".image.model"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        blob = root / "blobs" / str(digest).replace(":", "-")
        if blob.resolve().parent == (root / "blobs").resolve():
            shelved = _on_disk(blob, str(blob), f"{manifest.parent.name}:{manifest.name} (Ollama)")
            if shelved is not None:
                yield shelved


def _cached() -> Iterator[Shelved]:
    """Causal language models in the hub's cache whose weights are there."""
    from huggingface_hub.constants import HF_HUB_CACHE

    for folder in islice(_sorted(Path(HF_HUB_CACHE).glob("models--*")), _MOST):
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        for snapshot in _sorted((folder / "snapshots").glob("*"))[-1:]:
            shelved = _on_disk(snapshot, name, place="cache")
            if shelved is not None:
                yield shelved


def _sorted(places: Iterable[Path]) -> list[Path]:
    try:
        return sorted(places)
    except OSError:
        return []


def _on_disk(path: Path, name: str, title: str = "", place: Place = "here") -> Shelved | None:
    """What lies at a path; None where it is no language model that could be loaded."""
    try:
        changed = max(path.stat().st_mtime_ns, *(each.stat().st_mtime_ns for each in path.glob("*.safetensors")), 0)
        return _look(path, name, title, place, changed)
    except (OSError, ModelError):
        return None


@lru_cache(maxsize=512)
def _look(path: Path, name: str, title: str, place: Place, changed: int) -> Shelved | None:
    """By time of change: headers are read once.

    Raises:
        ModelError: it cannot be read.
    """
    gguf = find_gguf(path)
    if gguf is not None:
        header = read_header(gguf)
        said = header.settings
        if header.architecture == "clip":  # reads pictures, beside a language model
            return None
        own = title or f"{said.get('general.name') or gguf.stem} ({gguf.name[:40]})"
        return Shelved(name, own, place, header.parameters, str(said.get("general.license") or ""))
    if not _causal(path):
        return None
    return Shelved(name, title or name.rstrip("/").split("/")[-1], place, count_parameters(weight_files(path)))


def _causal(folder: Path) -> bool:
    """Whether the configuration in a folder names a causal language model."""
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = config.get("architectures") or ()
    except (OSError, ValueError, AttributeError):
        return False
    return any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in names)
