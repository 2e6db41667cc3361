"""What users typed, made safe for Markdown and HTML."""

from __future__ import annotations

import html
import re

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")


def plain(text: str, most: int = 80) -> str:
    """Text for st.markdown, shown letter by letter on one line, cut to `most` characters."""
    line = " ".join(text.split())
    line = line if len(line) <= most else line[: most - 1] + "…"
    return SPECIAL.sub(r"\\\1", line)


def safe(text: str) -> str:
    """Text for HTML, in content or in a quoted attribute."""
    return html.escape(text, quote=True)
