"""Language models: loading, scoring through one token trie, attention rows and hidden states.

torch and transformers are imported when a model is loaded, not when this package is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.models.encoding import Encoding
from core.models.loading import load_model
from core.models.reading import Reading, Scored

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

__all__ = ["Encoding", "LanguageModel", "Reading", "Scored", "load_model"]


def __getattr__(name: str) -> Any:
    if name == "LanguageModel":
        from core.models.language_model import LanguageModel  # late: loads torch

        return LanguageModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
