"""Tokens as HTML: where the model cuts the prompt, and how many pieces a label has."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.format.tokens import LabelTokens
from core.study.prompts import Prompt
from pages.ui.components.prompt import STYLE, TITLES
from pages.ui.components.text import safe

MOST = 1_500  # tokens drawn; the rest is counted
OWN = """<style>
.icl-tokens { font-family: ui-monospace, "Source Code Pro", monospace; font-size: .78rem; line-height: 1.85;
  overflow-wrap: anywhere; max-height: var(--icl-height); overflow-y: auto; }
.icl-tokens .t { border: 1px solid rgba(128,134,148,.45); border-radius: 4px; padding: .05em .2em; margin-right: 1px;
  white-space: pre; }
.icl-tokens .prefix, .icl-tokens .separator, .icl-tokens .end, .icl-tokens .answer-prefix { opacity: .75; }
.icl-tokens .instruction { background: rgba(204,121,167,.28); }
.icl-tokens .input { background: rgba(86,180,233,.25); }
.icl-tokens .label { background: rgba(0,158,115,.28); }
.icl-tokens .query { background: rgba(230,159,0,.30); }
.icl-tokens .merged { border: 2px solid #D55E00; }
.icl-tokens table { border-collapse: collapse; }
.icl-tokens th { text-align: left; font-weight: 600; padding-right: .8em; opacity: .75; }
.icl-tokens td { padding: .05em .8em .05em 0; border: none; vertical-align: baseline; }
.icl-tokens td.n { text-align: right; }
</style>"""


def visible(token: str) -> str:
    """A token with its white space to be seen: · a space, ↵ a line break, ⇥ a tab."""
    return token.replace(" ", "·").replace("\n", "↵").replace("\t", "⇥") or "∅"


def tokens_html(prompt: Prompt, texts: Sequence[str], starts: Sequence[int], height: int) -> str:
    """Every token of the prompt in the colour of the part that it begins in; a new line after each line break.

    Args:
        prompt: whose tokens they are.
        texts, starts: (t,) tokens, and the character where each begins.
        height: pixels; longer texts scroll.
    """
    pieces, part = [], 0
    for place, (text, start) in enumerate(zip(texts[:MOST], starts[:MOST], strict=True)):
        if start < 0:
            pieces.append(f'<span class="t" title="token {place + 1}, put in front">{safe(text)}</span>')
            continue
        at = start + len(text) - len(text.lstrip(" "))  # a space in front belongs to the word behind it
        while part + 1 < len(prompt.parts) and prompt.parts[part].end <= at:
            part += 1
        kind = prompt.parts[part].kind if prompt.parts else "prefix"
        pieces.append(f'<span class="t {kind}" title="token {place + 1}, {TITLES[kind]}">{safe(visible(text))}</span>')
        if "\n" in text:
            pieces.append("<br>")
    more = f" … {len(texts) - MOST:,} more" if len(texts) > MOST else ""
    return f'{STYLE}{OWN}<div class="icl-tokens" style="--icl-height:{height}px">{"".join(pieces)}{more}</div>'


def labels_html(labels: Sequence[LabelTokens], height: int) -> str:
    """A line a label: its name, the word written, how many tokens, and which."""
    rows = "".join(
        f'<tr><td>{safe(row.label[:60])}</td><td>{safe(row.word[:60])}</td><td class="n">{len(row.tokens)}</td><td>'
        + "".join(
            f'<span class="t label{" merged" if row.merged and not i else ""}">{safe(visible(token))}</span>'
            for i, token in enumerate(row.tokens[:40])
        )
        + "</td></tr>"
        for row in labels
    )
    return (
        f'{OWN}<div class="icl-tokens" style="--icl-height:{height}px"><table><tr><th>label</th><th>written</th>'
        f'<th class="n">tokens</th><th></th></tr>{rows}</table></div>'
    )
