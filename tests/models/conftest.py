"""Tiny checkpoints on disk, once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.models import LanguageModel, load_model
from tests.models.checkpoints import write_tiny

torch.set_num_threads(1)  # tiny matrices: a second thread costs more than it gives

Folder = Callable[[str], Path]
Model = Callable[[str], LanguageModel]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The folder of an architecture's tiny checkpoint, written when first asked for."""
    root = tmp_path_factory.mktemp("checkpoints")

    def get(architecture: str) -> Path:
        path = root / architecture
        return path if path.exists() else write_tiny(architecture, path)

    return get


@pytest.fixture(scope="session")
def model(folder: Folder) -> Model:
    """The loaded model of an architecture."""
    loaded: dict[str, LanguageModel] = {}

    def get(architecture: str) -> LanguageModel:
        if architecture not in loaded:
            loaded[architecture] = load_model(str(folder(architecture)))
        return loaded[architecture]

    return get
