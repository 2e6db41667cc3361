"""p(next token of a review | its tokens so far, what is believed of its class), exactly, from the grammar.

A review is written by a pattern (uniform), and each of its factors has a value that its slots speak for with the
grammar's clarity. Under a hypothesis (factor f has value s) that factor is fixed and the others are even; the tokens
so far reweigh hypotheses, values and patterns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.mixture.domain import Floats
from core.mixture.reviews import ReviewDomain


class ReviewTokens:
    """The grammar in token ids.

    Args:
        domain: the reviews.
        ids: id of every token; each word of the grammar is one token.
    """

    def __init__(self, domain: ReviewDomain, ids: Mapping[str, int]) -> None:
        grammar = domain.grammar
        place = {name: f for f, name in enumerate(grammar.factors)}
        self.factors = len(place)
        self._size = len(ids)
        self._slots = np.zeros((self.factors, 2, len(ids)))  # p(word | factor, value)
        for f, name in enumerate(grammar.factors):
            for value in (0, 1):
                own, other = grammar.lexicon[name][value], grammar.lexicon[name][1 - value]
                for words, share in ((own, domain.clear), (other, 1 - domain.clear)):
                    for word in words:
                        self._slots[f, value, ids[word]] += share / len(words)
        self._factor_of = {int(i): f for f in range(self.factors) for i in np.flatnonzero(self._slots[f, 0])}
        # An item of a pattern: the id of a literal word, or −1 − f for a slot of factor f.
        self._patterns = [
            tuple(-1 - place[item[1:-1]] if item.startswith("<") else ids[item] for item in pattern)
            for pattern in grammar.patterns
        ]

    def distributions(
        self, classes: Floats, even: float, seen: Sequence[tuple[Sequence[int], float]], review: Sequence[int], end: int
    ) -> list[Floats] | None:
        """p(token j | tokens before it) for each token of a review, (V,) each.

        Args:
            classes: (factors, 2) weight of the hypotheses "factor f has value s".
            even: weight of the hypothesis that no factor is fixed.
            seen: whole reviews that may come back word by word, with their weights.
            review: the token ids to follow.
            end: the token that follows a review.

        Returns:
            None where the grammar cannot write the review.
        """
        weights = np.append(classes.ravel(), even)  # (H,)
        beliefs = np.full((len(weights), self.factors, 2), 0.5)
        for f in range(self.factors):
            beliefs[2 * f : 2 * f + 2, f] = np.eye(2)
        alive = self._patterns
        again = list(seen)
        out = []
        for j, token in enumerate(review):
            out.append(self._next(weights, beliefs, alive, again, j, end))
            factor = self._factor_of.get(token)
            item = token if factor is None else -1 - factor
            alive = [pattern for pattern in alive if j < len(pattern) and pattern[j] == item]
            again = [(ids, w) for ids, w in again if j < len(ids) and ids[j] == token]
            if not alive:
                return None
            if factor is not None:
                joint = beliefs[:, factor] * self._slots[factor, :, token]
                total = joint.sum(axis=1)
                beliefs[:, factor] = joint / total[:, None]
                weights = weights * total
            else:
                weights = weights.copy()
        return out

    def _next(
        self,
        weights: Floats,
        beliefs: Floats,
        alive: Sequence[tuple[int, ...]],
        again: Sequence[tuple[Sequence[int], float]],
        j: int,
        end: int,
    ) -> Floats:
        share = 1 / len(self._patterns)
        out = np.zeros(self._size)
        values = np.tensordot(weights, beliefs, axes=1)  # (factors, 2)
        total = float(weights.sum())
        for pattern in alive:
            item = end if j == len(pattern) else pattern[j]
            if item < 0:
                out += share * (values[-1 - item] @ self._slots[-1 - item])
            else:
                out[item] += share * total
        for ids, weight in again:
            out[end if j == len(ids) else ids[j]] += weight
        normal: Floats = out / out.sum()
        return normal
