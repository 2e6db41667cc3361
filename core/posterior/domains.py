"""Which domain does the model expect the next input from?

Domains are told apart by the first token of an input. Every token v is shared out among the domains by
φ_d(v) = p(v | d) / Σ_e p(v | e), so a distribution over tokens becomes one over domains, q(d) = Σ_v p(v) φ_d(v), and a
task of domain e answers C(e, d) = Σ_v p(v | e) φ_d(v): not a certainty where domains share first tokens.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.mixture.domain import STRAY

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]
DRAWS = 400


@dataclass(frozen=True)
class DomainTable:
    """Attributes:
    names: (D,) domains.
    share: (D, V) φ; a token that starts no input has zeros.
    confusion: (D, D) C, rows sum to one.
    """

    names: tuple[str, ...]
    share: Floats
    confusion: Floats


@lru_cache(maxsize=2)
def domain_table(model: LanguageModel, mixture: Mixture) -> DomainTable:
    """p(v | d) from `DRAWS` inputs of each domain, drawn with a seed, and the share of strays that any domain has."""
    names = tuple(block.domain.name for block in mixture.blocks)
    first = np.zeros((len(names), model.vocabulary_size))
    for d, block in enumerate(mixture.blocks):
        rng = random.Random(f"domain/{block.domain.name}")
        drawn = [block.domain.draw_input(rng) for _ in range(DRAWS)]
        starts = np.cumsum([0] + [len(text) + 1 for text in drawn[:-1]])
        encoding = model.encode("\n".join(drawn))
        wanted = set(starts.tolist())
        for token, start, end in zip(encoding.ids, encoding.starts, encoding.ends, strict=True):
            if end > start and start in wanted:
                first[d, token] += 1 / DRAWS
    # a stray is any text; here, an input of any domain
    first = (1 - STRAY) * first + STRAY * first.mean(0)
    total = first.sum(0)
    share = np.divide(first, total, out=np.zeros_like(first), where=total > 0)
    confusion = first @ share.T
    return DomainTable(names, share, confusion / confusion.sum(1, keepdims=True))


def domain_of_tokens(table: DomainTable, tokens: Floats) -> Floats:
    """q(d) for distributions over next tokens, (N, V) → (N, D); tokens that start no input are left out."""
    mass = tokens @ table.share.T
    total = mass.sum(1, keepdims=True)
    shares: Floats = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
    return shares
