"""What users typed, made safe for Markdown and HTML."""

from __future__ import annotations

import html
import re

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")

MESSAGE = 1_000
"""Letters of a message, more than any has; one that quotes a long text quotes its beginning."""


def plain(text: str, most: int = 80) -> str:
    """Text for st.markdown, shown letter by letter on one line, cut to `most` characters."""
    line = " ".join(text.split())
    line = line if len(line) <= most else line[: most - 1] + "…"
    return SPECIAL.sub(r"\\\1", line)


def message(what: object) -> str:
    """A message in full, such as an error, for what reads Markdown: it may quote what somebody typed or followed."""
    return plain(str(what), MESSAGE)


def safe(text: str) -> str:
    """Text for HTML, in content or in a quoted attribute."""
    return html.escape(text, quote=True)
