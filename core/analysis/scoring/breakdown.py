"""A score worked out: the tokens, their sum, what it is divided by, and what a calibration makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring.grid import Combination
from core.runtime.progress import Stop
from core.scoring.calibration import bias_of, calibrations, raw
from core.scoring.together import score, score_together
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """How one label comes to its score before calibration: score = (Σ first − Σ second) / length + added.

    Attributes:
        label: the label.
        texts: the text scored; PMI has a second one, whose sum is taken off.
        sums: Σ log p over the tokens of each text, nats.
        length: what the sum is divided by, 1 where it is not.
        unit: what `length` counts: "tokens", "characters", "bytes", or "" where nothing is divided.
        added: log P(y) / T̄ of the channel with a prior, 0 elsewhere.
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
class Step:
    """An input answered before calibration.

    Attributes:
        input: the query, or a content-free input.
        lines: (L,) label by label.
        raw: (L,) what a calibration divides or averages: exp(score) for the direct sum, else the probability.
    """

    input: str
    lines: tuple[Line, ...]
    raw: Floats


@dataclass(frozen=True)
class Working:
    """An answer, worked out.

    Attributes:
        combination: how it was scored.
        labels: (L,) candidates.
        query: the query's own step.
        free: content-free inputs of the calibration, none without one.
        mean: (L,) mean of the raw values over these inputs, or None.
        bias: (L,) p_cf, that mean normalised, or None.
        factor: what scores before calibration are multiplied with before the softmax: N̄, the mean number of tokens,
            for perplexity and channel, else 1.
        answer: the answer itself. Its probabilities are softmax(factor · scores), with a calibration softmax(scores).
    """

    combination: Combination
    labels: tuple[str, ...]
    query: Step
    free: tuple[Step, ...]
    mean: Floats | None
    bias: Floats | None
    factor: float
    answer: Answer


def working(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    combination: Combination,
    stop: Stop | None = None,
) -> Working:
    """The study's query scored by the combination, with every step between the tokens and the answer.

    Raises:
        StudyError: the calibration has no inputs here, such as prior correction without a pool.
        PromptTooLong: a prompt does not fit.
        Cancelled: `stop` said so.
    """
    study = combination.of(tidied(study))
    plain = study.model_copy(update={"calibration": "none"})
    inputs = tuple(calibrations.find(combination.calibration).function(study, shown))
    texts = (study.query, *inputs)
    requests = [(plain.model_copy(update={"query": text}), shown, labels) for text in texts]
    answers = score_together(requests, model, stop)
    steps = [Step(text, lines_of(plain, one), raw(plain, one)) for text, one in zip(texts, answers, strict=True)]
    free = tuple(steps[1:])
    return Working(
        combination=combination,
        labels=tuple(labels),
        query=steps[0],
        free=free,
        mean=np.mean([step.raw for step in free], axis=0) if free else None,
        bias=bias_of([step.raw for step in free]) if free else None,
        factor=_factor(plain, answers[0]),
        answer=score(study, model, shown, labels, stop),
    )


def lines_of(study: Study, answer: Answer) -> tuple[Line, ...]:
    """The sums behind an answer before calibration, (L,); each line's arithmetic gives its score."""
    labels, lines = answer.labels, []
    for i, label in enumerate(labels):
        texts = tuple(answer.scored[i :: len(labels)])  # PMI: all labels after the prompt, then all after the premise
        sums = tuple(float(np.sum(text.logprobs)) for text in texts)
        length, unit = _length(study, texts[0]) if texts else (1, "")
        found = float(answer.scores[i])
        added = found - (sums[0] - sum(sums[1:])) / length if texts else 0.0
        lines.append(Line(label, texts, sums, length, unit, added if abs(added) > 1e-9 else 0.0, found))
    return tuple(lines)


def _length(study: Study, text: ScoredText) -> tuple[int, str]:
    """What the sum of a text's log-probabilities is divided by."""
    if study.scoring in ("perplexity", "channel"):
        return max(1, len(text.logprobs)), "tokens"
    if study.scoring != "direct" or study.normalisation == "sum":
        return 1, ""
    label = text.text.lstrip()  # the gap before the label is the template's
    lengths = {"token": len(text.logprobs), "character": len(label), "byte": len(label.encode())}
    return max(1, lengths[study.normalisation]), f"{study.normalisation}s"


def _factor(study: Study, answer: Answer) -> float:
    """N̄ of `core.scoring.posterior_of_means`."""
    if study.scoring not in ("perplexity", "channel"):
        return 1.0
    return float(np.mean([max(1, len(text.logprobs)) for text in answer.scored]))


def token_records(found: Working) -> list[dict[str, Any]]:
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
