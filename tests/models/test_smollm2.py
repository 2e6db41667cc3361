"""A real pretrained model: its scores are those of a plain loop over transformers in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from core.models import LanguageModel
from tests.models import plain

PLURALS = "dog -> dogs\nbox -> boxes\nchild ->"
REVIEWS = "Review: a very good film\nSentiment: positive\n\nReview: dull and far too long\nSentiment:"
PAIRS = [
    (PLURALS, " children"),
    (PLURALS, " childs"),
    (PLURALS, " child, of which there are two"),
    (REVIEWS, " negative"),
    (REVIEWS, " positive"),
    ("La capitale de la France est", " Paris."),
]


def test_scores_are_a_plain_loops(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    """Together and one by one, token by token."""
    expected = [plain.score(smollm2_folder, *pair, torch.float64) for pair in PAIRS]
    for found in (smollm2.score(PAIRS), [smollm2.score([pair])[0] for pair in PAIRS]):
        for one, logs in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.logprobs, logs, rtol=0, atol=1e-4)


def test_it_knows_what_a_real_model_knows(smollm2: LanguageModel) -> None:
    """So that a checkpoint written wrong would show, whatever the plain loop makes of it."""
    children, childs, *_ = (one.logprobs.sum() for one in smollm2.score(PAIRS))
    assert children > childs
    assert smollm2.packable, smollm2.why_not_packable
