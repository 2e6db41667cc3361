"""What was fitted to one checkpoint and lies beside it: how it is read, whose it is, and how it is fitted anew."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from zipfile import BadZipFile

import numpy as np

if TYPE_CHECKING:
    from core.models import LanguageModel


class Fitted(Protocol):
    """The model's weights (`fingerprint`) and the tasks that it was fitted to."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def tasks(self) -> tuple[str, ...]: ...


F = TypeVar("F", bound=Fitted)


def load_fitted(path: Path, made_of: Callable[[Mapping[str, Any]], F]) -> F | None:
    """What `made_of` makes of the arrays of an npz file, kept until the file changes; None where it cannot be read."""
    try:
        found: F = _read(path, path.stat().st_mtime_ns, made_of)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None
    return found


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, made_of: Callable[[Mapping[str, Any]], Any]) -> Any:
    with np.load(path, allow_pickle=False) as found:
        return made_of(found)


def belonging(found: F | None, model: LanguageModel) -> F | None:
    """The same, or None where the model's mixture is unknown, or its weights or tasks are others."""
    if found is None or model.mixture is None:
        return None
    fits = found.tasks == tuple(model.mixture.families) and found.fingerprint == model.fingerprint
    return found if fits else None


def options(description: str | None, documents: int, to: Path) -> argparse.Namespace:
    """The command line of what fits it: --quick, --documents, --seed and --to; with --quick there are 60 documents."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--documents", type=int, default=documents)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, default=to)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.documents = 60
    return chosen
