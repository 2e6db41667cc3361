"""p_any: a distribution over every text, so that no demonstration has probability zero under any task.

A text has m words with probability (1 − ρ) ρ^(m−1). A word is uniform over the mixture's vocabulary with probability
one half, and otherwise spelled: a length, then a style, then independent characters.
"""

from __future__ import annotations

import math
import random
import string
from functools import lru_cache

from core.mixture.lexicon import LETTERS

MORE_WORDS = 0.1  # ρ
SPELLED = 0.5
SHORT = range(2, 7)  # these lengths share .95 of the spelled words
LONG_SHARE = 0.04  # length 7 and on, halving with every character; the last .01 goes to single characters
STYLES = (("lower", 0.8), ("capitalised", 0.1), ("mixed", 0.1))
ALPHANUMERIC = string.ascii_letters + string.digits
FLOOR = -600.0  # nats; a text of a thousand characters is no less likely, so that probabilities stay above zero
REMEMBERED = 20_000  # texts whose probability is kept
ODD_CHARACTER = 1e-4  # per character that is neither an ASCII letter nor a digit


def _log_length(length: int) -> float:
    if length in SHORT:
        return math.log(0.95 / len(SHORT))
    if length <= 1:
        return math.log(0.01)
    return math.log(LONG_SHARE) - (length - 6) * math.log(2)


@lru_cache(maxsize=200_000)
def log_spelled(word: str) -> float:
    """log p of a spelled word, in nats."""
    n = len(word)
    if not all(c in ALPHANUMERIC for c in word):
        return _log_length(n) + n * math.log(ODD_CHARACTER)
    styles = 0.1 * math.pow(len(ALPHANUMERIC), -n)
    if word[1:].islower() or n == 1:
        if word[0].islower():
            styles += 0.8 * math.pow(26, -n)
        elif word[0].isupper():
            styles += 0.1 * math.pow(26, -n)
    return _log_length(n) + (math.log(styles) if styles > 0 else -n * math.log(62))


def draw_spelled(rng: random.Random) -> str:
    """A spelled word from the same distribution."""
    u = rng.random()
    if u < 0.95:
        length = rng.choice(SHORT)
    elif u < 0.96:
        length = 1
    else:
        length = 7
        while rng.random() < 0.5:
            length += 1
    style = rng.random()
    if style < 0.9:
        word = "".join(rng.choices(LETTERS, k=length))
        return word if style < 0.8 else word.capitalize()
    return "".join(rng.choices(ALPHANUMERIC, k=length))


class AnyText:
    """p_any over texts, given the mixture's vocabulary."""

    def __init__(self, vocabulary: tuple[str, ...]) -> None:
        self.vocabulary = vocabulary
        self._known = frozenset(vocabulary)
        self._memory: dict[str, float] = {}
        self._log_known = math.log(1 - SPELLED) - math.log(len(vocabulary))

    def log_word(self, word: str) -> float:
        """log p_any of one word."""
        spelled = math.log(SPELLED) + log_spelled(word)
        if word in self._known:
            return float(max(spelled, self._log_known) + math.log1p(math.exp(-abs(spelled - self._log_known))))
        return spelled

    def log_text(self, text: str) -> float:
        """log p_any of a text of any number of words; an empty text counts as one odd character."""
        known = self._memory.get(text)
        if known is not None:
            return known
        words = text.split() or ["\0"]
        total = math.log(1 - MORE_WORDS) + (len(words) - 1) * math.log(MORE_WORDS) + sum(map(self.log_word, words))
        if len(self._memory) >= REMEMBERED:
            self._memory.clear()
        self._memory[text] = max(total, FLOOR)
        return self._memory[text]

    def draw(self, rng: random.Random) -> str:
        """A text of one or more words from the same distribution."""
        words = [self._draw_word(rng)]
        while rng.random() < MORE_WORDS:
            words.append(self._draw_word(rng))
        return " ".join(words)

    def _draw_word(self, rng: random.Random) -> str:
        return draw_spelled(rng) if rng.random() < SPELLED else rng.choice(self.vocabulary)
