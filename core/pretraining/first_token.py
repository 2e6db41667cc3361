"""Exact Bayes over the first token of an answer, to hold against a language model's next-token distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.mixture.anyword import ALPHANUMERIC, LONG_SHARE, SHORT, SPELLED
from core.mixture.codebook import ODD, Codebook, CodebookState
from core.mixture.domain import IN_RANGE, NOISE, Floats
from core.mixture.mixture import Mixture, accumulate, normalise
from core.pretraining.tokenizer import token_list

NEGLIGIBLE = 1e-9  # posterior weight under which a domain's tasks are not looked at


def _starts_with(prefix: str) -> float:
    """Probability that a spelled word begins with these characters."""
    n = len(prefix)
    if not all(c in ALPHANUMERIC for c in prefix):
        return 0.0
    long_enough = 0.95 * sum(length >= n for length in SHORT) / len(SHORT)
    long_enough += LONG_SHARE * (1.0 if n <= 7 else math.pow(2, 7 - n)) + 0.01 * (n <= 1)
    styles = 0.1 * math.pow(len(ALPHANUMERIC), -n)
    if prefix.islower() and prefix.isalpha():
        styles += 0.8 * math.pow(26, -n)
    if prefix[0].isupper() and (n == 1 or (prefix[1:].islower() and prefix[1:].isalpha())) and prefix[0].isalpha():
        styles += 0.1 * math.pow(26, -n)
    return long_enough * styles


class FirstToken:
    """Exact predictive distributions over first tokens, (V,) each."""

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture
        tokens = token_list()
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.anything = self._any_vector()
        self._range_ids = {
            block.domain.name: np.array([self.ids[word] for word in block.domain.range_words])
            for block in mixture.blocks
        }
        self._book_codes: dict[str, tuple[Floats, Floats]] = {}
        for block in mixture.blocks:
            for book in block.codebooks:
                uniform = self._uniform(book.labels)
                code = (1 - ODD) * uniform + ODD * self.anything
                noise = IN_RANGE * uniform + (1 - IN_RANGE) * self.anything
                self._book_codes[book.family.name] = (code, noise)

    def _any_vector(self) -> Floats:
        """First token of a text drawn from p_any: a vocabulary word, or the longest token that starts a spelling."""
        starters = [t for t in self.ids if not t.startswith("##") and t.isalnum()]
        prefix = {t: _starts_with(t) for t in starters}
        first = dict(prefix)
        for token in starters:
            # The longest match wins, so a token's own share is what no longer token takes.
            for n in range(len(token) - 1, 0, -1):
                if token[:n] in first:
                    first[token[:n]] -= prefix[token]
                    break
        out = np.zeros(len(self.ids))
        for token, p in first.items():
            out[self.ids[token]] += SPELLED * max(p, 0.0)
        for word in self.mixture.vocabulary:
            out[self.ids[word]] += (1 - SPELLED) / len(self.mixture.vocabulary)
        shares: Floats = out / out.sum()
        return shares

    def _uniform(self, words: Sequence[str]) -> Floats:
        out = np.zeros(len(self.ids))
        for word in words:
            out[self.first(word)] += 1 / len(words)
        return out

    def first(self, text: str) -> int:
        """First token of a text: its longest prefix that is a token."""
        word = text.split()[0] if text.split() else ""
        for n in range(len(word), 0, -1):
            if word[:n] in self.ids:
                return self.ids[word[:n]]
        return self.ids["[UNK]"]

    def tokens_of(self, text: str) -> list[str]:
        """A text's tokens, one string each."""
        out: list[str] = []
        for word in text.split():
            rest, prefix = word, ""
            while rest:
                n = next((n for n in range(len(rest), 0, -1) if prefix + rest[:n] in self.ids), 1)
                out.append(prefix + rest[:n])
                rest, prefix = rest[n:], "##"
        return out

    def predictive(
        self, demonstrations: Sequence[tuple[str, str]], queries: Sequence[str], instruction: str = ""
    ) -> Floats:
        """p(first token of y | x_n, D_n) for n = 0 … k, (len(queries), V): query n follows n demonstrations."""
        joint, states = accumulate(self.mixture, demonstrations, instruction)
        return np.array([self._one(joint[n], states[n], x) for n, x in enumerate(queries)])

    def _one(self, log_joint: Floats, states: Sequence[CodebookState], x: str) -> Floats:
        mixture = self.mixture
        weights = normalise((log_joint + mixture.log_inputs(x, states))[None])[0][0]
        out = np.zeros(len(self.ids))
        noise = 0.0  # weight that falls on p_any
        place = 0
        for block in mixture.blocks:
            tasks = weights[block.tasks]
            total = float(tasks.sum())
            if total > NEGLIGIBLE:
                level = 1.0
                if block.domain.knows(x):
                    level = NOISE
                    answers = block.domain.answers(x)
                    mass = np.zeros(len(answers.words))
                    np.add.at(mass, answers.index, tasks[:, None] * answers.share)
                    for word, p in zip(answers.words, mass.tolist(), strict=True):
                        out[self.first(word)] += (1 - NOISE) * p
                ranges = block.domain.range_mass(tasks)
                np.add.at(out, self._range_ids[block.domain.name], level * IN_RANGE * ranges)
                noise += level * (total - IN_RANGE * float(ranges.sum()))
            for i in range(len(block.codebooks)):
                weight = float(weights[block.codebook(i)])
                if weight > NEGLIGIBLE:
                    out += weight * self.book(block.codebooks[i], states[place], x)
                place += 1
        out += noise * self.anything
        shares: Floats = out / out.sum()
        return shares

    def book(self, book: Codebook, state: CodebookState, x: str) -> Floats:
        """p(first token of y | x, history) of one codebook, (V,)."""
        code, noise = self._book_codes[book.family.name]
        weights, rest = state.codes(x)
        unseen = code.copy()
        for label in weights:
            unseen[self.first(label)] = max(unseen[self.first(label)] - book.code(label), 0.0)
        clean = rest * unseen / max(unseen.sum(), math.ulp(0.0))
        for label, w in weights.items():
            clean[self.first(label)] += w
        mixed: Floats = (1 - NOISE) * clean + NOISE * noise
        return mixed
