"""One question, asked once: in one run nothing of it is worked out twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from core import load_model, run
from core.bayes import exact
from core.bayes.exact import ExactBayes
from core.models import LanguageModel
from core.pipeline.bayes import with_prior
from core.study import question, verbalisers
from core.study.demonstrations import Demonstration
from core.study.prompts import ARROW
from core.study.study import Hypothesis, Study, TaskPrior

PAIRS = (("lion", "animal"), ("bread", "food"), ("cat", "animal"), ("soup", "food"))
WORDS = (("+", "animal"), ("-", "food"))
LABELS = {word: label for label, word in WORDS}
STUDY = Study(
    demonstrations=tuple(Demonstration(input=x, label=LABELS[y]) for x, y in PAIRS),
    query="horse",
    template=ARROW.model_copy(update={"words": WORDS}),
    hypotheses=(Hypothesis(name="kind", instruction="Name the kind."),),
    posteriors=("exact", "implicit", "instruction"),
)
PRIOR = (TaskPrior(task="category", weight=3.0),)
EXACT = ("under_mixture", "predictive", "posterior", "answer", "kernel", "_factors", "_families")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often labels are written, and exact Bayes and each of its values worked out."""
    found: Counter[str] = Counter()

    def counted(name: str, inner: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            found[name] += 1
            return inner(*args, **options)

        return call

    for module in (question, verbalisers):
        monkeypatch.setattr(module, "as_written", counted("written", verbalisers.as_written))
    monkeypatch.setattr(ExactBayes, "__init__", counted("bayes", ExactBayes.__init__))
    for name in ("predictive", "exact_kernel", "by_family", "log_factors"):
        monkeypatch.setattr(exact, name, counted(f"function {name}", getattr(exact, name)))
    for name in EXACT:
        value = vars(ExactBayes)[name]
        monkeypatch.setattr(value, "func", counted(name, value.func))
    return found


@pytest.mark.parametrize("prior", [(), PRIOR], ids=["the mixture's", "of one's own"])
def test_a_run_writes_labels_once_and_works_exact_bayes_out_once(
    model: LanguageModel, counts: Counter[str], prior: tuple[TaskPrior, ...]
) -> None:
    outcome = run(STUDY.model_copy(update={"prior": prior}), model)
    assert set(outcome.posteriors) == {"exact", "implicit", "instruction"}
    assert "exact" in outcome.kernels
    assert outcome.bayes is not None
    assert counts["written"] == counts["bayes"] == counts["function exact_kernel"] == 1
    assert {name: count for name, count in counts.items() if count > 1} == {}
    assert set(EXACT) - set(counts) == (set() if prior else {"_families"})


def test_another_prior_works_exact_bayes_out_once_more(model: LanguageModel, counts: Counter[str]) -> None:
    outcome = run(STUDY, model)
    counts.clear()
    edited = with_prior(outcome, model, PRIOR)
    assert counts["written"] == counts["bayes"] == 1
    assert {name: count for name, count in counts.items() if count > 1} == {}
    np.testing.assert_array_equal(edited.answer.scores, outcome.answer.scores)
    assert list(edited.posteriors) == list(outcome.posteriors)
    assert list(edited.kernels) == list(outcome.kernels)
