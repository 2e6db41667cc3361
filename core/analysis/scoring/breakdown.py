"""A score worked out: the tokens, their sum, what it is divided by, and what a calibration makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring.grid import Combination
from core.runtime.progress import Stop
from core.scoring import scorers, sharpness
from core.scoring.calibration import calibrations, log_bias_of, log_mean, log_raw
from core.scoring.together import score, score_together
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LabelBreakdown:
    """How one label comes to its score before calibration: score = (Σ first − Σ others) / length + added.

    Attributes:
        label: the label.
        texts: the texts scored; the sums of all but the first are taken off.
        sums: Σ log p over the tokens of each text, nats.
        length: what the sum is divided by, 1 where it is not.
        unit: what `length` counts: "tokens", "characters", "bytes", or "" where nothing is divided.
        added: what the scorer adds after the division, 0 where it adds nothing.
        score: the score.
    """

    label: str
    texts: tuple[ScoredText, ...]
    sums: tuple[float, ...]
    length: int
    unit: str
    added: float
    score: float


@dataclass(frozen=True)
class ScoredInput:
    """An input answered before calibration.

    Attributes:
        input: the query, or a content-free input.
        lines: (L,) label by label.
        log_raw: (L,) log of what a calibration divides or averages (`core.scoring.calibration.log_raw`), nats.
    """

    input: str
    lines: tuple[LabelBreakdown, ...]
    log_raw: Floats


@dataclass(frozen=True)
class ScoreBreakdown:
    """An answer, worked out.

    Attributes:
        combination: how it was scored.
        labels: (L,) candidates.
        query: the study's query.
        free: content-free inputs of the calibration, none without one.
        log_mean: (L,) log of the mean of the raw values over these inputs, or None.
        log_bias: (L,) log p_cf, that mean normalised, or None.
        factor: what scores before calibration are multiplied with before the softmax: N̄, the mean number of tokens,
            for a scorer whose probabilities are sharpened, else 1.
        logprob: whether exp(score) is a probability, which a calibration then averages and divides.
        answer: the answer itself. Its probabilities are softmax(factor · scores), with a calibration softmax(scores).
    """

    combination: Combination
    labels: tuple[str, ...]
    query: ScoredInput
    free: tuple[ScoredInput, ...]
    log_mean: Floats | None
    log_bias: Floats | None
    factor: float
    logprob: bool
    answer: Answer


def score_breakdown(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    combination: Combination,
    stop: Stop | None = None,
) -> ScoreBreakdown:
    """The study's query scored by the combination, with all that stands between the tokens and the answer.

    Raises:
        StudyError: the calibration has no inputs here, such as prior correction without a pool.
        PromptTooLong: a prompt does not fit.
        Cancelled: `stop` said so.
    """
    study = combination.of(tidied(study))
    plain = study.model_copy(update={"calibration": calibrations.plain})
    inputs = tuple(calibrations.find(combination.calibration).function(study, shown))
    texts = (study.query, *inputs)
    requests = [(plain.model_copy(update={"query": text}), shown, labels) for text in texts]
    answers = score_together(requests, model, stop)
    steps = [
        ScoredInput(text, lines_of(plain, one), log_raw(plain, one)) for text, one in zip(texts, answers, strict=True)
    ]
    free = tuple(steps[1:])
    return ScoreBreakdown(
        combination=combination,
        labels=tuple(labels),
        query=steps[0],
        free=free,
        log_mean=log_mean([step.log_raw for step in free]) if free else None,
        log_bias=log_bias_of([step.log_raw for step in free]) if free else None,
        factor=sharpness(plain, answers[0]),
        logprob=scorers.find(study.scoring).logprob(study),
        answer=score(study, model, shown, labels, stop),
    )


def lines_of(study: Study, answer: Answer) -> tuple[LabelBreakdown, ...]:
    """The sums behind an answer before calibration, (L,); each line's arithmetic gives its score."""
    labels, lines, scorer = answer.labels, [], scorers.find(study.scoring)
    for i, label in enumerate(labels):
        texts = tuple(answer.scored[i :: len(labels)])  # the first text of every label, then the second of every label
        sums = tuple(float(np.sum(text.logprobs)) for text in texts)
        length, unit = scorer.length(study, texts[0]) if texts else (1, "")
        found = float(answer.scores[i])
        added = found - (sums[0] - sum(sums[1:])) / length if texts else 0.0
        lines.append(LabelBreakdown(label, texts, sums, length, unit, added if abs(added) > 1e-9 else 0.0, found))
    return tuple(lines)


def token_records(found: ScoreBreakdown) -> list[dict[str, Any]]:
    """A row for every token that was scored, of the query and of every content-free input."""
    return [
        {
            "scoring": found.combination.key,
            "input": step.input,
            "content_free": place > 0,
            "label": line.label,
            "text": part + 1,
            "place": i + 1,
            "token": token,
            "logprob": float(logprob),
            "sum": line.sums[part],
            "divided_by": line.length,
            "score": line.score,
        }
        for place, step in enumerate((found.query, *found.free))
        for line in step.lines
        for part, text in enumerate(line.texts)
        for i, (token, logprob) in enumerate(zip(text.tokens, text.logprobs, strict=True))
    ]
