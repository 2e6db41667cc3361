"""Two templates on the same questions, against scoring one by one."""

from __future__ import annotations

import numpy as np

from core.analysis.format.pair import compare_templates, pair_records
from core.models import LanguageModel
from core.study.prompts import ARROW, INPUT_LABEL
from tests.analysis.format.conftest import QUESTIONS, STUDY, one_by_one


def test_it_equals_scoring_one_by_one(embedded: LanguageModel) -> None:
    found = compare_templates(STUDY, embedded, ARROW, INPUT_LABEL, QUESTIONS)
    labels = ("foo", "bar")
    p = np.array(
        [
            [
                np.exp(logs) / np.exp(logs).sum()
                for q in QUESTIONS
                for logs in [one_by_one(embedded, t, q.input, labels)]
            ]
            for t in (ARROW, INPUT_LABEL)
        ]
    )  # (2, N, L)
    gold = np.array([labels.index(q.gold) for q in QUESTIONS])
    np.testing.assert_allclose(found.gold, p[:, np.arange(len(gold)), gold], atol=1e-4)
    np.testing.assert_allclose(found.distance, 0.5 * np.abs(p[0] - p[1]).sum(axis=1), atol=1e-4)
    assert found.evaluation.right.tolist() == (p.argmax(axis=2) == gold).tolist()
    assert found.differ.tolist() == (p[0].argmax(axis=1) != p[1].argmax(axis=1)).tolist()


def test_differences_come_first(embedded: LanguageModel) -> None:
    found = compare_templates(STUDY, embedded, ARROW, ARROW.model_copy(update={"label_prefix": " "}), QUESTIONS)
    assert sorted(found.order) == list(range(len(QUESTIONS)))
    keys = [(not found.differ[i], -round(float(found.distance[i]), 6)) for i in found.order]
    assert keys == sorted(keys)
    assert [row["question"] - 1 for row in pair_records(found)] == list(found.order)


def test_a_template_against_itself_is_no_difference(embedded: LanguageModel) -> None:
    found = compare_templates(STUDY, embedded, ARROW, ARROW, QUESTIONS)
    assert not found.differ.any()
    assert found.paired.difference == 0
    assert found.paired.p == 1
