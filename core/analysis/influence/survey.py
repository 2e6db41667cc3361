"""Influence and its explanations on one query, and on many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.analysis.influence.explanations import Explanations, explanations
from core.analysis.influence.removal import Influence, influences
from core.analysis.influence.value import InfluenceQuestion, Quantity, question
from core.errors import StudyError
from core.runtime.progress import Stop, check, counting, part
from core.scoring.labels import distinct
from core.selection import source_of
from core.study.cleaning import tidied, usable
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
SHARES = (0.1, 0.8)  # of a survey's time: choosing, then scoring; reading is the rest


@dataclass(frozen=True)
class SurveyedQuery:
    """What the demonstrations did on one query, and what was said about them.

    Attributes:
        influence: what happened when one went.
        explanations: what the kernels and heads say.
        signs: (n,) +1 where a demonstration's label is the one that v is about, −1 elsewhere.
    """

    influence: Influence
    explanations: Explanations
    signs: Floats

    @property
    def query(self) -> str:
        """x."""
        return self.influence.question.study.query


@dataclass(frozen=True)
class Survey:
    """Evidence over queries.

    Attributes:
        evidence: (Q,) one a query.
        source: where the queries come from, in words.
    """

    evidence: tuple[SurveyedQuery, ...]
    source: str


def evidence(found: Influence, model: LanguageModel, stop: Stop | None = None) -> SurveyedQuery:
    """Put every explanation beside an influence already known.

    Raises:
        StudyError, PromptTooLong, Cancelled: as `explanations` does.
    """
    asked = found.question
    return SurveyedQuery(found, explanations(asked, model, stop), signs(asked))


def signs(question: InfluenceQuestion) -> Floats:
    """(n,) +1 where y_i is the target, −1 elsewhere: which way a demonstration would push if likeness were all."""
    return np.array([1.0 if row.label == question.label else -1.0 for row in question.shown])


def survey(
    study: Study,
    model: LanguageModel,
    count: int = 20,
    *,
    quantity: Quantity = "log-odds",
    gold: bool = False,
    shapley: bool = False,
    permutations: int = 0,
    seed: int = 0,
    stop: Stop | None = None,
) -> Survey:
    """Evidence on many queries, each with the demonstrations that the study would show for it.

    Queries are inputs of the pool, drawn without replacement; a hand-picked demonstration's own input is none of them,
    and where the demonstrations come from the pool each query is left out of its own prompt. Where the pool holds no
    other input and the mixture is known, they are drawn from the task that exact Bayes believes in most.

    Args:
        count: how many queries, fewer where there are fewer.
        quantity, gold: what v is; with `gold` of the pool's label, else of the model's answer to each query.
        shapley, permutations: as for `influence`.
        seed: draws the queries, and the permutations.

    Raises:
        StudyError: there is no query to be had, or the study cannot be run.
        PromptTooLong, Cancelled: as `run` does.
    """
    study = tidied(study)
    chosen, source = other_queries(study, model, count, seed)
    questions: list[InfluenceQuestion] = []
    with part(0.0, SHARES[0]), counting(len(chosen), "queries") as advance:
        for query, label in chosen:
            check(stop)
            own = study.model_copy(update={"query": query, "gold": label})
            questions.append(question(own, model, label if gold else None, quantity, stop))
            advance(len(questions))
    with part(SHARES[0], sum(SHARES)):
        found = influences(questions, model, shapley=shapley, permutations=permutations, seed=seed, stop=stop)
    results = []
    with part(sum(SHARES), 1.0), counting(len(found), "queries") as advance:
        for one in found:
            check(stop)
            results.append(evidence(one, model, stop))
            advance(len(results))
    return Survey(tuple(results), source)


def other_queries(study: Study, model: LanguageModel, count: int, seed: int = 0) -> tuple[list[tuple[str, str]], str]:
    """Up to `count` distinct (input, label) to ask, none of them the study's query, and where they come from.

    Raises:
        StudyError: the pool has none, and there is no mixture to draw from.
    """
    taken = {study.query}
    if source_of(study) == "demonstrations":
        taken |= {row.input for row in study.demonstrations if usable(row)}
    free = {row.input: row.label for row in study.pool if usable(row) and row.input not in taken}
    if free:
        order = np.random.default_rng(seed).permutation(len(free))[:count]
        pairs = list(free.items())
        return [pairs[i] for i in order], "the pool"
    if model.mixture is None:
        raise StudyError("There is no other query to ask; add examples to the pool.")
    shown = [(row.input, study.template.word(row.label)) for row in study.demonstrations if usable(row)]
    weights = model.mixture.posterior(shown, study.instruction)[0][-1]
    family = model.mixture.families[int(np.argmax(weights))]
    drawn = _drawn(model.mixture.sample(family, 20 * count, seed), taken, count)
    return [(x, study.template.label(word) or word) for x, word in drawn], f"the task “{family}”"


def _drawn(pairs: Sequence[tuple[str, str]], taken: set[str], count: int) -> list[tuple[str, str]]:
    """The first of distinct, untaken inputs.

    Raises:
        StudyError: there is none.
    """
    labels = dict(reversed(pairs))
    fresh = [text for text in distinct(text for text, _ in pairs) if text not in taken][:count]
    if not fresh:
        raise StudyError("The task has no other input to ask; add examples to the pool.")
    return [(text, labels[text]) for text in fresh]
