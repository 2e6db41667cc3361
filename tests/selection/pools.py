"""Pools that tests choose from, and choosing from them."""

from __future__ import annotations

from core import Demonstration, Study
from core.selection import select
from core.study.outcome import Chosen
from tests.tiny import REVIEWS, rows, tiny

NOUNS = ("film", "plot", "bird", "house", "dog", "cat", "capital", "review")
ADJECTIVES = ("good", "bad", "positive", "negative")
MANY = rows(
    [
        (f"the {noun} was {'very ' * (i % 3)}{adjective}", "positive" if adjective[0] in "gp" else "negative")
        for i, (noun, adjective) in enumerate((n, a) for n in NOUNS for a in ADJECTIVES)
    ]
)
POOLS: dict[str, tuple[Demonstration, ...]] = {
    "plain": REVIEWS,
    "duplicates": REVIEWS + REVIEWS[:3],
    "all equal": REVIEWS[:1] * 5,
    "one label": tuple(d.model_copy(update={"label": "positive"}) for d in REVIEWS),
    "one row": REVIEWS[:1],
    "unfinished rows": (Demonstration(input="x", label=""), Demonstration(input=" ", label="y"), *REVIEWS),
    "excluded": (*REVIEWS, Demonstration(input="a bad film", label="negative", excluded=True)),
    "signs": rows([("🙂", "+"), ("<b>", "-"), ("…", "+"), ("1", "-")]),
}


def choice(name: str, pool: tuple[Demonstration, ...], k: int, architecture: str = "llama", **more: object) -> Chosen:
    """What a strategy chooses for the query "a good film"."""
    study = Study.model_validate({"selection": name, "pool": pool, "k": k, "query": "a good film", **more})
    return select(study, tiny(architecture))


def chosen(name: str, pool: tuple[Demonstration, ...], k: int, **more: object) -> list[int]:
    """The places alone."""
    return list(choice(name, pool, k, **more).indices)  # type: ignore[arg-type]
