"""Templates, and prompts with the span of every part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.demonstrations import Demonstration


class Template(BaseModel):
    """How a demonstration is written, forwards (x then y) and in the channel direction (y then x).

    forward:  input_prefix · x · label_prefix · y · end
    channel:  channel_label_prefix · y · channel_input_prefix · x · end

    A prompt is instruction + "\\n" (when there is one), the demonstrations, and the same pieces for the query up to
    the part that is to be answered, with trailing white space left to the answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "custom"
    input_prefix: str = ""
    label_prefix: str = " -> "
    end: str = "\n"
    channel_label_prefix: str = ""
    channel_input_prefix: str = " <- "


ARROW = Template(name="arrow")
EQUALS = Template(name="equals", label_prefix=" = ", channel_input_prefix=" := ")
BAR = Template(name="bar", label_prefix=" | ", channel_input_prefix=" || ")
INPUT_LABEL = Template(
    name="input-label",
    input_prefix="Input: ",
    label_prefix="\nLabel: ",
    channel_label_prefix="Label: ",
    channel_input_prefix="\nInput: ",
)
QUESTION_ANSWER = Template(
    name="question-answer",
    input_prefix="Q: ",
    label_prefix="\nA: ",
    channel_label_prefix="A: ",
    channel_input_prefix="\nQ: ",
)
TEMPLATES: dict[str, Template] = {t.name: t for t in (ARROW, EQUALS, BAR, INPUT_LABEL, QUESTION_ANSWER)}

Kind = Literal["instruction", "prefix", "input", "separator", "label", "end", "query", "answer-prefix"]


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


def render(
    demonstrations: Sequence[Demonstration], query: str, template: Template = ARROW, instruction: str = ""
) -> Prompt:
    """Write the forward prompt: demonstrations in the order given, then the query up to its answer."""
    raise NotImplementedError
