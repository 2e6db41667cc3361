"""Every scorer and calibration on real pretrained models, against the formulas over a plain loop in float64.

SmolLM2 is in the suite; Gemma 3, whose texts begin with a start token, takes minutes: ICLENS_SLOW=1 asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core import Demonstration, Study, load_model
from core.models import LanguageModel
from core.models.packing import Limits
from core.scoring.calibration import calibrations
from core.scoring.together import score, score_together
from tests import real_models
from tests.models import plain

Floats = NDArray[np.float64]
Logs = Callable[[str, str], Floats]

SHOWN = (Demonstration(input="dog", label="dogs"), Demonstration(input="box", label="boxes"))
LONG = "more than one of them, as many as there are in the whole town"
LABELS = ("children", "childs", LONG)
POOL = tuple(Demonstration(input=x, label="some") for x in ("bird", "wolf", "old house"))
STUDY = Study(query="child", demonstrations=SHOWN, pool=POOL, labels=LABELS, k=2)
FORWARD = "dog -> dogs\nbox -> boxes\n"
ANIMALS = [
    "cat",
    "cow",
    "hen",
    "pig",
    "ant",
    "bee",
    "bat",
    "owl",
    "rat",
    "fox",
    "hare",
    "deer",
    "bear",
    "duck",
    "goat",
    "frog",
]
CHANNEL = "dogs <- dog\nboxes <- box\n"


@pytest.fixture(scope="module", params=["SmolLM2", "Gemma 3"])
def real(request: pytest.FixtureRequest) -> tuple[LanguageModel, Logs]:
    """A real model, and log p of each token of a continuation by transformers alone, in float64."""
    if request.param == "SmolLM2":
        model, folder = request.getfixturevalue("smollm2"), request.getfixturevalue("smollm2_folder")
    elif os.environ.get("ICLENS_SLOW"):
        folder = real_models.gemma3_folder()
        model = load_model(str(folder))
    else:
        pytest.skip("takes minutes: set ICLENS_SLOW=1, after bin/setup benchmarks")
    return model, lru_cache(lambda context, continuation: _plain(folder, context, continuation))


def _plain(folder: Path, context: str, continuation: str) -> Floats:
    return plain.score(folder, context, continuation, torch.float64)


def softmax(scores: Any) -> Floats:
    powers = np.exp(np.asarray(scores) - np.max(scores))
    return np.asarray(powers / powers.sum())


def asked(model: LanguageModel, **settings: Any) -> Any:
    return score(STUDY.model_copy(update=settings), model, SHOWN, settings.get("labels", LABELS))


def direct(logs: Logs, query: str, labels: tuple[str, ...] = LABELS) -> Floats:
    return np.array([logs(f"{FORWARD}{query} ->", f" {label}").sum() for label in labels])


def test_direct_by_every_length(real: tuple[LanguageModel, Logs]) -> None:
    model, logs = real
    sums = direct(logs, "child")
    tokens = [len(logs(f"{FORWARD}child ->", f" {label}")) for label in LABELS]
    sizes = {"sum": [1, 1, 1], "token": tokens, "character": [*map(len, LABELS)], "byte": [*map(len, LABELS)]}
    for how, lengths in sizes.items():
        answer = asked(model, normalisation=how)
        np.testing.assert_allclose(answer.scores, sums / np.array(lengths), rtol=0, atol=1e-4, err_msg=how)
        np.testing.assert_allclose(answer.probabilities, softmax(sums / np.array(lengths)), atol=1e-4)
    assert answer.outside == pytest.approx(1 - np.exp(sums).sum(), abs=1e-4)


def test_perplexity(real: tuple[LanguageModel, Logs]) -> None:
    """The mean log p of every token of the whole text that has one before it."""
    model, logs = real
    whole = [logs("", f"{FORWARD}child -> {label}") for label in LABELS]
    means = np.array([one.mean() for one in whole])
    answer = asked(model, scoring="perplexity")
    np.testing.assert_allclose(answer.scores, means, rtol=0, atol=1e-4)
    np.testing.assert_allclose(answer.probabilities, softmax(means * np.mean([len(one) for one in whole])), atol=1e-4)


def test_channel(real: tuple[LanguageModel, Logs]) -> None:
    model, logs = real
    after = [logs(f"{CHANNEL}{label} <-", " child") for label in LABELS]
    answer = asked(model, scoring="channel")
    np.testing.assert_allclose(answer.scores, [one.mean() for one in after], rtol=0, atol=1e-4)
    np.testing.assert_allclose(answer.probabilities, softmax([one.sum() for one in after]), atol=1e-4)


def test_pmi(real: tuple[LanguageModel, Logs]) -> None:
    model, logs = real
    premise = np.array([logs("->", f" {label}").sum() for label in LABELS])
    scores = direct(logs, "child") - premise
    answer = asked(model, scoring="pmi")
    np.testing.assert_allclose(answer.scores, scores, rtol=0, atol=1e-4)
    np.testing.assert_allclose(answer.probabilities, softmax(scores), atol=1e-4)


@pytest.mark.parametrize("calibration", [entry.name for entry in calibrations if entry.name != "none"])
def test_calibration(calibration: str, real: tuple[LanguageModel, Logs]) -> None:
    """q ∝ p / p_cf, p_cf the mean raw probability over the inputs that decide nothing."""
    model, logs = real
    labels = LABELS if calibration != "domain-context" else LABELS[:2]  # for which there are twenty inputs
    study = STUDY.model_copy(update={"calibration": calibration, "labels": labels})
    inputs = calibrations.find(calibration).function(study, SHOWN)
    rows = np.array([direct(logs, text, labels) for text in inputs])
    log_mean = np.log(np.mean(np.exp(rows - rows.max()), axis=0)) + rows.max()
    scores = direct(logs, "child", labels) - log_mean
    answer = score(study, model, SHOWN, labels)
    np.testing.assert_allclose(answer.probabilities, softmax(scores), rtol=0, atol=1e-4)


def test_together_and_alone_in_small_and_large_batches(
    real: tuple[LanguageModel, Logs], monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 questions in one call, in batches of one text, and each by itself."""
    model, logs = real
    queries = [f"{size} {word}" for size in ("old", "new", "big", "red") for word in ANIMALS]
    assert len(queries) == 64
    labels = LABELS[:2]
    studies = [STUDY.model_copy(update={"query": query, "labels": labels}) for query in queries]
    together = [one.scores for one in score_together([(study, SHOWN, labels) for study in studies], model)]
    few = studies[::16]
    alone = [score(study, model, SHOWN, labels).scores for study in few]
    with monkeypatch.context() as patch:
        patch.setattr(model, "packable", False)
        patch.setattr(model, "limits", Limits(tokens=1, shortest_trunk=10**6))
        one_each = [one.scores for one in score_together([(study, SHOWN, labels) for study in few], model)]
    exact = [direct(logs, study.query, labels) for study in few]
    for found in (together[::16], alone, one_each):
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-4)
