"""Short reviews with four independent noisy factors: sentiment, topic, formality, tense.

A review is a pattern whose slots are filled, each from the lexicon of its factor's value s with probability `clear` and
from the other value's otherwise. So p(x|s) is a product over slots, and the class of a review is uncertain.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np

from core.mixture.anyword import AnyText
from core.mixture.domain import CONCEPT_SUFFIX, IN_RANGE, NOISE, Floats, TaskAnswers, concept_latents, kind_shares
from core.mixture.families import CLASS_BALANCES, KIND_PRIOR, Balances, Family, Kind
from core.mixture.lexicon import review_grammar

CLEAR = 0.88
PRIOR = 0.10
INSTRUCTIONS = {
    "sentiment": "Is it positive or negative?",
    "topic": "Is it about film or food?",
    "formality": "Is it formal or casual?",
    "tense": "Is it past or present?",
}


class ReviewDomain:
    """The reviews, as a `Domain`."""

    name, prior = "reviews", PRIOR

    def __init__(self, anything: AnyText, balances: Balances = CLASS_BALANCES, clear: float = CLEAR) -> None:
        self._any, self.clear = anything, clear
        self.grammar = review_grammar()
        families: list[Family] = []
        family_of: list[int] = []
        log_prior: list[float] = []
        labels: list[tuple[str, str]] = []
        factor_of: list[int] = []
        balance: list[float] = []
        shares = kind_shares(True)
        for f, factor in enumerate(self.grammar.factors):
            places: dict[Kind, int] = {}
            for kind in ("natural", "flipped", "arbitrary"):
                places[kind] = len(families)
                # No fixed map reads a whole review, so the concepts share the domain among themselves.
                prior = shares[kind] / (1 - shares["map"]) / len(self.grammar.factors)
                enumerated = PRIOR * (1 - KIND_PRIOR["codebook"])
                families.append(
                    Family(factor + CONCEPT_SUFFIX[kind], "reviews", kind, INSTRUCTIONS[factor], enumerated * prior)
                )
            for kind, within, pair, p_first in concept_latents(self.grammar.values[factor], balances):
                family_of.append(places[kind])
                log_prior.append(
                    math.log(within * families[places[kind]].prior / (PRIOR * (1 - KIND_PRIOR["codebook"])))
                )
                labels.append(pair)
                factor_of.append(f)
                balance.append(p_first)
        self.families = tuple(families)
        self.family_of = np.array(family_of)
        self.log_prior = np.array(log_prior)
        self._labels = labels
        self._factor_of = np.array(factor_of)
        self._log_balance = np.log(np.array([balance, [1 - b for b in balance]])).T  # (T, 2)
        self._words = tuple(sorted({word for pair in labels for word in pair}))
        place = {word: i for i, word in enumerate(self._words)}
        self._index = np.array([[place[a], place[b]] for a, b in labels])  # (T, 2)
        self._slot = {
            word: (f, value)
            for f, factor in enumerate(self.grammar.factors)
            for value in (0, 1)
            for word in self.grammar.lexicon[factor][value]
        }

    def knows(self, text: str) -> bool:
        """A review of the grammar, or any text of three or more words with one from a lexicon."""
        words = text.split()
        return len(words) >= 3 and any(word in self._slot for word in words)

    def writes(self, text: str) -> bool:
        return self._log_patterns(text.split()) > -math.inf

    def _log_slots(self, words: list[str]) -> Floats:
        """log Π p(w|factor, s), shape (factors, 2)."""
        total = np.zeros((len(self.grammar.factors), 2))
        for word in words:
            slot = self._slot.get(word)
            if slot is not None:
                f, value = slot
                size = len(self.grammar.lexicon[self.grammar.factors[f]][value])
                total[f, value] += math.log(self.clear / size)
                total[f, 1 - value] += math.log((1 - self.clear) / size)
        return total

    def _log_patterns(self, words: list[str]) -> float:
        """log of the share of patterns that can write these words; −inf where none can."""
        matches = sum(
            len(pattern) == len(words)
            and all(
                (self._slot.get(word, (None, 0))[0] == self.grammar.factors.index(slot[1:-1]))
                if slot.startswith("<")
                else slot == word
                for slot, word in zip(pattern, words, strict=True)
            )
            for pattern in self.grammar.patterns
        )
        return math.log(matches / len(self.grammar.patterns)) if matches else -math.inf

    def _log_classes(self, text: str) -> tuple[float, Floats]:
        """log of what does not depend on the classes, and log p(slots | factor, s) less each factor's mean."""
        words = text.split()
        slots = self._log_slots(words)
        means = np.logaddexp(slots[:, 0], slots[:, 1]) - math.log(2)
        pattern = self._log_patterns(words)
        # A review that the grammar cannot write keeps the evidence of its words; its probability is p_any's.
        common = pattern + float(means.sum()) if pattern > -math.inf else self._any.log_text(text)
        return common, slots - means[:, None]

    def log_input(self, text: str) -> Floats:
        common, relative = self._log_classes(text)
        joint = self._log_balance + relative[self._factor_of]  # (T, 2)
        log_input: Floats = common + np.logaddexp(joint[:, 0], joint[:, 1])
        return log_input

    def log_base(self, text: str) -> float:
        return self._log_classes(text)[0]

    def answers(self, text: str) -> TaskAnswers:
        _, relative = self._log_classes(text)
        joint = self._log_balance + relative[self._factor_of]
        share = np.exp(joint - np.logaddexp(joint[:, 0], joint[:, 1])[:, None])
        return TaskAnswers(self._words, self._index, share)

    def range_share(self, label: str) -> Floats:
        if label not in self._words:
            return np.zeros(len(self._labels))
        hit: Floats = (self._index == self._words.index(label)).any(axis=1) / 2
        return hit

    def range_shares(self, labels: Sequence[str]) -> Floats:
        return np.stack([self.range_share(label) for label in labels], axis=1)

    def range_square(self) -> Floats:
        return np.full(len(self._labels), 0.5)

    @property
    def range_words(self) -> tuple[str, ...]:
        return self._words

    def range_mass(self, weights: Floats) -> Floats:
        mass = np.zeros(len(self._words))
        np.add.at(mass, self._index, weights[:, None] / 2)
        return mass

    def classes_with(self, label: str, weights: Floats, anything: float) -> Floats:
        """Σ_T w_T p(factor f has value s, y|T), (factors, 2); `anything` is p_any(y)."""
        noise = NOISE * (IN_RANGE * self.range_share(label) + (1 - IN_RANGE) * anything)  # (T,)
        clean = np.zeros_like(self._log_balance)
        if label in self._words:
            clean = (1 - NOISE) * (self._index == self._words.index(label))
        joint = weights[:, None] * np.exp(self._log_balance) * (clean + noise[:, None])
        out = np.zeros((len(self.grammar.factors), 2))
        np.add.at(out, self._factor_of, joint)
        return out

    def label_mass(self, label: str) -> Floats:
        if label not in self._words:
            return np.zeros(len(self._labels))
        mass: Floats = ((self._index == self._words.index(label)) * np.exp(self._log_balance)).sum(axis=1)
        return mass

    def draw(self, latent: int, rng: random.Random) -> tuple[str, str]:
        values = [int(rng.random() < 0.5) for _ in self.grammar.factors]
        factor = int(self._factor_of[latent])
        values[factor] = int(rng.random() >= math.exp(self._log_balance[latent, 0]))
        return self._write(values, rng), self._labels[latent][values[factor]]

    def draw_input(self, rng: random.Random) -> str:
        return self._write([int(rng.random() < 0.5) for _ in self.grammar.factors], rng)

    def draw_in_range(self, latent: int, rng: random.Random) -> str | None:
        return rng.choice(self._labels[latent])

    def _write(self, values: list[int], rng: random.Random) -> str:
        words = []
        for slot in rng.choice(self.grammar.patterns):
            if slot.startswith("<"):
                factor = slot[1:-1]
                value = values[self.grammar.factors.index(factor)]
                clear = rng.random() < self.clear
                words.append(rng.choice(self.grammar.lexicon[factor][value if clear else 1 - value]))
            else:
                words.append(slot)
        return " ".join(words)
