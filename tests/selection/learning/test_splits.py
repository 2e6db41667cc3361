"""Perplexity, MDL and mutual information: plain loops over texts scored alone, and the worked examples."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from core import Demonstration, Study, StudyError
from core.selection import select
from core.selection.information import mutual_information
from core.selection.learning.splits import draw_sets, filled, hold_out, sample, spread
from core.statistics.distributions import entropy, softmax
from tests.selection.pools import MANY, choice, chosen
from tests.tiny import REVIEWS, plain_logprobs, tiny

LABELS = ("positive", "negative")


def label_shares(shown: list[Demonstration], query: str) -> list[float]:
    """p(y | shown, query) over the labels, each text scored alone, by transformers alone."""
    front = "".join(f"{row.input} -> {row.label}\n" for row in shown) + f"{query} ->"
    joint = [math.exp(plain_logprobs("llama", front, f" {label}").sum()) for label in LABELS]
    return [p / sum(joint) for p in joint]


def nats(p: list[float]) -> float:
    return -sum(q * math.log(q) for q in p if q)


def test_perplexity_by_a_plain_loop() -> None:
    picked = choice("perplexity", REVIEWS, 2)
    expected = [np.mean(plain_logprobs("llama", "", f"{d.input} -> {d.label}\na good film ->")) for d in REVIEWS]
    assert picked.scores == pytest.approx(expected, abs=1e-5)
    assert set(picked.indices) == set(np.argsort(expected)[-2:])
    assert picked.cost.texts == len(REVIEWS)


def test_mutual_information_of_the_worked_example() -> None:
    a, b = np.array([0.9, 0.6, 0.3, 0.8]), np.array([0.55, 0.6, 0.52, 0.58])
    p = np.stack([np.stack([a, 1 - a], axis=-1), np.stack([b, 1 - b], axis=-1)])
    assert mutual_information(p) == pytest.approx([0.120106, 0.001867], abs=1e-6)
    assert mutual_information(np.full((1, 3, 2), 0.5)) == pytest.approx([0.0])


def test_description_length_of_the_worked_example() -> None:
    p = softmax(-np.array([[1.2, 0.7], [1.0, 0.95]]))
    assert entropy(p) == pytest.approx([0.662847, 0.692835], abs=1e-6)


def test_mutual_information_by_plain_loops() -> None:
    study = Study(selection="mutual-information", pool=REVIEWS, k=2, query="a good film", selection_probes=3)
    rest, probes = hold_out(study, range(6), 3)
    assert len(rest) == len(probes) == 3
    values = {}
    for places in combinations(rest, 2):
        shares = [label_shares([REVIEWS[i] for i in places], REVIEWS[probe].input) for probe in probes]
        mean = [sum(p[v] for p in shares) / 3 for v in range(2)]
        values[places] = nats(mean) - sum(map(nats, shares)) / 3
    picked = select(study, tiny())
    assert picked.scores is not None
    for i in range(6):
        inside = [value for places, value in values.items() if i in places]
        assert picked.scores[i] == pytest.approx(max(inside) if inside else np.nan, abs=1e-6, nan_ok=True)
    assert values[picked.indices] == pytest.approx(max(values.values()), abs=1e-6)  # type: ignore[index]


def test_mdl_by_plain_loops() -> None:
    picked = choice("mdl", REVIEWS, 2, organisations=15, encoder="tfidf")
    values = {c: nats(label_shares([REVIEWS[i] for i in c], "a good film")) for c in combinations(range(6), 2)}
    assert picked.scores is not None
    assert -picked.scores == pytest.approx([min(values[c] for c in values if i in c) for i in range(6)], abs=1e-6)
    assert values[picked.indices] == pytest.approx(min(values.values()), abs=1e-6)  # type: ignore[index]
    assert picked.cost.texts == 2 * 15  # every set with every label


def test_mdl_tries_the_nearest_first() -> None:
    assert chosen("mdl", MANY, 4, organisations=1) == chosen("similarity", MANY, 4)
    near = set(chosen("similarity", MANY, 7))
    picked = choice("mdl", MANY, 3, shortlist=7)
    assert picked.scores is not None
    assert {i for i, score in enumerate(picked.scores) if np.isfinite(score)} <= near


@pytest.mark.parametrize("name", ["mdl", "mutual-information"])
def test_seeds_draw_other_sets(name: str) -> None:
    finite = {tuple(np.isfinite(choice(name, MANY, 3, organisations=3, selection_seed=s).scores)) for s in range(4)}  # type: ignore[arg-type]
    assert len(finite) > 1


@pytest.mark.parametrize("name", ["mdl", "mutual-information", "perplexity"])
def test_prompts_that_are_too_long(name: str) -> None:
    long = (*REVIEWS, Demonstration(input="film " * 330, label="positive"))
    with pytest.raises(StudyError, match="lower k, exclude long inputs"):
        choice(name, long, 3, organisations=200, selection_probes=2, encoder="tfidf")


def test_draws_of_sets() -> None:
    rng = np.random.default_rng(0)
    assert draw_sets([4, 2, 9], 2, 3, rng) == [(2, 4), (4, 9), (2, 9)]
    drawn = draw_sets(range(30), 4, 50, rng)
    assert len(set(drawn)) == 50
    assert all(len(set(c)) == 4 and list(c) == sorted(c) for c in drawn)


def test_texts_are_held_out_whole() -> None:
    pool = (*MANY, *MANY[::-1])
    study = Study(pool=pool, selection_seed=3)
    free = list(range(len(pool)))
    rest, held = hold_out(study, free, 10)
    assert len(held) == 10
    assert {pool[i].input for i in held}.isdisjoint(pool[i].input for i in rest)
    assert len(rest) == 2 * (len(MANY) - 10)
    turned = study.model_copy(update={"pool": pool[::-1]})
    assert {pool[::-1][i].input for i in hold_out(turned, free, 10)[1]} == {pool[i].input for i in held}
    assert hold_out(study, [0], 10) == ([0], [])
    assert len(hold_out(study, free[:5], 10)[1]) == 2


def test_small_tools() -> None:
    assert filled([3, 3, 1], [0, 1, 2, 3], 3) == [3, 1, 0]
    assert sample(Study(), [5, 6], 2) == [5, 6]
    assert len(sample(Study(), range(9), 4)) == 4
    study = Study(pool=REVIEWS)
    assert spread(study, [(0, 1), (1, 2)], np.array([2.0, 1.0])) == pytest.approx([2, 2, 1, *[np.nan] * 3], nan_ok=True)
