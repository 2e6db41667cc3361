"""Every scorer with every calibration on real pretrained models, against the formulas over a plain loop in float64.

SmolLM2 is in the suite, in float32, bfloat16 and float16; Gemma 3, whose texts begin with a start token, takes minutes:
ICLENS_SLOW=1 asks for it, in float32 and bfloat16 (float16 cannot hold what its layer 8 writes, and is refused).

In float32 everything is equal within 1e-4. In a 16-bit format three things hold, with the drift that loading measured
(`core.models.drift`) and no limit of ours:

- every token that was asked for lies within `most_nats` of float64, and all of them within `nats` on average;
- the answer is the formula of these very tokens: rounding ends where the model's numbers do;
- so a score moves by no more than (Σ over its tokens of |∂s/∂ log p|) · `most_nats`: a sum of m tokens by m times that,
  a mean by once, a difference of sums by both of theirs. A calibration adds up the drift of several scores. log r moves
  by b(y); the log of the mean of r over the inputs by c(y), the largest b(y) among them, as the log of a mean moves by
  no more than the logarithms that go into it; its normalising by max c once more: together b(y) + c(y) + max c. Where r
  is a probability over the candidates, log r is a log-softmax, which moves by a(y) + max a where what goes in moves by
  a(y). A probability lies between those where its own score has moved one way and all others the other way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core import Demonstration, Study, load_model
from core.errors import ModelError
from core.models import LanguageModel
from core.models.packing import Limits
from core.models.reading import Pair, Scored
from core.runtime.progress import Stop
from core.scoring import scorers
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
CHANNEL = "dogs <- dog\nboxes <- box\n"
ANIMALS = ("cat", "cow", "hen", "pig", "ant", "bee", "bat", "owl", "rat", "fox", "hare", "deer", "bear", "duck")
ANIMALS += ("goat", "frog")
LENGTHS = ("sum", "token", "character", "byte")
CALIBRATED = [entry.name for entry in calibrations if entry.name != "none"]
REAL = [("SmolLM2", form) for form in ("float32", "bfloat16", "float16")]
REAL += [("Gemma 3", form) for form in ("float32", "bfloat16")]


@dataclass
class Heard:
    """A model that remembers every token it was asked about, and answers each pair once."""

    model: LanguageModel
    known: dict[Pair, Scored]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def score(self, pairs: Sequence[Pair], *, stop: Stop | None = None) -> list[Scored]:
        new = list(dict.fromkeys(pair for pair in pairs if pair not in self.known))
        self.known.update(zip(new, self.model.score(new, stop=stop), strict=True))
        return [self.known[pair] for pair in pairs]

    def logs(self, context: str, continuation: str) -> Floats:
        return np.asarray(self.known[context, continuation].logprobs)


@dataclass(frozen=True)
class Real:
    """A real model, what it said, and what transformers alone says of the same in float64."""

    name: str
    heard: Heard
    logs: Logs

    @property
    def model(self) -> Any:
        return self.heard


@dataclass(frozen=True)
class Right:
    """What a formula gives.

    Attributes:
        scores, moves: (L,), and by how many tokens' drift each may move.
        log_raw, raw_moves: (L,) what a calibration averages, and the same of that.
        sharpness: probabilities are softmax(sharpness · scores).
    """

    scores: Floats
    moves: Floats
    log_raw: Floats
    raw_moves: Floats
    sharpness: float = 1.0


@pytest.fixture(scope="module", params=REAL, ids=[" ".join(one) for one in REAL])
def real(request: pytest.FixtureRequest) -> Real:
    name, form = request.param
    if name == "SmolLM2":
        folder = request.getfixturevalue("smollm2_folder")
        model = request.getfixturevalue("smollm2") if form == "float32" else load_model(str(folder), dtype=form)
    elif os.environ.get("ICLENS_SLOW"):
        folder = real_models.gemma3_folder()
        model = load_model(str(folder), dtype=form)
    else:
        pytest.skip("takes minutes: set ICLENS_SLOW=1, after bin/setup benchmarks")
    assert model.packable, model.why_not_packable
    assert model._abilities.cacheable
    return Real(name, Heard(model, {}), lambda context, continuation: _plain(folder, context, continuation))


@lru_cache(maxsize=1024)
def _read(folder: Path, text: str) -> Any:
    return plain.whole(folder, text, torch.float64)


def _plain(folder: Path, context: str, continuation: str) -> Floats:
    ends, logs = _read(folder, context + continuation)
    return np.asarray(logs[np.array(ends) > len(context)])


def softmax(scores: Any) -> Floats:
    powers = np.exp(np.asarray(scores) - np.max(scores))
    return np.asarray(powers / powers.sum())


def log_sum(rows: Any) -> Any:
    """log Σ exp over the first axis."""
    return np.log(np.sum(np.exp(rows - np.max(rows)), axis=0)) + np.max(rows)


def shared_logs(logs: Logs, query: str, labels: Sequence[str]) -> list[Floats]:
    return [logs(f"{FORWARD}{query} ->", f" {label}") for label in labels]


def direct(logs: Logs, query: str, labels: Sequence[str], normalisation: str = "sum", **_: Any) -> Right:
    """Σ log p of the label, or its mean per token, character or byte; a calibration averages exp of the sum."""
    found = shared_logs(logs, query, labels)
    tokens = np.array([len(one) for one in found], dtype=float)
    sizes = {"sum": 1.0, "token": tokens, "character": np.array([len(y) for y in labels], dtype=float)}
    lengths = sizes.get(normalisation, np.array([len(y.encode()) for y in labels], dtype=float))
    scores, moves = np.array([one.sum() for one in found]) / lengths, tokens / lengths
    return Right(scores, moves, scores, moves) if normalisation == "sum" else over_candidates(scores, moves)


def perplexity(logs: Logs, query: str, labels: Sequence[str], **_: Any) -> Right:
    """The mean log p of every token of the whole text that has one before it."""
    return means([logs("", f"{FORWARD}{query} -> {label}") for label in labels])


def channel(logs: Logs, query: str, labels: Sequence[str], label_prior: str = "even", **_: Any) -> Right:
    """The mean log p of the query's tokens after the label, plus the log of the label's share over their number."""
    found = [logs(f"{CHANNEL}{label} <-", f" {query}") for label in labels]
    shares = np.full(len(labels), 1 / len(labels))  # none of the labels is shown: Laplace leaves them even
    return means(found, np.log(shares) / np.mean([len(one) for one in found]) if label_prior == "shown" else 0.0)


def pmi(logs: Logs, query: str, labels: Sequence[str], **_: Any) -> Right:
    """Σ log p of the label after the prompt, less that after the label's prefix alone."""
    found, bare = shared_logs(logs, query, labels), [logs("->", f" {label}") for label in labels]
    scores = np.array([a.sum() - b.sum() for a, b in zip(found, bare, strict=True)])
    return over_candidates(scores, np.array([len(a) + len(b) for a, b in zip(found, bare, strict=True)], dtype=float))


def means(found: Sequence[Floats], added: Any = 0.0) -> Right:
    """Means over the tokens of a text, sharpened by their mean number."""
    scores = np.array([one.mean() for one in found]) + added
    return over_candidates(scores, np.ones(len(found)), float(np.mean([len(one) for one in found])))


def over_candidates(scores: Floats, moves: Floats, sharpness: float = 1.0) -> Right:
    """A calibration averages the probability over the candidates: exp of a log-softmax."""
    sharp = sharpness * scores
    return Right(scores, moves, sharp - log_sum(sharp), sharpness * (moves + moves.max()), sharpness)


def calibrated(right: Right, inputs: Sequence[Right]) -> Right:
    """log r − log p_cf, p_cf ∝ the mean of r over the inputs that decide nothing."""
    mean = log_sum(np.array([one.log_raw for one in inputs])) - np.log(len(inputs))
    of_mean = np.max([one.raw_moves for one in inputs], axis=0)
    scores = right.log_raw - (mean - log_sum(mean))
    moves = right.raw_moves + of_mean + of_mean.max()
    return Right(scores, moves, scores, moves)


FORMULAS: dict[str, Callable[..., Right]] = {
    "direct": direct,
    "perplexity": perplexity,
    "channel": channel,
    "pmi": pmi,
}
WAYS: list[tuple[str, dict[str, str]]] = [
    *(("direct", {"normalisation": how}) for how in LENGTHS),
    *(("channel", {"label_prior": prior}) for prior in ("even", "shown")),
    *((entry.name, {}) for entry in scorers if entry.name not in ("direct", "channel")),
]


def bounds(right: Right, most: float) -> tuple[Floats, Floats]:
    """The least and the most that each probability can be, where every token's log p moves by `most` or less."""
    scores, reach = right.sharpness * right.scores, right.sharpness * right.moves * most
    moved = [scores - sign * reach for sign in (1, -1)]  # all of them down, all of them up
    ends = []
    for own, other in (moved, moved[::-1]):
        rows = np.where(np.eye(len(scores), dtype=bool), own, other)  # a row a label: it one way, the others another
        ends.append(np.array([softmax(row)[i] for i, row in enumerate(rows)]))
    return ends[0], ends[1]


def held(real: Real, answer: Any, ours: Right, exact: Right) -> None:
    """An answer against the formula of what the model said, and against the formula in float64."""
    np.testing.assert_allclose(answer.scores, ours.scores, rtol=0, atol=1e-9)
    np.testing.assert_allclose(answer.probabilities, softmax(ours.sharpness * ours.scores), rtol=0, atol=1e-9)
    drift = real.model.drift
    if drift is None:
        np.testing.assert_allclose(answer.scores, exact.scores, rtol=0, atol=1e-4)
        np.testing.assert_allclose(answer.probabilities, softmax(exact.sharpness * exact.scores), rtol=0, atol=1e-4)
        return
    assert (np.abs(answer.scores - exact.scores) <= exact.moves * drift.most_nats).all()
    low, high = bounds(exact, drift.most_nats)
    assert ((low <= answer.probabilities) & (answer.probabilities <= high)).all()


def settings_id(value: Any) -> str:
    return value if isinstance(value, str) else "-".join(value.values()) or "plain"


@pytest.mark.parametrize("calibration", ["none", *CALIBRATED])
@pytest.mark.parametrize(("scorer", "settings"), WAYS, ids=settings_id)
def test_every_scorer_with_every_calibration(
    scorer: str, settings: dict[str, str], calibration: str, real: Real
) -> None:
    if scorer not in FORMULAS:
        pytest.skip(f"no formula of {scorer} stands here")
    labels = LABELS if calibration != "domain-context" else LABELS[:2]  # for which there are twenty inputs
    study = STUDY.model_copy(update={"scoring": scorer, "calibration": calibration, "labels": labels, **settings})
    answer = score(study, real.model, SHOWN, labels)
    inputs = calibrations.find(calibration).function(study, SHOWN)
    ours, exact = (
        [FORMULAS[scorer](logs, text, labels, **settings) for text in ("child", *inputs)]
        for logs in (real.heard.logs, real.logs)
    )
    held(real, answer, *(calibrated(one[0], one[1:]) if inputs else one[0] for one in (ours, exact)))


def test_four_capitals_of_which_one_is_common(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    """Contextual, without a demonstration: 1e-12 added to p_cf, which is as small, gave .949 .002 .049 .000."""
    labels = ("Kabul", "Andorra la Vella", "Ouagadougou", "Tegucigalpa")
    study = Study(query="Afghanistan", labels=labels, calibration="contextual")
    rows = np.array(
        [
            [_plain(smollm2_folder, f"{text} ->", f" {label}").sum() for label in labels]
            for text in ("Afghanistan", *calibrations.find("contextual").function(study, ()))
        ]
    )
    right = softmax(rows[0] - log_sum(rows[1:]))
    np.testing.assert_allclose(right, [0.831, 0.003, 0.166, 0.001], atol=5e-4)
    np.testing.assert_allclose(score(study, smollm2, (), labels).probabilities, right, atol=1e-4)


def test_outside_the_candidates(real: Real) -> None:
    """1 − Σ p: a p whose logarithm moves by r or less moves by p (eʳ − 1) or less."""
    answer = score(STUDY, real.model, SHOWN, LABELS)
    right = direct(real.logs, "child", LABELS)
    shares, drift = np.exp(right.scores), real.model.drift
    reach = 1e-4 if drift is None else float((shares * np.expm1(right.moves * drift.most_nats)).sum())
    assert answer.outside == pytest.approx(1 - shares.sum(), abs=reach)


def test_together_and_alone_in_small_and_large_batches(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 questions in one call, in batches of one text, and each by itself: all alike, and all as in float64."""
    model, drift = real.heard.model, real.heard.model.drift
    queries = [f"{size} {word}" for size in ("old", "new", "big", "red") for word in ANIMALS]
    assert len(queries) == 64
    labels = LABELS[:2]
    studies = [STUDY.model_copy(update={"query": query, "labels": labels}) for query in queries]
    together = score_together([(study, SHOWN, labels) for study in studies], model)
    few = studies[::16]
    alone = [score(study, model, SHOWN, labels) for study in few]
    with monkeypatch.context() as patch:
        patch.setattr(model, "packable", False)
        patch.setattr(model, "limits", Limits(tokens=1, shortest_trunk=10**6))
        one_each = score_together([(study, SHOWN, labels) for study in few], model)
    exact = [direct(real.logs, study.query, labels) for study in few]
    for found in (together[::16], alone, one_each):
        for answer, right, other in zip(found, exact, together[::16], strict=True):
            reach = 1e-4 if drift is None else right.moves * drift.most_nats
            assert (np.abs(answer.scores - right.scores) <= reach).all()
            assert (np.abs(answer.scores - other.scores) <= reach).all()
            share = 1e-4 if drift is None else drift.most_share
            assert np.abs(answer.probabilities - softmax(right.scores)).max() <= share


def test_every_token_lies_within_the_drift(real: Real) -> None:
    """Of all that the scorers and calibrations ask for."""
    drift = real.heard.model.drift
    if drift is None:
        pytest.skip("float32 has no drift")
    for scorer in FORMULAS:
        for entry in calibrations:
            score(
                STUDY.model_copy(update={"scoring": scorer, "calibration": entry.name}), real.model, SHOWN, LABELS[:2]
            )
    asked = real.heard.known
    moved = np.concatenate([np.abs(one.logprobs - real.logs(*pair)) for pair, one in asked.items()])
    assert len(moved) > 300
    assert 0 < moved.max() <= drift.most_nats
    assert moved.mean() <= drift.nats
    assert drift.exact
    assert 0 < drift.nats < drift.most_nats
    assert 0 < drift.share < drift.most_share < 1
    if real.name == "SmolLM2":
        assert drift.most_nats < 1.0
        assert drift.most_share < 0.25


def test_scores_stand_on_no_grid(real: Real) -> None:
    """A 16-bit output layer gives logits in steps of 1/8 or 1/64: different queries then get the same probability."""
    model = real.heard.model
    answers = score_together(
        [(STUDY.model_copy(update={"query": x}), SHOWN, ("dogs", "boxes")) for x in ANIMALS], model
    )
    p = np.array([answer.probabilities[0] for answer in answers])
    assert len(np.unique(p.round(6))) == len(ANIMALS)
    with model.module() as module, torch.inference_mode():
        logits = module(torch.tensor([model.encode(f"{FORWARD}child ->").ids]), logits_to_keep=1).logits
    assert logits.dtype == torch.float32
    for step in (2.0**-4, 2.0**-6, 2.0**-8):
        assert (logits / step != (logits / step).round()).float().mean() > 0.9


def test_what_was_worked_out_in_one_format_is_not_taken_for_another(real: Real, smollm2: LanguageModel) -> None:
    assert len(real.heard.model.fingerprint) == 12
    assert (real.heard.model.fingerprint != smollm2.fingerprint) == (real.heard.model is not smollm2)


@pytest.mark.skipif(not os.environ.get("ICLENS_SLOW"), reason="needs Gemma 3: set ICLENS_SLOW=1")
def test_gemma_3_is_refused_in_float16() -> None:
    """What its layer 8 writes is larger than the largest float16."""
    with pytest.raises(ModelError, match="gives no numbers in float16"):
        load_model(str(real_models.gemma3_folder()), dtype="float16")
