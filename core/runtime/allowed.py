"""What the operator of a dashboard allows visitors to load, by two variables of its environment.

`ICLENS_MODELS` names the one folder from which models, encoders and data sets may be loaded; where it is set, hub ids
are refused too, unless `ICLENS_HUB` is "1". Where it is not set, as on one's own machine, everything may be loaded.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER, HUB = "ICLENS_MODELS", "ICLENS_HUB"


def refusal(name: str, what: str = "models") -> str:
    """Why a name may not be loaded, a sentence; "" where it may.

    White space around the name counts for nothing, as it does when the name is looked up; links are followed.

    Args:
        name: a path, or a hub id.
        what: is loaded, for the sentence.
    """
    folder = os.environ.get(FOLDER)
    if not folder:
        return ""
    name = name.strip()
    if _is_a_place(name):
        if _inside(name, folder):
            return ""
        return f"The operator of this dashboard allows local {what} from one folder only, and this is not in it."
    if os.environ.get(HUB) == "1":
        return ""
    return f"The operator of this dashboard allows {what} from one folder only, and none from the hub."


def cluster_refusal(address: str) -> str:
    """Why experiments may not be sent to an address, a sentence; "" where they may.

    Where `ICLENS_MODELS` is set, visitors may use the cluster that the operator has named in RAY_ADDRESS, and no other:
    an address is one that the server connects to.
    """
    if not os.environ.get(FOLDER) or address.strip() in ("", "auto", os.environ.get("RAY_ADDRESS", "").strip()):
        return ""
    return "The operator of this dashboard allows no cluster but the one of RAY_ADDRESS: say “auto”, or leave it empty."


def _is_a_place(name: str) -> bool:
    """Whether a name is a path: by its look, or because something lies there."""
    if name.startswith(("/", "~", ".", "\\")) or Path(name).is_absolute():
        return True
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a path, or no text that can be one
        return False


def _inside(name: str, folder: str) -> bool:
    try:
        return Path(name).expanduser().resolve().is_relative_to(Path(folder).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):  # links in a circle, no such user, no text that can be a path
        return False
