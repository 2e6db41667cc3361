"""What a model writes before it answers: stages, each with its prompt, and what came of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.study.prompts import Part, Prompt

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ask:
    """One thing that a model is to write.

    Attributes:
        name: of the stage.
        prompt: what stands before it.
        until: strings at the first of which writing ends.
    """

    name: str
    prompt: Prompt
    until: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """One thing that a model wrote, the likeliest token at each step.

    Attributes:
        name: what it was for, such as "Decompose".
        prompt: what stood before it.
        written: the text up to where writing ended, without white space around it.
        tokens: (t,) the tokens written, those of the string that ended it included.
        logprobs: (t,) log p of each, nats.
        finished: False where it was cut off, by the number of tokens allowed or by the end of the context.
        ended: the string that ended it, "" where it was cut off or the model ended the text by a token of its own.
    """

    name: str
    prompt: Prompt
    written: str
    tokens: tuple[str, ...]
    logprobs: Floats
    finished: bool
    ended: str = ""


@dataclass(frozen=True)
class Reasoned:
    """What a model wrote on the way to its answer.

    Attributes:
        method: name in `core.reasoning.reasonings`.
        stages: in the order in which they were written; the answer's own is the last, where there is one.
        final: the prompt on which the answer is read: demonstrations, query, and the model's own rationale.
        answer: the stage in which the model wrote its answer; None where its rationale never came to one.
        notes: what a reader must know, one sentence each.
    """

    method: str
    stages: tuple[Stage, ...]
    final: Prompt
    answer: Stage | None
    notes: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens written, over all stages."""
        return sum(len(stage.tokens) for stage in self.stages)


@dataclass(frozen=True)
class Written:
    """An answer in the model's own words.

    Attributes:
        text: what it wrote, "" where it came to no answer.
        tokens, logprobs: (t,) of the answer, the string that ended it included.
        finished: False where it was cut off.
        gold: what it is held against, None where the right answer is not known.
        right: whether the two match, None without gold.
        matching: how they were compared.
    """

    text: str
    tokens: tuple[str, ...]
    logprobs: Floats
    finished: bool
    gold: str | None
    right: bool | None
    matching: str


Reasoning = Generator[Ask, Stage, Reasoned]
"""A method at work: it asks for one thing at a time and is sent the stage that came of it."""


def extend(prompt: Prompt, text: str, gap: str = " ") -> Prompt:
    """The prompt with the model's own words after it, as one part of kind "steps"."""
    added = prompt.gap + text
    part = Part("steps", None, len(prompt.text), len(prompt.text) + len(added))
    return Prompt(prompt.text + added, gap, (*prompt.parts, part))


def cut_off(*stages: Stage) -> tuple[str, ...]:
    """A note where a stage was cut off."""
    for stage in stages:
        if not stage.finished:
            return (f"“{stage.name}” was cut off after {len(stage.tokens)} tokens; more may be allowed.",)
    return ()
