"""The Bayesian scaling law on exact Bayes itself: a reader that is one must follow it, with the prior that it has."""

from __future__ import annotations

import random

import numpy as np

from core import Demonstration, Study
from core.bayes.exact import ExactBayes
from core.mixture.documents import draw_document
from core.mixture.mixture import load_mixture
from core.statistics.crossed import Crossed
from core.statistics.scaling import bayesian_law
from core.study.question import Question

MIXTURE = load_mixture()
KS, FAMILY = list(range(9)), "French"


def test_exact_bayes_of_the_mixture_follows_the_law() -> None:
    """Without a demonstration p(right) is the task's weight given the query times what the task gives the label."""
    rng = random.Random(5)
    rows, weights = [], []
    for _ in range(40):
        pairs = draw_document(MIXTURE, rng, count=9, family=FAMILY, reversed_share=0.0, instructed=0.0).pairs
        shown = tuple(Demonstration(input=x, label=y) for x, y in pairs[:-1])
        labels = tuple(dict.fromkeys(y for _, y in pairs))
        bayes = ExactBayes(Question.of(Study(demonstrations=shown, query=pairs[-1][0]), shown, labels), MIXTURE)
        rows.append(bayes.predictive[:, labels.index(pairs[-1][1])])
        weights.append(bayes.posterior.weights[-1, list(MIXTURE.families).index(FAMILY)])
    table = np.array(rows)
    found = bayesian_law(KS, [Crossed(column, {"question": np.arange(40)}, span=(0.0, 1.0)) for column in table.T])
    assert found.error < 0.01
    assert np.mean(weights) > 0.9  # so the law's first task is this one
    prior, low, high = found.parameters["prior 1"]
    assert low < table[:, 0].mean() / table[:, -1].mean() < high
    assert prior < 0.3
