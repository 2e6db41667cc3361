"""Templates, and prompts with the span of every part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from core.study.demonstrations import Demonstration
from core.study.label_words import Words, one_word_each


class Template(BaseModel):
    """How a demonstration is written, forwards (x then y) and in the channel direction (y then x).

    forward:  input_prefix · x · label_prefix · y · end
    channel:  channel_label_prefix · y · channel_input_prefix · x · end

    A prompt is the instruction and a blank line (when there is one), the demonstrations, and the same pieces for the
    query up to the part that is to be answered. Trailing spaces are left to the answer: tokenizers join them to the
    next word.

    Attributes:
        words: verbalisers, (label, word) pairs: y is written as its word wherever it is written, in demonstrations and
            as the answer that is scored. Everything that reads the text reads the word: the model, every scorer and
            calibration, attention, and exact Bayes and the posteriors, which are about the text as written. What comes
            out is named by the labels themselves. A label that is not named is its own word.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "custom"
    input_prefix: str = ""
    label_prefix: str = " -> "
    end: str = "\n"
    channel_label_prefix: str = ""
    channel_input_prefix: str = " <- "
    words: Words = ()

    @field_validator("words")
    @classmethod
    def _one_word_each(cls, words: Words) -> Words:
        return one_word_each(words)

    def word(self, label: str) -> str:
        """What is written for a label."""
        return dict(self.words).get(label, label) if self.words else label

    def label(self, word: str) -> str | None:
        """Whose word it is; None for a word that no label is written as, since the label of that name has another."""
        if not self.words:
            return word
        owner = {written: label for label, written in self.words}.get(word)
        return owner if owner is not None else None if word in dict(self.words) else word


# A blank line, so that the first demonstration opens as every other one does.
INSTRUCTION_END = "\n\n"

ARROW = Template(name="arrow")
EQUALS = Template(name="equals", label_prefix=" = ", channel_input_prefix=" := ")
BAR = Template(name="bar", label_prefix=" | ", channel_input_prefix=" || ")
INPUT_LABEL = Template(
    name="input-label",
    input_prefix="Input: ",
    label_prefix="\nLabel: ",
    end="\n\n",
    channel_label_prefix="Label: ",
    channel_input_prefix="\nInput: ",
)
QUESTION_ANSWER = Template(
    name="question-answer",
    input_prefix="Q: ",
    label_prefix="\nA: ",
    end="\n\n",
    channel_label_prefix="A: ",
    channel_input_prefix="\nQ: ",
)
TEMPLATES: dict[str, Template] = {t.name: t for t in (ARROW, EQUALS, BAR, INPUT_LABEL, QUESTION_ANSWER)}

AFFIXES = ("input_prefix", "label_prefix", "end", "channel_label_prefix", "channel_input_prefix")
"""Fields of a template that hold text of its own."""


def ready_made(template: Template) -> str | None:
    """Name of the ready-made template that this one writes as, whatever its words; None where there is none."""
    return next((name for name, known in TEMPLATES.items() if same_affixes(known, template)), None)


def same_affixes(a: Template, b: Template) -> bool:
    """Whether two templates differ in name and words at most."""
    return all(getattr(a, field) == getattr(b, field) for field in AFFIXES)


Kind = Literal["instruction", "prefix", "input", "separator", "steps", "label", "end", "query", "answer-prefix"]


@dataclass(frozen=True)
class Part:
    """A stretch of the prompt.

    Attributes:
        kind: what it is.
        demonstration: 0-based place among the demonstrations shown, or None outside them.
        start, end: character span in the prompt's text.
    """

    kind: Kind
    demonstration: int | None
    start: int
    end: int


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt: the text, and what each stretch of it is.

    The text ends where the answer begins; `gap` is the white space that belongs between them (" " for the arrow
    template), so that prompt + gap + answer is the whole text as the template writes it.
    """

    text: str
    gap: str
    parts: tuple[Part, ...]


class _Writer:
    """Collects the pieces of a prompt and remembers where each one stands."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.parts: list[Part] = []
        self.length = 0

    def add(self, kind: Kind, text: str, demonstration: int | None = None) -> None:
        """Append `text`. Inputs, labels and queries are recorded even when empty, everything else only when not."""
        if not text and kind not in ("input", "label", "query"):
            return
        self.parts.append(Part(kind, demonstration, self.length, self.length + len(text)))
        self.pieces.append(text)
        self.length += len(text)

    def instruction(self, instruction: str) -> None:
        if instruction:
            self.add("instruction", instruction)
            self.add("end", INSTRUCTION_END)

    def prompt(self, gap: str) -> Prompt:
        return Prompt("".join(self.pieces), gap, tuple(self.parts))


def _split_gap(prefix: str) -> tuple[str, str]:
    """Split the last prefix into what stays in the prompt and the white space that the answer brings along.

    Line breaks stay: no tokenizer joins one to the word after it, and left to the answer they would count as one of
    its tokens.
    """
    kept = prefix.rstrip(" \t\u00a0\u3000")
    return kept, prefix[len(kept) :]


def render(
    demonstrations: Sequence[Demonstration], query: str, template: Template = ARROW, instruction: str = ""
) -> Prompt:
    """Write the forward prompt: demonstrations in the order given, then the query up to its answer.

    Args:
        demonstrations: those shown; the `excluded` flag is not read here.
        query: x.
        template: how each is written.
        instruction: stands before everything, with a blank line after it, when not empty.

    Returns:
        A prompt whose parts cover every character exactly once, in order. Text + gap + the word for y is the whole
        text.
    """
    writer = _Writer()
    writer.instruction(instruction)
    for i, demonstration in enumerate(demonstrations):
        writer.add("prefix", template.input_prefix, i)
        writer.add("input", demonstration.input, i)
        writer.add("separator", template.label_prefix, i)
        writer.add("label", template.word(demonstration.label), i)
        writer.add("end", template.end, i)
    writer.add("prefix", template.input_prefix)
    writer.add("query", query)
    kept, gap = _split_gap(template.label_prefix)
    writer.add("answer-prefix", kept)
    return writer.prompt(gap)


def render_channel(
    demonstrations: Sequence[Demonstration], label: str, template: Template = ARROW, instruction: str = ""
) -> Prompt:
    """Write the channel prompt: each demonstration label first, then `label` up to the input that it should explain.

    Text + gap + x is the whole text, so that p(x | text) is what the channel scorer reads (Min et al. 2022). The
    parts are those of `render`, with "label" before "input"; the label put to the test has no demonstration.
    """
    writer = _Writer()
    writer.instruction(instruction)
    for i, demonstration in enumerate(demonstrations):
        writer.add("prefix", template.channel_label_prefix, i)
        writer.add("label", template.word(demonstration.label), i)
        writer.add("separator", template.channel_input_prefix, i)
        writer.add("input", demonstration.input, i)
        writer.add("end", template.end, i)
    writer.add("prefix", template.channel_label_prefix)
    writer.add("label", template.word(label))
    kept, gap = _split_gap(template.channel_input_prefix)
    writer.add("answer-prefix", kept)
    return writer.prompt(gap)
