"""The words that are one token of the embedded model."""

from __future__ import annotations

import re
from functools import lru_cache

from core.mixture import reviews, spelled
from core.mixture.catalogue import NUMBERS, domain_specs
from core.mixture.codebook import INSTRUCTION
from core.mixture.lexicon import LETTERS, label_pairs, review_grammar


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every distinct word of the mixture: inputs, answers, labels, reviews, numbers, letters, instructions."""
    words: set[str] = set(NUMBERS) | set(LETTERS) | {letter.upper() for letter in LETTERS}
    for spec in domain_specs():
        for text in spec.inputs:
            words.update(text.split())
        for task in spec.maps:
            words.update(task.answers)
            words.update(instruction_words(task.instruction))
        for concept in spec.concepts:
            words.update(concept.labels)
            words.update(instruction_words(concept.instruction))
    for pair in label_pairs():
        words.update(pair)
    grammar = review_grammar()
    for factor in grammar.factors:
        words.update(grammar.values[factor])
        for lexicon in grammar.lexicon[factor]:
            words.update(lexicon)
    for pattern in grammar.patterns:
        words.update(slot for slot in pattern if not slot.startswith("<"))
    for instruction in (*reviews.INSTRUCTIONS.values(), *spelled.INSTRUCTIONS.values(), INSTRUCTION):
        words.update(instruction_words(instruction))
    return tuple(sorted(word for word in words if word.isalnum()))


def instruction_words(instruction: str) -> list[str]:
    """The words of an instruction, punctuation left out."""
    return re.findall(r"[^\W_]+", instruction)
