"""Scorers against plain loops: one text, one forward pass, transformers alone."""

from __future__ import annotations

import numpy as np
import pytest

from core import Answer, Study
from core.scoring import posterior_of_means, scorers
from core.scoring.direct import mass_outside, normalise
from core.scoring.together import score
from tests.tiny import ARCHITECTURES, REVIEWS, plain_logprobs, tiny

LABELS = ("positive", "negative", "good", "posit", "a very long label, of many tokens")
FORWARD = "".join(f"{d.input} -> {d.label}\n" for d in REVIEWS[:4])
CHANNEL = "".join(f"{d.label} <- {d.input}\n" for d in REVIEWS[:4])
QUERY = "the plot of the film"


def answered(architecture: str, **more: object) -> Answer:
    study = Study.model_validate({"query": QUERY, **more})
    return score(study, tiny(architecture), REVIEWS[:4], LABELS)


@pytest.mark.parametrize("name", scorers.names())
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_distribution_that_ranks_as_its_scores_do(name: str, architecture: str) -> None:
    answer = answered(architecture, scoring=name)
    assert answer.labels == LABELS
    assert answer.probabilities.sum() == pytest.approx(1)
    assert list(np.argsort(-answer.probabilities)) == list(np.argsort(-answer.scores))
    assert answer.best == LABELS[int(np.argmax(answer.scores))]
    assert [text.text for text in answer.scored if not text.tokens] == []
    assert all(text.logprobs.shape == (len(text.tokens),) for text in answer.scored)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("how", ["sum", "token", "character", "byte"])
def test_direct(architecture: str, how: str) -> None:
    answer = answered(architecture, normalisation=how)
    logs = [plain_logprobs(architecture, FORWARD + QUERY + " ->", " " + label) for label in LABELS]
    lengths = {
        "sum": [1] * len(LABELS),
        "token": [len(x) for x in logs],
        "character": [len(label) for label in LABELS],
        "byte": [len(label.encode()) for label in LABELS],
    }[how]
    expected = np.array([x.sum() for x in logs]) / lengths
    assert answer.scores == pytest.approx(expected, abs=1e-4)
    assert answer.probabilities == pytest.approx(np.exp(expected) / np.exp(expected).sum(), abs=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_perplexity(architecture: str) -> None:
    answer = answered(architecture, scoring="perplexity")
    perplexities = [
        np.exp(-plain_logprobs(architecture, "", FORWARD + QUERY + " -> " + label).mean()) for label in LABELS
    ]
    assert np.exp(-answer.scores) == pytest.approx(perplexities, rel=1e-4)
    assert answer.best == LABELS[int(np.argmin(perplexities))]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_channel(architecture: str) -> None:
    answer = answered(architecture, scoring="channel")
    logs = [plain_logprobs(architecture, CHANNEL + label + " <-", " " + QUERY) for label in LABELS]
    assert answer.scores == pytest.approx([x.mean() for x in logs], abs=1e-4)
    sums = np.array([x.sum() for x in logs])
    bayes = np.exp(sums - sums.max())
    assert answer.probabilities == pytest.approx(bayes / bayes.sum(), abs=1e-3)


def test_perplexity_of_labels_of_one_length_is_direct() -> None:
    study = Study(query=QUERY)
    lengths = {
        label: len(text.tokens)
        for label in ("positive", "negative", "good", "bad", "film", "plot", "dog", "cat")
        for text in score(study, tiny(), (), (label,)).scored
    }
    same = [label for label in lengths if lengths[label] == lengths["good"]]
    assert len(same) > 1
    direct = score(study, tiny(), REVIEWS[:2], same)
    perplexity = score(study.model_copy(update={"scoring": "perplexity"}), tiny(), REVIEWS[:2], same)
    assert perplexity.probabilities == pytest.approx(direct.probabilities, abs=1e-5)


def test_normalisation_of_the_worked_example() -> None:
    scores = {how: [normalise(-4, 1, "Yes", how), normalise(-6, 1, "Positive", how)] for how in ("sum", "character")}  # type: ignore[arg-type]
    assert np.argmax(scores["sum"]) == 0
    assert np.argmax(scores["character"]) == 1
    assert normalise(-6, 2, "é", "byte") == -3
    assert normalise(-6, 2, "é", "character") == -6
    assert normalise(-6, 3, "é", "token") == -2


def test_mass_outside_counts_a_continued_label_once() -> None:
    logs = np.log([0.5, 0.2, 0.1])
    assert mass_outside(logs, [("pos",), ("pos", "itive"), ("neg",)]) == pytest.approx(0.4)
    assert mass_outside(logs, [("a",), ("b",), ("c",)]) == pytest.approx(0.2)


def test_mass_outside_by_the_whole_vocabulary() -> None:
    """With every one-token answer a candidate, what is outside is what no candidate says."""
    answer = answered("llama")
    logs = [plain_logprobs("llama", FORWARD + QUERY + " ->", " " + label) for label in LABELS]
    tokens = [text.tokens for text in answer.scored]
    whole = [
        np.exp(x.sum())
        for x, own in zip(logs, tokens, strict=True)
        if not any(own[: len(t)] == t for t in tokens if len(t) < len(own))
    ]
    assert answer.outside == pytest.approx(1 - sum(whole), abs=1e-5)


def test_means_of_one_length_are_joint_probabilities() -> None:
    means = np.array([-1.0, -2.0])
    assert posterior_of_means(means, np.array([3.0, 3.0])) == pytest.approx(
        np.exp([-3, -6]) / np.exp([-3.0, -6.0]).sum()
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("premise", ["", "The label is"])
def test_pmi(architecture: str, premise: str) -> None:
    answer = answered(architecture, scoring="pmi", premise=premise)
    after = [plain_logprobs(architecture, FORWARD + QUERY + " ->", " " + label).sum() for label in LABELS]
    bare = [plain_logprobs(architecture, premise or "->", " " + label).sum() for label in LABELS]
    assert answer.scores == pytest.approx(np.array(after) - np.array(bare), abs=2e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_channel_with_the_labels_shown(architecture: str) -> None:
    """Bayes's rule with P(y) as frequent as shown, one added to each label."""
    even = answered(architecture, scoring="channel")
    shown = answered(architecture, scoring="channel", label_prior="shown")
    prior = np.array([1 + sum(row.label == label for row in REVIEWS[:4]) for label in LABELS])
    expected = even.probabilities * prior
    assert shown.probabilities == pytest.approx(expected / expected.sum(), rel=1e-6)
