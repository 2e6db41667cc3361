"""A model's own chat template: how instruction-tuned models write who says what.

The template is the model's, a program in Jinja that came with its tokenizer and that transformers runs in a sandbox. A
study names it by its hash alone: no link and no saved study brings a program of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from core.errors import StudyError
from core.study.value import Text, Value

Style = Literal["turns", "one turn"]
Message = dict[str, str]
Write = Callable[[Sequence[Message], bool], str]
"""(messages, whether the assistant is to speak next) -> text; raises where the template refuses the messages."""

INSTRUCTION = -1
"""The slot of the instruction; turns are 0 (user), 1 (assistant), 2, …"""


class Chat(Value):
    """That a study is asked through a chat template, and how.

    Attributes:
        key: of the template (`ChatTemplate.key`).
        style: "turns": every demonstration is a turn of the user, its input, and one of the assistant, its label; "one
            turn": demonstrations and query stand in one turn of the user, as the plain template writes them.
    """

    key: Text
    style: Style = "turns"


@dataclass(frozen=True)
class Frame:
    """A conversation without what is said in it.

    Attributes:
        pieces: (m + 1,) the template's own text around m slots.
        slots: (m,) which stands where.
    """

    pieces: tuple[str, ...]
    slots: tuple[int, ...]


class ChatTemplate:
    """A chat template, and what it writes around what is said.

    Attributes:
        key: 12 hex digits of a hash of its source and of the special tokens that it names.
        system: whether it has a turn for the instruction; where not, that opens the first turn of the user, a blank
            line behind it.
        opening, closing: what it writes before an input, and behind a label.
        between: what it writes between the two.
        gap: white space that it writes before what the assistant says, and not where the assistant is to speak.
        dated: whether it writes today's date.
    """

    def __init__(self, source: str, special: Mapping[str, str], write: Write, start: str = "") -> None:
        """`start` is the token that the tokenizer itself puts before a text: where the template writes it, it goes."""
        self.key = hashlib.sha256(json.dumps([source, dict(special), start]).encode()).hexdigest()[:12]
        self.dated = "strftime_now" in source
        self._write, self._start = write, start
        self._frames: dict[tuple[int, bool], Frame] = {}
        self.system = self._takes_a_system_turn()
        middle = self.frame(2, False).pieces
        self.between = middle[1]
        self.gap, last = self._answered()
        self.closing = _shared(last, middle[2])
        self.opening = middle[2][len(self.closing) :]

    def messages(self, instruction: str, turns: Sequence[str]) -> list[Message]:
        """Turns of user and assistant by turns, the user's first; the instruction where the template wants it."""
        said = list(turns)
        if instruction and not self.system and said:
            said[0] = f"{instruction}\n\n{said[0]}"
        head = [{"role": "system", "content": instruction}] if instruction and self.system else []
        roles = ("user", "assistant")
        return head + [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]

    def says(self, instruction: str, turns: Sequence[str]) -> str:
        """What `apply_chat_template` gives for these turns, the assistant to speak next where their number is odd.

        Raises:
            StudyError: the template refuses them.
        """
        try:
            text = self._write(self.messages(instruction, turns), len(turns) % 2 == 1)
        except Exception as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")[:200]
            raise StudyError(f"The model's chat template refuses this conversation ({why}): ask it without.") from error
        return text.removeprefix(self._start) if self._start else text

    def frame(self, demonstrations: int, instructed: bool) -> Frame:
        """What stands around the turns of this many demonstrations and a query.

        Raises:
            StudyError: the template leaves something out, says it twice, or refuses.
        """
        key = (demonstrations, instructed)
        if key not in self._frames:
            turns = [_mark(place) for place in range(2 * demonstrations + 1)]
            text = self.says(_mark(INSTRUCTION) if instructed else "", turns)
            cut = _MARKS.split(text)
            slots = tuple(int(each) for each in cut[1::2])
            if sorted(slots) != list(range(INSTRUCTION if instructed else 0, len(turns))):
                raise StudyError("The model's chat template does not write all that it is given, once: ask it without.")
            self._frames[key] = Frame(tuple(cut[::2]), slots)
        return self._frames[key]

    def _takes_a_system_turn(self) -> bool:
        self.system = True
        try:
            self.frame(0, True)
        except StudyError:
            return False
        finally:
            self._frames.clear()
        return True

    def _answered(self) -> tuple[str, str]:
        """White space before an answer where one is given, and what stands behind it."""
        asked, whole = self.says("", [_mark(0)]), self.says("", [_mark(0), _mark(1)])
        before, _, behind = whole.partition(_mark(1))
        gap = before.removeprefix(asked) if before.startswith(asked) else ""
        return gap if not gap.strip() else "", behind


_MARKS = re.compile("\ue000(-?[0-9]+)\ue001")


def _mark(slot: int) -> str:
    """A text that stands for what is said in a slot, of characters that no template writes."""
    return f"\ue000{slot}\ue001"


def _shared(one: str, other: str) -> str:
    """With what two texts begin, up to where a sign of the template ends: "<|end|>" and a line break, not the "<|" too
    with which both go on."""
    count = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    ends = [found.end() for found in re.finditer(r"[>\]\n]+", one[:count])]
    return one[: ends[-1]] if ends else one[:count]


_known: WeakValueDictionary[str, ChatTemplate] = WeakValueDictionary()


def register(template: ChatTemplate) -> ChatTemplate:
    """Make a template known by its key for as long as somebody holds it; one that is known already is given back."""
    return _known.setdefault(template.key, template)


def known(chat: Chat) -> ChatTemplate:
    """The template that a study names.

    Raises:
        StudyError: it is that of a model which is not loaded.
    """
    found = _known.get(chat.key)
    if found is None:
        raise StudyError(
            "This study is asked through the chat template of a model that is not loaded: load that model, or choose "
            "under “Chat” how this one is asked."
        )
    return found
