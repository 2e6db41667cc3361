"""Tasks that people use, through the Playground as a visitor would: files in, a pool, a strategy, another model."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from core import load_model
from core.mixture.mixture import load_mixture
from tests.browser.playground import Playground
from tests.models.checkpoints import VOCABULARY, write_tokenizer

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the data sets are missing: {DATA} is not there")


def import_pool(playground: Playground, name: str, data: bytes) -> None:
    """Import a file into the pool."""
    page = playground.app.page
    page.get_by_role("button", name="Import").click()
    playground.app.settle()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": data})
    playground.app.settle()
    page.get_by_role("dialog").get_by_role("radio", name="Pool").click()
    playground.app.settle()
    playground.app.key("frame_import_take").get_by_role("button").click()
    page.get_by_role("dialog").wait_for(state="detached")
    playground.app.settle()


def test_a_word_task_on_the_embedded_model(playground: Playground) -> None:
    mixture = load_mixture()
    rows = json.loads((DATA / "function_vectors" / "singular-plural.json").read_text(encoding="utf-8"))
    known = [row for row in rows if mixture.knows(row["input"]) and mixture.knows(row["output"])]
    assert len(known) > 12, "the embedded model knows too few of these words for a test"
    query, *pool = known
    import_pool(playground, "singular-plural.json", json.dumps(pool).encode())
    playground.app.choose("Selection", "Similarity")
    playground.ask(query["input"])
    outcome = playground.check()
    assert outcome.chosen.source == "pool"
    assert len(outcome.demonstrations) == outcome.study.k
    assert outcome.bayes is not None
    assert outcome.bayes.best == query["output"]


def test_sst2_on_a_random_gpt2_from_disk(playground: Playground, tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=VOCABULARY, n_embd=48, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=2)
    GPT2LMHeadModel(shape).save_pretrained(tmp_path)
    write_tokenizer(tmp_path, bos=False)
    lines = [line.split(" ", 1) for line in (DATA / "sst2" / "dev.txt").read_text(encoding="utf-8").splitlines()]
    table = io.StringIO()
    csv.writer(table).writerows([("review", "sentiment"), *((text, label) for label, text in lines[1:60])])
    import_pool(playground, "sst2.csv", table.getvalue().encode())
    playground.app.choose("Selection", "Random")
    playground.app.fill("Right answer", lines[0][0])
    playground.ask(lines[0][1])

    page = playground.app.page
    page.get_by_role("button", name="Embedded model").click()
    playground.app.fill("Hub id, local folder or GGUF file", str(tmp_path))
    page.get_by_role("button", name="Load", exact=True).click()
    page.get_by_role("button", name=tmp_path.name[:12]).wait_for()
    playground.app.settle(quiet=1.5)
    assert playground.study().model.name == str(tmp_path)
    playground.model = load_model(str(tmp_path))
    outcome = playground.check()
    assert {"0", "1"} <= set(outcome.answer.labels)
    assert outcome.bayes is None
