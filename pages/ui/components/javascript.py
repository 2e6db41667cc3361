"""Our own JavaScript, as Streamlit takes it: one module a component, with all that it imports inside."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "drawing"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def bundle(name: str) -> str:
    """`name`.js with every module that it imports, each once and before what needs it.

    The modules are one scope here, so a name is given once in all of them. VERSION is replaced by what changes with
    any of the scripts: a page left open through an update finds its own.
    """
    return "\n".join(_modules(name, {}).values()).replace("VERSION", _version())


def _modules(name: str, found: dict[str, str]) -> dict[str, str]:
    text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    for needed in IMPORT.findall(text):
        if needed not in found:
            _modules(needed, found)
    found[name] = EXPORT.sub("", IMPORT.sub("", text))
    return found


@cache
def style(name: str) -> str:
    """`name`.css."""
    return (FOLDER / f"{name}.css").read_text(encoding="utf-8")


@cache
def _version() -> str:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.js")))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
