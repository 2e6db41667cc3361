r"""Separators as a user types them in one line: "↵" or "\n" is a line break, "⇥" or "\t" a tab."""

from __future__ import annotations

import re

SHOWN = {"\n": "↵", "\t": "⇥"}
ESCAPES = {"n": "\n", "t": "\t"}
_MARKS = re.compile(r"\\(.)|([↵⇥])", re.DOTALL)
_SPECIAL = re.compile(r"[\\↵⇥\n\t]")


def show_typed(text: str) -> str:
    r"""The text in one line: line breaks as ↵, tabs as ⇥, and a backslash before what is meant as it stands."""
    return _SPECIAL.sub(lambda met: SHOWN.get(met[0], "\\" + met[0]), text)


def read_typed(text: str) -> str:
    r"""What was meant by what was typed; `read_typed(show_typed(text)) == text` for every text.

    "↵" and "\n" are a line break, "⇥" and "\t" a tab, "\\" one backslash, "\↵" the sign itself. A backslash before
    anything else stands for itself, and so does one at the end.
    """
    marks = {sign: meant for meant, sign in SHOWN.items()}

    def meant(found: re.Match[str]) -> str:
        escaped, sign = found.groups()
        if sign is not None:
            return marks[sign]
        if escaped in ESCAPES:
            return ESCAPES[escaped]
        return escaped if escaped in ("\\", *marks) else found[0]

    return _MARKS.sub(meant, text)
