"""Tables of kernels: the same numbers as one by one, and what is missing is named."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from core import Demonstration, Study, load_model, run
from core.analysis.kernel.records import cautions, weight_records
from core.analysis.kernel.weight_table import ask, candidates, distance, kernel_table, queries_from_pool
from core.errors import Cancelled, StudyError
from core.files.csv_records import as_csv
from core.kernels.exact import NOTE
from core.kernels.variants import KernelVariant, variants
from core.models import LanguageModel
from core.study.outcome import Answer, Kernel
from tests.listening import listening
from tests.tiny import REVIEWS, rows, tiny

EXACT, WORDS = KernelVariant("Exact", "exact"), KernelVariant("Words", "encoder", (("encoder", "tfidf"),))
STUDY = Study(query="a good film", demonstrations=REVIEWS[:4], pool=REVIEWS, gold="positive")


@pytest.fixture(scope="module")
def embedded() -> LanguageModel:
    return load_model("embedded")


def test_a_table_holds_what_each_kernel_gives_alone() -> None:
    offered = variants(tiny().layers, tiny().heads)
    queries = ["a good film", "a bad bird"]
    table = kernel_table(STUDY, tiny(), REVIEWS[:4], offered, queries)
    assert table.missing == (("Exact", "The exact kernel needs a model whose pretraining mixture is known."),)
    assert [row[0].name for row in table.kernels] == [v.name for v in offered if v.kernel != "exact"]
    for variant, row in zip((v for v in offered if v.kernel != "exact"), table.kernels, strict=True):
        for query, kernel in zip(queries, row, strict=True):
            alone = kernel_table(STUDY, tiny(), REVIEWS[:4], [variant], [query]).kernels[0][0]
            np.testing.assert_allclose(kernel.raw, alone.raw, atol=1e-5)
    outcome = run(STUDY, tiny())
    by_name = {row[0].name: row[0] for row in table.kernels}
    np.testing.assert_allclose(by_name["Attention"].raw, outcome.kernels["attention"].raw, atol=1e-6)
    np.testing.assert_allclose(by_name["Attention"].predictive, outcome.kernels["attention"].predictive, atol=1e-6)
    np.testing.assert_allclose(by_name[f"Hidden states {tiny().layers}"].raw, outcome.kernels["hidden"].raw, atol=1e-5)
    assert table.labels[0] == outcome.answer.labels


def test_answers_to_other_queries_are_those_of_a_run(embedded: LanguageModel) -> None:
    study = Study(query="dog", demonstrations=rows([("cat", "chat"), ("house", "maison")]))
    queries = ["dog", "tree", "moon"]
    found = ask(study, embedded, study.demonstrations, queries)
    for query, answer, bayes in zip(queries, found.answers, found.bayes, strict=True):
        outcome = run(study.model_copy(update={"query": query}), embedded)
        assert answer.labels == outcome.answer.labels
        np.testing.assert_allclose(answer.probabilities, outcome.answer.probabilities, atol=1e-5)
        assert bayes is not None
        assert outcome.bayes is not None
        np.testing.assert_allclose(bayes.probabilities, outcome.bayes.probabilities, atol=1e-9)


def test_an_exact_kernel_in_which_nothing_shares_a_label_says_so(embedded: LanguageModel) -> None:
    study = Study(query="dog", demonstrations=rows([("cat", "chat"), ("house", "maison"), ("tree", "arbre")]))
    (row,) = kernel_table(study, embedded, study.demonstrations, [EXACT], ["dog", "cat"]).kernels
    assert row[0].raw.max() < 0.05
    assert row[0].note == NOTE
    assert row[1].raw.max() > 0.5, "the cat is shown itself"
    assert row[1].note == ""
    assert cautions(row) == (NOTE,)
    assert run(study, embedded).kernels["exact"].note == NOTE


def test_an_encoder_that_cannot_be_loaded_leaves_the_others() -> None:
    lost = KernelVariant("lost", "encoder", (("encoder", "sentence:/no/such/folder"),))
    table = kernel_table(STUDY, tiny(), REVIEWS[:4], [lost, WORDS], ["a good film"])
    assert [name for name, _ in table.missing] == ["lost"]
    assert [row[0].name for row in table.kernels] == ["Words"]
    beyond = KernelVariant("beyond", "attention", (("heads", ((0, 9),)),))
    with pytest.raises(StudyError, match="no head 9"):
        kernel_table(STUDY, tiny(), REVIEWS[:4], [beyond], ["a good film"])


def test_progress_and_stop() -> None:
    with listening() as said:
        kernel_table(STUDY, tiny(), REVIEWS[:4], [WORDS, WORDS], ["a good film"])
    assert said == [0.5, 1]
    with pytest.raises(Cancelled):
        kernel_table(STUDY, tiny(), REVIEWS[:4], [WORDS], ["a good film"], stop=lambda: True)


def test_queries_from_the_pool_are_neither_shown_nor_asked() -> None:
    pool = (*REVIEWS, *rows([("a good film", "positive"), (" ", "x"), ("what a bird", "negative")]))
    study = STUDY.model_copy(update={"pool": pool})
    found = queries_from_pool(study, REVIEWS[:4], 10, 0)
    assert {row.input for row in found} == {"what a bird", "the house of the dog"}
    assert {row.label for row in found if row.input == "what a bird"} == {"positive"}, "the first row of an input"
    assert len(queries_from_pool(study, (), 3, 1)) == 3
    assert queries_from_pool(study, (), 5, 1) == queries_from_pool(study, (), 5, 1)
    assert queries_from_pool(study, (), 5, 1) != queries_from_pool(study, (), 5, 2)


def test_candidates_of_another_query_do_not_know_the_gold_of_this_one() -> None:
    study = STUDY.model_copy(update={"gold": "magnificent"})
    assert "magnificent" in candidates(study, tiny(), REVIEWS[:4], study.query).labels
    assert "magnificent" not in candidates(study, tiny(), REVIEWS[:4], "another").labels


def test_distance_is_total_variation() -> None:
    answer = Answer(("a", "b", "c"), np.zeros(3), np.array([0.2, 0.5, 0.3]))
    kernel = Kernel("k", "", np.ones(2), np.full(2, 0.5), np.array([1.0, 0.0, 0.0]), "a")
    assert distance(kernel, answer, ("a", "b", "c")) == pytest.approx(0.8)
    assert distance(kernel, answer, ("c", "b", "a")) == pytest.approx(0.7)
    nothing = Kernel("k", "", np.zeros(2), np.zeros(2), np.zeros(3), "a")
    assert np.isnan(distance(nothing, answer, ("a", "b", "c")))


def test_records_read_back() -> None:
    shown = (Demonstration(input="a, b", label='say "x"'), *REVIEWS[:1])
    table = kernel_table(STUDY, tiny(), shown, [WORDS], ["a good film"])
    records = weight_records(table, shown, [7, 3])
    read = list(csv.DictReader(io.StringIO(as_csv(records).decode(), newline="")))
    assert [row["demonstration"] for row in read] == ["7", "3"]
    assert (read[0]["input"], read[0]["label"]) == ("a, b", 'say "x"')
    assert [float(row["raw"]) for row in read] == pytest.approx(table.kernels[0][0].raw.tolist())
    assert as_csv([]) == b""
