"""A score worked out, as HTML: tokens with their log-probabilities, the sums line by line, the calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.analysis.scoring.breakdown import LabelBreakdown, ScoreBreakdown, ScoredInput
from core.figures.colours import OTHERS
from core.scoring import scorers
from core.study.outcome import ScoredText
from pages.ui.components.text import safe

LONGEST = 300  # tokens of one text that are drawn; the sum counts them all
STYLE = """<style>
.icl-work { max-height: var(--icl-height); overflow: auto; font-size: .86rem; line-height: 1.5; }
.icl-work .label { padding: .2rem 0 .3rem .55rem; border-left: 4px solid; margin-bottom: .35rem; }
.icl-work .what { opacity: .7; font-size: .76rem; }
.icl-work .t { display: inline-block; margin: 1px 2px; padding: 0 .3em; border-radius: 4px; white-space: pre;
  background: rgba(128,134,148,.16); font-family: ui-monospace, "Source Code Pro", monospace; font-size: .78rem; }
.icl-work .t i { font-style: normal; opacity: .72; padding-left: .45em; font-size: .72rem; }
.icl-work .sum { font-variant-numeric: tabular-nums; }
.icl-work table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: .2rem; }
.icl-work td, .icl-work th { text-align: right; padding: .06rem .6rem; font-weight: 400; white-space: nowrap; }
.icl-work td:first-child, .icl-work th:first-child { text-align: left; padding-left: 0; max-width: 17rem;
  overflow: hidden; text-overflow: ellipsis; }
.icl-work th { font-weight: 600; }
.icl-work tr.rule td { border-top: 1px solid rgba(128,134,148,.5); }
.icl-work tr.best td { font-weight: 600; }
</style>"""


def breakdown_html(found: ScoreBreakdown, step: ScoredInput, colours: Mapping[str, str], height: str) -> str:
    """Every label's tokens and sum for one input, the highest score first, then how scores become probabilities.

    Args:
        found: what is worked out.
        step: the query's or a content-free input's.
        colours: by label.
        height: as CSS has it; more scrolls.
    """
    scorer = scorers.find(found.combination.variant.scoring)
    ranked = sorted(step.lines, key=lambda line: -line.score)
    lines = "".join(_label(line, colours.get(line.label, OTHERS), scorer.texts, scorer.adds) for line in ranked)
    own = step is found.query
    end = _calibrated(found) if own and found.log_bias is not None else _shares(found, step)
    return f'{STYLE}<div class="icl-work" style="--icl-height:{height}">{lines}{end}</div>'


def number(value: float, digits: int = 4) -> str:
    """With a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def _label(line: LabelBreakdown, colour: str, what: Sequence[str], adds: str) -> str:
    parts = []
    for i, text in enumerate(line.texts):
        said = what[i] if i < len(what) else ""
        parts.append(f'<div><span class="what">{safe(said)}</span> {_tokens(text)}</div>')
    return (
        f'<div class="label" style="border-color:{colour}"><b>{safe(line.label)}</b>{"".join(parts)}'
        f'<div class="sum">{_sum(line, adds)}</div></div>'
    )


def _tokens(text: ScoredText) -> str:
    shown = list(zip(text.tokens, text.logprobs, strict=True))[:LONGEST]
    chips = "".join(
        f'<span class="t" title="p = {np.exp(logprob):.4g}">{safe(_visible(token))}<i>{number(logprob)}</i></span>'
        for token, logprob in shown
    )
    rest = len(text.tokens) - len(shown)
    return chips + (f' <span class="what">and {rest} more</span>' if rest else "")


def _visible(token: str) -> str:
    """A token with its line breaks and outer spaces to be seen."""
    bare = token.replace("\n", "⏎").replace("\t", "⇥")
    return bare.replace(" ", "␣") if bare != bare.strip(" ") else bare


def _sum(line: LabelBreakdown, adds: str) -> str:
    """Σ log p, what is taken off, divided by and added, and the score."""
    said = f"Σ log p = {number(line.sums[0])}" if line.sums else ""
    for other in line.sums[1:]:
        said += f"; minus Σ log p = {number(other)}"
    if line.unit:
        said += f"; ÷ {line.length} {line.unit[:-1] if line.length == 1 else line.unit}"
        if line.added:
            said += f" = {number(line.sums[0] / line.length)}"
    if line.added:
        said += f"; plus {safe(adds or 'what the scorer adds')} = {number(line.added)}"
    return f"{said} → score <b>{number(line.score)}</b>"


def _head(first: str, labels: Sequence[str]) -> str:
    return f"<tr><th>{safe(first)}</th>{''.join(f'<th>{safe(label)}</th>' for label in labels)}</tr>"


def _row(first: str, values: Sequence[float], kind: str = "", digits: int = 4) -> str:
    cells = "".join(f"<td>{number(float(value), digits)}</td>" for value in values)
    return f'<tr class="{kind}"><td title="{safe(first)}">{safe(first)}</td>{cells}</tr>'


def _shares(found: ScoreBreakdown, step: ScoredInput) -> str:
    """From scores to probabilities over the candidates."""
    scores = np.array([line.score for line in step.lines])
    if step is not found.query:
        rows = _row("score", list(scores)) + _row(_raw(found), list(step.log_raw), "best")
        return f"<table>{_head('', found.labels)}{rows}</table>"
    powers = np.exp(found.factor * (scores - scores.max()))
    power = "score − the highest" if found.factor == 1 else f"{number(found.factor, 2)} × (score − the highest)"
    rows = _row("score", list(scores))
    rows += _row(f"exp({power})", list(powers))
    rows += _row(f"÷ their sum {number(float(powers.sum()))} = p", list(found.answer.probabilities), "best rule")
    return f"<table>{_head('', found.labels)}{rows}</table>"


def _raw(found: ScoreBreakdown) -> str:
    """What is averaged and divided, as it comes from a score."""
    if found.logprob:
        return "log p = score"
    times = "" if found.factor == 1 else f"{number(found.factor, 2)} × "
    return f"log p = log softmax({times}score)"


def _calibrated(found: ScoreBreakdown) -> str:
    """What is divided by, and what comes of it."""
    assert found.log_mean is not None
    assert found.log_bias is not None
    rows = "".join(_row(f"“{step.input}”: log p", list(step.log_raw)) for step in found.free)
    rows += _row("log of the mean of p", list(found.log_mean), "rule")
    rows += _row("log p_cf: that mean ÷ its sum", list(found.log_bias))
    rows += _row("p_cf", list(np.exp(found.log_bias)))
    rows += _row(f"the query: {_raw(found)}", list(found.query.log_raw), "rule")
    rows += _row("log p − log p_cf = score", list(found.answer.scores))
    rows += _row("exp(score) ÷ their sum = p", list(found.answer.probabilities), "best rule")
    return f"<table>{_head('content-free input', found.labels)}{rows}</table>"
