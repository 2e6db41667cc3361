"""Documents of the mixture: what is drawn, before it is written."""

from __future__ import annotations

import random
from dataclasses import dataclass

from core.mixture.domain import IN_RANGE, NOISE, STRAY
from core.mixture.mixture import INSTRUCTED, INSTRUCTED_RIGHT, Mixture
from core.study.prompts import TEMPLATES, Template

REVERSED = 0.35  # share of documents written y → x, which the channel score needs
LENGTHS = range(12, 21)  # demonstrations in a document


@dataclass(frozen=True)
class Document:
    """One document: what was drawn, before it is written.

    Attributes:
        latent: the task, a place in `Mixture.family_of`.
        pairs: (x, y) with label noise and strays.
        template, reversed: how it is written.
        instruction: its first line, or "".
    """

    latent: int
    pairs: tuple[tuple[str, str], ...]
    template: Template
    reversed: bool
    instruction: str


def draw_document(
    mixture: Mixture,
    rng: random.Random,
    *,
    family: str | None = None,
    count: int | None = None,
    reversed_share: float = REVERSED,
    template: Template | None = None,
    instructed: float = INSTRUCTED,
) -> Document:
    """A document of the mixture, or of one family; every draw comes from `rng`."""
    latent = mixture.draw_latent(family, rng)
    count = rng.choice(LENGTHS) if count is None else count
    pairs = tuple(_with_noise(mixture, latent, pair, rng) for pair in mixture.draw_pairs(latent, count, rng))
    instruction = ""
    if rng.random() < instructed:
        own = mixture.details[mixture.family_of[latent]].instruction
        instruction = own if rng.random() < INSTRUCTED_RIGHT else rng.choice(mixture.distinct_instructions)
    chosen = template or rng.choice(tuple(TEMPLATES.values()))
    return Document(latent, pairs, chosen, rng.random() < reversed_share, instruction)


def _with_noise(mixture: Mixture, latent: int, pair: tuple[str, str], rng: random.Random) -> tuple[str, str]:
    x, y = pair
    block = mixture.block_of(latent)
    is_book = latent >= block.first_codebook
    if not is_book and rng.random() < STRAY:
        x = mixture.anything.draw(rng)
        if not block.domain.knows(x):
            return x, _noise(mixture, latent, rng)
        answers = block.domain.answers(x)
        row = latent - block.start
        y = answers.words[rng.choices(answers.index[row].tolist(), answers.share[row].tolist())[0]]
    return (x, _noise(mixture, latent, rng)) if rng.random() < NOISE else (x, y)


def _noise(mixture: Mixture, latent: int, rng: random.Random) -> str:
    """y ~ u_T."""
    block = mixture.block_of(latent)
    if rng.random() < IN_RANGE:
        if latent >= block.first_codebook:
            return rng.choice(block.codebooks[latent - block.first_codebook].labels)
        label = block.domain.draw_in_range(latent - block.start, rng)
        if label is not None:
            return label
    return mixture.anything.draw(rng)
