"""Stages of reasoning as HTML: a prompt that shows its end, and tokens shaded by how sure the model was of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.runtime.numbers import fixed
from core.study.reasoned import Stage
from pages.ui.components.prompt import prompt_html
from pages.ui.components.text import safe

MOST = 600  # tokens drawn; the rest is counted
OWN = """<style>
.icl-end { display: flex; flex-direction: column-reverse; max-height: var(--icl-tall); overflow-y: auto; }
.icl-end .icl-prompt { overflow-y: visible; font-size: .78rem; }
.icl-wrote { font-family: ui-monospace, "Source Code Pro", monospace; font-size: .82rem; line-height: 1.9;
  overflow-wrap: anywhere; max-height: var(--icl-tall); overflow-y: auto; }
.icl-wrote .t { border-radius: 4px; padding: .08em .3em; margin-right: 2px; white-space: pre;
  border: 1px solid rgba(128,134,148,.35); }
</style>"""


def stage_prompt_html(stage: Stage, numbers: Sequence[int], marked: int | None, height: int) -> str:
    """A stage's prompt, scrolled to its end, with what the model wrote in a dashed frame."""
    inner = prompt_html(stage.prompt, numbers, marked, stage.written, "none", "what the model wrote")
    return f'{OWN}<div class="icl-end" style="--icl-tall:{height}px">{inner}</div>'


def written_html(tokens: Sequence[str], logprobs: Sequence[float], height: int) -> str:
    """Tokens that the model wrote: the deeper the violet, the more probable; log p on hovering."""
    pieces = []
    for token, value in zip(tokens[:MOST], logprobs, strict=False):
        p = float(np.exp(value))
        said = f"log p = {fixed(value)} nats, p = {fixed(p)}"
        shown = token.replace("\n", "↵").replace("\t", "⇥") or "∅"
        shade = f"rgba(109,91,208,{0.06 + 0.44 * p:.2f})" if p >= 0.5 else f"rgba(213,94,0,{0.5 - 0.6 * p:.2f})"
        pieces.append(f'<span class="t" style="background:{shade}" title="{said}">{safe(shown)}</span>')
    more = f" … {len(tokens) - MOST:,} more" if len(tokens) > MOST else ""
    return f'{OWN}<div class="icl-wrote" style="--icl-tall:{height}px">{"".join(pieces)}{more}</div>'
