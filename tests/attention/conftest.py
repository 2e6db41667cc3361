"""Tiny checkpoints, and a prompt long enough for windows and blocks to matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.attention import Tokens, tokens_of
from core.models import LanguageModel
from core.study.demonstrations import Demonstration
from core.study.prompts import Prompt, render
from tests.models import plain
from tests.models.conftest import Folder, folder, model

__all__ = ["folder", "model"]

SHOWN = (
    Demonstration(input="cat", label="chat"),
    Demonstration(input="very good film", label="positive"),
    Demonstration(input="dog 🐕", label="¡perro!"),
)
PROMPT = render(SHOWN, "the bird", instruction="Name the feeling.")


@pytest.fixture
def prompt() -> Prompt:
    return PROMPT


def whole_maps(folder: Folder, architecture: str, text: str) -> np.ndarray:
    """(layers, heads, t, t) float64 of the model's own eager attention: the oracle."""
    return torch.stack(plain.read(folder(architecture), text).attentions)[:, 0].double().numpy()


def tokens(model: LanguageModel, prompt: Prompt) -> Tokens:
    return tokens_of(prompt, model.encode(prompt.text))
