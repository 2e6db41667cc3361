"""Methods of reasoning held against the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import PromptTooLong, StudyError
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import EvaluationQuestion
from core.reasoning import Reasoned, Written, answers_after, reason_together, reasonings, written_by
from core.runtime.cost import Cost, metered
from core.runtime.progress import Stop, check, counting, part
from core.statistics.intervals import wilson
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

TOGETHER = 64
"""Questions written at a time: they share what their prompts begin with; between two batches one can tell how far."""
DIRECT = 0.2  # share of the work that the answers without reasoning are taken for


@dataclass(frozen=True)
class Attempt:
    """One method's way through all questions.

    Attributes:
        method: its name.
        reasoned: (N,) what the model wrote.
        answers: (N,) over the candidates, after the rationale where there is one.
        written: (N,) in the model's own words.
        right: (N,) whether the candidate with the highest score is gold.
        said: (N,) whether the answer in its own words is gold, by the study's matching.
        cost: forward passes and texts, choosing demonstrations left out.
    """

    method: str
    reasoned: tuple[Reasoned, ...]
    answers: tuple[Answer, ...]
    written: tuple[Written, ...]
    right: Bools
    said: Bools
    cost: Cost

    @property
    def title(self) -> str:
        return reasonings.find(self.method).title

    @property
    def tokens(self) -> Ints:
        """(N,) tokens written, over all stages."""
        return np.array([one.tokens for one in self.reasoned])

    @property
    def unanswered(self) -> int:
        """Questions on which the rationale came to no answer."""
        return sum(one.answer is None for one in self.reasoned)

    def accuracy(self, own_words: bool) -> float:
        """Share of questions answered right, by the candidates' scores or in the model's own words."""
        return float((self.said if own_words else self.right).mean())

    def interval(self, own_words: bool) -> tuple[float, float]:
        """Wilson's 95 % interval of it."""
        hits = self.said if own_words else self.right
        return wilson(int(hits.sum()), len(hits))


@dataclass(frozen=True)
class MethodComparison:
    """Methods on the same questions, demonstrations and candidates.

    Attributes:
        questions: (N,).
        labels: (N,) candidates.
        shown: (N,) the demonstrations of each question, in order.
        attempts: (M,) methods that could be tried, in the order asked for.
        troubles: (method, sentence) of the others.
    """

    questions: tuple[EvaluationQuestion, ...]
    labels: tuple[tuple[str, ...], ...]
    shown: tuple[tuple[Demonstration, ...], ...]
    attempts: tuple[Attempt, ...]
    troubles: tuple[tuple[str, str], ...]


def compare(
    study: Study,
    model: LanguageModel,
    questions: Sequence[EvaluationQuestion],
    methods: Sequence[str] = (),
    *,
    stop: Stop | None = None,
) -> MethodComparison:
    """Every method on every question, with the demonstrations that the study chooses for it and the same candidates.

    Without reasoning the candidates are scored by the study's own scorer, after a rationale directly. A method whose
    prompts do not fit the model's context is left out, with its sentence.

    Args:
        questions: N, from `core.evaluation.questions`.
        methods: names; none means all, in menu order.

    Raises:
        StudyError: no question, a method that does not exist, or the study cannot be run.
        PromptTooLong: the plain prompt does not fit already.
        Cancelled: `stop` said so.
    """
    names = tuple(methods) or reasonings.names()
    for name in names:
        reasonings.find(name)
    plain = study.model_copy(update={"reasoning": reasonings.plain})
    with part(0.0, DIRECT):
        asked = evaluate([plain], model, questions, stop=stop)
    base = asked.studies[0]
    studies = [base.model_copy(update={"query": q.input.strip(), "gold": q.gold.strip()}) for q in asked.questions]
    shown = asked.shown[0]
    attempts: list[Attempt] = []
    troubles: list[tuple[str, str]] = []
    with part(DIRECT, 1.0), counting(len(names), "methods") as advance:
        for place, name in enumerate(names):
            check(stop)
            advance(place)
            own = [one.model_copy(update={"reasoning": name}) for one in studies]
            scored = asked.answers[0] if name == reasonings.plain else None
            try:
                with metered() as meter:
                    reasoned, answers = _attempt(own, model, shown, asked.labels, scored, stop)
            except PromptTooLong as error:
                troubles.append((name, str(error)))
                continue
            cost = meter.spent + (asked.costs[0] if name == reasonings.plain else Cost())
            attempts.append(_counted(name, own, model, reasoned, answers, cost))
    if not attempts:
        raise StudyError(troubles[0][1] if troubles else "There is no method to compare.")
    return MethodComparison(asked.questions, asked.labels, shown, tuple(attempts), tuple(troubles))


def _attempt(
    studies: Sequence[Study],
    model: LanguageModel,
    shown: Sequence[Sequence[Demonstration]],
    labels: Sequence[tuple[str, ...]],
    scored: Sequence[Answer] | None,
    stop: Stop | None,
) -> tuple[list[Reasoned], list[Answer]]:
    """What one method writes for every question, and what it then answers."""
    reasoned: list[Reasoned] = []
    answers = list(scored or ())
    with counting(len(studies), "questions", at_once=TOGETHER) as advance:
        for start in range(0, len(studies), TOGETHER):
            some = slice(start, start + TOGETHER)
            with part(0.0, 0.9 if scored is None else 1.0):  # writing takes a pass a token, scoring one in all
                found = reason_together(list(zip(studies[some], shown[some], strict=True)), model, stop=stop)
            reasoned += found
            if scored is None:
                answers += answers_after(list(zip(studies[some], found, labels[some], strict=True)), model, stop)
            advance(len(reasoned))
    return reasoned, answers


def _counted(
    method: str,
    studies: Sequence[Study],
    model: LanguageModel,
    reasoned: Sequence[Reasoned],
    answers: Sequence[Answer],
    cost: Cost,
) -> Attempt:
    written = [written_by(study, model, one) for study, one in zip(studies, reasoned, strict=True)]
    kept = tuple(one for one in written if one is not None)
    return Attempt(
        method=method,
        reasoned=tuple(reasoned),
        answers=tuple(answers),
        written=kept,
        right=np.array([answer.best == study.gold for answer, study in zip(answers, studies, strict=True)]),
        said=np.array([bool(one.right) for one in kept]),
        cost=cost,
    )


def method_records(found: MethodComparison) -> list[dict[str, Any]]:
    """A row a method, for a table and a file."""
    rows = []
    for attempt in found.attempts:
        low, high = attempt.interval(False)
        low_said, high_said = attempt.interval(True)
        rows.append(
            {
                "method": attempt.title,
                "questions": len(found.questions),
                "accuracy_labels": attempt.accuracy(False),
                "accuracy_labels_low": low,
                "accuracy_labels_high": high,
                "accuracy_own_words": attempt.accuracy(True),
                "accuracy_own_words_low": low_said,
                "accuracy_own_words_high": high_said,
                "unanswered": attempt.unanswered,
                "tokens_written": float(attempt.tokens.mean()),
                "passes": attempt.cost.passes,
                "texts": attempt.cost.texts,
            }
        )
    return rows


def item_records(found: MethodComparison) -> list[dict[str, Any]]:
    """A row a question: what every method answered by the candidates, and wrote."""
    rows = []
    for place, question in enumerate(found.questions):
        row: dict[str, Any] = {"input": question.input, "gold": question.gold, "source": question.source}
        for attempt in found.attempts:
            row |= {
                f"{attempt.method}_label": attempt.answers[place].best,
                f"{attempt.method}_label_right": bool(attempt.right[place]),
                f"{attempt.method}_wrote": attempt.written[place].text,
                f"{attempt.method}_wrote_right": bool(attempt.said[place]),
                f"{attempt.method}_tokens": int(attempt.tokens[place]),
                f"{attempt.method}_stages": " ⏎ ".join(
                    f"{stage.name}: {' '.join(stage.written.split())}" for stage in attempt.reasoned[place].stages
                ),
            }
        rows.append(row)
    return rows
