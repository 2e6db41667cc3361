"""The rendered prompt as HTML: every part in its colour, every demonstration with its number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from core.figures.colours import MARK
from core.study.prompts import Part, Prompt
from pages.ui.components.text import safe

LONGEST = 600  # characters of one part that are drawn; the rest is counted
TITLES = {
    "instruction": "instruction",
    "prefix": "before the input",
    "input": "input x",
    "separator": "between input and label",
    "steps": "steps",
    "label": "label y",
    "end": "end of a demonstration",
    "query": "query",
    "answer-prefix": "before the answer",
}
# Transparent tints, so that one style serves a light and a dark page.
STYLE = f"""<style>
.icl-prompt {{ font-family: ui-monospace, "Source Code Pro", monospace; font-size: .82rem; line-height: 1.5;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: var(--icl-height); overflow-y: auto; }}
.icl-prompt .d {{ border-radius: 4px; }}
.icl-prompt .d[data-n] {{ cursor: pointer; }}
.icl-prompt .d[data-n]:not(.marked):hover {{ outline: 1px dashed currentColor; }}
.icl-prompt .d.marked {{ outline: 2px solid {MARK}; outline-offset: 0; }}
.icl-prompt .n {{ font-size: .62rem; opacity: .7; user-select: none; padding-right: .25em; }}
.icl-prompt .instruction {{ background: rgba(204,121,167,.28); }}
.icl-prompt .input {{ background: rgba(86,180,233,.25); }}
.icl-prompt .steps {{ background: rgba(109,91,208,.20); }}
.icl-prompt .label {{ background: rgba(0,158,115,.28); }}
.icl-prompt .query {{ background: rgba(230,159,0,.30); }}
.icl-prompt .prefix, .icl-prompt .separator, .icl-prompt .end, .icl-prompt .answer-prefix {{ opacity: .6; }}
.icl-prompt .answer {{ border: 1px dashed currentColor; border-radius: 4px; padding: 0 .25em; opacity: .85; }}
.icl-key span {{ font-size: .72rem; border-radius: 3px; padding: 0 .3em; margin-right: .4em; }}
</style>"""


def prompt_html(
    prompt: Prompt,
    numbers: Sequence[int],
    marked: int | None,
    answer: str,
    height: str,
    said: str = "the likeliest label",
) -> str:
    """The prompt, with the model's answer where it would go.

    Args:
        prompt: text and parts.
        numbers: (n,) number of every demonstration shown, in order.
        marked: number of the demonstration to outline.
        answer: the likeliest label.
        height: as CSS has it; longer prompts scroll.
        said: what the answer is, on hovering.
    """
    pieces = []
    for place, parts in groupby(prompt.parts, key=lambda part: part.demonstration):
        inner = "".join(_span(prompt.text, part) for part in parts)
        if place is None:
            pieces.append(inner)
        else:
            chosen = " marked" if numbers[place] == marked else ""
            head = f'<span class="n">{numbers[place]}</span>'
            # The line break belongs after the frame, not inside it.
            body, broken = (inner[: -len(BREAK)], "\n") if inner.endswith(BREAK) else (inner, "")
            pieces.append(f'<span class="d{chosen}" data-n="{numbers[place]}">{head}{body}</span>{broken}')
    tail = safe(prompt.gap) + f'<span class="answer" title="{safe(said)}">{safe(answer[:LONGEST])}</span>'
    text = "".join(pieces) + tail
    return f'{STYLE}<div class="icl-prompt" style="--icl-height:{height}">{text}</div>'


BREAK = '<span class="end" title="end of a demonstration">\n</span>'


def _span(text: str, part: Part) -> str:
    words = text[part.start : part.end]
    title = TITLES[part.kind]
    if part.demonstration is not None and part.kind != "end":
        title = f"demonstration, {title}"
    if len(words) > LONGEST:
        title += f", {len(words):,} characters"
        words = f"{words[: LONGEST // 2]} … {len(words) - LONGEST:,} characters … {words[-LONGEST // 2 :]}"
    return f'<span class="{part.kind}" title="{title}">{safe(words)}</span>'
