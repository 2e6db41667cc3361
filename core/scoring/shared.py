"""What a model has been asked already, remembered: the one way in which those who ask share their passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError, PromptTooLong
from core.runtime.progress import Stop

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair, Reading, Scored

Rows = NDArray[np.float32]
Vector = NDArray[np.float32]


class Missing(Exception):
    """A dry run asked for what is not known yet; it has been noted."""


class SharedPasses:
    """A model whose `score`, `next_logprobs` and `read` answer from memory; everything else is the model's own.

    What will be asked is named (`want`), or found out by a dry run: then what is not known is noted and `Missing` ends
    the run. `fetch` asks the model for all of it in one call, so that shared tokens are computed once. It is made for
    one piece of work and forgotten with it, so what shares a pass depends on that work alone.
    """

    def __init__(self, model: LanguageModel, *, dry: bool = False) -> None:
        """
        Args:
            model: what is asked.
            dry: whether asking for what is not known yet notes it and raises `Missing`, in place of asking the model.
        """
        self.model, self.dry = model, dry
        self._scores: dict[Pair, Scored] = {}
        self._rows: dict[str, Rows] = {}
        self._pairs: dict[Pair, None] = {}
        self._texts: dict[str, None] = {}
        self._look: str | None = None
        self._readings: dict[str, Reading] = {}
        self._along: list[str] = []
        self._keep: Callable[[Mapping[str, Vector]], None] = lambda vectors: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    @property
    def as_model(self) -> LanguageModel:
        """Itself, for those who take a model."""
        return cast("LanguageModel", self)

    def score(self, pairs: Sequence[Pair], *, stop: Stop | None = None) -> list[Scored]:
        """`LanguageModel.score`.

        Raises:
            Missing: in a dry run, where some are not known yet.
        """
        missing = list(dict.fromkeys(pair for pair in pairs if pair not in self._scores))
        if missing:
            self._note(missing, ())
            self._scores |= zip(missing, self.model.score(missing, stop=stop), strict=True)
        return [self._scores[pair] for pair in pairs]

    def next_logprobs(self, texts: Sequence[str], *, stop: Stop | None = None) -> Rows:
        """`LanguageModel.next_logprobs`.

        Raises:
            Missing: in a dry run, where some are not known yet.
        """
        missing = list(dict.fromkeys(text for text in texts if text not in self._rows))
        if not missing and texts:
            return np.stack([self._rows[text] for text in texts])
        self._note((), missing)
        rows = self._next_logprobs(missing, stop)
        if missing == list(texts):
            return rows
        found = self._rows | dict(zip(missing, rows, strict=True))  # many rows are large, and are asked for once
        return np.stack([found[text] for text in texts])

    def read(
        self, text: str, *, hidden: bool = False, rows: Sequence[int] = (-1,), head: tuple[int, int] | None = None
    ) -> Reading:
        """`LanguageModel.read`; from memory where the text was looked at and its last token's attention is enough."""
        known = self._readings.get(text)
        if known is not None and not hidden and tuple(rows) == (-1,) and head is None:
            return known
        return self.model.read(text, hidden=hidden, rows=rows, head=head)

    def want(self, pairs: Sequence[Pair], texts: Sequence[str], look: str | None = None) -> None:
        """Note what will be scored, the texts whose next token will be asked for, and one of them that will be read."""
        self._pairs.update(dict.fromkeys(pairs))
        self._texts.update(dict.fromkeys(texts))
        self._look = look if look is not None else self._look

    def carry(self, texts: Sequence[str], keep: Callable[[Mapping[str, Vector]], None]) -> None:
        """Have texts embedded by a pass that is made anyway: by `fetch` where the model keeps what it has read, else
        by `next_logprobs`, so that scores never share it and are the same to the last digit each time.

        Args:
            texts: whose `LanguageModel.embed` is wanted.
            keep: is given the vectors that could be had, by text.
        """
        self._along, self._keep = list(texts), keep

    def _next_logprobs(self, texts: Sequence[str], stop: Stop | None) -> Rows:
        if not self._along:
            return self.model.next_logprobs(texts, stop=stop)
        along, self._along = self._along, []
        found = self.model.answer((), texts, along=along, stop=stop)
        if found.vectors:
            self._keep(found.vectors)
        return found.rows

    def fetch(self, stop: Stop | None = None) -> None:
        """Ask the model for all that was noted, in one call.

        Raises:
            PromptTooLong, ModelError, Cancelled: as the model does.
        """
        pairs, texts = list(self._pairs), list(self._texts)
        self._pairs.clear()
        self._texts.clear()
        look, self._look = self._look, None
        if texts:
            along, self._along = (self._along, []) if self.model.prefixes is not None else ([], self._along)
            found = self.model.answer(pairs, texts, look=look, along=along, stop=stop)
            if found.vectors:
                self._keep(found.vectors)
            scores = found.scores
            self._rows |= zip(texts, found.rows, strict=True)
            if look is not None and found.reading is not None:
                self._readings[look] = found.reading
        else:
            scores = self.model.score(pairs, stop=stop)
        self._scores |= zip(pairs, scores, strict=True)

    def try_fetch(self, stop: Stop | None = None) -> None:
        """`fetch`; where one of the texts cannot be read, each is left to who asks, and says so there.

        Raises:
            Cancelled: `stop` said so.
        """
        with suppress(PromptTooLong, ModelError):
            self.fetch(stop)

    def _note(self, pairs: Sequence[Pair], texts: Sequence[str]) -> None:
        if self.dry:
            self.want(pairs, texts)
            raise Missing


def model_of(model: LanguageModel) -> LanguageModel:
    """The model itself, whose passes may be shared: what is kept of it from study to study is kept by this."""
    return model.model if isinstance(model, SharedPasses) else model
