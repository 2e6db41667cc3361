"""Every combination of scorer and calibration at once says what each says alone, and its working adds up."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core import Cancelled, Demonstration, Study, StudyError
from core.analysis.scoring.breakdown import score_breakdown, token_records
from core.analysis.scoring.grid import Combination, ScorerVariant, combination_of, combinations, variants
from core.analysis.scoring.table import score_table, score_tables, text_count
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.scoring.together import score
from core.study.prompts import TEMPLATES
from core.study.study import Normalisation
from tests.tiny import ARCHITECTURES, REVIEWS, plain_logprobs, tiny

LABELS = ("positive", "negative", "good")
POOL = tuple(Demonstration(input=f"a {word} story of {i} men", label="good") for i, word in enumerate("abcdef"))
STUDY = Study(query="the plot of the film", pool=POOL, premise="answer")
SHOWN = REVIEWS[:4]
WAYS = combinations()


def test_every_scorer_option_and_calibration_is_there_once() -> None:
    directs = [v for v in variants() if v.scoring == "direct"]
    assert [dict(v.settings)["normalisation"] for v in directs] == list(Normalisation.__args__)
    assert {v.scoring for v in variants()} == set(scorers.names())
    assert len(WAYS) == len(set(WAYS)) == len({way.key for way in WAYS}) == len({way.title for way in WAYS})
    assert set(WAYS) == {Combination(v, c) for v, c in product(variants(), calibrations.names())}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)
def test_a_way_taken_into_a_study_is_the_studys_own(way: Combination) -> None:
    study = way.of(STUDY)
    assert combination_of(study) == way
    assert study.model_copy(update={name: getattr(STUDY, name) for name in way.changes}) == STUDY


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_cell_is_plain_scoring_alone(architecture: str) -> None:
    model = tiny(architecture)
    table = score_table(STUDY, model, SHOWN, LABELS, WAYS)
    assert table.errors == ("",) * len(WAYS)
    for way, answer in zip(WAYS, table.answers, strict=True):
        alone = score(way.of(STUDY), model, SHOWN, LABELS)
        assert answer is not None
        np.testing.assert_allclose(answer.scores, alone.scores, atol=1e-4)
        np.testing.assert_allclose(answer.probabilities, alone.probabilities, atol=1e-4)
        assert [text.tokens for text in answer.scored] == [text.tokens for text in alone.scored]


def test_direct_cells_against_transformers_alone() -> None:
    table = score_table(STUDY, tiny(), SHOWN, LABELS, WAYS)
    before = "".join(f"{d.input} -> {d.label}\n" for d in SHOWN) + f"{STUDY.query} ->"
    totals = np.array([plain_logprobs("llama", before, " " + label).sum() for label in LABELS])
    counts = np.array([len(plain_logprobs("llama", before, " " + label)) for label in LABELS])
    lengths = {"sum": 1, "token": counts, "character": [len(y) for y in LABELS], "byte": [len(y) for y in LABELS]}
    for name, length in lengths.items():
        way = Combination(ScorerVariant("direct", (("normalisation", name),)))
        answer = table.answers[WAYS.index(way)]
        assert answer is not None
        np.testing.assert_allclose(answer.scores, totals / np.array(length), atol=1e-4)


def test_many_items_are_each_as_alone() -> None:
    items = [(f"the {word}", tuple(REVIEWS[i : i + 3]), LABELS) for i, word in enumerate(("film", "plot", "dog"))]
    tables = score_tables(STUDY, tiny(), items, WAYS)
    for (query, shown, labels), table in zip(items, tables, strict=True):
        alone = score_table(STUDY.model_copy(update={"query": query}), tiny(), shown, labels, WAYS)
        np.testing.assert_allclose(table.probabilities, alone.probabilities, atol=1e-4)
    assert tables[0].bayes is tables[0].bayes_channel is None  # nobody knows this model's prior


def test_what_cannot_answer_says_why_and_hurts_no_other() -> None:
    bare = STUDY.model_copy(update={"pool": ()})
    table = score_table(bare, tiny(), SHOWN, LABELS, WAYS)
    for way, answer, error in zip(WAYS, table.answers, table.errors, strict=True):
        assert (answer is None) == (way.calibration == "prior")
        assert ("add some" in error) == (answer is None)
    assert np.isnan(table.probabilities).any(axis=1).tolist() == [way.calibration == "prior" for way in WAYS]


def test_a_scorer_that_cannot_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(study: Study, *_: object) -> None:
        raise StudyError("Not on this model.")

    strategy = scorers.find("pmi")
    monkeypatch.setitem(scorers._entries, "pmi", replace(strategy, function=never))
    table = score_table(STUDY, tiny(), SHOWN, LABELS, WAYS)
    assert {way.variant.scoring for way, error in zip(WAYS, table.errors, strict=True) if error} == {"pmi"}
    assert set(table.errors) == {"", "Not on this model."}


def test_stops_and_counts() -> None:
    with pytest.raises(Cancelled):
        score_table(STUDY, tiny(), SHOWN, LABELS, WAYS, stop=lambda: True)
    item = (STUDY.query, tuple(SHOWN), LABELS)
    alone = [way for way in WAYS if way.calibration == "none"]
    assert text_count(STUDY, [item], alone) == len(alone) * len(LABELS)
    assert text_count(STUDY, [item, item], alone) == len(alone) * len(LABELS)  # each distinct one once
    contextual = [way for way in WAYS if way.calibration in ("none", "contextual")]
    assert text_count(STUDY, [item], contextual) == 4 * len(alone) * len(LABELS)


@pytest.mark.parametrize(("template", "architecture"), [("arrow", "llama"), ("input-label", "gpt2")])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)
def test_the_working_adds_up_by_hand(way: Combination, template: str, architecture: str) -> None:
    """From the tokens alone to the probabilities, in the arithmetic that the page writes out."""
    study = STUDY.model_copy(update={"template": TEMPLATES[template]})
    found = score_breakdown(study, tiny(architecture), SHOWN, LABELS, way)
    for step in (found.query, *found.free):
        for line in step.lines:
            sums = [sum(text.logprobs.tolist()) for text in line.texts]
            assert line.sums == pytest.approx(sums)
            assert (sums[0] - sum(sums[1:])) / line.length + line.added == pytest.approx(line.score, abs=1e-9)
            assert len(line.texts) == (2 if way.variant.scoring == "pmi" else 1)
    if found.log_bias is None:
        powers = np.exp(found.factor * np.array([line.score for line in found.query.lines]))
    else:
        raws = np.exp([step.log_raw for step in found.free])
        np.testing.assert_allclose(np.exp(found.log_mean), raws.mean(axis=0))
        np.testing.assert_allclose(np.exp(found.log_bias), raws.mean(axis=0) / raws.mean(axis=0).sum(), atol=1e-9)
        np.testing.assert_allclose(found.answer.scores, found.query.log_raw - found.log_bias, atol=1e-4)
        powers = np.exp(found.query.log_raw) / np.exp(found.log_bias)
    np.testing.assert_allclose(found.answer.probabilities, powers / powers.sum(), atol=1e-4)
    np.testing.assert_allclose(
        found.answer.probabilities, score(way.of(study), tiny(architecture), SHOWN, LABELS).probabilities, atol=1e-4
    )


def test_lengths_and_prior_of_the_working() -> None:
    def lines(scoring: str, **settings: str):
        way = Combination(ScorerVariant(scoring, tuple(settings.items())))
        return score_breakdown(STUDY, tiny(), SHOWN, ("good", "café"), way).query.lines

    assert [(line.length, line.unit) for line in lines("direct", normalisation="sum")] == [(1, ""), (1, "")]
    assert [line.length for line in lines("direct", normalisation="character")] == [4, 4]
    assert [line.length for line in lines("direct", normalisation="byte")] == [4, 5]
    assert [line.unit for line in lines("direct", normalisation="token")] == ["tokens", "tokens"]
    tokens = len(lines("channel", label_prior="even")[0].texts[0].tokens)
    added = [line.added for line in lines("channel", label_prior="shown")]
    assert added == pytest.approx([np.log(0.5) / tokens] * 2)  # neither was shown: one each, of two


def test_tokens_as_records() -> None:
    way = Combination(ScorerVariant("pmi"), "contextual")
    found = score_breakdown(STUDY, tiny(), SHOWN, LABELS, way)
    rows = token_records(found)
    assert len(rows) == sum(len(t.tokens) for s in (found.query, *found.free) for ln in s.lines for t in ln.texts)
    mine = [row for row in rows if not row["content_free"] and row["label"] == "good"]
    first, second = (sum(row["logprob"] for row in mine if row["text"] == part) for part in (1, 2))
    assert first - second == pytest.approx(mine[0]["score"])
