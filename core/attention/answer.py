"""Attention of the last prompt token, pooled by the parts of the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.study.outcome import Attention
from core.study.prompts import Part, Prompt
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Reading

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def read_attention(study: Study, model: LanguageModel, prompt: Prompt) -> tuple[Reading, Attention | None]:
    """Read the prompt once and pool the last token's attention by demonstration, for every layer and head.

    A pooled weight is the sum over the tokens of a span; what a row lacks to 1 is attention to tokens outside every
    part, the beginning-of-text token above all. Where there is none, the text's first token takes its place and is a
    span of its own, "start". `maxima` and `label_maxima` are the largest weight inside a
    demonstration and inside its label (Han et al. 2023; docs/methods.md §8.2). None where the architecture gives no
    attention.

    Raises:
        StudyError: `study.token_head` is a head that the model lacks.
        PromptTooLong: the prompt does not fit the model's context.
    """
    check_heads(() if study.token_head is None else (study.token_head,), model.layers, model.heads)
    reading = model.read(prompt.text, rows=(-1,), head=study.token_head)
    return reading, pool(prompt, reading, study.token_head) if reading.attention is not None else None


def pool(prompt: Prompt, reading: Reading, head: tuple[int, int] | None = None) -> Attention:
    """The demonstration-level view of a reading whose first kept row is the prompt's last token.

    Raises:
        ValueError: the reading holds no attention.
    """
    if reading.attention is None:
        raise ValueError("The reading holds no attention to pool.")
    row = reading.attention[:, :, 0, :].astype(np.float64)  # (layers, heads, t)
    owner = part_of_tokens(prompt.parts, reading.ends)
    names, span = _spans(prompt.parts, owner, first_apart(reading.ends))
    belongs = (span[:, None] == np.arange(len(names))).astype(np.float64)  # (t, S)
    count = len({part.demonstration for part in prompt.parts if part.demonstration is not None})
    demonstration = np.array([*readable(prompt.parts), -1], dtype=np.intp)[owner]
    return Attention(
        spans=names,
        pooled=row @ belongs,
        maxima=_maxima(row, [demonstration == i for i in range(count)]),
        label_maxima=_maxima(row, label_tokens(prompt.parts, owner, reading.starts, reading.ends, count)),
        tokens=tuple(reading.texts),
        token_starts=tuple(int(start) for start in reading.starts),
        token_spans=tuple(span.tolist()),
        head=head,
        map=reading.map if head is not None else None,
    )


def part_of_tokens(parts: Sequence[Part], ends: Sequence[int]) -> Places:
    """(t,) the place in `parts` (in order of the text) of the part that each token belongs to, −1 outside every part.

    A token that straddles a boundary belongs to the part that holds its last character: tokenizers join white space to
    the word that follows, so "·chat" is the label and not the separator. A token without characters belongs to the part
    that holds the character before it; at the very start (the beginning-of-text token) it is outside.

    Where no start token stands in front, the text's first token is outside too (`first_apart`).
    """
    bounds = np.array([part.end for part in parts], dtype=np.int64)
    begins = np.array([part.start for part in parts], dtype=np.int64)
    last = np.asarray(ends, dtype=np.int64)
    owner = np.searchsorted(bounds, last, side="left")  # the first part that ends at or after the token does
    inside = owner < len(parts)
    inside[inside] = begins[owner[inside]] < last[inside]
    if first_apart(ends):
        inside[0] = False
    return np.where(inside, owner, -1)


def first_apart(ends: Sequence[int]) -> bool:
    """Whether the first token is set apart: it is the text's own, since the tokenizer puts no start token in front.

    Heads that have nothing to look for rest on the first token, whatever it is (an attention sink, Xiao et al. 2024).
    A start token takes that; without one it would count for whichever part stands first. A text of one token keeps it.
    """
    return len(ends) > 1 and int(ends[0]) > 0


def readable(parts: Sequence[Part]) -> list[int]:
    """The demonstration that each part counts to, −1 for none.

    A demonstration reaches up to the next input: what stands before an input ("Q:", "Input:") is read before it and
    can hold nothing of it, and is where a head reads the demonstration that has just ended. So a prefix counts to the
    demonstration before it, the query's prefix to the last one, and the first prefix to none.
    """
    last = max((part.demonstration for part in parts if part.demonstration is not None), default=-1)
    out = []
    for part in parts:
        own = -1 if part.demonstration is None else part.demonstration
        if part.kind == "prefix":
            own = last if part.demonstration is None else own - 1
        out.append(own)
    return out


def label_tokens(
    parts: Sequence[Part], owner: Places, starts: Sequence[int], ends: Sequence[int], count: int
) -> list[NDArray[np.bool_]]:
    """For each of `count` demonstrations, which tokens (t,) are its label's.

    Where a tokenizer joins the label to what follows it, so that no token ends inside the label, every token that
    overlaps it counts, but for one that is set apart (`first_apart`).
    """
    masks = []
    first, last = np.asarray(starts), np.asarray(ends)
    for i in range(count):
        places = [p for p, part in enumerate(parts) if part.demonstration == i and part.kind == "label"]
        mask = np.isin(owner, places)
        if not mask.any():
            for place in places:
                mask |= (first < parts[place].end) & (last > parts[place].start)
            mask[:1] &= not first_apart(ends)
        masks.append(mask)
    return masks


def check_heads(heads: Sequence[tuple[int, int]], layers: int, per_layer: int) -> None:
    """Raise StudyError for a (layer, head) that a model of this shape lacks; both count from 0."""
    for layer, head in heads:
        if not (0 <= layer < layers and 0 <= head < per_layer):
            raise StudyError(
                f"There is no head {head} in layer {layer}: this model has layers 0 to {layers - 1} "
                f"and heads 0 to {per_layer - 1}."
            )


def _spans(parts: Sequence[Part], owner: Places, apart: bool) -> tuple[tuple[str, ...], Places]:
    """The names of the spans, and which of them each token is in, (t,), −1 for none; `apart`: the first token is."""
    count = len({part.demonstration for part in parts if part.demonstration is not None})
    instructed = any(part.kind == "instruction" for part in parts)
    front = (*(("start",) if apart else ()), *(("instruction",) if instructed else ()))
    names = (*front, *(str(i + 1) for i in range(count)), "query")
    first = len(front)
    of_part = []
    for part, demonstration in zip(parts, readable(parts), strict=True):
        if demonstration >= 0:
            of_part.append(first + demonstration)
        elif part.kind == "prefix" and part.demonstration is not None:
            of_part.append(-1)  # before the first input: of no span
        else:
            # the line break after the instruction is the only "end" without a demonstration
            of_part.append(first - 1 if part.kind in ("instruction", "end") else len(names) - 1)
    lookup = np.array([*of_part, -1], dtype=np.intp)  # owner −1 picks the last: outside
    span = lookup[owner]
    span[:1] = np.where(apart, 0, span[:1])
    return names, span


def _maxima(row: Floats, masks: Sequence[NDArray[np.bool_]]) -> Floats:
    """(layers, heads, n) the largest weight under each mask, 0 where a mask is empty."""
    out = np.zeros((*row.shape[:2], len(masks)))
    for i, mask in enumerate(masks):
        if mask.any():
            out[:, :, i] = row[:, :, mask].max(2)
    return out
