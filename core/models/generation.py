"""Texts that a model writes on, token by token, many at once, from a cache of what stands before.

Texts of one number of tokens grow together, a row each: no row is padded, so that every architecture counts places in
them as it does in a text alone. What all texts begin with is read once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.models.encoding import Encoder
from core.models.incremental import Growing
from core.runtime.progress import Stop, check

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Floats = NDArray[np.float64]
Until = str | Sequence[str]


@dataclass(frozen=True)
class Generated:
    """What a model wrote.

    Attributes:
        text: up to the stop string, which is left out, without white space around it.
        tokens: (t,) the tokens written, those of the stop string included.
        logprobs: (t,) log p of each, nats, before any temperature.
        finished: whether a stop string or the model's own end came before the last token allowed.
        ended: the stop string that came, "" where none did.
    """

    text: str
    tokens: tuple[str, ...]
    logprobs: Floats
    finished: bool
    ended: str = ""


def generate(
    model: LanguageModel,
    texts: Sequence[str],
    *,
    until: Until = "\n",
    most: int = 32,
    temperature: float = 0.0,
    seed: int = 0,
    stop: Stop | None = None,
) -> list[Generated]:
    """What the model writes after every text.

    Args:
        texts: N texts.
        until: writing ends where this, or the first of these, appears after something else; white space first is not
            an end. Where a tokenizer puts spaces around words and signs, "up:" is found in "up :" too.
        most: tokens at most; fewer where the context ends.
        temperature: 0 takes the likeliest token at each step, ties to the lowest number; above, tokens are drawn from
            softmax(log p / temperature), so 1 samples the model's own distribution.
        seed: of the draws; text i draws from (seed, i), whatever the other texts are.
        stop: asked before every token.

    Raises:
        PromptTooLong: a text has more tokens than the model reads.
        ModelError: an empty text, on a model without any token to start from.
        Cancelled: `stop` said so.
    """
    ends = (until,) if isinstance(until, str) else tuple(until)
    written = [_Writing(ends, most, temperature, np.random.default_rng([seed, i])) for i in range(len(texts))]
    batches = iter(model.begin(texts))
    while True:
        check(stop)
        with model.lock:  # others may have a turn between two steps
            batch = next(batches, None)
        if batch is None:
            return [writing.result(model.encoder) for writing in written]
        _write(model, batch, [written[place] for place in batch.places], stop)


@dataclass
class _Writing:
    """One text being written."""

    until: tuple[str, ...]
    most: int
    temperature: float
    rng: np.random.Generator
    tokens: list[int] = field(default_factory=list)
    logs: list[float] = field(default_factory=list)
    said: str = ""
    finished: bool = False
    ended: str = ""

    @property
    def open(self) -> bool:
        return not self.finished and len(self.tokens) < self.most

    def take(self, logprobs: Floats, encoder: Encoder) -> int:
        """Choose the next token."""
        token = draw(logprobs, self.temperature, self.rng)
        if token in encoder.ends:
            self.finished = True
            return token
        self.tokens.append(token)
        self.logs.append(float(logprobs[token]))
        self.said, ended = cut(encoder.decode(self.tokens), self.until)
        self.finished, self.ended = ended is not None, ended or ""
        return token

    def result(self, encoder: Encoder) -> Generated:
        tokens = tuple(encoder.decode([token]) for token in self.tokens)
        return Generated(self.said, tokens, np.array(self.logs), self.finished, self.ended)


def _write(model: LanguageModel, batch: Growing, writing: list[_Writing], stop: Stop | None) -> None:
    """Write a batch to its end; rows that are done stay until a quarter of them is."""
    rows = [w for w in writing if w.open]
    while rows and any(w.open for w in rows) and len(batch) < model.context_length:
        check(stop)
        with model.lock:
            logprobs = batch.logprobs()[:, : model.vocabulary_size]
        tokens = [
            w.take(row.astype(np.float64), model.encoder) if w.open else 0
            for w, row in zip(rows, logprobs, strict=True)
        ]
        batch.take(tokens)
        left = [place for place, w in enumerate(rows) if w.open]
        if 4 * len(left) <= 3 * len(rows):
            batch.keep(left)
            rows = [rows[place] for place in left]


def draw(logprobs: Floats, temperature: float, rng: np.random.Generator) -> int:
    """The likeliest token at temperature 0; else one from softmax(log p / temperature)."""
    if temperature <= 0:
        return int(np.argmax(logprobs))
    p = np.exp((logprobs - logprobs.max()) / temperature)
    return int(rng.choice(len(p), p=p / p.sum()))


def cut(text: str, until: Sequence[str]) -> tuple[str, str | None]:
    """The text before the first of the stop strings, stripped, and which one it was; None where none is there."""
    lead = len(text) - len(text.lstrip())
    found = [(match.start(), i) for i, end in enumerate(until) if end and (match := _pattern(end).search(text, lead))]
    if not found:
        return text.strip(), None
    place, which = min(found)
    return text[:place].strip(), until[which]


def place_of(text: str, words: str) -> tuple[int, int] | None:
    """Where words stand in a text for the first time, from … to, whatever spaces a tokenizer put between them."""
    match = _pattern(words).search(text)
    return match.span() if match else None


@lru_cache(maxsize=256)
def _pattern(words: str) -> re.Pattern[str]:
    """Finds a stop string; between its words and signs there may be other spaces, line breaks must be the same."""
    pieces = re.findall(r"\s+|\w+|[^\w\s]", words)
    parts = []
    for before, piece in zip([None, *pieces], pieces, strict=False):
        if not piece.isspace():
            both = before is not None and not before.isspace()
            parts.append((r"[ \t]*" if both else "") + re.escape(piece))
        elif "\n" in piece or piece == words:
            parts.append(re.escape(piece))
        else:
            parts.append(r"[ \t]+")
    return re.compile("".join(parts))
