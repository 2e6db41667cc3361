"""A new strategy of each kind is one file: menu, run, breakdown, evaluations, tables and comparisons find it there."""

from __future__ import annotations

import numpy as np
import pytest

from core import Demonstration, Study, load_model, run
from core.analysis.compare import difference
from core.analysis.compare.ablations import other_direction
from core.analysis.influence import question_of
from core.analysis.influence.explanations import explanations
from core.analysis.kernel.convergence import compared_kernels
from core.analysis.kernel.head_atlas import head_atlas
from core.analysis.kernel.weight_table import kernel_table
from core.analysis.ordering.table import order_table
from core.analysis.reasoning.comparison import compare
from core.analysis.scoring.breakdown import score_breakdown
from core.analysis.scoring.grid import Combination, ScorerVariant, combinations
from core.analysis.scoring.table import score_table
from core.analysis.selection.comparison import Choice, choose
from core.evaluation.evaluate import evaluate
from core.evaluation.items import items_from_pool
from core.evaluation.questions import EvaluationQuestion
from core.kernels.variants import one_of_each, variants
from core.models import LanguageModel
from core.scoring.together import score
from core.statistics.distributions import softmax
from pages.ui.scoring.breakdown import breakdown_html
from tests.strategies.conftest import PLUGINS, REGISTRIES
from tests.tiny import plain_logprobs, tiny

pytestmark = pytest.mark.usefixtures("plugged")

PAIRS = [("cat", "foo"), ("hammer", "bar"), ("wolf", "foo"), ("chair", "bar"), ("horse", "foo"), ("table", "bar")]
POOL = tuple(Demonstration(input=x, label=y) for x, y in PAIRS)
STUDY = Study(
    pool=POOL,
    k=3,
    query="tulip",
    labels=("foo", "bar"),
    selection="longest",
    ordering="alphabetical",
    scoring="mean-direct",
    calibration="dots",
)
PLAIN = STUDY.model_copy(update={"calibration": "none"})
FOUR = ("cat dog horse wolf", "chair")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


def test_every_menu_has_one_more() -> None:
    titles = ("Mean direct", "Same letter", "Longest", "Alphabetical", "Dots", "Restate the question")
    assert len(PLUGINS) == len(REGISTRIES) == len(titles)
    for registry, title in zip(REGISTRIES, titles, strict=True):
        assert title in [entry.title for entry in registry]


def test_a_run_selects_orders_scores_calibrates_and_weighs_by_them(model: LanguageModel) -> None:
    outcome = run(STUDY, model)
    assert [row.input for row in outcome.demonstrations] == ["chair", "hammer", "horse"]
    assert outcome.chosen.scores is not None
    assert list(outcome.chosen.scores) == [3, 6, 4, 5, 5, 5]

    plain = run(PLAIN, model).answer
    means = [text.logprobs.mean() for text in plain.scored]
    np.testing.assert_allclose(plain.scores, means, atol=1e-6)
    np.testing.assert_allclose(plain.probabilities, softmax(np.array(means)), atol=1e-6)

    free = [run(PLAIN.model_copy(update={"query": text, "selection": "longest"}), model) for text in (".", ". .")]
    bias = np.mean([one.answer.probabilities for one in free], axis=0)
    np.testing.assert_allclose(outcome.answer.bias, bias / bias.sum(), atol=1e-5)
    divided = plain.probabilities / bias
    np.testing.assert_allclose(outcome.answer.probabilities, divided / divided.sum(), atol=1e-5)

    kernel = outcome.kernels["same-letter"]
    np.testing.assert_array_equal(kernel.raw, [0, 0, 0])
    other = run(STUDY.model_copy(update={"query": "hand"}), model).kernels["same-letter"]
    np.testing.assert_array_equal(other.raw, [0, 1, 1])
    assert outcome.bayes is not None, "exact Bayes answers forward, as the scorer declares"


def test_a_rationale_of_a_new_method_stands_before_the_answer(model: LanguageModel) -> None:
    outcome = run(STUDY.model_copy(update={"reasoning": "restate", "longest": 4}), model)
    assert outcome.reasoning is not None
    assert [stage.name for stage in outcome.reasoning.stages] == ["Restate", "Answer"]
    assert outcome.prompt == outcome.reasoning.final
    assert any("labels are scored directly" in note for note in outcome.notes)


def test_the_breakdown_divides_by_the_tokens_and_adds_nothing(model: LanguageModel) -> None:
    shown = POOL[:2]
    way = Combination(ScorerVariant("mean-direct"))
    found = score_breakdown(PLAIN, model, shown, FOUR, way)
    line = found.query.lines[0]
    assert (line.length, line.unit, line.added) == (4, "tokens", 0.0)
    assert line.score == pytest.approx(line.sums[0] / 4)
    np.testing.assert_allclose(found.answer.probabilities, softmax(found.factor * found.answer.scores), atol=1e-9)
    np.testing.assert_allclose(np.exp(found.query.log_raw), found.answer.probabilities, atol=1e-9)
    html = breakdown_html(found, found.query, {}, "100px")
    assert "÷ 4 tokens" in html
    assert "plus" not in html
    assert "the label, after the prompt" in html

    calibrated = score_breakdown(PLAIN, model, shown, FOUR, Combination(ScorerVariant("mean-direct"), "dots"))
    assert [step.input for step in calibrated.free] == [".", ". ."]
    assert "log p = log softmax(score)" in breakdown_html(calibrated, calibrated.query, {}, "100px")


def test_its_scores_are_those_of_a_plain_loop() -> None:
    other = tiny()
    study = Study(query="great film", scoring="mean-direct", labels=("good", "very bad"))
    answer = run(study, other).answer
    prompt = run(study, other).prompt
    for label, found in zip(answer.labels, answer.scores, strict=True):
        assert found == pytest.approx(np.mean(plain_logprobs("llama", prompt.text, prompt.gap + label)), abs=1e-4)


def test_evaluations_ask_them(model: LanguageModel) -> None:
    questions = [EvaluationQuestion("tulip", "foo", "pool"), EvaluationQuestion("hand", "bar", "pool")]
    studies = [STUDY, PLAIN, STUDY.model_copy(update={"ordering": "given"})]
    found = evaluate(studies, model, questions)
    for study, answers in zip(studies, found.answers, strict=True):
        for question, answer in zip(questions, answers, strict=True):
            alone = run(study.model_copy(update={"query": question.input, "gold": question.gold}), model).answer
            np.testing.assert_allclose(answer.probabilities, alone.probabilities, atol=1e-5)


def test_every_way_to_score_has_the_scorer_with_each_calibration(model: LanguageModel) -> None:
    ways = [way for way in combinations() if "mean-direct" in way.key or "dots" in way.key]
    assert {way.calibration for way in ways if way.variant.scoring == "mean-direct"} >= {"none", "contextual", "dots"}
    assert {way.variant.scoring for way in ways if way.calibration == "dots"} >= {"direct", "channel", "mean-direct"}
    table = score_table(STUDY, model, POOL[:3], STUDY.labels, ways)
    for way, answer in zip(ways, table.answers, strict=True):
        assert answer is not None
        alone = score(way.of(STUDY), model, POOL[:3], STUDY.labels)
        np.testing.assert_allclose(answer.probabilities, alone.probabilities, atol=1e-5)


def test_the_kernel_stands_in_tables_explanations_the_atlas_and_convergence(model: LanguageModel) -> None:
    offered = variants(model.layers, model.heads)
    (own,) = [variant for variant in offered if variant.kernel == "same-letter"]
    assert own in one_of_each(STUDY, offered, model.layers)
    table = kernel_table(STUDY, model, POOL[:3], [own], ["hand", "cup"])
    np.testing.assert_array_equal([kernel.raw for kernel in table.kernels[0]], [[0, 1, 0], [1, 0, 0]])
    assert "same-letter" in explanations(question_of(run(STUDY, model)), model).names
    atlas = head_atlas(STUDY, model, items_from_pool(STUDY, 2, 2, 0), [own])
    assert atlas.kernels == (own.name,)
    assert "same-letter" in [entry.name for entry in compared_kernels()]


def test_selections_orderings_and_methods_are_compared_with_the_others(model: LanguageModel) -> None:
    choices = [one for one in choose(STUDY, model, ["random", "longest"]) if isinstance(one, Choice)]
    assert [one.places for one in choices if one.name == "longest"] == [(1, 3, 4)]
    table = order_table(STUDY, model, POOL[:3], STUDY.labels, most=6)
    assert "alphabetical" in [strategy.name for strategy in table.strategies]
    questions = [EvaluationQuestion("tulip", "foo", "pool")]
    short = STUDY.model_copy(update={"longest": 2})
    assert [one.method for one in compare(short, model, questions, ["none", "restate"]).attempts] == ["none", "restate"]


def test_comparisons_and_contrasts_know_what_it_is(model: LanguageModel) -> None:
    assert other_direction(STUDY).scoring == "channel"
    notes = difference(run(PLAIN, model), run(other_direction(PLAIN), model)).notes
    assert any("scored by Mean direct and B by Channel" in note for note in notes)
