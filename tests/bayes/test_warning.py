"""Where the probes cannot tell tasks apart, the implicit posterior says so instead of being taken at its word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.bayes.probing import choose_probes
from core.posterior.implicit import ILL_CONDITIONED
from core.study.study import Study
from tests.asked import exact_posterior, implicit
from tests.posterior.test_implicit import FAMILIES, NOUNS, BayesModel, SmallMixture, demonstrations

ODD = demonstrations(("cat", "cat"), ("cat", "cats"))  # a copy, a plural, or noise: either is possible


class OneProbe(SmallMixture):
    """Asks for the one input whose plural is a copy of it."""

    def probes(self, pairs: Sequence[tuple[str, str]], count: int = 8, seed: int = 0) -> tuple[str, ...]:
        return ("sheep",)


choose_probes.register(OneProbe)(OneProbe.probes)


class Same(BayesModel):
    mixture = OneProbe()


def test_tasks_that_agree_on_every_probe_are_warned_of() -> None:
    found = implicit(Study(query="sheep"), Same(), Same.mixture, ODD, ("sheep",))
    exact = exact_posterior(Study(query="sheep"), Same.mixture, ODD, ("sheep",))
    assert found.condition is not None
    assert found.condition.max() > ILL_CONDITIONED
    assert "agree on every probe" in found.note
    nouns = [place for place, family in enumerate(FAMILIES) if SmallMixture.domains[family] == "nouns"]
    off = np.abs(found.weights - exact.weights).sum(1)
    sure = found.condition <= ILL_CONDITIONED
    assert (off[sure] < 0.04).all(), "total variation below .02 wherever nothing is warned of"
    together, right = found.weights[:, nouns].sum(1), exact.weights[:, nouns].sum(1)
    assert (np.abs(together - right) < 0.02).all(), "the domain is asked for, so what they hold together is known"


def test_tasks_that_the_probes_separate_are_not() -> None:
    model = BayesModel()
    found = implicit(Study(query="cat"), model, model.mixture, NOUNS, ("cats",))
    assert found.condition is not None
    assert found.condition.max() <= ILL_CONDITIONED
    assert "agree" not in found.note
