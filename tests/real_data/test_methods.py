"""Every ordering, scorer, calibration and method of reasoning on public data sets, on a GPT-2 of random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from core import Demonstration, Study, load_model, run
from core.analysis.format.family import family
from core.models import LanguageModel
from core.ordering import orderings
from core.reasoning import reasonings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.study.demonstrations import read_steps
from tests.models.checkpoints import VOCABULARY, write_tokenizer
from tests.real_data.test_tasks import DATA, table

FILES = (
    "sst2/dev.txt",
    "agnews/test-first-1000.csv",
    *(f"function_vectors/{name}.json" for name in ("antonym", "next_item", "english-french")),
)
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=2048, bos_token_id=0, eos_token_id=2
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    write_tokenizer(folder, bos=False)
    return load_model(str(folder))


def study_of(file: str) -> Study:
    """Three rows picked by hand, some of the shortest in the pool, and a query that is not among them."""
    rows: list[Demonstration] = sorted(table(file)[:200], key=lambda row: len(row.input))[:16]
    return Study(
        demonstrations=tuple(rows[:3]), pool=tuple(rows[4:]), query=rows[3].input, gold=rows[3].label, probes=3, k=3
    )


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", orderings.names())
def test_every_ordering(model: LanguageModel, name: str, file: str) -> None:
    study = study_of(file)
    outcome = run(study.model_copy(update={"ordering": name}), model)
    assert sorted(outcome.chosen.indices) == [0, 1, 2]
    assert np.isfinite(outcome.answer.scores).all()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("calibration", calibrations.names())
@pytest.mark.parametrize("name", scorers.names())
def test_every_scorer_and_calibration(model: LanguageModel, name: str, calibration: str, file: str) -> None:
    outcome = run(study_of(file).model_copy(update={"scoring": name, "calibration": calibration}), model)
    assert np.isfinite(outcome.answer.scores).all()
    assert outcome.answer.probabilities.sum() == pytest.approx(1)
    assert [scored.text.strip() for scored in outcome.answer.scored]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", reasonings.names())
def test_every_method_of_reasoning(model: LanguageModel, name: str, file: str) -> None:
    study = study_of(file)
    steps = read_steps("first = it; then = that")
    rows = tuple(row.model_copy(update={"steps": steps}) for row in study.demonstrations)
    changes = {"reasoning": name, "demonstrations": rows, "open_ended": True, "longest": 6}
    outcome = run(study.model_copy(update=changes), model)
    assert np.isfinite(outcome.answer.scores).all()
    assert outcome.written is not None


@pytest.mark.parametrize("file", FILES)
def test_templates_of_a_family_and_an_instruction(model: LanguageModel, file: str) -> None:
    for template in family(study_of(file), 7, seed=1):
        changes = {"template": template, "instruction": "Say which.", "shots": 2}
        outcome = run(study_of(file).model_copy(update=changes), model)
        assert len(outcome.demonstrations) == 2
        assert np.isfinite(outcome.answer.scores).all()
