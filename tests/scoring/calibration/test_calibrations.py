"""Calibration against the paper's arithmetic, worked examples and plain loops over the model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from core import Answer, Demonstration, Study
from core.analysis.scoring.breakdown import score_breakdown
from core.analysis.scoring.grid import Combination, ScorerVariant
from core.analysis.scoring.table import score_tables
from core.errors import StudyError
from core.scoring import scorers
from core.scoring.calibration import calibrations, divided, log_bias_of
from core.scoring.together import score
from tests.tiny import ARCHITECTURES, REVIEWS, plain_logprobs, tiny

LABELS = ("positive", "negative", "good")
FORWARD = "".join(f"{d.input} -> {d.label}\n" for d in REVIEWS[:4])
QUERY = "the plot of the film"
POOL = tuple(Demonstration(input=f"a {word} story of {i} men", label="good") for i, word in enumerate("abcdef"))


def answered(architecture: str, **more: object) -> Answer:
    study = Study.model_validate({"query": QUERY, "pool": POOL, **more})
    return score(study, tiny(architecture), REVIEWS[:4], LABELS)


def test_worked_example() -> None:
    """docs/methods.md §9: p = (.55, .45), p_cf = (.618, .382) gives label 1 and (.430356, .569644)."""
    p = np.array([0.55, 0.45])
    plain = Answer(("0", "1"), np.log(p), p)
    calibrated = divided(plain, np.log([0.618, 0.382]), np.log(p))
    assert calibrated.best == "1"
    assert calibrated.probabilities == pytest.approx([0.430356, 0.569644], abs=1e-6)


def test_averages_first_and_normalises_after() -> None:
    rows = [np.log([0.02, 0.01]), np.log([0.1, 0.5])]
    assert np.exp(log_bias_of(rows)) == pytest.approx([0.12 / 0.63, 0.51 / 0.63], abs=1e-12)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_contextual_equals_a_plain_loop(architecture: str) -> None:
    def raw(text: str) -> np.ndarray:
        prompt = f"{FORWARD}{text} ->"
        return np.exp([plain_logprobs(architecture, prompt, " " + label).sum() for label in LABELS])

    bias = np.mean([raw("N/A"), raw(""), raw("[MASK]")], axis=0)
    bias /= bias.sum()
    expected = raw(QUERY) / bias
    answer = answered(architecture, calibration="contextual")
    assert answer.probabilities == pytest.approx(expected / expected.sum(), abs=1e-4)
    assert answer.bias == pytest.approx(bias, rel=1e-3)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_prior_correction_equals_a_plain_loop(architecture: str) -> None:
    rows = []
    for text in [QUERY, *(row.input for row in POOL)]:
        p = np.exp([plain_logprobs(architecture, f"{FORWARD}{text} ->", " " + label).sum() for label in LABELS])
        rows.append(p)
    bias = np.mean(rows[1:], axis=0)
    expected = rows[0] / bias
    answer = answered(architecture, calibration="prior")
    assert answer.probabilities == pytest.approx(expected / expected.sum(), abs=1e-4)


LONG = (
    "the plot of the film was very good and what a bird it was the house",
    "the house of the dog was very bad and what a film it was the plot",
    "a very good bird of the house was the plot and what a dog it was",
)
"""Candidates of fourteen words or more, whose probabilities are 1e-20 and less."""


@pytest.mark.parametrize("calibration", [name for name in calibrations.names() if name != "none"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_long_candidates_are_calibrated_too(architecture: str, calibration: str) -> None:
    """q ∝ p / p_cf in logarithms of a plain loop: nothing is added to probabilities that would be all that is left."""
    study = Study(query=QUERY, pool=POOL, calibration=calibration, labels=LONG)
    inputs = calibrations.find(calibration).function(study, REVIEWS[:4])

    def logs(text: str) -> list[float]:
        prompt = f"{FORWARD}{text} ->"
        return [float(plain_logprobs(architecture, prompt, " " + label).sum()) for label in LONG]

    query = np.array(logs(QUERY))
    assert query.max() < np.log(1e-12)
    bias = logsumexp([logs(text) for text in inputs], axis=0)
    expected = softmax(query - bias)
    answer = score(study, tiny(architecture), REVIEWS[:4], LONG)
    assert answer.probabilities == pytest.approx(expected, abs=1e-4)
    assert answer.bias == pytest.approx(softmax(bias), rel=1e-3)
    assert np.abs(expected - softmax(query)).max() > 0.01
    way = Combination(ScorerVariant("direct", (("normalisation", "sum"),)), calibration)
    (table,) = score_tables(study, tiny(architecture), [(QUERY, REVIEWS[:4], LONG)], [way])
    assert table.probabilities[0] == pytest.approx(expected, abs=1e-4)
    working = score_breakdown(study, tiny(architecture), REVIEWS[:4], LONG, way)
    assert working.log_bias is not None
    assert softmax(working.query.log_raw - working.log_bias) == pytest.approx(expected, abs=1e-4)


def test_a_label_that_is_never_given_any_probability_is_not_divided_by_zero() -> None:
    bias = log_bias_of([np.array([0.0, -np.inf])])
    plain = Answer(("0", "1"), np.array([-1.0, -np.inf]), np.array([1.0, 0.0]))
    assert divided(plain, bias, plain.scores).probabilities == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("calibration", calibrations.names())
@pytest.mark.parametrize("scoring", scorers.names())
def test_every_calibration_of_every_scorer(calibration: str, scoring: str) -> None:
    """A distribution whose scores rank it; the same again; unmoved by what the labels of the pool are."""
    answer = answered(ARCHITECTURES[0], calibration=calibration, scoring=scoring)
    assert answer.probabilities.sum() == pytest.approx(1)
    assert list(np.argsort(-answer.probabilities)) == list(np.argsort(-answer.scores))
    again = answered(ARCHITECTURES[0], calibration=calibration, scoring=scoring)
    assert np.array_equal(answer.scores, again.scores)
    other = tuple(row.model_copy(update={"label": "negative"}) for row in POOL)
    blind = answered(ARCHITECTURES[0], calibration=calibration, scoring=scoring, pool=other)
    assert np.array_equal(answer.scores, blind.scores)
    plain = answered(ARCHITECTURES[0], scoring=scoring)
    assert (answer.bias is None) == (calibration == "none")
    if answer.bias is None:
        assert np.array_equal(answer.scores, plain.scores)


@pytest.mark.parametrize("calibration", [name for name in calibrations.names() if name != "none"])
def test_a_constant_bias_is_taken_out(calibration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that answers alike whatever it is asked says nothing, and is calibrated to an even answer."""
    model = tiny(ARCHITECTURES[0])
    fixed = {" positive": 0.7, " negative": 0.2, " good": 0.1}
    real = model.score([("a", " good")])[0]

    def constant(pairs: list[tuple[str, str]], *, stop: object = None) -> list[object]:
        return [type(real)(("x",), np.log([fixed[continuation]])) for _, continuation in pairs]

    monkeypatch.setattr(model, "score", constant)
    study = Study(query=QUERY, pool=POOL, calibration=calibration)
    answer = score(study, model, REVIEWS[:4], LABELS)
    assert answer.probabilities == pytest.approx([1 / 3] * 3, abs=1e-6)
    assert answer.bias == pytest.approx([0.7, 0.2, 0.1], abs=1e-6)


def test_strings_of_the_domain_never_hold_the_query_alone() -> None:
    study = Study(query="secret", pool=(*POOL, Demonstration(input="secret", label="good")))
    strings = calibrations.find("domain-context").function(study, ())
    assert len(strings) == 20
    assert all("secret" not in text for text in strings)
    assert {word for text in strings for word in text.split()} <= {w for row in POOL for w in row.input.split()}
    assert {len(text.split()) for text in strings} == {5 if len(POOL[0].input.split()) == 5 else 6}


def test_prior_correction_without_a_pool_says_what_to_do() -> None:
    with pytest.raises(StudyError, match="add some, or choose another calibration"):
        score(Study(query=QUERY, calibration="prior"), tiny(ARCHITECTURES[0]), REVIEWS[:4], LABELS)
