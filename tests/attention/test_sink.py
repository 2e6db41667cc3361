"""A real model without a start token: its first token draws attention whatever it is, and is no demonstration's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from core.attention import group, read_attention, tokens_of
from core.attention.head_roles import label_attending
from core.attention.maps import between
from core.kernels import compute_kernels
from core.models import LanguageModel, load_model
from core.study.demonstrations import Demonstration
from core.study.prompts import ARROW, QUESTION_ANSWER, Template, render
from core.study.question import Question
from core.study.study import Pooling, Study

PLURALS = tuple(
    Demonstration(input=x, label=y)
    for x, y in (("cat", "cats"), ("dog", "dogs"), ("horse", "horses"), ("house", "houses"))
)
ORDERS = ((0, 1, 2, 3), (2, 1, 0, 3), (3, 2, 1, 0))


def shares(model: LanguageModel, order: tuple[int, ...], pooling: Pooling, template: Template) -> np.ndarray:
    """K / ΣK of the attention kernel, all heads."""
    shown = tuple(PLURALS[i] for i in order)
    study = Study(query="bird", pooling=pooling, template=template)
    reading, attention = read_attention(study, model, render(shown, "bird", template))
    question = Question.of(study, shown, ("cats", "dogs", "horses", "houses"))
    found = compute_kernels(question, model, reading, attention)["attention"]
    assert "first token set apart" in found.detail
    return found.normalised


@pytest.mark.parametrize(("pooling", "template"), [("max", ARROW), ("sum", ARROW), ("max", QUESTION_ANSWER)])
def test_whichever_stands_first_does_not_own_the_sink(
    smollm2: LanguageModel, pooling: Pooling, template: Template
) -> None:
    """It was .70 to .72 of the kernel for whichever stood first (arrow template, largest weight)."""
    found = np.array([shares(smollm2, order, pooling, template) for order in ORDERS])
    assert (found[:, 0] < 0.25).all()
    assert (found.argmax(1) == 3).all()  # the nearest, as in models with a start token
    np.testing.assert_allclose(found.sum(1), 1)


def test_start_takes_what_the_first_token_draws(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    """Against eager attention of transformers."""
    prompt = render(PLURALS, "bird")
    _, attention = read_attention(Study(query="bird"), smollm2, prompt)
    assert attention is not None
    assert attention.spans == ("start", "1", "2", "3", "4", "query")
    plain = AutoModelForCausalLM.from_pretrained(smollm2_folder, attn_implementation="eager")
    with torch.no_grad():
        maps = plain(torch.tensor([smollm2.encode(prompt.text).ids]), output_attentions=True).attentions
    last = torch.stack(maps)[:, 0, :, -1].double().numpy()
    np.testing.assert_allclose(attention.pooled[:, :, 0], last[:, :, 0], atol=1e-5)
    np.testing.assert_allclose(attention.pooled.sum(2), 1, atol=1e-4)
    assert attention.pooled[:, :, 0].mean() > 0.3
    first = [t for t, span in enumerate(attention.token_spans) if span == 1]
    np.testing.assert_allclose(attention.maxima[:, :, 0], last[:, :, first].max(-1), atol=1e-5)


def test_maps_and_atlas_set_it_apart(smollm2: LanguageModel) -> None:
    prompt = render(PLURALS, "bird")
    known = tokens_of(prompt, smollm2.encode(prompt.text))
    groups = group(known)
    assert groups.names == ("start", "1", "2", "3", "4", "query")
    mean = between(smollm2, prompt.text, groups, groups).mean(())
    assert mean[-1, 0] > 0.3
    assert mean[-1, 1] < 0.1
    _, attention = read_attention(Study(query="bird"), smollm2, prompt)
    assert attention is not None
    np.testing.assert_allclose(mean[-1], attention.pooled.mean((0, 1)), atol=1e-4)
    assert label_attending(smollm2, prompt).share.mean() < 0.3


def test_a_model_with_a_start_token_is_read_as_before() -> None:
    embedded = load_model("embedded")
    prompt = render(PLURALS, "bird")
    reading, attention = read_attention(Study(query="bird"), embedded, prompt)
    assert attention is not None
    assert reading.attention is not None
    assert attention.spans == ("1", "2", "3", "4", "query")
    own = [t for t, end in enumerate(reading.ends) if 0 < end <= len("cat -> cats\n")]
    np.testing.assert_array_equal(attention.pooled[:, :, 0], reading.attention[:, :, 0][..., own].sum(-1, dtype=float))
    assert group(tokens_of(prompt, embedded.encode(prompt.text))).names[0] == "start"
