"""Which encoders a menu offers, what they are called, and how good they were where that was measured."""

from __future__ import annotations

from core.embeddings.encoders import NEAREST, encoders
from core.embeddings.sentence_encoders import PREFIX, at_hand
from core.errors import ICLensError
from pages.ui.jobs import engine


def offered(own: str = "") -> dict[str, str]:
    """Titles by name: sentence encoders on this machine first, then ICLens's own, and the study's if it is another."""
    names = [PREFIX + source for source in sources()] + [entry.name for entry in encoders]
    return {name: encoder_title(name) for name in dict.fromkeys([*names, *([own] if own else [])])}


def sources() -> list[str]:
    """Folders and hub names of sentence encoders on this machine that the operator allows."""
    return [source for source in at_hand() if _allowed(source)]


def encoder_title(name: str) -> str:
    """As a menu calls it; a sentence encoder by the end of its name."""
    if name.startswith(PREFIX):
        source = name.removeprefix(PREFIX)
        return at_hand().get(source) or source.rstrip("/").split("/")[-1]
    return encoders.find(name).title if name in encoders else f"{name}?"


def help_text() -> str:
    """One line an encoder, and what was measured."""
    lines = [f"**{entry.title}**: {entry.help}" for entry in encoders]
    lines.append("**Sentence encoders** on this machine stand first; the Kernel page takes others.")
    return "\n\n".join([*lines, NEAREST])


def _allowed(source: str) -> bool:
    try:
        engine.check_allowed(source)
    except ICLensError:
        return False
    return True
