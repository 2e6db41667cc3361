"""Every selection on public data sets, with a GPT-2 of random weights from disk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from core import Study, load_model
from core.models import LanguageModel
from core.runtime.memo import forget
from core.selection import active, latent_concept, rows_of, select, selections, self_generated
from core.selection.learning import bi_encoder, q_learning
from tests.models.checkpoints import VOCABULARY, write_tokenizer
from tests.real_data.test_tasks import DATA, table

WORDS = ("antonym", "next_item", "english-french")
FILES = ("sst2/dev.txt", "agnews/test-first-1000.csv", *(f"function_vectors/{name}.json" for name in WORDS))
ROWS = 24
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


@pytest.fixture(autouse=True)
def _short_training(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (latent_concept, bi_encoder, q_learning):
        monkeypatch.setattr(module, "STEPS", 2)
    monkeypatch.setattr(active, "EPISODES", 2)
    monkeypatch.setattr(self_generated, "TOKENS", 4)
    yield
    forget()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", [name for name in selections.names() if name != "hand-picked"])
def test_every_selection_on_real_data(model: LanguageModel, name: str, file: str) -> None:
    rows = sorted(table(file)[:200], key=lambda row: len(row.input))[:ROWS]
    study = Study(
        selection=name, pool=tuple(rows), query=rows[3].input, k=3, organisations=2, selection_probes=3, validation=2
    )
    chosen = select(study, model)
    shown = rows_of(study, chosen)
    assert len(set(chosen.indices)) == len(chosen.indices) <= 3
    assert all(row.input != study.query for row in shown)
    if chosen.source == "pool":
        assert len(shown) == 3
    if chosen.scores is not None:
        assert not np.isinf(chosen.scores).any()
