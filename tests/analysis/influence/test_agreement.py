"""Which explanation predicts influence: what is correlated with what, on one query and over many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from core import Demonstration, StudyError, run
from core.analysis.influence import (
    READINGS,
    Explanations,
    SurveyedQuery,
    agreement,
    effects_of,
    evidence,
    influence,
    other_queries,
    question,
    survey,
    weights_of,
)
from core.analysis.influence.agreement import BAYES, LABEL, PLACE
from core.analysis.influence.removal import Influence, Removal
from core.models import LanguageModel
from core.statistics.ranks import SAME
from tests.analysis.influence.conftest import REVIEW, WORDS
from tests.listening import listening
from tests.tiny import REVIEWS, rows, tiny

POOLED = REVIEW.model_copy(
    update={"pool": REVIEWS, "selection": "random", "k": 3, "labels": ("positive", "negative", "good")}
)


@pytest.fixture(scope="module")
def reviewed() -> SurveyedQuery:
    model = tiny()
    return evidence(influence(question(REVIEW, model, "positive"), model), model)


def fake(effects: np.ndarray, weights: np.ndarray, heads: np.ndarray, signs: np.ndarray) -> SurveyedQuery:
    """SurveyedQuery with planted numbers."""
    asked = question(REVIEW, tiny(), "positive")
    removal = Removal(0.0, 0.0, effects, effects, None)
    found = Influence(asked, removal, None, np.zeros(len(effects), dtype=np.intp), 0, 0)
    said = Explanations(("planted",), ("",), weights[None], dict.fromkeys(READINGS, heads))
    return SurveyedQuery(found, said, signs)


def test_explanations_are_those_of_the_run(embedded: LanguageModel) -> None:
    outcome = run(WORDS, embedded)
    asked = question(WORDS, embedded)
    said = evidence(influence(asked, embedded, shapley=False), embedded).explanations
    by_name = dict(zip(said.names, said.weights, strict=True))
    np.testing.assert_allclose(by_name["attention"], outcome.kernels["attention"].raw, atol=1e-6)
    np.testing.assert_allclose(by_name["exact"], outcome.kernels["exact"].raw, atol=1e-9)
    np.testing.assert_allclose(by_name[f"hidden, layer {embedded.layers}"], outcome.kernels["hidden"].raw, atol=1e-5)
    assert {f"hidden, layer {i}" for i in range(embedded.layers + 1)} <= set(said.names)
    assert outcome.attention is not None
    np.testing.assert_allclose(said.heads["demonstration", "max"], outcome.attention.maxima, atol=1e-6)
    np.testing.assert_allclose(said.heads["label", "max"], outcome.attention.label_maxima, atol=1e-6)
    assert set(said.heads) == set(READINGS)


@pytest.mark.parametrize("measure", ["leave-one-out", "shapley"])
@pytest.mark.parametrize("compared", ["signed", "plain", "size"])
def test_what_is_correlated_with_what(reviewed: SurveyedQuery, measure: str, compared: str) -> None:
    found = agreement([reviewed], measure=measure, compared=compared)  # type: ignore[arg-type]
    removal, said = reviewed.influence.model, reviewed.explanations
    assert removal.shapley is not None
    effect = removal.leave_one_out if measure == "leave-one-out" else removal.shapley.values
    signs = np.array([1.0 if d.label == "positive" else -1.0 for d in REVIEW.demonstrations])
    assert (reviewed.signs == signs).all()
    factor = signs if compared == "signed" else np.ones(4)
    outcome = np.abs(effect) if compared == "size" else effect
    for name, rho in zip(found.names, found.by_query[0], strict=True):
        if name in said.names:
            weights = said.weights[said.names.index(name)] * factor
        else:
            weights = {LABEL: signs, PLACE: np.arange(1, 5) * factor}[name]
        assert rho == pytest.approx(stats.spearmanr(weights, outcome).statistic, abs=1e-9, nan_ok=True)
        shown = weights_of(reviewed, name, measure, compared, ("demonstration", "max"))  # type: ignore[arg-type]
        np.testing.assert_allclose(shown, weights)
    np.testing.assert_allclose(effects_of(reviewed, measure, compared), outcome)  # type: ignore[arg-type]
    assert (LABEL in found.names) == (compared == "signed")
    assert found.heads is not None
    for layer, head in np.ndindex(found.heads.by_query.shape[1:]):
        weights = said.heads["demonstration", "max"][layer, head] * factor
        rho = stats.spearmanr(weights, outcome).statistic
        assert found.heads.by_query[0, layer, head] == pytest.approx(rho, abs=1e-9, nan_ok=True)


def test_exact_bayes_is_one_of_those_that_explain(embedded: LanguageModel) -> None:
    found = influence(question(WORDS, embedded), embedded)
    one = evidence(found, embedded)
    row = agreement([one], measure="shapley", compared="signed")
    assert found.bayes is not None
    assert found.bayes.shapley is not None
    assert found.model.shapley is not None
    values = found.bayes.shapley.values  # what differs by rounding alone is a tie
    truth = stats.kendalltau(np.round(values / (SAME * np.abs(values).max())), found.model.shapley.values)
    row = agreement([one], measure="shapley", compared="signed", method="kendall")
    place = row.names.index(BAYES)
    assert row.by_query[0, place] == pytest.approx(truth.statistic, abs=1e-9)
    assert row.p is not None
    assert 0 < row.p[place] <= 1


def test_a_planted_head_is_found_and_its_luck_is_not_reported() -> None:
    """Over many queries of noise the best head looks good, and on the other half it does not; a real one stays."""
    draw = np.random.default_rng(0)
    noise, real = [], []
    for _ in range(24):
        effects, signs = draw.normal(size=5), np.ones(5)
        heads = draw.uniform(size=(3, 4, 5))
        noise.append(fake(effects, draw.uniform(size=5), heads, signs))
        planted = heads.copy()
        planted[1, 2] = np.exp(effects)
        real.append(fake(effects, np.exp(effects), planted, signs))
    by_luck = agreement(noise).heads
    assert by_luck is not None
    assert by_luck.over.mean.max() > 0.12
    assert by_luck.held_out < by_luck.over.mean.max()
    found = agreement(real)
    assert found.by_query[:, 0] == pytest.approx(1)
    assert found.heads is not None
    assert (found.heads.best, found.heads.chosen) == ((1, 2), ((1, 2), (1, 2)))
    assert found.heads.held_out == pytest.approx(1)
    assert found.p is None


def test_the_sign_matters() -> None:
    effects = np.array([3.0, -2.0, 1.0, -4.0])
    signs = np.sign(effects)
    one = fake(effects, np.abs(effects), np.abs(effects)[None, None], signs)
    assert agreement([one], compared="signed").by_query[0, 0] == pytest.approx(1)
    assert agreement([one], compared="size").by_query[0, 0] == pytest.approx(1)
    assert agreement([one], compared="plain").by_query[0, 0] < 0.5


def test_what_cannot_be_correlated(reviewed: SurveyedQuery) -> None:
    with pytest.raises(StudyError, match="no query"):
        agreement([])
    bare = replace(
        reviewed,
        influence=replace(reviewed.influence, model=replace(reviewed.influence.model, shapley=None)),
        explanations=replace(reviewed.explanations, heads={}),
    )
    with pytest.raises(StudyError, match="not computed"):
        agreement([bare], measure="shapley")
    assert agreement([bare]).heads is None


def test_queries_come_from_the_pool_without_those_shown() -> None:
    study = REVIEW.model_copy(update={"pool": REVIEWS, "query": "the house of the dog"})
    pairs, source = other_queries(study, tiny(), 10)
    assert source == "the pool"
    assert pairs == [("what a bird", "positive")]
    random, _ = other_queries(POOLED, tiny(), 4, seed=2)
    assert len(random) == 4
    assert random == other_queries(POOLED, tiny(), 4, seed=2)[0]
    assert len(other_queries(POOLED, tiny(), 50)[0]) == 6
    with pytest.raises(StudyError, match="no other query"):
        other_queries(REVIEW, tiny(), 5)


def test_queries_come_from_the_mixture_where_the_pool_is_empty(embedded: LanguageModel) -> None:
    shown = rows([("cat", "cats"), ("dog", "dogs"), ("bird", "birds"), ("lion", "lions")])
    study = WORDS.model_copy(update={"demonstrations": shown})
    pairs, source = other_queries(study, embedded, 8, seed=1)
    assert "plural" in source
    assert len({text for text, _ in pairs}) == 8
    assert not {text for text, _ in pairs} & {"cat", "dog", "bird", "lion", "horse"}


def test_a_survey_is_each_query_alone() -> None:
    model = tiny()
    with listening() as told:
        found = survey(POOLED, model, 4, gold=True, shapley=True, seed=1)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert found.source == "the pool"
    assert len(found.evidence) == 4
    gold = {row.input: row.label for row in POOLED.pool}
    for one in found.evidence:
        study = POOLED.model_copy(update={"query": one.query, "gold": gold[one.query]})
        asked = question(study, model, gold[one.query])
        assert one.influence.question == asked
        assert one.query not in [row.input for row in asked.shown]
        alone = evidence(influence(asked, model), model)
        np.testing.assert_allclose(one.influence.model.leave_one_out, alone.influence.model.leave_one_out, atol=2e-5)
        np.testing.assert_allclose(one.explanations.weights, alone.explanations.weights, atol=1e-5)
    over = agreement(found.evidence, measure="shapley")
    assert over.by_query.shape == (4, len(over.names))
    assert over.p is None
    assert (over.over.low <= over.over.mean + 1e-12)[over.over.count > 0].all()


def test_rows_that_are_excluded_are_no_queries() -> None:
    pool = (*REVIEWS[:2], Demonstration(input="left out", label="good", excluded=True))
    pairs, _ = other_queries(POOLED.model_copy(update={"pool": pool}), tiny(), 5)
    assert {text for text, _ in pairs} == {row.input for row in REVIEWS[:2]}
