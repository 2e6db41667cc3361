"""Two prompts as one text in HTML."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.compare import Piece
from core.figures.colours import MARK
from pages.ui.components.prompt import LONGEST, STYLE
from pages.ui.components.text import safe

NAMES = {"same": "in both", "only A": "only in A", "only B": "only in B"}
EXTRA = f"""<style>
.icl-prompt del {{ background: rgba(213,94,0,.22); text-decoration: line-through rgba(213,94,0,.9); }}
.icl-prompt ins {{ background: rgba(0,114,178,.25); text-decoration: underline rgba(0,114,178,.9); }}
.icl-prompt .marked {{ outline: 2px solid {MARK}; outline-offset: 0; }}
</style>"""
MOST = 4_000  # pieces drawn; a browser lays out no more without a pause


def prompt_difference_html(
    pieces: Sequence[Piece],
    numbers: tuple[Sequence[int], Sequence[int]],
    marked: tuple[int | None, int | None],
    answers: tuple[str, str],
    gaps: tuple[str, str],
    height: int,
) -> str:
    """What both have as it is, what only A has struck out, what only B has underlined.

    Args:
        pieces: from `prompt_difference`.
        numbers: of A's and of B's demonstrations, in the order shown.
        marked: place of the marked demonstration among those of A and of B, None where a side lacks it.
        answers, gaps: the likeliest label of A and of B, and the white space before it.
        height: in pixels; longer prompts scroll.
    """
    text = "".join(_piece(piece, numbers, marked) for piece in pieces[:MOST])
    if len(pieces) > MOST:
        text += f" … {len(pieces) - MOST:,} more pieces …"
    return (
        f'{STYLE}{EXTRA}<div class="icl-prompt" style="--icl-height:{height}px">{text}{_answers(answers, gaps)}</div>'
    )


def _piece(piece: Piece, numbers: tuple[Sequence[int], Sequence[int]], marked: tuple[int | None, int | None]) -> str:
    """A stretch of text, with the number of the demonstration that begins there."""
    tag = {"same": "span", "only A": "del", "only B": "ins"}[piece.kind]
    words = piece.text
    if len(words) > LONGEST:
        words = f"{words[: LONGEST // 2]} … {len(words) - LONGEST:,} characters … {words[-LONGEST // 2 :]}"
    here = (piece.a is not None and piece.a == marked[0]) or (piece.b is not None and piece.b == marked[1])
    shown = safe(words)
    if piece.kind != "same":  # an added or missing line break is seen
        shown = shown.replace("\n", "⏎\n")
    body, broken = (shown[:-1], "\n") if shown.endswith("\n") else (shown, "")
    chosen = ' class="marked"' if here else ""
    number = _number(piece, numbers) if piece.begins else ""
    return f'{number}<{tag}{chosen} title="{NAMES[piece.kind]}">{body}</{tag}>{broken}'


def _number(piece: Piece, numbers: tuple[Sequence[int], Sequence[int]]) -> str:
    if piece.kind == "only A":
        assert piece.a is not None
        return f'<span class="n">A{numbers[0][piece.a]}</span>'
    assert piece.b is not None
    return f'<span class="n">{numbers[1][piece.b]}</span>'


def _answers(answers: tuple[str, str], gaps: tuple[str, str]) -> str:
    """The likeliest label of both, where it would go."""

    def box(answer: str, whose: str) -> str:
        return f'<span class="answer" title="the likeliest label{whose}">{safe(answer[:LONGEST])}</span>'

    if answers[0] == answers[1]:
        return safe(gaps[1]) + box(answers[1], " of both")
    a, b = (box(answer, f" of {side}") for answer, side in zip(answers, "AB", strict=True))
    return f"{safe(gaps[1])}<del>{a}</del> <ins>{b}</ins>"
