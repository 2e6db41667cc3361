"""Templates, and prompts with the span of every part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import field_validator

from core.errors import StudyError
from core.study.chat import INSTRUCTION, Chat, ChatTemplate, known
from core.study.demonstrations import Demonstration
from core.study.label_words import Words, one_word_each
from core.study.value import Text, Value


class Template(Value):
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
        chat: that all of it is written through a model's chat template, the instruction as its system turn. With a turn
            each the pieces above are not written; in one turn of the user they stand as they do without it.
    """

    name: Text = "custom"
    input_prefix: Text = ""
    label_prefix: Text = " -> "
    end: Text = "\n"
    channel_label_prefix: Text = ""
    channel_input_prefix: Text = " <- "
    words: Words = ()
    chat: Chat | None = None

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


def in_place_of(own: Template, other: Template) -> Template:
    """The other template with the own one's words for labels and its chat."""
    return other.model_copy(update={"words": own.words, "chat": own.chat})


def same_affixes(a: Template, b: Template) -> bool:
    """Whether two templates differ in name, words and chat at most."""
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
        instruction: stands before everything, with a blank line after it, when not empty; where its chat template has
            it.

    Raises:
        StudyError: a chat template that is not known, that refuses what it is given, or that changes it.

    Returns:
        A prompt whose parts cover every character exactly once, in order. Text + gap + the word for y is the whole
        text.
    """
    if template.chat is not None:
        pairs = [(row.input, template.word(row.label)) for row in demonstrations]
        inner = (demonstrations, query, template.model_copy(update={"chat": None}))
        return _through_chat(
            template.chat, pairs, query, ("input", "label", "query"), instruction, lambda: render(*inner)
        )
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
    if template.chat is not None:
        pairs = [(template.word(row.label), row.input) for row in demonstrations]
        inner, word = (demonstrations, label, template.model_copy(update={"chat": None})), template.word(label)
        kinds: tuple[Kind, Kind, Kind] = ("label", "input", "label")
        return _through_chat(template.chat, pairs, word, kinds, instruction, lambda: render_channel(*inner))
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


def _through_chat(
    chat: Chat,
    pairs: Sequence[tuple[str, str]],
    question: str,
    kinds: tuple[Kind, Kind, Kind],
    instruction: str,
    inner: Callable[[], Prompt],
) -> Prompt:
    """What a chat template writes.

    Args:
        pairs: what user and assistant say in each demonstration.
        question: what the user says last.
        kinds: what the user says in a demonstration, what the assistant says, and what the user says last.
        inner: the plain prompt, for one turn.
    """
    template = known(chat)
    if chat.style == "one turn":
        plain = _ending_in_a_sign(inner())
        turns, count, parts = [plain.text], 0, plain.parts
    else:
        turns, count, parts = [*(text for pair in pairs for text in pair), question], len(pairs), ()
    writer = _ChatWriter(template, turns, kinds, instruction, parts)
    frame = template.frame(count, bool(instruction))
    before: int | None = None
    for piece, slot in zip(frame.pieces, frame.slots, strict=False):
        writer.markup(piece, before, slot)
        writer.say(slot)
        before = slot
    writer.add("answer-prefix", frame.pieces[-1])
    prompt = writer.prompt(template.gap)
    if prompt.text != template.says(instruction, turns):
        raise StudyError(
            "The model's chat template changes what it is given, so that the parts of its prompt cannot be told apart: "
            "ask it without."
        )
    return prompt


def _ending_in_a_sign(prompt: Prompt) -> Prompt:
    """The prompt without white space at its end, which many chat templates take away."""
    text = prompt.text.rstrip()
    parts = tuple(Part(p.kind, p.demonstration, min(p.start, len(text)), min(p.end, len(text))) for p in prompt.parts)
    return Prompt(text, "", tuple(part for part in parts if part.end > part.start or part.kind in ("input", "query")))


class _ChatWriter(_Writer):
    """Knows of a chat template's own text what it belongs to.

    What stands before a demonstration is its prefix and what closes it its end. The template's own beginning, where it
    has one, counts to the instruction, as does what it writes around that.
    """

    def __init__(
        self,
        template: ChatTemplate,
        turns: Sequence[str],
        kinds: tuple[Kind, Kind, Kind],
        instruction: str,
        inner: Sequence[Part],
    ) -> None:
        super().__init__()
        self.template, self.turns, self.kinds, self.instructed, self.inner = template, turns, kinds, instruction, inner
        self.head = ""  # the template's own beginning, until the instruction is written

    def markup(self, piece: str, before: int | None, slot: int) -> None:
        """What the template writes between two slots, or before the first."""
        if slot == INSTRUCTION and before is None:
            self.head = piece  # written with the instruction, as one part
            return
        opens = piece.endswith(self.template.opening) and slot != INSTRUCTION
        own, prefix = (
            (piece[: len(piece) - len(self.template.opening)], self.template.opening) if opens else (piece, "")
        )
        if before is not None and before >= 0 and before % 2 == 0:
            self.add("separator", piece, before // 2)
        elif before is not None and before >= 0:
            closes = len(self.template.closing) if piece.startswith(self.template.closing) else len(piece)
            self.add("end", piece[:closes], before // 2)
            self.add("prefix", piece[closes:], self._demonstration(slot))
        elif before is None:
            self.add("instruction" if opens else "prefix", own, None if opens else self._demonstration(slot))
            self.add("prefix", prefix, self._demonstration(slot))
        else:
            self.add("end", own)
            self.add("prefix", prefix, self._demonstration(slot))

    def say(self, slot: int) -> None:
        """What is said in a slot."""
        if slot == INSTRUCTION:
            head, self.head = self.head, ""
            self.add("instruction", head + self.instructed)
        elif self.inner:
            start = self.length
            self.pieces.append(self.turns[slot])
            self.parts += [Part(p.kind, p.demonstration, p.start + start, p.end + start) for p in self.inner]
            self.length += len(self.turns[slot])
        else:
            last = slot == len(self.turns) - 1
            self.add(self.kinds[2] if last else self.kinds[slot % 2], self.turns[slot], self._demonstration(slot))

    def _demonstration(self, slot: int) -> int | None:
        """The demonstration that a slot is of, the first where all stand in one turn; None for the last turn."""
        if self.inner:
            return 0 if any(part.demonstration == 0 for part in self.inner) else None
        return None if slot == len(self.turns) - 1 or slot < 0 else slot // 2


def end_of(template: Template) -> str:
    """What ends an answer that a model writes: the template's end, or a line's; a chat's turn ends by a token too."""
    return "\n" if template.chat is not None else template.end.strip(" ") or "\n"


def closing(template: Template) -> str:
    """What stands behind a label."""
    return known(template.chat).closing if template.chat is not None else template.end


def before_answer(template: Template) -> str:
    """What stands before an answer whatever the input, without white space around it."""
    return (known(template.chat).between if template.chat is not None else template.label_prefix).strip()
