"""Conservative Q-learning from recorded episodes, in which an action is one of n things not yet taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop, check, counting

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
HIDDEN = 32
STEPS = 300
RATE = 3e-3
CONSERVATISM = 0.1
RENEWED = 25
"""Steps after which the target network becomes what has been learned."""
BATCH = 32

Describe = Callable[[Sequence[int]], Floats]
"""The actions taken so far -> (n, F) features of every action after them."""


@dataclass(frozen=True)
class Transition:
    """One recorded step: what had been taken, what was taken next, and what that was worth."""

    before: tuple[int, ...]
    action: int
    reward: float
    last: bool

    @property
    def after(self) -> tuple[int, ...]:
        """What has been taken then."""
        return (*self.before, self.action)


@dataclass(frozen=True)
class QNetwork:
    """Q(s, a) = w₂ · tanh(W₁ φ(s, a) + b₁) + b₂, φ standardised.

    Attributes:
        weights: W₁ (H, F), b₁ (H,), w₂ (1, H), b₂ (1,).
        mean, scale: (F,) of the features.
        losses: (steps,) of the training.
    """

    weights: tuple[Floats, ...]
    mean: Floats
    scale: Floats
    losses: Floats

    def __call__(self, features: Floats) -> Floats:
        """(n,) values of (n, F) features."""
        first, shift, second, bias = self.weights
        hidden = np.tanh((features - self.mean) / self.scale @ first.T + shift)
        values: Floats = (hidden @ second.T + bias)[:, 0]
        return values


def learn_q(steps: Sequence[Transition], describe: Describe, seed: int, stop: Stop | None = None) -> QNetwork:
    """Minimise ½(r + max_a' Q⁻(s', a') − Q(s, a))² + α (ln Σ_a exp Q(s, a) − Q(s, a)) over recorded steps.

    The first term is Q-learning with a target network Q⁻ and no discount, as episodes end after k steps; the second is
    conservative (Kumar et al. 2020), α = 0.1: it holds down the value of actions that nobody has tried. Sums and
    maxima run over the actions not yet taken. Adam, 300 steps on batches of 32.

    Args:
        steps: at least one.
        describe: features of every action in a state.
        seed: of the start and the batches.
        stop: asked before every step.

    Raises:
        Cancelled: `stop` said so.
    """
    import torch

    record = _Record(steps, describe)
    weights = _start(record.inputs.shape[2], seed)
    adam = torch.optim.Adam(weights, lr=RATE)
    rng = np.random.default_rng(seed)
    losses = np.empty(STEPS)
    target = weights
    with counting(STEPS, "steps", inner=True) as advance:
        for step in range(STEPS):
            check(stop)
            if step % RENEWED == 0:
                target = [weight.detach().clone() for weight in weights]
            loss = record.loss(weights, target, torch.tensor(rng.permutation(len(steps))[:BATCH]))
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            losses[step] = float(loss.detach())
            advance(step + 1)
    found = tuple(weight.detach().double().numpy() for weight in weights)
    return QNetwork(found, record.mean, record.scale, losses)


class _Record:
    """Recorded steps as tensors: S distinct states, and for each step which of them it leaves and which it reaches."""

    def __init__(self, steps: Sequence[Transition], describe: Describe) -> None:
        import torch

        states = list(dict.fromkeys(state for s in steps for state in (s.before, s.after)))
        place = {state: i for i, state in enumerate(states)}
        features = np.stack([describe(state) for state in states])  # (S, n, F)
        self.mean, deviation = features.mean(axis=(0, 1)), features.std(axis=(0, 1))
        self.scale = np.where(deviation > 1e-6, deviation, 1.0)
        self.inputs = torch.tensor((features - self.mean) / self.scale, dtype=torch.float32)
        self.taken = torch.zeros(self.inputs.shape[:2], dtype=torch.bool)
        for i, state in enumerate(states):
            self.taken[i, list(state)] = True
        self.now = torch.tensor([place[s.before] for s in steps])
        self.then = torch.tensor([place[s.after] for s in steps])
        self.action = torch.tensor([s.action for s in steps])
        self.reward = torch.tensor([s.reward for s in steps], dtype=torch.float32)
        self.last = torch.tensor([s.last for s in steps])

    def loss(self, weights: Sequence[Tensor], target: Sequence[Tensor], batch: Tensor) -> Tensor:
        """The mean over a batch of steps."""
        import torch

        values = self._values(weights, self.now[batch])  # (B, n)
        best = self._values(target, self.then[batch]).amax(dim=1)
        wanted = self.reward[batch] + torch.where(self.last[batch], torch.zeros((), dtype=torch.float32), best)
        own = values.gather(1, self.action[batch][:, None])[:, 0]
        return (0.5 * (wanted - own) ** 2 + CONSERVATISM * (torch.logsumexp(values, dim=1) - own)).mean()

    def _values(self, weights: Sequence[Tensor], states: Tensor) -> Tensor:
        """(B, n) Q of every action, −∞ where it has been taken."""
        first, shift, second, bias = weights
        values: Tensor = ((self.inputs[states] @ first.T + shift).tanh() @ second.T + bias)[..., 0]
        return values.masked_fill(self.taken[states], float("-inf"))


def _start(features: int, seed: int) -> list[Tensor]:
    """W₁, b₁, w₂, b₂ with Q = 0 everywhere."""
    import torch

    chance, form = torch.Generator().manual_seed(seed), torch.float32
    first = torch.randn(HIDDEN, features, generator=chance, dtype=form) / features**0.5
    weights = [first, *(torch.zeros(shape, dtype=form) for shape in ((HIDDEN,), (1, HIDDEN), (1,)))]
    return [weight.requires_grad_(True) for weight in weights]
