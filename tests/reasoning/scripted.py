"""A model whose writing is known: a script of answers by stage, for methods run without any network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core import Demonstration, Study
from core.models.generation import cut
from core.reasoning import Ask, Reasoned, Stage, reasonings
from core.study.demonstrations import read_steps


def rows(*given: tuple[str, str, str]) -> tuple[Demonstration, ...]:
    """Demonstrations from (input, label, steps as text)."""
    return tuple(Demonstration(input=x, label=y, steps=read_steps(steps)) for x, y, steps in given)


SUMS = rows(("2 + 3 + 4", "9", "2 + 3 = 5; 5 + 4 = 9"), ("1 + 3 + 2", "6", "1 + 3 = 4; 4 + 2 = 6"))


def play(
    study: Study,
    shown: Sequence[Demonstration],
    says: Callable[[Ask], str],
    finishes: Callable[[Ask], bool] = lambda ask: True,
) -> tuple[Reasoned, list[Ask]]:
    """Run the study's method; what is written after each prompt is `says(ask)`, cut where the ask says it ends."""
    running = reasonings.find(study.reasoning).function(study, shown)
    asks: list[Ask] = []
    try:
        ask = next(running)
        while True:
            asks.append(ask)
            text, ended = cut(says(ask), ask.until)
            tokens = tuple(text.split())
            done = ended is not None or finishes(ask)
            ask = running.send(Stage(ask.name, ask.prompt, text, tokens, np.zeros(len(tokens)), done, ended or ""))
    except StopIteration as stopped:
        found: Reasoned = stopped.value
        return found, asks


def writer(text: str) -> Callable[[Ask], str]:
    """One that goes on writing the same text after the query, whatever part of it is there already."""

    def says(ask: Ask) -> str:
        query = next(part for part in ask.prompt.parts if part.kind == "query")
        after = ask.prompt.text[query.end :]
        # Everything of the text that the prompt does not hold yet.
        for size in range(len(text), -1, -1):
            if after.rstrip().endswith(text[:size].rstrip()):
                return text[size:]
        return text

    return says
