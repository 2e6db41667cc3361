"""Learned tokens: losses and log-probabilities against models that really have the tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core import Cancelled, Demonstration, StudyError
from core.models import soft_tokens
from core.models.soft_tokens import learn_tokens, surprise
from core.runtime.memo import forget
from core.selection import latent_concept
from tests.selection.pools import MANY, choice
from tests.tiny import folder, tiny

PAIRS = [(f"{row.input} ->", f" {row.label}") for row in MANY[:12]]
pytestmark = pytest.mark.parametrize("architecture", ["llama", "gpt2"])


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    monkeypatch.setattr(latent_concept, "STEPS", 5)


def test_learning_makes_the_labels_probable(architecture: str) -> None:
    vectors, losses = learn_tokens(tiny(architecture), PAIRS, 3, steps=40, seed=1)
    assert vectors.shape == (3, 32)
    assert np.mean(losses[-8:]) < 0.9 * np.mean(losses[:8])
    again, _ = learn_tokens(tiny(architecture), PAIRS, 3, steps=40, seed=1)
    assert (again == vectors).all()
    assert not (learn_tokens(tiny(architecture), PAIRS, 3, steps=2, seed=2)[0] == vectors).any()


def test_the_loss_is_that_of_a_model_with_the_tokens(architecture: str) -> None:
    """The first batch's loss, from a model whose vocabulary has been enlarged by the starting tokens themselves."""
    model, seed = tiny(architecture), 3
    _, losses = learn_tokens(model, PAIRS, 2, steps=1, seed=seed)
    rng = np.random.default_rng(seed)
    start = rng.choice(model.ordinary_tokens, 2, replace=False)
    batch = rng.permutation(len(PAIRS))[: soft_tokens.BATCH]
    plain = AutoModelForCausalLM.from_pretrained(folder(architecture)).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder(architecture))
    total = 0.0
    for i in batch:
        whole = tokenizer("".join(PAIRS[i]), return_offsets_mapping=True)
        front = sum(end == 0 for _, end in whole["offset_mapping"])
        ids = [*whole["input_ids"][:front], *map(int, start), *whole["input_ids"][front:]]
        wanted = [j for j, (_, end) in enumerate(whole["offset_mapping"]) if end > len(PAIRS[i][0])]
        with torch.no_grad():
            logs = torch.log_softmax(plain(torch.tensor([ids])).logits[0], dim=-1)
        total -= sum(float(logs[j + 1, ids[j + 2]]) for j in wanted)
    assert losses[0] == pytest.approx(total / len(batch), abs=1e-5)


def test_expected_tokens_by_a_model_that_has_them(architecture: str) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float32)
    texts = ["a good film -> positive\n", "the dog", "the plot of the film was bad -> negative\n"]
    found = surprise(tiny(architecture), texts, vectors)
    tokenizer = AutoTokenizer.from_pretrained(folder(architecture))
    plain = AutoModelForCausalLM.from_pretrained(folder(architecture)).eval()
    old = plain.config.vocab_size
    inputs, output = (m.weight.detach() for m in (plain.get_input_embeddings(), plain.get_output_embeddings()))
    plain.set_input_embeddings(torch.nn.Embedding.from_pretrained(torch.cat([inputs, torch.from_numpy(vectors)])))
    head = torch.nn.Linear(32, old + 3, bias=False)
    head.weight = torch.nn.Parameter(torch.cat([output, torch.from_numpy(vectors)]))
    plain.set_output_embeddings(head)
    for text, value in zip(texts, found, strict=True):
        ids = [*tokenizer(text)["input_ids"], old, old + 1, old + 2]
        with torch.no_grad():
            logs = torch.log_softmax(plain(torch.tensor([ids])).logits[0], dim=-1)
        assert value == pytest.approx(-sum(float(logs[len(ids) - 4 + j, old + j]) for j in range(3)), abs=1e-4)


def test_gradients_leave_the_model_alone(architecture: str) -> None:
    model = tiny(architecture)
    before = model.score(PAIRS[:2])
    learn_tokens(model, PAIRS, 2, steps=3)
    with model.module() as module:
        assert all(parameter.grad is None for parameter in module.parameters())
    for old, new in zip(before, model.score(PAIRS[:2]), strict=True):
        assert (old.logprobs == new.logprobs).all()


def test_choosing_and_its_cost(architecture: str) -> None:
    picked = choice("latent-concept", MANY[:12], 3, architecture, concept_tokens=4)
    assert picked.scores is not None
    assert set(picked.indices) == set(np.argsort(-np.round(picked.scores, 6), kind="stable")[:3])
    assert picked.learned.backward == 5
    assert picked.learned.passes == 5 + 2
    assert choice("latent-concept", MANY[:12], 2, architecture, concept_tokens=4).cost.passes == 0
    assert choice("latent-concept", MANY[:12], 2, architecture, concept_tokens=5).cost.passes == 7


def test_it_can_be_stopped_and_says_what_is_too_long(architecture: str) -> None:
    with pytest.raises(Cancelled):
        learn_tokens(tiny(architecture), PAIRS, 2, steps=100, stop=lambda: True)
    long = (*MANY[:4], Demonstration(input="film " * 315, label="positive"))
    with pytest.raises(StudyError, match="exclude long inputs"):
        choice("latent-concept", long, 2, architecture)
