"""Demonstrations chosen one after another by a policy that was learned offline (active selection by RL)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop, part
from core.scoring.direct import label_probabilities
from core.scoring.labels import task_labels
from core.selection import Picked, Selected, candidates, selections
from core.selection.learning.q_learning import QNetwork, Transition, learn_q
from core.selection.learning.splits import ROUNDS, filled, hold_out, learn_once, sample
from core.statistics.distributions import entropy
from core.study.prompts import render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
EPISODES = 32


@selections.register(
    "active",
    title="Active (Q-learning)",
    help="one after another by a policy learned from random prompts and how well each step answered held-out inputs",
    reads=("pool", "k", "shortlist", "validation", "selection_seed"),
    place=53,
    slow=True,
    scores="Q(s, a): change in held-out accuracy that the learned policy expects of taking the row, now and after it; "
    "for a chosen one when it was taken, for another in the next place",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """a_t = argmax_a Q(s_t, a), k times (Zhang et al. 2022). Ties to the lowest index.

    The state s_t is the demonstrations chosen so far, an action the next one; the reward is the change in accuracy on
    a validation split of `study.validation` inputs (at most half of the pool, no candidates themselves). Q is learned
    offline by conservative Q-learning (`core.selection.learning.q_learning`) from 32 episodes of random choices among
    `study.shortlist` rows; features of an action are in `Features`. The paper lets the policy end a prompt early;
    here k is given. The score of a chosen one is its Q when it was chosen, of another its Q for the next place. What is
    learned does not depend on the query, and is kept.

    Raises:
        StudyError: a prompt is longer than the model's context, or there are no labels.
    """
    free = candidates(study)
    if len(free) <= study.k or not study.k:
        return free[: study.k], None
    rest, held = hold_out(study, free, study.validation)
    tried = sample(study, rest, max(study.shortlist, study.k))
    fields = ("k", "shortlist", "validation", "selection_seed")
    played = learn_once(study, model, free, fields, lambda: play(study, model, tried, held, stop), stop)
    picked, values, told = played
    scores = np.full(len(study.pool), np.nan)
    scores[tried] = values
    notes: tuple[str, ...] = ()
    if not told:
        notes = ("No random prompt answered held-out inputs better or worse than none, so nothing was learned.",)
    return Picked(filled([tried[i] for i in picked], free, study.k), scores, notes)


class Features:
    """φ(s, a): share of the prompt that is filled; of the action its perplexity, entropy, p(gold), label and p(label);
    and how many of its label have been chosen.

    Label probabilities and perplexity are the model's without demonstrations, so that a policy costs no pass to follow.

    Args:
        p: (n, L) zero-shot label distributions of the candidates.
        surprise: (n,) −(1/T) Σ log p of each demonstration alone, nats per token.
        labels: (n,) place of each one's label.
        k: demonstrations in a full prompt.
    """

    def __init__(self, p: Floats, surprise: Floats, labels: NDArray[np.intp], k: int) -> None:
        n, width = p.shape
        self._k, self._labels = k, labels
        own = np.eye(width + 1)[labels][:, :width]  # no column for a label that is not scored
        gold = (p * own).sum(axis=1)
        self._fixed = np.column_stack([surprise, entropy(p), gold, own, p])
        self._same = (labels[:, None] == labels[None, :]).astype(np.float64)
        self.count = n

    def __call__(self, taken: Sequence[int]) -> Floats:
        """(n, F) of every action once these have been taken."""
        filled_share = np.full(self.count, len(taken) / self._k)
        same = self._same[:, list(taken)].sum(axis=1) / self._k
        return np.column_stack([filled_share, same, self._fixed])


def play(
    study: Study, model: LanguageModel, tried: list[int], held: list[int], stop: Stop | None
) -> tuple[list[int], Floats, bool]:
    """Learn a policy and follow it.

    Returns:
        At most k places in `tried` in the order chosen, their (n,) scores, and whether any episode had a reward.
    """
    labels = task_labels(study, [study.pool[i] for i in held])
    held = [i for i in held if study.pool[i].label in labels]
    k = min(study.k, len(tried))
    if not held or len(labels) < 2:
        return list(range(k)), np.zeros(len(tried)), False
    rng = np.random.default_rng([study.selection_seed, ROUNDS])
    episodes = [tuple(int(i) for i in rng.permutation(len(tried))[:k]) for _ in range(EPISODES)]
    prefixes = list(dict.fromkeys(e[:t] for e in episodes for t in range(k + 1)))
    asked = [([study.pool[tried[i]] for i in shown], study.pool[v].input) for shown in prefixes for v in held]
    count = len(asked)
    asked += [([], study.pool[i].input) for i in tried]
    with part(0.0, 0.7):
        p = np.round(label_probabilities(study, model, asked, labels, stop), 6)  # a batch moves the last digits
    answers = p[:count].reshape(len(prefixes), len(held), len(labels)).argmax(axis=2)
    right = answers == np.array([labels.index(study.pool[v].label) for v in held])
    accuracy = dict(zip(prefixes, right.mean(axis=1).tolist(), strict=True))
    steps = [
        Transition(e[:t], e[t], accuracy[e[: t + 1]] - accuracy[e[:t]], t == k - 1) for e in episodes for t in range(k)
    ]
    own = [labels.index(y) if (y := study.pool[i].label) in labels else len(labels) for i in tried]
    with part(0.7, 0.75):
        surprise = _surprise(study, model, tried, stop)
    features = Features(p[count:], surprise, np.array(own, dtype=np.intp), k)
    with part(0.75, 1.0):
        policy = learn_q(steps, features, study.selection_seed, stop)
    picked, values = follow(policy, features, k)
    return picked, values, any(s.reward for s in steps)


def follow(policy: QNetwork, features: Features, k: int) -> tuple[list[int], Floats]:
    """Take the action of highest Q among those not taken, k times; (n,) values as `select` says."""
    picked: list[int] = []
    values = np.zeros(features.count)
    open_ = np.ones(features.count, dtype=bool)
    for _ in range(k):
        values[open_] = policy(features(picked))[open_]
        best = int(np.argmax(np.where(open_, np.round(values, 6), -np.inf)))
        open_[best] = False
        picked.append(best)
    values[open_] = policy(features(picked))[open_]
    return picked, values


def _surprise(study: Study, model: LanguageModel, places: list[int], stop: Stop | None) -> Floats:
    """(n,) −(1/T) Σ log p of each demonstration as the template writes it, alone."""
    texts = []
    for i in places:
        prompt = render([], study.pool[i].input, study.template, study.instruction)
        texts.append(("", prompt.text + prompt.gap + study.template.word(study.pool[i].label)))
    scored = model.score(texts, stop=stop)
    return np.array([-round(float(np.mean(s.logprobs)), 6) if len(s.logprobs) else 0.0 for s in scored])
