"""A task of 77 labels that no study names: who judges by them reads all, and a run that leaves some out says so."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core import Demonstration, Study, StudyError, run
from core.analysis.influence import survey
from core.analysis.kernel.records import weight_records
from core.analysis.kernel.weight_table import kernel_table
from core.analysis.ordering.table import order_table
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import EvaluationQuestion
from core.files.csv_records import with_counts
from core.kernels.variants import variants
from core.ordering import order, orderings
from core.scoring import direct
from core.scoring.labels import MAX_LABELS, about_cut
from core.selection import select, selections
from core.study.prompts import render
from tests.tiny import plain_logprobs, tiny

LABELS = tuple(f"{'abcdefghijk'[i // 7]}{'lmnopqr'[i % 7]}" for i in range(77))
POOL = tuple(Demonstration(input=f"word {i}", label=LABELS[i % 77]) for i in range(84))
SHOWN = POOL[2:4]
STUDY = Study(query="the film", pool=POOL, demonstrations=SHOWN, k=2)
QUESTIONS = tuple(EvaluationQuestion(POOL[i].input, POOL[i].label, "pool") for i in (0, 40, 70, 76))


def brute(shown: tuple[Demonstration, ...], text: str) -> NDArray[np.float64]:
    """p over all 77 labels, each by a pass of its own."""
    prompt = render(shown, text, STUDY.template).text
    scores = np.array([plain_logprobs("llama", prompt, f" {label}").sum() for label in LABELS])
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def entropy(p: NDArray[np.float64]) -> float:
    return float(-(p * np.log(p)).sum())


@pytest.fixture(scope="module")
def by_order() -> NDArray[np.float64]:
    """(2 orders, 4 questions, 77)."""
    return np.array([[brute(shown, q.input) for q in QUESTIONS] for shown in (SHOWN, SHOWN[::-1])])


def test_accuracy_is_that_over_all_labels(by_order: NDArray[np.float64]) -> None:
    gold = np.array([LABELS.index(q.gold) for q in QUESTIONS])
    found = evaluate([STUDY], tiny(), QUESTIONS)
    assert {len(labels) for labels in found.labels} == {77}
    assert found.right[0].tolist() == (by_order[0].argmax(axis=1) == gold).tolist()
    own = by_order[0][np.arange(len(gold)), gold]
    np.testing.assert_allclose(found.gold_logprob[0], np.log(own), atol=1e-4)


def test_orders_are_judged_by_all_labels(by_order: NDArray[np.float64]) -> None:
    gold = np.array([LABELS.index(q.gold) for q in QUESTIONS])
    table = order_table(STUDY, tiny(), SHOWN, LABELS[:2], QUESTIONS)
    places = [table.place_of(one) for one in ((0, 1), (1, 0))]
    np.testing.assert_array_equal(table.right[places], by_order.argmax(axis=2) == gold)
    assert set(table.probe_labels) == set(LABELS)
    probe = table.probes[0]
    p = brute(SHOWN, probe)[[LABELS.index(label) for label in table.probe_labels]]
    np.testing.assert_allclose(table.probed[places[0], 0], p, atol=1e-5)


def test_entropy_is_that_over_all_labels() -> None:
    scores = select(STUDY.model_copy(update={"selection": "entropy"}), tiny()).scores
    assert scores is not None
    for i in (1, 50, 80):
        assert scores[i] == pytest.approx(entropy(brute((), POOL[i].input)), abs=1e-4)


def test_influence_on_many_queries_is_on_their_own_labels() -> None:
    """Of 24 most had been cut, and a query's own label with them: it was refused."""
    found = survey(STUDY, tiny(), 3, gold=True, seed=1)
    assert [set(one.influence.question.labels) for one in found.evidence] == [set(LABELS)] * 3
    for one in found.evidence:
        asked = one.influence.question
        place = LABELS.index(asked.label)
        with_all, without = (brute(shown, asked.study.query)[place] for shown in (SHOWN, SHOWN[1:]))
        lost = np.log(with_all / (1 - with_all)) - np.log(without / (1 - without))
        assert one.influence.model.leave_one_out[0] == pytest.approx(lost, abs=1e-3)


SMALL = {"shortlist": 3, "organisations": 2, "validation": 2, "selection_probes": 2, "probes": 2, "k": 2}
JUDGES = ("entropy", "mutual-information", "mdl", "influence", "active")


@pytest.mark.parametrize("name", [*JUDGES, *(f"order/{one}" for one in ("globale", "locale", "mdl", "best", "worst"))])
def test_no_strategy_leaves_a_label_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 24, a held-out row's own label among them, each would have been judged by what it must not know."""
    seen: set[int] = set()
    scored = direct._scores_of

    def spy(study, model, prompts, labels, stop):  # type: ignore[no-untyped-def]
        seen.add(len(labels))
        return scored(study, model, prompts, labels, stop)

    monkeypatch.setattr(direct, "_scores_of", spy)
    study = STUDY.model_copy(update=SMALL)
    if name.startswith("order/"):
        order(study.model_copy(update={"ordering": name[6:]}), tiny(), select(study, tiny()))
    else:
        select(study.model_copy(update={"selection": name}), tiny())
    assert seen == {77}


def test_the_strategies_that_judge_by_labels_are_those() -> None:
    assert {entry.name for entry in selections} >= set(JUDGES)
    assert {entry.name for entry in orderings} >= {"globale", "locale", "mdl", "best", "worst"}


def test_more_labels_than_are_scored_unasked_are_refused_by_who_would_have_to_choose() -> None:
    rows = tuple(Demonstration(input=f"word {i}", label=f"l{i}") for i in range(1_001))
    study = STUDY.model_copy(update={"pool": rows, "selection": "mdl"})
    with pytest.raises(StudyError, match="1,001 different labels were found, more than the 1,000"):
        select(study, tiny())


def test_a_run_that_leaves_labels_out_says_so_in_its_tables_and_files() -> None:
    found = run(STUDY, tiny())
    assert (len(found.answer.labels), found.labels_found) == (MAX_LABELS, 77)
    sentence = "77 labels were found and 24 are scored; name the candidate labels to choose which."
    assert about_cut(found.labels_found, len(found.answer.labels)) == sentence
    assert sentence in found.notes
    table = kernel_table(STUDY, tiny(), SHOWN, variants(tiny().layers, 1)[:1], ["the plot"])
    assert table.labels_found == (77,)
    assert [len(labels) for labels in table.labels] == [24]
    rows = weight_records(table, SHOWN, [1, 2])
    assert len(rows) == 2
    assert {(row["labels_scored"], row["labels_found"]) for row in rows} == {(24, 77)}
    (row,) = with_counts([{"order": "1 2"}], 24, 77)
    assert row == {"order": "1 2", "labels_scored": 24, "labels_found": 77}


def test_a_run_scores_every_label_that_is_named() -> None:
    found = run(STUDY.model_copy(update={"labels": LABELS}), tiny())
    assert (len(found.answer.labels), found.labels_found) == (77, 77)
    np.testing.assert_allclose(found.answer.probabilities, brute(SHOWN, "the film"), atol=1e-5)
    assert about_cut(77, 77) == ""
    assert not any("are scored" in note for note in found.notes)
