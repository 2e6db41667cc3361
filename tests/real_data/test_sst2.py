"""SST-2 on a GPT-2 with random weights, from disk, through `run`: real sentences, every strategy, numbers checked."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from core import Demonstration, Hypothesis, Outcome, Study, load_model, run
from core.kernels import kernels
from core.models import LanguageModel
from core.ordering import orderings
from core.scoring import scorers
from core.selection import selections
from core.study.prompts import Template
from core.study.study import ModelChoice
from tests.models.checkpoints import VOCABULARY, write_tokenizer

SST2 = Path(__file__).parents[2].parent / "shared" / "data" / "sst2" / "dev.txt"
NAMES = ("negative", "positive")
REVIEW = Template(
    name="review",
    input_prefix="Review: ",
    label_prefix="\nSentiment: ",
    end="\n\n",
    channel_label_prefix="Sentiment: ",
    channel_input_prefix="\nReview: ",
)
HYPOTHESES = (
    Hypothesis(name="feeling", instruction="Name the feeling of each review."),
    Hypothesis(name="flipped", instruction="Name the opposite of the feeling of each review."),
)
pytestmark = pytest.mark.skipif(not SST2.exists(), reason=f"SST-2 is missing: {SST2} is not there")


@cache
def sentences() -> tuple[Demonstration, ...]:
    rows = [line.split(" ", 1) for line in SST2.read_text(encoding="utf-8").splitlines() if line.strip()]
    return tuple(Demonstration(input=text, label=NAMES[int(label)]) for label, text in rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=48, n_layer=3, n_head=4, n_positions=1024, bos_token_id=0, eos_token_id=2
    )
    network = GPT2LMHeadModel(config)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim >= 2:
                weight.normal_(0.0, 0.2)  # wide enough that every context changes every prediction
    network.save_pretrained(place)
    write_tokenizer(place, bos=False)
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load_model(ModelChoice(name=str(folder)))


@cache
def reference(folder: Path) -> tuple[Any, Any]:
    return AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager"
    )


def log_p(folder: Path, context: str, continuation: str) -> list[float]:
    """log p of each token of the continuation, by one pass of transformers over the whole text."""
    tokenizer, network = reference(folder)
    encoded = tokenizer(context + continuation, return_tensors="pt", return_offsets_mapping=True)
    with torch.no_grad():
        logs = torch.log_softmax(network(input_ids=encoded["input_ids"]).logits[0], dim=-1)
    ids, ends = encoded["input_ids"][0], encoded["offset_mapping"][0][:, 1]
    return [float(logs[t - 1, ids[t]]) for t in range(1, len(ids)) if int(ends[t]) > len(context)]


def study(query: int, **changes: Any) -> Study:
    rows = sentences()
    settings: dict[str, Any] = {
        "pool": rows[:40],
        "query": rows[query].input,
        "gold": rows[query].label,
        "labels": NAMES,
        "template": REVIEW,
        "selection": "random",
        "k": 4,
        "hypotheses": HYPOTHESES,
        "posteriors": ("exact", "implicit", "instruction"),
        "probes": 4,
        **changes,
    }
    return Study(**settings)


def written(shown: tuple[Demonstration, ...], channel: bool = False) -> str:
    if channel:
        return "".join(f"Sentiment: {d.label}\nReview: {d.input}\n\n" for d in shown)
    return "".join(f"Review: {d.input}\nSentiment: {d.label}\n\n" for d in shown)


def check_whole(outcome: Outcome, model: LanguageModel) -> None:
    """Nothing missing, nothing NaN, everything that should sum to one does."""
    assert outcome.bayes is None
    np.testing.assert_allclose(outcome.answer.probabilities.sum(), 1.0)
    assert set(outcome.posteriors) == {"instruction"}
    posterior = outcome.posteriors["instruction"]
    assert posterior.weights.shape == (len(outcome.demonstrations) + 1, 2)
    np.testing.assert_allclose(posterior.weights.sum(1), 1.0)
    assert set(outcome.kernels) == {entry.name for entry in kernels if entry.every_run} - {"exact"}
    assert {"attention", "hidden"} <= set(outcome.kernels)
    for kernel in outcome.kernels.values():
        assert kernel.raw.shape == (len(outcome.demonstrations),)
        assert np.isfinite(kernel.raw).all()
        assert kernel.best in NAMES
    assert outcome.attention is not None
    # No start token stands in front here, so the first token is a part of its own.
    shown = [str(i + 1) for i in range(len(outcome.demonstrations))]
    assert outcome.attention.spans == ("start", *shown, "query")
    assert outcome.attention.pooled.shape == (model.layers, model.heads, len(shown) + 2)
    # What a row lacks to 1 is attention to the rest of "Review:" before the first input, which is of no part.
    whole = outcome.attention.pooled.sum(2)
    assert (whole < 1 + 1e-5).all()
    assert (whole > 0.9).all()


@pytest.mark.parametrize("query", [100, 101, 102, 500])
def test_direct_scores_are_transformers(folder: Path, model: LanguageModel, query: int) -> None:
    outcome = run(study(query), model)
    check_whole(outcome, model)
    context = written(outcome.demonstrations) + f"Review: {outcome.study.query}\nSentiment:"
    expected = [sum(log_p(folder, context, f" {name}")) for name in NAMES]
    np.testing.assert_allclose(outcome.answer.scores, expected, atol=1e-4)
    assert outcome.answer.best == NAMES[int(np.argmax(expected))]
    mass = np.full(2, 0.5)
    for n, row in enumerate(outcome.demonstrations):
        for t, hypothesis in enumerate(HYPOTHESES):
            one = f"{hypothesis.instruction}\n\nReview: {row.input}\nSentiment:"
            mass[t] *= np.exp(sum(log_p(folder, one, f" {row.label}")))
        weights = outcome.posteriors["instruction"].weights[n + 1]
        np.testing.assert_allclose(weights, mass / mass.sum(), rtol=1e-3)


def test_channel_scores_are_transformers(folder: Path, model: LanguageModel) -> None:
    outcome = run(study(100, scoring="channel"), model)
    check_whole(outcome, model)
    before = written(outcome.demonstrations, channel=True)
    expected = [
        np.mean(log_p(folder, f"{before}Sentiment: {name}\nReview:", f" {outcome.study.query}")) for name in NAMES
    ]
    assert outcome.answer.best == NAMES[int(np.argmax(expected))]


@pytest.mark.parametrize("selection", [name for name in selections.names() if name != "hand-picked"])
@pytest.mark.parametrize("scoring", scorers.names())
def test_every_strategy_runs_on_real_sentences(model: LanguageModel, selection: str, scoring: str) -> None:
    outcome = run(study(120, selection=selection, scoring=scoring, token_head=(1, 1)), model)
    check_whole(outcome, model)
    assert outcome.attention is not None
    assert outcome.attention.map is not None
    assert len({(d.input, d.label) for d in outcome.demonstrations}) == 4


@pytest.mark.parametrize("ordering", orderings.names())
def test_every_order_holds_the_same_set(model: LanguageModel, ordering: str) -> None:
    outcome = run(study(130, ordering=ordering, k=3), model)
    given = run(study(130, ordering="given", k=3), model)
    assert {d.input for d in outcome.demonstrations} == {d.input for d in given.demonstrations}
    check_whole(outcome, model)
