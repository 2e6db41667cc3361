"""The readable words of the mixture, read from the tables beside this file."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

WORDS = Path(__file__).parent / "words"
LARGEST_NUMBER = 120
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")

Row = dict[str, str]


@dataclass(frozen=True)
class ReviewGrammar:
    """Short reviews with four independent binary factors.

    Attributes:
        factors: names, in a fixed order.
        values: for each factor its two values' names; the first is value 0.
        lexicon: lexicon[factor][value] are the words that speak for that value.
        patterns: slots of a review: a factor's name in angle brackets, or a literal word.
    """

    factors: tuple[str, ...]
    values: dict[str, tuple[str, str]]
    lexicon: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    patterns: tuple[tuple[str, ...], ...]


@cache
def table(name: str) -> tuple[Row, ...]:
    """Rows of `words/<name>.tsv`, one dict a row."""
    with open(WORDS / f"{name}.tsv", encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@lru_cache(maxsize=1)
def review_grammar() -> ReviewGrammar:
    """The review grammar of `words/reviews.json`."""
    raw = json.loads((WORDS / "reviews.json").read_text(encoding="utf-8"))
    values: dict[str, tuple[str, str]] = {}
    lexicon: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for factor, by_value in raw["lexicon"].items():
        first, second = by_value
        values[factor] = (first, second)
        lexicon[factor] = (tuple(by_value[first]), tuple(by_value[second]))
    patterns = tuple(tuple(pattern) for pattern in raw["patterns"])
    return ReviewGrammar(tuple(lexicon), values, lexicon, patterns)


def label_pairs() -> tuple[tuple[str, str], ...]:
    """Pairs of arbitrary label words, in the order of the table."""
    return tuple((row["first"], row["second"]) for row in table("labels"))
