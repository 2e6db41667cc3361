"""Example sets: studies in which tasks compete, so that the views have something to say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.demonstrations import Demonstration
from core.prompts import EQUALS
from core.study import Hypothesis, Study

THREE = ("exact", "implicit", "instruction")


@dataclass(frozen=True)
class Example:
    """An entry of the menu of example sets.

    Attributes:
        name: in the menu.
        about: one sentence on what to look at.
        study: what to run.
    """

    name: str
    about: str
    study: Study


def rows(text: str) -> tuple[Demonstration, ...]:
    """Demonstrations from "x -> y; x -> y"."""
    pairs = (pair.split("->") for pair in text.split(";"))
    return tuple(Demonstration(input=x.strip(), label=y.strip()) for x, y in pairs)


def hypotheses(*pairs: tuple[str, str]) -> tuple[Hypothesis, ...]:
    return tuple(Hypothesis(name=name, instruction=instruction) for name, instruction in pairs)


WORD_TASKS = hypotheses(("French", "Translate to French."), ("copy", "Copy the word."), ("plural", "Give the plural."))
SENTIMENT_POOL = (
    "the movie was truly wonderful -> foo; the soup felt awful and bland -> bar; "
    "this plot is totally boring -> bar; the pizza seems mega delightful -> foo; "
    "the whole cast felt remarkably superb -> foo; their terrible sauce is kinda disgusting to us -> bar; "
    "the script was profoundly tedious -> bar; the dessert looks crazy fantastic -> foo; "
    "overall the comedy remains pretty charming -> foo; the burger proved insanely horrible -> bar; "
    "the ending seemed decidedly weak -> bar; the pasta is exceptionally lovely -> foo"
)


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """Every example set, in menu order; the first is what a new visitor sees."""
    return (
        Example(
            "French or copy?",
            "Four words are the same in both languages; the fifth settles it.",
            Study(
                demonstrations=rows(
                    "lion -> lion; orange -> orange; pigeon -> pigeon; melon -> melon; cat -> chat; bread -> pain"
                ),
                query="horse",
                gold="cheval",
                hypotheses=WORD_TASKS,
                posteriors=THREE,
            ),
        ),
        Example(
            "Next, double or plus two?",
            "1 → 2 fits next and double, 2 → 4 fits double and plus two.",
            Study(
                demonstrations=rows("1 -> 2; 2 -> 4; 4 -> 8; 3 -> 6"),
                query="5",
                gold="10",
                hypotheses=hypotheses(
                    ("next", "Give the next number."), ("double", "Double the number."), ("plus two", "Add two.")
                ),
                posteriors=THREE,
            ),
        ),
        Example(
            "First or larger?",
            "In the first pairs the first number is the larger one.",
            Study(demonstrations=rows("7 3 -> 7; 9 2 -> 9; 15 6 -> 15; 8 1 -> 8; 3 5 -> 5"), query="4 11", gold="11"),
        ),
        Example(
            "Flipped labels",
            "Praise is called negative: does the model follow the demonstrations or the words?",
            Study(
                demonstrations=rows(
                    "the movie was truly wonderful -> negative; this soup is totally awful -> positive; "
                    "the ending felt remarkably boring -> positive; the pizza seems mega delightful -> negative; "
                    "the script was profoundly tedious -> positive; the dessert looks crazy fantastic -> negative"
                ),
                query="the burger proved insanely horrible",
                gold="positive",
                labels=("positive", "negative"),
            ),
        ),
        Example(
            "Seven to one",
            "Seven demonstrations of one label: compare direct with channel scoring.",
            Study(
                demonstrations=rows(
                    "horse -> foo; duck -> foo; wolf -> foo; tulip -> foo; "
                    "hammer -> bar; spider -> foo; shark -> foo; rabbit -> foo"
                ),
                query="desk",
                gold="bar",
                labels=("foo", "bar"),
            ),
        ),
        Example(
            "Wrong instruction",
            "The instruction says plural, the demonstrations say French: step n from 0 and see which wins.",
            Study(
                demonstrations=rows("dog -> chien; bread -> pain; fish -> poisson; cheese -> fromage"),
                query="cat",
                gold="chat",
                instruction="Give the plural.",
            ),
        ),
        Example(
            "Sentiment as foo and bar",
            "Arbitrary labels, four demonstrations chosen from a pool by similarity.",
            Study(
                demonstrations=rows("; ".join(SENTIMENT_POOL.split("; ")[:4])),
                pool=rows(SENTIMENT_POOL),
                query="the meal was totally delightful",
                gold="foo",
                labels=("foo", "bar"),
                selection="similarity",
                k=4,
            ),
        ),
        Example(
            "2 + 3 =",
            "Addition in the form that a textbook writes it.",
            Study(
                demonstrations=rows("1 + 1 -> 2; 4 + 3 -> 7; 10 + 2 -> 12; 6 + 5 -> 11"),
                query="2 + 3",
                gold="5",
                template=EQUALS,
            ),
        ),
        Example(
            "Unknown words",
            "Made-up words that only the context explains: pure memory.",
            Study(
                demonstrations=rows("blick -> grape; wug -> desk; blick -> grape; zorf -> lion; wug -> desk"),
                query="zorf",
                gold="lion",
            ),
        ),
    )


def default_study() -> Study:
    """What a new visitor sees."""
    return examples()[0].study
