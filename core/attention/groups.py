"""Tokens of a prompt put into groups: by demonstration, by what they are (input, label, …), or by both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.attention.answer import label_tokens, part_of_tokens, readable
from core.models.encoding import Encoding
from core.study.prompts import Prompt

Places = NDArray[np.intp]
Grouping = Literal["demonstrations", "kinds", "both"]
GROUPINGS: tuple[Grouping, ...] = ("demonstrations", "kinds", "both")

# What a token can be, in the order of a prompt. "start" is a token outside every part: a beginning-of-text one, or the
# text's first where there is none (`first_apart`).
KINDS = ("start", "instruction", "prefix", "input", "separator", "steps", "label", "end", "query", "answer-prefix")
START = "start"


@dataclass(frozen=True)
class Tokens:
    """The tokens of a prompt and what each of them is.

    Attributes:
        texts: (t,) as text.
        kinds: (t,) place in `KINDS`.
        demonstrations: (t,) 0-based place of the demonstration that a token stands in, −1 outside.
        count: n, how many demonstrations there are.
    """

    texts: tuple[str, ...]
    kinds: Places
    demonstrations: Places
    count: int

    def __len__(self) -> int:
        return len(self.texts)

    def of_kinds(self, kinds: Collection[str]) -> NDArray[np.bool_]:
        """(t,) which tokens are of one of these kinds; of any, where none is named."""
        wanted = [KINDS.index(kind) for kind in kinds]
        return np.isin(self.kinds, wanted) if wanted else np.ones(len(self), dtype=np.bool_)

    def in_demonstration(self, place: int) -> NDArray[np.bool_]:
        """(t,) which tokens stand in the demonstration at a 0-based place."""
        return np.asarray(self.demonstrations == place)

    def after_demonstrations(self) -> NDArray[np.bool_]:
        """(t,) which tokens are the query's and what leads to the answer."""
        before = [KINDS.index(START), KINDS.index("instruction")]
        return (self.demonstrations < 0) & ~np.isin(self.kinds, before)

    def between(self, first: int, last: int) -> NDArray[np.bool_]:
        """(t,) which tokens stand at places first … last."""
        places = np.arange(len(self))
        return (places >= first) & (places <= last)


@dataclass(frozen=True)
class Groups:
    """Groups of tokens, in the order of the prompt; a token is in one of them or in none.

    Attributes:
        names: (G,) "start", "instruction", "1" … "n", "query"; a kind of `KINDS`; or "3 label".
        demonstrations: (G,) 0-based place of the demonstration that a group belongs to, or None where it belongs to
            none or to several.
        of: (t,) the group of each token, −1 for none.
        sizes: (G,) tokens in each, none of them 0.
    """

    names: tuple[str, ...]
    demonstrations: tuple[int | None, ...]
    of: Places
    sizes: Places


def tokens_of(prompt: Prompt, encoding: Encoding) -> Tokens:
    """What each token of a prompt is.

    Demonstrations reach up to the next input (`readable`). A token belongs to the part that holds its last character;
    where no token ends inside a label, the tokens that overlap it are the label's.
    """
    owner = part_of_tokens(prompt.parts, encoding.ends)
    count = len({part.demonstration for part in prompt.parts if part.demonstration is not None})
    kind_of_part = np.array([*(KINDS.index(part.kind) for part in prompt.parts), KINDS.index(START)], dtype=np.intp)
    kinds, demonstrations = kind_of_part[owner], np.array([*readable(prompt.parts), -1], dtype=np.intp)[owner]
    last_of_instruction = _end_of_instruction(prompt)
    kinds[(owner >= 0) & (owner <= last_of_instruction)] = KINDS.index("instruction")
    for i, mask in enumerate(label_tokens(prompt.parts, owner, encoding.starts, encoding.ends, count)):
        kinds[mask], demonstrations[mask] = KINDS.index("label"), i
    return Tokens(encoding.texts, kinds, demonstrations, count)


def _end_of_instruction(prompt: Prompt) -> int:
    """Place of the line break after the instruction among the parts, −1 where there is no instruction."""
    if not prompt.parts or prompt.parts[0].kind != "instruction":
        return -1
    return 1 if len(prompt.parts) > 1 and prompt.parts[1].kind == "end" else 0


def group(
    tokens: Tokens, grouping: Grouping = "demonstrations", kinds: Collection[str] = (), most: int = 256
) -> Groups:
    """Put tokens into groups.

    Args:
        tokens: what each token is.
        grouping: "demonstrations": one group a demonstration, and "start", "instruction", "query" (everything behind
            the demonstrations). "kinds": one a kind. "both": one a kind in each demonstration.
        kinds: only tokens of these kinds are in a group; none named means all.
        most: about how many groups there may be; above it, neighbouring demonstrations are put together ("1–4").
    """
    per = len(KINDS) if grouping == "both" else 1
    width = max(1, -(-tokens.count * per // most))
    inside = tokens.demonstrations >= 0
    block = np.where(inside, tokens.demonstrations // width, -1)
    before = ~inside & ~tokens.after_demonstrations()
    kind = tokens.kinds if grouping != "demonstrations" else np.where(before, tokens.kinds, 0)
    place = np.zeros(len(tokens), dtype=np.intp)
    if grouping != "kinds":  # before the demonstrations, in one of them, behind them
        place = np.where(inside, 1 + block, np.where(before, 0, 2 + tokens.count))
    keys = place * len(KINDS) + kind
    wanted = tokens.of_kinds(kinds)
    found, of = np.unique(keys[wanted], return_inverse=True)
    groups = np.full(len(tokens), -1, dtype=np.intp)
    groups[wanted] = of
    names, owners = [], []
    for key in found:
        name, owner = _name(int(key) // len(KINDS), KINDS[int(key) % len(KINDS)], grouping, width, tokens.count)
        names.append(name)
        owners.append(owner)
    return Groups(tuple(names), tuple(owners), groups, np.bincount(of, minlength=len(found)).astype(np.intp))


def _name(place: int, kind: str, grouping: Grouping, width: int, count: int) -> tuple[str, int | None]:
    """The name of a group, and the demonstration that it is part of."""
    if grouping == "kinds":
        return kind, None
    if place == 0:
        return kind, None
    if place == 2 + count:
        return ("query" if grouping == "demonstrations" else kind), None
    first, last = (place - 1) * width, min(place * width, count) - 1
    number = f"{first + 1}" if first == last else f"{first + 1}–{last + 1}"
    return (number if grouping == "demonstrations" else f"{number} {kind}"), (first if first == last else None)
