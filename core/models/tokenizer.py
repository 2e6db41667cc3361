"""A checkpoint's fast tokenizer, with the cuts that its own file says.

`AutoTokenizer` builds some classes anew (in transformers 5 among others those that tokenizer_config.json calls
GPT2Tokenizer, GPTNeoXTokenizer or CodeGenTokenizer) and drops what tokenizer.json says of how a text is cut before its
words are looked up. A model trained on digits apart then reads numbers that it never saw. So both are asked about a
few texts, and where they differ the file's normalizer, pre-tokenizer and decoder are put back. What a class adds on top
(a start token, added tokens) stays.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ModelError

_PROBES = (
    "7-5=2, 1234 and 3.14159; 2,5 -> 10%",
    "dog -> dogs\nbox -> boxes\n\nox ->",
    "  two  spaces\tand a tab \n ends in one ",
    "I'm we'll they've it's DON'T O'Neill",
    "Émile café naïve cafe\u0301 Ångström ﬁn ½ Ⅳ",
    "日本語の文。中文句子，两个。 हिन्दी ไทย العربية 한국어",
    "👍 👎🏽 🏳️‍🌈 → ∀x≤y «q» “r” …",
    'def f(x):\n    return {"a": [1, 22, 333]}  # ok!?',
    "snake_case CamelCase UPPER http://a.b/c?d=e&f",
    "\u200b\u00a0\u3000 mixed\u00a0blanks",
)


def load_tokenizer(folder: Path, name: str) -> tuple[Any, tuple[str, ...]]:
    """The tokenizer of a checkpoint, and what a reader must know of it, a sentence each.

    Raises:
        ModelError: it has no fast one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, local_files_only=True)
        fast = bool(tokenizer.is_fast) and len(tokenizer.backend_tokenizer.encode("a b").ids) > 0
    except Exception as error:
        raise ModelError(f'"{name}" has no fast tokenizer (a tokenizer.json file), and ICLens needs one.') from error
    if not fast:
        raise ModelError(f'"{name}" has no fast tokenizer (a tokenizer.json file), and ICLens needs one.')
    return tokenizer, _as_filed(tokenizer, folder / "tokenizer.json")


def _as_filed(tokenizer: Any, path: Path) -> tuple[str, ...]:
    """Let a tokenizer cut texts as its file says, and say so where it did not."""
    from tokenizers import Tokenizer

    if not path.is_file():
        return ()
    try:
        filed = Tokenizer.from_file(str(path))
    except Exception:  # a file that only transformers can read: it has nothing to hold against
        return ()
    filed.no_padding()
    filed.no_truncation()
    backend, kind = tokenizer.backend_tokenizer, type(tokenizer).__name__
    if cuts(backend) == cuts(filed):
        return ()
    backend.normalizer, backend.pre_tokenizer, backend.decoder = filed.normalizer, filed.pre_tokenizer, filed.decoder
    if cuts(backend) == cuts(filed):
        return (
            f"transformers reads this model's tokenizer as a {kind} and drops how its tokenizer.json cuts texts; here "
            "texts are cut as the file says, so other tools may count other tokens.",
        )
    return (
        f"transformers reads this model's tokenizer as a {kind}, whose tokens are not those of its tokenizer.json: "
        "scores may not be what the model was trained to give.",
    )


def cuts(backend: Any) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Tokens and spans of the probe texts, without those that are put around a text."""
    return [
        (found.ids, found.offsets) for found in (backend.encode(text, add_special_tokens=False) for text in _PROBES)
    ]
