"""Score tables: one item answered by every combination of scorer and calibration, in as few passes as they allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring.grid import Combination, ScorerVariant
from core.bayes.answer import bayes_answer
from core.errors import ModelError, PromptTooLong, StudyError
from core.runtime.progress import Stop, check, counting
from core.scoring import Direction, scorer_of
from core.scoring.calibration import calibrations, divided, log_bias_of, log_raw
from core.scoring.together import Request, score_together
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
ScoringItem = tuple[str, tuple[Demonstration, ...], tuple[str, ...]]
"""(query, demonstrations shown in order, candidate labels)."""
Wanted = tuple[ScorerVariant, str, tuple[Demonstration, ...], tuple[str, ...]]  # an answer before calibration

TOGETHER = 24
"""Items scored in one call: they share prompts and content-free inputs; between calls one can stop."""


@dataclass(frozen=True)
class ScoreTable:
    """What C combinations answer to one item.

    Attributes:
        combinations: (C,).
        labels: (L,) candidates.
        answers: (C,) None where the combination cannot answer; each equals `core.scoring.together.score` of its study.
        errors: (C,) one sentence that says why not, else "".
        bayes: exact Bayes's p(y | x, D), None where the mixture is not known.
        bayes_channel: exact Bayes's P(y | x, D) from p(x | y, D) with even P(y), or None.
    """

    combinations: tuple[Combination, ...]
    labels: tuple[str, ...]
    answers: tuple[Answer | None, ...]
    errors: tuple[str, ...]
    bayes: Answer | None
    bayes_channel: Answer | None

    @property
    def probabilities(self) -> Floats:
        """(C, L), NaN where there is no answer."""
        missing = np.full(len(self.labels), np.nan)
        return np.array([missing if answer is None else answer.probabilities for answer in self.answers])

    @property
    def best(self) -> tuple[str | None, ...]:
        """(C,) the winning labels."""
        return tuple(None if answer is None else answer.best for answer in self.answers)


def score_table(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    combinations: Sequence[Combination],
    *,
    stop: Stop | None = None,
) -> ScoreTable:
    """The study's query, answered by every combination.

    Raises:
        PromptTooLong: a prompt with the query does not fit.
        Cancelled: `stop` said so.
    """
    study = tidied(study)
    item: ScoringItem = (study.query, tuple(shown), tuple(labels))
    return score_tables(study, model, [item], combinations, stop=stop)[0]


def score_tables(
    study: Study,
    model: LanguageModel,
    items: Sequence[ScoringItem],
    combinations: Sequence[Combination],
    *,
    bayes: bool = True,
    stop: Stop | None = None,
) -> tuple[ScoreTable, ...]:
    """Every item, answered by every combination.

    A scorer's answers to the query and to content-free inputs are asked for once and shared by all calibrations; texts
    that several scorers ask for are scored once (`score_together`).

    Args:
        study: template, instruction, pool, seeds; its own query and demonstrations are not read.
        items: N.
        bayes: whether exact Bayes answers too, where the mixture is known.

    Raises:
        PromptTooLong: a prompt does not fit the model's context.
        Cancelled: `stop` said so.
    """
    study = tidied(study)
    tables: list[ScoreTable] = []
    with counting(len(items), "questions", at_once=TOGETHER) as advance:
        for start in range(0, len(items), TOGETHER):
            check(stop)
            tables += _scored(study, model, items[start : start + TOGETHER], combinations, bayes, stop)
            advance(len(tables))
    return tuple(tables)


def text_count(study: Study, items: Sequence[ScoringItem], combinations: Sequence[Combination]) -> int:
    """Answers that `score_tables` asks scorers for, times the labels of each: what it costs at most."""
    wanted: dict[Wanted, None] = {}
    for item in items:
        _plan(tidied(study), item, combinations, wanted)
    return sum(len(labels) for _, _, _, labels in wanted)


def _scored(
    study: Study,
    model: LanguageModel,
    items: Sequence[ScoringItem],
    combinations: Sequence[Combination],
    bayes: bool,
    stop: Stop | None,
) -> list[ScoreTable]:
    wanted: dict[Wanted, None] = {}
    plans = [_plan(study, item, combinations, wanted) for item in items]
    answers = _answers(study, model, list(wanted), stop)
    found = []
    for item, plan in zip(items, plans, strict=True):
        cells = [_cell(study, item, combination, plan, answers) for combination in combinations]
        query, shown, labels = item
        asked = study.model_copy(update={"query": query})
        truths: list[Answer | None] = [None, None]
        if bayes and model.mixture is not None:
            check(stop)
            directions: tuple[Direction, ...] = ("forward", "channel")
            ways = map(scorer_of, directions)
            truths = [bayes_answer(asked.model_copy(update={"scoring": s}), model, shown, labels) for s in ways]
        found.append(
            ScoreTable(
                combinations=tuple(combinations),
                labels=labels,
                answers=tuple(answer for answer, _ in cells),
                errors=tuple(error for _, error in cells),
                bayes=truths[0],
                bayes_channel=truths[1],
            )
        )
    return found


def _plan(
    study: Study, item: ScoringItem, combinations: Sequence[Combination], wanted: dict[Wanted, None]
) -> dict[str, tuple[str, ...] | StudyError]:
    """The content-free inputs of every calibration, or why it has none; notes in `wanted` all answers needed."""
    query, shown, labels = item
    inputs: dict[str, tuple[str, ...] | StudyError] = {}
    for combination in combinations:
        name = combination.calibration
        if name not in inputs:
            try:
                given = calibrations.find(name).function(study.model_copy(update={"query": query}), shown)
                inputs[name] = tuple(given)
            except StudyError as error:
                inputs[name] = error
        texts = inputs[name]
        if not isinstance(texts, StudyError):
            wanted.update(dict.fromkeys((combination.variant, text, shown, labels) for text in (query, *texts)))
    return inputs


def _answers(
    study: Study, model: LanguageModel, wanted: Sequence[Wanted], stop: Stop | None
) -> dict[Wanted, Answer | StudyError | ModelError]:
    """All answers in one go; where some scorer cannot answer, scorer by scorer, so that the others still do."""
    requests = [_request(study, one) for one in wanted]
    try:
        return dict(zip(wanted, score_together(requests, model, stop), strict=True))
    except PromptTooLong:
        raise
    except (StudyError, ModelError):
        found: dict[Wanted, Answer | StudyError | ModelError] = {}
        for variant in dict.fromkeys(one[0] for one in wanted):
            own = [one for one in wanted if one[0] == variant]
            try:
                found |= zip(own, score_together([_request(study, one) for one in own], model, stop), strict=True)
            except PromptTooLong:
                raise
            except (StudyError, ModelError) as error:
                found |= dict.fromkeys(own, error)
        return found


def _request(study: Study, wanted: Wanted) -> Request:
    variant, text, shown, labels = wanted
    return Combination(variant).of(study).model_copy(update={"query": text}), shown, labels


def _cell(
    study: Study,
    item: ScoringItem,
    combination: Combination,
    inputs: dict[str, tuple[str, ...] | StudyError],
    answers: dict[Wanted, Answer | StudyError | ModelError],
) -> tuple[Answer | None, str]:
    """The combination's answer to an item, as `core.scoring.together.calibrate` makes it; or why there is none."""
    query, shown, labels = item
    texts = inputs[combination.calibration]
    if isinstance(texts, StudyError):
        return None, str(texts)
    own = [answers[combination.variant, text, shown, labels] for text in (query, *texts)]
    for answer in own:
        if isinstance(answer, StudyError | ModelError):
            return None, str(answer)
    plain, *free = [answer for answer in own if isinstance(answer, Answer)]
    if not free:
        return plain, ""
    scored = combination.of(study)
    return divided(plain, log_bias_of([log_raw(scored, one) for one in free]), log_raw(scored, plain)), ""
