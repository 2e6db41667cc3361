"""An answer in the model's own words, on one line."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.runtime.numbers import fixed
from core.study.reasoned import Written
from pages.ui.components.text import plain

HEIGHT = 34  # pixels of the line


def written_line(written: Written) -> None:
    """What was written, whether it is right, and on hovering its tokens."""
    if not written.tokens:
        st.markdown(":small[writes: :gray[no answer of its own]]", help="Its rationale never came to an answer.")
        return
    verdict = "" if written.right is None else " :green[✓]" if written.right else " :orange[✗]"
    cut = "" if written.finished else " :gray[(cut off)]"
    said = f"**{plain(written.text, 40)}**" if written.text else ":gray[nothing]"
    st.markdown(f":small[writes: {said}{cut}{verdict}]", help=_tokens(written))


def _tokens(written: Written) -> str:
    """The tokens with their log-probabilities, and what the mark means."""
    total = fixed(float(np.sum(written.logprobs)))
    rows = "\n".join(
        f"| {plain(token.replace(chr(10), '⏎'), 24) or '␣'} | {fixed(value)} |"
        for token, value in zip(written.tokens[:24], written.logprobs, strict=False)
    )
    more = f"\n\n… {len(written.tokens) - 24} more" if len(written.tokens) > 24 else ""
    match = {"exact": "exact match", "squad": "match as in SQuAD"}.get(written.matching, written.matching)
    held = "" if written.gold is None else f" Held against “{plain(written.gold, 40)}”: {match}."
    return (
        f"The model's own words, the likeliest token at each step; log p = {total} nats.{held}\n\n"
        f"| token | log p |\n|---|---|\n{rows}{more}"
    )
