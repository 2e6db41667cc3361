"""Which labels are scored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core import Demonstration, Study, StudyError
from core.scoring.labels import MAX_LABELS, candidate_labels, task_labels
from tests.tiny import REVIEWS, rows

PLAIN: Any = SimpleNamespace(mixture=None)


def knowing(*answers: str) -> Any:
    """As much of a model as candidate labels read: what its tasks would answer."""
    return SimpleNamespace(mixture=SimpleNamespace(answers=lambda query: answers))


def test_labels_of_the_study_come_first() -> None:
    study = Study(query="x", labels=("b", "a"), pool=REVIEWS, gold="a")
    assert candidate_labels(study, knowing("c"), REVIEWS) == (("b", "a"), ())


def test_blank_and_repeated_labels_are_dropped_and_said() -> None:
    labels, notes = candidate_labels(Study(labels=(" a", "", "a", "b", " ", "a ")), PLAIN, ())
    assert labels == ("a", "b")
    assert notes == ("2 blank labels were left out.", "2 repeated labels were left out.")
    _, notes = candidate_labels(Study(labels=("a", ""), gold="c"), PLAIN, ())
    assert notes == ("1 blank label was left out.", "The gold answer “c” is not among the study's labels.")


def test_otherwise_what_is_shown_what_the_pool_has_and_what_the_tasks_say() -> None:
    shown = rows([("cat", "chat"), ("dog", "chien")])
    pool = (*rows([("house", "maison"), ("cat", "chat")]), Demonstration(input="x", label="gone", excluded=True))
    study = Study(query="bread", pool=pool, gold="miche")
    labels, notes = candidate_labels(study, knowing("pain", "breads", "chat"), shown)
    assert labels == ("chat", "chien", "maison", "pain", "breads", "miche")
    assert notes == ()
    assert task_labels(study, shown) == ("chat", "chien", "maison")


def test_another_choice_from_the_pool_does_not_shuffle_the_labels() -> None:
    study = Study(query="x", pool=REVIEWS)
    assert candidate_labels(study, PLAIN, REVIEWS[1:2])[0] == ("positive", "negative")


def test_the_cap_keeps_what_matters() -> None:
    pool = rows([(f"w{i}", f"v{i}") for i in range(100)])
    study = Study(query="x", pool=pool, gold="v99")
    labels, notes = candidate_labels(study, knowing("answer"), pool[50:54])
    assert len(labels) == MAX_LABELS == 24
    assert {"v50", "v51", "v52", "v53", "answer"} <= set(labels)
    assert labels[:2] == ("v0", "v1")
    assert "v99" not in labels  # the right answer, which decides nothing of the cut
    assert notes == (
        "101 labels were found and 24 are scored; name the candidate labels to choose which.",
        "The right answer “v99” is not among those scored: a cut must not know which it is.",
    )
    other = candidate_labels(study.model_copy(update={"gold": "v98"}), knowing("answer"), pool[50:54])[0]
    assert other == labels
    assert len(candidate_labels(Study(labels=[d.label for d in pool]), PLAIN, ())[0]) == 100


def test_no_label_at_all_names_the_cure() -> None:
    for study in (Study(query="x"), Study(query="x", labels=(" ", ""))):
        with pytest.raises(StudyError, match="name the candidate labels"):
            candidate_labels(study, PLAIN, ())
        with pytest.raises(StudyError, match="name the candidate labels"):
            task_labels(study)
