"""Documents whose answers are reasoned: sums of three to six addends with their steps written out.

They stand beside the mixture. Exact Bayes reads inputs and labels and knows nothing of steps, so it says nothing of
them; the steps follow from x, so the text itself is the aim. Forms (x = 2 + 3 + 4):

    chain of thought  2 + 3 = 5, 5 + 4 = 9. So the answer is 9                                    (Wei et al. 2022)
    self-ask          Follow up: 2 + 3 Intermediate answer: 5 Follow up: 5 + 4 Intermediate answer: 9
                      So the final answer is 9                                      (Press et al. 2023; in one line)
    decomposition     2 + 3; 2 + 3 + 4                           (least-to-most, its first stage; Zhou et al. 2023)
    growing           demonstrations "2 + 3" with label 5, "2 + 3 + 4" with label 9 (its second stage), after none or
                      some demonstrations in the plain form
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from core.mixture.catalogue import LARGEST_ADDEND
from core.mixture.documents import Document
from core.mixture.mixture import INSTRUCTED, Mixture
from core.study.prompts import TEMPLATES

Form = Literal["chain", "self-ask", "decomposition", "growing"]
FORMS: dict[Form, float] = {"chain": 0.2, "self-ask": 0.2, "decomposition": 0.15, "growing": 0.45}
FAMILY = "total"
ADDENDS = {3: 0.3, 4: 0.25, 5: 0.25, 6: 0.2}  # how many, and how often
COUNTS = range(2, 11)  # demonstrations of a document
PLAIN = range(13)  # demonstrations in the plain form before the growing ones
GROUPS = range(1, 6)  # sums that are written as growing ones
# An answer that is not yet known to be reasoned: the first demonstration's opening is no sign of how it will go on.
OPENING = 2

Addends = tuple[int, ...]


def written(addends: Sequence[int]) -> str:
    """The sum as an input."""
    return " + ".join(map(str, addends))


def chain_of_thought(addends: Sequence[int]) -> str:
    """The steps of a sum, and its total."""
    sums = list(accumulate(addends))
    steps = ", ".join(f"{a} + {b} = {c}" for a, b, c in zip(sums, addends[1:], sums[1:], strict=False))
    return f"{steps}. So the answer is {sums[-1]}"


def self_ask(addends: Sequence[int]) -> str:
    """The follow-up questions of a sum, their answers, and its total."""
    sums = list(accumulate(addends))
    asked = " ".join(
        f"Follow up: {a} + {b} Intermediate answer: {c}" for a, b, c in zip(sums, addends[1:], sums[1:], strict=False)
    )
    return f"{asked} So the final answer is {sums[-1]}"


def prefixes(addends: Addends) -> tuple[str, ...]:
    """The growing sums, the last of them the whole."""
    return tuple(written(addends[:n]) for n in range(2, len(addends) + 1))


def draw_addends(rng: random.Random) -> Addends:
    """Three to six addends, each uniform."""
    count = rng.choices(list(ADDENDS), list(ADDENDS.values()))[0]
    return tuple(rng.randint(1, LARGEST_ADDEND) for _ in range(count))


def draw_reasoned(mixture: Mixture, rng: random.Random) -> tuple[Document, Form, int]:
    """A document, its form, and how many of its pairs stand in the plain form before the others."""
    form = rng.choices(list(FORMS), list(FORMS.values()))[0]
    plain = 0
    if form == "growing":
        plain = rng.choice(PLAIN)
        pairs = [_pair(draw_addends(rng)) for _ in range(plain)]
        for _ in range(rng.choice(GROUPS)):
            addends = draw_addends(rng)
            pairs += [_pair(addends[:n]) for n in range(2, len(addends) + 1)]
    else:
        pairs = [_reasoned(form, draw_addends(rng)) for _ in range(rng.choice(COUNTS))]
    instruction = mixture.instructions[FAMILY] if rng.random() < INSTRUCTED else ""
    latent = mixture.draw_latent(FAMILY, rng)
    template = rng.choice(tuple(TEMPLATES.values()))
    return Document(latent, tuple(pairs), template, False, instruction), form, plain


def _pair(addends: Addends) -> tuple[str, str]:
    return written(addends), str(sum(addends))


def _reasoned(form: Form, addends: Addends) -> tuple[str, str]:
    if form == "chain":
        return written(addends), chain_of_thought(addends)
    if form == "self-ask":
        return written(addends), self_ask(addends)
    return written(addends), "; ".join(prefixes(addends))


def scored_places(form: Form, plain: int, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Places whose next token is aimed at: every token of the answers, and the token that ends each.

    Where nothing before tells reasoned answers from plain ones, exact Bayes alone says what is expected, so the
    opening of the first answer carries no loss, nor do the demonstrations in the plain form.
    """
    if form == "growing":
        # One line of two addends: a first one could be of the mixture, any later one shows that sums grow.
        return [place for start, end in spans[max(plain, 1) :] for place in range(start - 1, end)]
    return [
        place for n, (start, end) in enumerate(spans) for place in range(start - 1 + (OPENING if n == 0 else 0), end)
    ]
