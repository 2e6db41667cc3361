"""Kernel regression and the embedded model against exact Bayes, held against plain recomputation."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from core import Demonstration, Study, load_model, run
from core.analysis.kernel.convergence import (
    BAYES,
    FLAT,
    KINDS,
    MODEL,
    ModelConvergence,
    bare,
    draw_documents,
    model_convergence,
)
from core.errors import Cancelled, StudyError
from core.mixture.mixture import load_mixture
from core.models import LanguageModel
from core.scoring.labels import candidate_labels
from tests.listening import listening

SETTINGS = {"documents": 3, "numbers": (1, 4), "seed": 5}


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


@cache
def _found(kind: str) -> ModelConvergence:
    return model_convergence(Study(), load_model("embedded"), kind=kind, **SETTINGS)


def test_answers_are_those_of_a_run(model: LanguageModel) -> None:
    """Each distance again, from `run` on the same document."""
    found = _found("labels")
    documents = draw_documents(load_mixture(), "labels", 5, 3, 5)
    assert found.families == tuple(family for family, _ in documents)
    for d, (_, pairs) in enumerate(documents):
        shown = tuple(Demonstration(input=x, label=y) for x, y in pairs[:-1])
        query, gold = pairs[-1]
        labels, _ = candidate_labels(Study(query=query, gold=gold), model, shown)
        for i, n in enumerate(found.numbers):
            study = Study(demonstrations=shown[:n], query=query, gold=gold, labels=labels, posteriors=())
            outcome = run(study, model)
            assert outcome.bayes is not None
            answers = {
                BAYES: outcome.bayes.probabilities,
                MODEL: outcome.answer.probabilities,
                "exact kernel": outcome.kernels["exact"].predictive,
                "attention kernel": outcome.kernels["attention"].predictive,
                FLAT: np.array([np.mean([row.label == y for row in shown[:n]]) for y in labels]),
            }
            assert found.ways == tuple(answers)
            for a, first in enumerate(answers.values()):
                assert found.right[d, i, a] == (labels[int(np.argmax(first))] == gold)
                for b, second in enumerate(answers.values()):
                    assert found.gaps[d, i, a, b] == pytest.approx(np.abs(first - second).sum(), abs=1e-4)


def test_curves_are_means_over_documents() -> None:
    found = _found("labels")
    names = [curve.name for curve in found.distances()]
    assert names == [way for way in found.ways if way != BAYES]
    np.testing.assert_allclose(found.distances()[0].mean, found.gaps[:, :, 1, 0].mean(0))
    assert [curve.name for curve in found.distances(MODEL)] == [way for way in found.ways if way != MODEL]
    np.testing.assert_allclose(found.agreement()[1].mean, found.same[:, :, 2, 0].mean(0))
    np.testing.assert_allclose(found.accuracy()[0].mean, found.right[:, :, 0].mean(0))
    assert (found.gaps <= 2 + 1e-9).all()
    np.testing.assert_allclose(found.gaps, np.swapaxes(found.gaps, 2, 3))


def test_no_vote_answers_a_map() -> None:
    """Every input of a map has an answer of its own: the kernels stay as far as can be, and the model does not."""
    found = {curve.name: curve.mean for curve in _found("maps").distances()}
    assert found["exact kernel"][-1] > 1.5
    assert found[MODEL][-1] < found["exact kernel"][-1]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_documents_are_of_their_kind(kind: str) -> None:
    mixture = load_mixture()
    kinds = {family.name: family.kind for family in mixture.details}
    drawn = draw_documents(mixture, kind, 17, 6, 0)
    assert all(kinds[family] in KINDS[kind] and len(pairs) == 17 for family, pairs in drawn)
    assert drawn == draw_documents(mixture, kind, 17, 6, 0)
    assert drawn != draw_documents(mixture, kind, 17, 6, 1)


def test_only_settings_of_the_study_are_read() -> None:
    study = Study(query="x", demonstrations=(Demonstration(input="a", label="b"),), heads=((0, 1),), span="label")
    assert bare(study) == Study(heads=((0, 1),), span="label")


def test_what_cannot_be_measured_is_refused(model: LanguageModel) -> None:
    with pytest.raises(StudyError, match="no kind of task called “riddles”"):
        model_convergence(Study(), model, kind="riddles")
    with pytest.raises(StudyError, match="At least one"):
        model_convergence(Study(), model, documents=0)
    with pytest.raises(StudyError, match="At least one"):
        model_convergence(Study(), model, numbers=(0, 1))


def test_it_can_be_watched_and_stopped(model: LanguageModel) -> None:
    with listening() as seen:
        model_convergence(Study(), model, documents=2, numbers=(1,))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert 0.5 in seen  # a document each; passes in between
    with pytest.raises(Cancelled):
        model_convergence(Study(), model, documents=1, numbers=(1,), stop=lambda: True)


def test_everything_can_be_written_down() -> None:
    found = json.loads(json.dumps(_found("labels").as_dict()))
    assert found["documents"] == 3
    assert set(found["distance to exact Bayes"]) == {MODEL, "exact kernel", "attention kernel", FLAT}
