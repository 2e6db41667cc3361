"""Spelled words: inputs that are in no table, read character by character."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np

from core.mixture.anyword import ALPHANUMERIC, AnyText, draw_spelled, log_spelled
from core.mixture.domain import Floats, TaskAnswers
from core.mixture.families import KIND_PRIOR, Family

PRIOR = 0.04
SHARES = {"copy": 0.6, "first letter": 0.15, "last letter": 0.15, "capitalise": 0.1}
INSTRUCTIONS = {
    "copy": "Copy the word.",
    "first letter": "Give the first letter.",
    "last letter": "Give the last letter.",
    "capitalise": "Write with a capital.",
}


def capitalise(word: str) -> str:
    """The word with its first character in upper case, the rest as it was."""
    return word[:1].upper() + word[1:]


class SpelledDomain:
    """Spelled words, as a `Domain`. Four latents, one a family."""

    name, prior = "spelled words", PRIOR

    def __init__(self, anything: AnyText) -> None:
        self._any = anything
        self.families = tuple(
            Family(
                f"spelled: {name}", self.name, "map", INSTRUCTIONS[name], PRIOR * (1 - KIND_PRIOR["codebook"]) * share
            )
            for name, share in SHARES.items()
        )
        self.family_of = np.arange(len(SHARES))
        self.log_prior = np.log(list(SHARES.values()))

    def knows(self, text: str) -> bool:
        return len(text.split()) == 1 and text.isalnum()

    def writes(self, text: str) -> bool:
        return self.knows(text) and text.isascii()

    def log_input(self, text: str) -> Floats:
        return np.full(len(SHARES), log_spelled(text))

    def log_base(self, text: str) -> float:
        return log_spelled(text)

    def _answer(self, text: str) -> tuple[str, ...]:
        return text, text[0], text[-1], capitalise(text)

    def answers(self, text: str) -> TaskAnswers:
        words = tuple(dict.fromkeys(self._answer(text)))
        index = np.array([[words.index(word)] for word in self._answer(text)])
        return TaskAnswers(words, index, np.ones((len(SHARES), 1)))

    def range_share(self, label: str) -> Floats:
        share: Floats = self.range_shares([label])[:, 0]
        return share

    def range_shares(self, labels: Sequence[str]) -> Floats:
        anything = [math.exp(self._any.log_text(label)) for label in labels]
        letter = [(label in ALPHANUMERIC and len(label) == 1) / len(ALPHANUMERIC) for label in labels]
        return np.array([anything, letter, letter, anything])

    def range_square(self) -> Floats:
        return np.array([0.0, 1.0, 1.0, 0.0]) / len(ALPHANUMERIC)

    @property
    def range_words(self) -> tuple[str, ...]:
        return tuple(ALPHANUMERIC)

    def range_mass(self, weights: Floats) -> Floats:
        return np.full(len(ALPHANUMERIC), float(weights[1] + weights[2]) / len(ALPHANUMERIC))

    def label_mass(self, label: str) -> Floats:
        if len(label.split()) != 1:
            return np.zeros(len(SHARES))
        copies = math.exp(log_spelled(label))
        first = last = 0.0
        if len(label) == 1 and label in ALPHANUMERIC:
            mixed = 0.1 / len(ALPHANUMERIC)
            first = mixed + (0.8 / 26 if label.islower() else 0.1 / 26 if label.isupper() else 0.0)
            # Past a single character, a capitalised word ends in a lower-case letter too.
            last = 0.01 * first + 0.99 * (mixed + (0.9 / 26 if label.islower() else 0.0))
        lower = label[:1].lower() + label[1:]
        capitals = (
            (copies + (math.exp(log_spelled(lower)) if lower != label else 0.0)) if capitalise(label) == label else 0.0
        )
        return np.array([copies, first, last, capitals])

    def draw(self, latent: int, rng: random.Random) -> tuple[str, str]:
        word = draw_spelled(rng)
        return word, self._answer(word)[latent]

    def draw_input(self, rng: random.Random) -> str:
        return draw_spelled(rng)

    def draw_in_range(self, latent: int, rng: random.Random) -> str | None:
        return rng.choice(ALPHANUMERIC) if latent in (1, 2) else None
