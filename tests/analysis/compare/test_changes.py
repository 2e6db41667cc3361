"""Every field of a study that differs is told, in a sentence; one that nobody reads is told as such."""

from __future__ import annotations

from typing import Any

import pytest

from core import TEMPLATES, Hypothesis, ModelChoice, Study, Template
from core.analysis.compare import changes
from core.study.study import TaskPrior
from tests.analysis.compare.outcomes import rows

A = Study(
    demonstrations=rows(("cat", "chat"), ("dog", "chien")),
    pool=rows(("sun", "soleil"), ("sea", "mer")),
    query="bee",
    hypotheses=(Hypothesis(name="French", instruction="Translate."),),
)
OTHER: dict[str, Any] = {
    "model": ModelChoice(name="gpt2", dtype="float16", device="cuda"),
    "demonstrations": rows(("dog", "chien")),
    "pool": rows(("sea", "mer")),
    "questions": rows(("moon", "lune")),
    "query": "fox",
    "gold": "renard",
    "labels": ("a", "b"),
    "template": TEMPLATES["equals"],
    "instruction": "Translate.",
    "selection": "similarity",
    "ordering": "random",
    "scoring": "channel",
    "encoder": "other",
    "premise": "So",
    "hypotheses": (Hypothesis(name="copy", instruction="Copy."),),
    "prior": (TaskPrior(task="French", weight=2.0),),
    "posteriors": ("exact",),
    "heads": ((0, 1), (2, 3)),
    "token_head": (1, 0),
    "similarity": "dot",
    "span": "label",
    "pooling": "sum",
    "posterior_solver": "least-squares",
    "normalisation": "token",
    "probe_source": "model",
    "label_prior": "shown",
    "calibration": "domain",
}


def another(field: str) -> Any:
    """A value of a field that A does not have."""
    value = getattr(A, field)
    if field in OTHER:
        return OTHER[field]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}, otherwise"


@pytest.mark.parametrize("field", list(Study.model_fields))
def test_every_field(field: str) -> None:
    b = A.model_copy(update={field: another(field)})
    found = changes(A, b)
    assert {change.field for change in found} == {field}
    for change in found:
        assert change.sentence.endswith(".")
        assert "\n" not in change.sentence
        assert "in A" in change.sentence or "in B" in change.sentence
    assert {change.field for change in changes(b, A)} == {field}


def test_nothing_differs() -> None:
    assert changes(A, A) == ()
    spaced = A.model_copy(
        update={"query": " bee ", "instruction": "\n", "demonstrations": rows(("cat ", "chat"), ("dog", " chien"))}
    )
    assert changes(A, spaced) == ()  # `run` does not read white space around texts


@pytest.mark.parametrize(("field", "read"), [("k", False), ("selection_seed", False), ("normalisation", True)])
def test_what_nobody_reads(field: str, read: bool) -> None:
    (found,) = changes(A, A.model_copy(update={field: another(field)}))
    assert found.read is read


def test_a_seed_counts_where_one_side_reads_it() -> None:
    b = A.model_copy(update={"ordering": "random", "ordering_seed": 3})
    assert [change.read for change in changes(A, b)] == [True, True]


def test_sentences() -> None:
    def told(**fields: Any) -> list[str]:
        return [change.sentence for change in changes(A, A.model_copy(update=fields))]

    assert told(query="fox") == ["The query is “bee” in A and “fox” in B."]
    assert told(scoring="channel") == ["The scorer is “Direct” in A and “Channel” in B."]
    assert told(gold="renard") == ["The right answer is none in A and “renard” in B."]
    assert told(heads=((0, 1), (2, 3))) == [
        "The attention kernel is the mean of all heads in A and of the heads 0.1, 2.3 in B."
    ]
    assert told(template=Template(name="arrow", label_prefix=" => ")) == [
        "The template is arrow in A, “x -> y⏎”, and arrow in B, “x => y⏎”."
    ]
    out = A.demonstrations[0].model_copy(update={"excluded": True})
    assert told(demonstrations=(out, A.demonstrations[1])) == ["“cat” is left out in B and used in A."]
    assert told(pool=A.pool[1:]) == ["Pool: “sun” → “soleil” (number 1) is only in A."]
    assert told(prior=(TaskPrior(task="French", weight=2),)) == [
        "The prior of the task “French” is the mixture's own in A and 2 in B."
    ]


def test_what_is_not_of_this_version() -> None:
    (found,) = changes(A, A.model_copy(update={"selection": "telepathy"}))
    assert "telepathy" in found.sentence
