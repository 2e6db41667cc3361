"""The trained retriever and the learned policy: against plain loops, and on problems whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core import Study
from core.runtime.memo import forget
from core.selection import select
from core.selection.active import Features, follow, play
from core.selection.bm25 import relevance
from core.selection.epr import lessons
from core.selection.learning import q_learning
from core.selection.learning.bi_encoder import Lesson, train
from core.selection.learning.q_learning import Transition, learn_q
from core.statistics.distributions import entropy
from tests.selection.learning.test_splits import LABELS, label_shares
from tests.selection.pools import MANY, choice
from tests.tiny import REVIEWS, plain_logprobs, tiny

# EPR


def test_lessons_by_a_plain_loop() -> None:
    study = Study(selection="epr", pool=MANY[:9], k=2, query="a good film", shortlist=4)
    taught = lessons(study, tiny(), list(range(9)), None)
    assert len(taught) == 4
    for lesson in taught:
        x, y = MANY[lesson.query].input, MANY[lesson.query].label
        others = [j for j in range(9) if j != lesson.query]
        values = {
            j: plain_logprobs("llama", f"{MANY[j].input} -> {MANY[j].label}\n{x} ->", f" {y}").sum() for j in others
        }
        ranked = sorted(others, key=lambda j: -values[j])
        assert set(lesson.helpful) == set(ranked[:4])
        assert set(lesson.harmful) == set(ranked[-4:])


def test_only_what_bm25_finds_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.selection.epr.RETRIEVED", 6)
    study = Study(selection="epr", pool=MANY, k=2, query="a good film", shortlist=2)
    near = relevance([row.input for row in MANY], [row.input for row in MANY])
    for lesson in lessons(study, tiny(), list(range(len(MANY))), None):
        order = [j for j in np.argsort(-np.round(near[lesson.query], 6), kind="stable") if j != lesson.query]
        assert {*lesson.helpful, *lesson.harmful} == set(order[:6])


def test_a_row_is_no_lesson_for_its_own_copy() -> None:
    study = Study(selection="epr", pool=REVIEWS[:1] * 5, k=2, query="x")
    assert lessons(study, tiny(), list(range(5)), None) == []


def test_training_finds_a_rule() -> None:
    """Inputs are helped by demonstrations that share their second coordinate's sign, whatever the others, louder."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(60, 6)) * np.array([2, 1, 2, 0.3, 0.3, 0.3])
    vectors[:, 1] = np.sign(vectors[:, 1])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    side = vectors[:, 1] > 0
    taught = [
        Lesson(i, tuple(np.flatnonzero(side == side[i])), tuple(np.flatnonzero(side != side[i]))) for i in range(40)
    ]
    maps = train(vectors, vectors, taught, seed=0)
    untrained = train(vectors, vectors, [], seed=0)

    def share(found: object) -> float:
        best = [np.argsort(-found.scores(vectors[[i]], vectors))[:8] for i in range(40, 60)]  # type: ignore[attr-defined]
        return float(np.mean([side[chosen] == side[i] for i, chosen in zip(range(40, 60), best, strict=True)]))

    assert share(maps) > 0.95 > share(untrained) + 0.05
    assert maps.losses[-20:].mean() < maps.losses[:20].mean()
    again = train(vectors, vectors, taught, seed=0)
    assert (again.query == maps.query).all()


def test_untrained_maps_rank_about_as_the_cosine() -> None:
    vectors = np.random.default_rng(1).normal(size=(30, 50))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = train(vectors, vectors, [], seed=0).scores(vectors[[0]], vectors)
    assert found == pytest.approx(10 * vectors @ vectors[0], abs=1e-4)  # 50 ≤ 64: the projection is a rotation


@pytest.mark.parametrize("encoder", ["hidden", "tfidf"])
def test_epr_learns_once_for_every_query(encoder: str) -> None:
    forget()
    first = choice("epr", MANY[:12], 3, encoder=encoder)
    again = choice("epr", MANY[:12], 3, encoder=encoder, query="a bird")
    assert again.learned == first.learned
    assert first.learned.texts >= 12 * 11
    assert again.cost.texts <= 1  # the query's embedding
    assert first.scores is not None
    assert (first.scores != again.scores).any()


# Q-learning


def one_hot(n: int) -> object:
    return lambda taken: np.column_stack([np.eye(n), np.full(n, len(taken))])


def test_values_of_a_bandit() -> None:
    """One step, rewards known for each action: Q orders them, and an action nobody tried is held down."""
    rewards = [0.0, 0.5, 1.0]
    steps = [Transition((), a, r, True) for a, r in enumerate(rewards) for _ in range(10)]
    policy = learn_q(steps, one_hot(4), seed=0)  # type: ignore[arg-type]
    values = policy(one_hot(4)(()))  # type: ignore[operator]
    assert list(np.argsort(values[:3])) == [0, 1, 2]
    assert values[3] < values[2]
    assert policy.losses[-30:].mean() < policy.losses[:30].mean()


def test_the_future_counts() -> None:
    """A first action that earns nothing but opens a rewarding second one beats one that earns a little at once."""

    def features(taken: object) -> np.ndarray:
        opened = float(0 in taken)  # type: ignore[operator]
        return np.column_stack([np.eye(3), np.full(3, opened), np.full(3, len(taken)), opened * np.eye(3)[:, 2]])  # type: ignore[arg-type]

    steps = []
    for first in range(3):
        for second in range(3):
            if first != second:
                steps.append(Transition((), first, 0.2 if first == 1 else 0.0, False))
                steps.append(Transition((first,), second, 1.0 if (first, second) == (0, 2) else 0.0, True))
    policy = learn_q(steps * 4, features, seed=0)  # type: ignore[arg-type]
    start = policy(features(()))
    assert int(np.argmax(start)) == 0
    after = policy(features((0,)))
    assert int(np.argmax(np.where([False, True, True], after, -np.inf))) == 2


def test_the_network_in_numpy_is_the_one_that_was_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(q_learning, "STEPS", 3)
    describe = one_hot(3)
    policy = learn_q([Transition((), 1, 1.0, True)], describe, seed=2)  # type: ignore[arg-type]
    first, shift, second, bias = (torch.tensor(w) for w in policy.weights)
    inputs = torch.tensor((describe(()) - policy.mean) / policy.scale)  # type: ignore[operator]
    net = torch.nn.functional.linear(torch.tanh(torch.nn.functional.linear(inputs, first, shift)), second, bias)
    assert policy(describe(())) == pytest.approx(net[:, 0].numpy())  # type: ignore[operator]


def test_features_by_plain_loops() -> None:
    p = np.array([[0.7, 0.3], [0.4, 0.6], [0.5, 0.5]])
    surprise = np.array([1.0, 2.0, 3.0])
    labels = np.array([0, 1, 2])  # the last one's label is not scored
    found = Features(p, surprise, labels, k=4)([1])
    for i in range(3):
        own = [float(labels[i] == v) for v in range(2)]
        gold = p[i, labels[i]] if labels[i] < 2 else 0.0
        same = float(labels[i] == labels[1])
        assert found[i] == pytest.approx([1 / 4, same / 4, surprise[i], entropy(p[i]), gold, *own, *p[i]])


def test_rewards_are_changes_in_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every recorded reward, from texts scored alone."""
    recorded: list[Transition] = []

    def record(steps: list[Transition], *_: object) -> object:
        recorded.extend(steps)
        return lambda features: np.zeros(len(features))

    monkeypatch.setattr("core.selection.active.learn_q", record)
    monkeypatch.setattr("core.selection.active.EPISODES", 2)
    study = Study(selection="active", pool=MANY[:8], k=2, query="a good film")
    tried, held = [0, 2, 5], [1, 3, 6]

    def accuracy(places: tuple[int, ...]) -> float:
        right = 0
        for v in held:
            p = label_shares([MANY[tried[i]] for i in places], MANY[v].input)
            right += LABELS[int(np.argmax(np.round(p, 6)))] == MANY[v].label
        return right / len(held)

    picked, values, _ = play(study, tiny(), tried, held, None)
    assert len(recorded) == 4
    for step in recorded:
        assert step.reward == pytest.approx(accuracy(step.after) - accuracy(step.before))
        assert step.last == (len(step.before) == 1)
    assert picked == [0, 1]  # ties to the lowest index
    assert not values.any()


def test_following_takes_the_best_and_nothing_twice() -> None:
    features = Features(np.full((4, 2), 0.5), np.array([0.1, 0.4, 0.4, 0.2]), np.zeros(4, dtype=np.intp), k=3)
    picked, values = follow(lambda f: f[:, 2] - f[:, 0], features, 3)  # type: ignore[arg-type, return-value]
    assert picked == [1, 2, 3]
    assert values == pytest.approx([0.1 - 1.0, 0.4, 0.4 - 1 / 3, 0.2 - 2 / 3])


def test_active_selection_keeps_what_it_learned() -> None:
    forget()
    first = choice("active", MANY[:12], 3, validation=3)
    again = choice("active", MANY[:12], 3, validation=3, query="a bird")
    assert first.indices == again.indices
    assert again.cost.passes == 0
    assert again.learned == first.learned
    assert not math.isnan(first.learned.passes)
    study = Study(selection="active", pool=REVIEWS[:1] * 5, k=2, query="a good film")
    assert "nothing was learned" in select(study, tiny()).notes[0]
