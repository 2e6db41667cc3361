"""Text to tokens, with the character span of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Encoding:
    """A text as the model reads it.

    Attributes:
        ids: (t,) token numbers.
        starts, ends: (t,) character span of each token; (0, 0) for a token that the tokenizer put in front.
        texts: (t,) the stretch of text, or the token's own name where it has none (BOS).
        unknown: stretches that the tokenizer could not represent, each once, in the order met.
    """

    ids: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    texts: tuple[str, ...]
    unknown: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


class Encoder:
    """A fast tokenizer, used the way the model was trained: BOS where its post-processor adds one, no EOS after.

    A tokenizer that also closes a text (EOS) would close every prompt before its answer; that token is dropped.

    Attributes:
        special: numbers of the tokens that stand for no text.
        size: how many tokens it knows.
        ends: numbers of the tokens by which the model ends a text.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_padding()
        self._backend.no_truncation()
        self._unknown = tokenizer.unk_token_id
        self._unknown_name = tokenizer.unk_token
        self.special = frozenset(int(number) for number in tokenizer.all_special_ids)
        added = self._backend.get_added_tokens_decoder()
        self._control = {number: token.content for number, token in added.items() if token.special}
        self.size = int(self._backend.get_vocab_size())
        self.ends = frozenset(i for i in (tokenizer.eos_token_id,) if i is not None)
        self._by_pieces = _by_pieces(self._backend)

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode every text by itself, special tokens added."""
        if not self._by_pieces or len(texts) < 2:
            return [self._wrap(raw, text) for raw, text in zip(self._raw(texts), texts, strict=True)]
        cuts = [_cut(text) for text in texts]
        heads = list(dict.fromkeys(text[:cut] for text, cut in zip(texts, cuts, strict=True)))
        front = {text: self._wrap(raw, text) for raw, text in zip(self._raw(heads), heads, strict=True)}
        tails = list(dict.fromkeys(text[cut:] for text, cut in zip(texts, cuts, strict=True)))
        behind = {text: self._wrap(raw, text) for raw, text in zip(self._raw(tails, False), tails, strict=True)}
        return [joined(front[text[:cut]], behind[text[cut:]], cut) for text, cut in zip(texts, cuts, strict=True)]

    def ids_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The token numbers that `encode_batch` gives, without the rest, which takes as long again."""
        if not self._by_pieces:
            return [self._open(raw.ids, raw) for raw in self._raw(texts, fast=True)]
        cuts = [_cut(text) for text in texts]
        heads = list(dict.fromkeys(text[:cut] for text, cut in zip(texts, cuts, strict=True)))
        front = dict(zip(heads, (raw.ids for raw in self._raw(heads, fast=True)), strict=True))
        tails = list(dict.fromkeys(text[cut:] for text, cut in zip(texts, cuts, strict=True)))
        behind = dict(zip(tails, (raw.ids for raw in self._raw(tails, False, fast=True)), strict=True))
        return [front[text[:cut]] + behind[text[cut:]] for text, cut in zip(texts, cuts, strict=True)]

    def _raw(self, texts: Sequence[str], special: bool = True, fast: bool = False) -> Sequence[Any]:
        """What the tokenizer gives; `fast` leaves spans out."""
        # a lone surrogate (half an emoji, pasted) has no UTF-8 form: it becomes U+FFFD, one character for one
        clean = [_SURROGATE.sub("\ufffd", text) for text in texts]
        encode = self._backend.encode_batch_fast if fast else self._backend.encode_batch
        raws: Sequence[Any] = encode(clean, add_special_tokens=special)
        return raws

    def _open(self, ids: list[int], raw: Any) -> list[int]:
        """The ids without special tokens that the tokenizer put behind the text."""
        keep = len(ids)
        while keep > 1 and ids[keep - 1] in self.special and raw.special_tokens_mask[keep - 1]:
            keep -= 1
        return ids[:keep] if keep < len(ids) else ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text that tokens stand for, without those that stand for none."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def control(self, text: str) -> tuple[str, ...]:
        """Names of control tokens that the text holds and that are read as those, each once."""
        named = {number: name for number, name in self._control.items() if name in text}
        if not named:
            return ()
        (raw,) = self._raw([text])
        met = (i for i, (a, b) in zip(raw.ids, raw.offsets, strict=True) if b > a and named.get(i, "\0") in text[a:b])
        return tuple(dict.fromkeys(named[i] for i in met))

    def _name(self, number: int, token: str) -> str:
        """What a token without a span of its own stands for: BOS's name, or white space that offsets leave out."""
        return token if number in self.special else str(self._backend.decode([number], skip_special_tokens=False))

    def _wrap(self, raw: Any, text: str) -> Encoding:
        ids = self._open(raw.ids, raw)
        spans, names = raw.offsets[: len(ids)], raw.tokens
        texts = tuple(text[a:b] if b > a else self._name(ids[i], names[i]) for i, (a, b) in enumerate(spans))
        unknown: dict[str, None] = {}
        if self._unknown is not None and self._unknown in ids:
            for number, piece in zip(ids, texts, strict=True):
                if number == self._unknown and piece != self._unknown_name:
                    unknown[piece] = None
        return Encoding(tuple(ids), tuple(a for a, _ in spans), tuple(b for _, b in spans), texts, tuple(unknown))


def joined(front: Encoding, behind: Encoding, cut: int) -> Encoding:
    """A text's encoding from those of its two pieces, of which the second begins at character `cut`."""
    return Encoding(
        front.ids + behind.ids,
        front.starts + tuple(start + cut for start in behind.starts),
        front.ends + tuple(end + cut for end in behind.ends),
        front.texts + behind.texts,
        tuple(dict.fromkeys(front.unknown + behind.unknown)),
    )


def _by_pieces(backend: Any) -> bool:
    """Whether a text's tokens are those of its pieces, cut at a space: such texts are read once up to where they part.

    So it is where words are set apart by a regular expression before anything else and each is looked up by itself, and
    special tokens stand in front alone. It is tried on a few texts too.
    """
    alone = type(backend.model).__name__ in ("WordPiece", "WordLevel") and backend.normalizer is None
    if not (alone and type(backend.pre_tokenizer).__name__ == "Split"):
        return False
    for text in (
        "a b",
        "dog -> dogs\ncat -> cats\nox ->",
        "Input: a b\nLabel: c\n\nInput: d e",
        "x.  y ||z := 12 3\n\n?? !",
    ):
        whole = backend.encode(text).ids
        for cut in (place for place, sign in enumerate(text) if sign == " "):
            if backend.encode(text[:cut]).ids + backend.encode(text[cut:], add_special_tokens=False).ids != whole:
                return False
    return True


def _cut(text: str) -> int:
    """The last space before the last line; 0 where there is none."""
    return max(text.rfind(" ", 0, max(text.rfind("\n", 0, -1), 0)), 0)
