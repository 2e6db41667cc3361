"""When an answer in the model's own words is the right one."""

from __future__ import annotations

import re
import string
from typing import Literal

Matching = Literal["exact", "squad"]
MATCHINGS: dict[Matching, str] = {"exact": "Exact", "squad": "As in SQuAD"}

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str, how: Matching = "exact") -> str:
    """The form in which answers are compared.

    "exact": white space around it gone, and one space for white space inside. "squad": lower case, without ASCII
    punctuation and the articles a, an, the (the evaluation script of SQuAD 1.1, Rajpurkar et al. 2016).
    """
    if how == "squad":
        text = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return " ".join(text.split())


def matches(written: str, gold: str, how: Matching = "exact") -> bool:
    """Exact match of the normalised texts. Nothing written matches nothing."""
    return bool(written.strip()) and normalise(written, how) == normalise(gold, how)
