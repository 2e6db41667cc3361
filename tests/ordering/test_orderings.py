"""Every ordering: properties over the registry, and an oracle each."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from core import Chosen, Demonstration, Study, load_model
from core.errors import StudyError
from core.ordering import order, orderings
from core.ordering.entropy import global_entropy, local_entropy
from core.ordering.sampled_probes import sampled_probes
from core.ordering.trials import orders_tried, probe_inputs
from core.ordering.validation import validation_score
from core.statistics.distributions import entropy
from tests.tiny import REVIEWS, plain_logprobs, rows, tiny

A = np.array([0.9, 0.6, 0.3, 0.8])
B = np.array([0.55, 0.6, 0.52, 0.58])
POOL = rows([("a film", "positive"), ("the dog", "negative"), ("the bad bird", "negative")])
TABLES: dict[str, tuple[Demonstration, ...]] = {
    "none": (),
    "one": REVIEWS[:1],
    "two": REVIEWS[:2],
    "equal": REVIEWS[:1] * 3,
    "six": REVIEWS,
}


def ordered(name: str, table: tuple[Demonstration, ...], **more: object) -> Chosen:
    study = Study.model_validate(
        {"ordering": name, "demonstrations": table, "pool": POOL, "query": "a good film", "probes": 3, **more}
        | {"labels": ("positive", "negative")}
    )
    return order(study, tiny(), Chosen("demonstrations", tuple(range(len(table)))))


@pytest.mark.parametrize("name", orderings.names())
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_permutation_that_repeats(name: str, table: tuple[Demonstration, ...]) -> None:
    result = ordered(name, table)
    assert sorted(result.indices) == list(range(len(table)))
    assert result.indices == ordered(name, table).indices


@pytest.mark.parametrize("name", ["given", "nearest-first", "globale", "locale"])
def test_ties_stay_as_given(name: str) -> None:
    assert ordered(name, TABLES["equal"]).indices == (0, 1, 2)


def test_random_orders_are_all_reached() -> None:
    seen = {ordered("random", REVIEWS[:3], ordering_seed=seed).indices for seed in range(60)}
    assert seen == set(permutations(range(3)))


def test_nearest_last_is_the_reverse_of_nearest_first() -> None:
    first, last = ordered("nearest-first", REVIEWS).indices, ordered("nearest-last", REVIEWS).indices
    assert first == last[::-1]
    vectors = tiny().embed(["a good film", *(d.input for d in REVIEWS)]).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert list(last) == list(np.argsort(vectors[1:] @ vectors[0]))


def test_entropies_of_the_worked_example() -> None:
    p = np.stack([np.stack([A, 1 - A], axis=-1), np.stack([B, 1 - B], axis=-1)])  # (2 orders, 4 probes, 2 labels)
    assert global_entropy(p) == pytest.approx([0.562335, 0.0], abs=1e-6)
    assert local_entropy(p) == pytest.approx([0.527340, 0.683447], abs=1e-6)


def test_orders_tried() -> None:
    assert orders_tried(3, 0) == list(permutations(range(3)))
    assert len(set(orders_tried(4, 0))) == 24
    many = orders_tried(5, 0)
    assert len(set(many)) == 24
    assert many[0] == (0, 1, 2, 3, 4)
    assert many == orders_tried(5, 0)
    assert many != orders_tried(5, 1)


def test_probes_are_neither_shown_nor_the_query() -> None:
    study = Study(demonstrations=REVIEWS[:2], pool=(*REVIEWS, *REVIEWS), query=REVIEWS[5].input, probes=10)
    hand = Chosen("demonstrations", (0, 1))
    assert probe_inputs(study, hand) == [d.input for d in REVIEWS[2:5]]
    few = study.model_copy(update={"probes": 2})
    assert len(probe_inputs(few, hand)) == 2
    assert set(probe_inputs(few, hand)) < set(probe_inputs(study, hand))
    alone = study.model_copy(update={"pool": ()})
    assert probe_inputs(alone, hand) == [d.input for d in REVIEWS[:2]]


def by_plain_loop(architecture: str, probes: list[str]) -> np.ndarray:
    """Each permutation of the first three, probe and label scored alone, (6, probes, 2)."""
    p = np.empty((6, len(probes), 2))
    for m, places in enumerate(permutations(range(3))):
        shown = "".join(f"{REVIEWS[i].input} -> {REVIEWS[i].label}\n" for i in places)
        for i, probe in enumerate(probes):
            totals = [
                plain_logprobs(architecture, f"{shown}{probe} ->", f" {label}").sum()
                for label in ("positive", "negative")
            ]
            p[m, i] = np.exp(totals) / np.exp(totals).sum()
    return p


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_entropy_orders_by_brute_force(architecture: str) -> None:
    study = Study(demonstrations=REVIEWS[:3], pool=REVIEWS, query="a good film")
    p = by_plain_loop(architecture, [d.input for d in REVIEWS[3:]])
    sure = by_plain_loop(architecture, ["a good film"])[:, 0]
    shares = [[np.mean(p[m].argmax(axis=1) == label) for label in (0, 1)] for m in range(6)]
    expected = {
        "globale": [-sum(s * np.log(s) for s in share if s) for share in shares],
        "locale": [np.mean([-(q * np.log(q)).sum() for q in p[m]]) for m in range(6)],
        "mdl": [(q * np.log(q)).sum() for q in sure],
    }
    for name, entropies in expected.items():
        result = order(
            study.model_copy(update={"ordering": name}), tiny(architecture), Chosen("demonstrations", (0, 1, 2))
        )
        assert result.order_scores == pytest.approx(entropies, abs=1e-5)
        best = int(np.argmax(np.round(entropies, 5)))
        assert result.indices == list(permutations(range(3)))[best]


def test_mdl_of_the_worked_example() -> None:
    """docs/methods.md §9: scores (−1.2, −.7) against (−1.0, −.95): the first is shorter."""
    codes = -np.array([[1.2, 0.7], [1.0, 0.95]])
    p = np.exp(codes) / np.exp(codes).sum(axis=1, keepdims=True)
    assert entropy(p) == pytest.approx([0.662847, 0.692835], abs=1e-6)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_best_and_worst_by_brute_force(architecture: str) -> None:
    study = Study(demonstrations=REVIEWS[:3], pool=REVIEWS, query="a good film")
    p = by_plain_loop(architecture, [d.input for d in REVIEWS[3:]])
    gold = [("positive", "negative").index(d.label) for d in REVIEWS[3:]]
    right = [np.mean([q.argmax() == y for q, y in zip(rows, gold, strict=True)]) for rows in p]
    sure = [np.mean([q[y] for q, y in zip(rows, gold, strict=True)]) for rows in p]
    ranked = sorted(range(6), key=lambda m: (right[m], sure[m]))
    for name, place in (("best", ranked[-1]), ("worst", ranked[0])):
        result = order(
            study.model_copy(update={"ordering": name}), tiny(architecture), Chosen("demonstrations", (0, 1, 2))
        )
        assert result.indices == list(permutations(range(3)))[place]
        assert result.order_scores is not None
        assert np.floor(result.order_scores * 3 + 1e-9) / 3 == pytest.approx(right)


def test_accuracy_goes_before_sureness() -> None:
    """Two of three right and hardly sure beats one of three right and certain."""
    hardly = np.array([[0.51, 0.49], [0.51, 0.49], [0.49, 0.51]])
    certain = np.array([[1.0, 0.0], [0.49, 0.51], [0.49, 0.51]])
    scores = validation_score(np.stack([hardly, certain]), np.array([0, 0, 0]))
    assert scores[0] > scores[1]


@pytest.mark.parametrize("name", ["best", "worst"])
def test_a_pool_without_labelled_inputs_says_what_to_do(name: str) -> None:
    with pytest.raises(StudyError, match="add some, or choose another ordering"):
        ordered(name, REVIEWS[:3], pool=())


def test_probes_that_the_model_writes() -> None:
    """Distinct, not the query, without separator or line end, the same again, others under another seed."""
    model, study = load_model("embedded"), Study(query="cat", ordering_seed=1)
    shown = rows([("dog", "dogs"), ("bird", "birds"), ("house", "houses"), ("river", "rivers")])
    tried = list(permutations(range(4)))[:8]
    found = sampled_probes(study, model, shown, tried)
    assert found == sampled_probes(study, model, shown, tried)
    assert len(set(found)) == len(found) > 2
    assert "cat" not in found
    assert not any("->" in text or "\n" in text for text in found)
    assert found != sampled_probes(study.model_copy(update={"ordering_seed": 2}), model, shown, tried)


def test_globale_on_probes_that_the_model_writes() -> None:
    shown = rows([("dog", "animal"), ("bird", "animal"), ("house", "object")])
    study = Study(demonstrations=shown, query="cat", ordering="globale", probe_source="model")
    chosen = order(study, load_model("embedded"), Chosen("demonstrations", (0, 1, 2)))
    assert sorted(chosen.indices) == [0, 1, 2]
    assert chosen.order_scores is not None
    assert chosen.order_scores.shape == (6,)
