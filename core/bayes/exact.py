"""Exact Bayes of one question: what is shared is worked out once, for posterior, predictive, answer and kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.by_family import ByFamily, by_family
from core.bayes.fit import fit_of
from core.bayes.kernel import exact_kernel
from core.bayes.notes import about_bayes
from core.bayes.predictive import predictive
from core.bayes.prior import log_factors
from core.scoring import scorers
from core.statistics.distributions import softmax
from core.study.outcome import Answer, MixtureFit, Posterior
from core.study.question import Question

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]


def exact_bayes(question: Question, model: LanguageModel) -> ExactBayes | None:
    """Exact Bayes of this question, where the mixture that the model was trained on is known, else None."""
    return None if model.mixture is None else ExactBayes(question, model.mixture)


@dataclass(frozen=True)
class ExactBayes:
    """The tasks T of a known mixture, weighed by the demonstrations of a question.

    It reads labels as the template writes them, as the model does. With a prior π' of the user's own
    (`Study.prior`) in place of the mixture's π, P'(T | D_n) ∝ P(T | D_n) π'_T/π_T, and all else follows.

    Attributes:
        question: what is asked.
        mixture: which holds the tasks.

    Each of its values raises StudyError where the question's prior rules every task out.
    """

    question: Question
    mixture: Mixture

    @cached_property
    def posterior(self) -> Posterior:
        """log P(T | D_n) = log P(T) + log p(D_n | T) − log P(D_n) for n = 0 … k, in closed form (docs/methods.md §1).

        The note says when a strategy chose the demonstrations by looking at them or at the query: then they are not
        independent draws, and this posterior is not the right one.
        """
        if self._factors is None:
            weights, log_evidence = self.under_mixture
        else:
            weights = self._families.posterior(self._factors)
            log_evidence = self._families.log_evidence(self._factors)
        return Posterior(
            kind="exact",
            tasks=tuple(self.mixture.families),
            weights=weights,
            log_evidence=log_evidence,
            predictive=self.predictive,
            note="".join(about_bayes(self.question.study)),
        )

    @cached_property
    def under_mixture(self) -> tuple[Floats, Floats]:
        """P(T | D_n), (k + 1, F), and log P(D_n) in nats, (k + 1,), under the mixture's own prior."""
        return self.mixture.posterior(self.question.pairs, self.question.study.instruction)

    @cached_property
    def predictive(self) -> Floats:
        """p(y | x, D_n) = Σ_T P(T | D_n, x) p(y | x, T, D_n), (k + 1, L), over all the words that the mixture can say,
        so a row over the candidate labels sums to at most one."""
        if self._factors is None:
            asked = self.question.written
            return predictive(self.mixture, asked.pairs, asked.query, asked.labels, asked.study.instruction)
        shares: Floats = self._families.shares(self._families.posterior(self._factors)).sum(1)
        return shares

    @cached_property
    def answer(self) -> Answer | None:
        """What exact Bayes answers; None where no label has any probability.

        In the direction of the study's scorer. Forward: p(y | x, D) = Σ_T P(T | D) p(y | x, T); scores are its log,
        probabilities are renormalised over the labels, `outside` is what the rest of the vocabulary holds. Channel:
        scores are log p(x | y, D) in nats, probabilities their softmax (uniform P(y)).
        """
        labels = self.question.labels
        if scorers.find(self.question.study.scoring).direction == "channel":
            scores = self._channel()
            return Answer(labels, scores, softmax(scores)) if np.isfinite(scores).any() else None
        p = self.predictive[-1]
        inside = float(np.sum(p))
        if not inside > 0:
            return None
        with np.errstate(divide="ignore"):
            scores = np.log(p)
        return Answer(labels, scores, p / inside, outside=max(0.0, 1.0 - inside))

    @cached_property
    def fit(self) -> MixtureFit:
        """What no task of the mixture explains, and how odd so much of it is."""
        return fit_of(self.question, self.mixture, self._factors)

    @cached_property
    def kernel(self) -> Floats:
        """`kernel_at` the question's own query, (k,)."""
        return self.kernel_at(self.question.query)

    def kernel_at(self, query: str) -> Floats:
        """K(x, x_i) = Σ_T P(T|D) Σ_y p(y|x,T) p(y|x_i,T) for every demonstration, (k,), in [0, 1]."""
        asked = self.question
        found = exact_kernel(self.mixture, asked.pairs, query, asked.study.instruction, self._factors)
        return np.asarray(found, dtype=np.float64)

    def _channel(self) -> Floats:
        """log p(x | y, D) = log Σ_T P(T|D) p(x,y|T) − log Σ_T P(T|D) p(y|T), (L,)."""
        asked, mixture = self.question.written, self.mixture
        pairs, instruction = asked.pairs, asked.study.instruction
        if self._factors is None:
            return np.asarray(mixture.channel(pairs, asked.query, asked.labels, instruction), dtype=np.float64)
        states = mixture.states_after(pairs, instruction)
        weights = mixture.latent_posterior(pairs, instruction, self._factors)  # (latents,)
        inputs = np.exp(mixture.log_inputs(asked.query, states))
        both = (weights * inputs) @ mixture.label_probabilities(asked.query, asked.labels, states)
        ratio: Floats = np.log(both) - np.log(weights @ mixture.label_marginals(asked.labels, states))
        return ratio

    @cached_property
    def _factors(self) -> Floats | None:
        """(F,) log π'_T/π_T, None under the mixture's own prior."""
        prior = self.question.study.prior
        return log_factors(self.mixture, prior) if prior else None

    @cached_property
    def _families(self) -> ByFamily:
        asked = self.question.written
        return by_family(self.mixture, asked.pairs, asked.query, asked.labels, asked.study.instruction)
