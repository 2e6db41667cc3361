"""The tokenizer in a GGUF file: rebuilt by transformers, held against the file, and mended where the file says more.

A GGUF file holds no tokenizer but what llama.cpp needs for one: the tokens, the merges, the numbers of special tokens,
and the *name* of a rule by which texts are cut into words. transformers knows some of these names and cuts as GPT-2
does at all others. llama.cpp's rules stand in its src/llama-vocab.cpp: names whose rule is GPT-2's, and those that cut
digits apart first, are here too.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.models.gguf_header import read_header, read_vocabulary
from core.models.tokenizer import cuts

_AS_GPT2 = frozenset(("gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4"))
_DIGITS_FIRST = frozenset(
    ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2")
)
_START_UNLESS_SAID = frozenset(
    ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "tekken", "chameleon")
)
_WHOLE_WORDS_FIRST = _START_UNLESS_SAID - {"chameleon"}  # a word that is a token is not merged together
_CONTROL = 3


def load_gguf_tokenizer(path: Path, name: str) -> tuple[Any, tuple[str, ...]]:
    """The tokenizer that a GGUF file describes, and what a reader must know of it, a sentence each.

    Raises:
        ModelError: it holds none that can be rebuilt.
    """
    from transformers import PreTrainedTokenizerFast

    settings = read_header(path).settings
    tokens, kinds = read_vocabulary(path)
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
        backend = tokenizer.backend_tokenizer
        assert backend.encode("a b").ids
    except Exception as error:
        raise ModelError(
            f'The tokenizer of "{name}" ({settings.get("tokenizer.ggml.model", "no kind named")}) cannot be rebuilt '
            "from its GGUF file: give its safetensors folder or hub id."
        ) from error
    notes = [
        *_as_cut(backend, settings),
        *_first_token(tokenizer, settings),
        *_vocabulary(backend, tokens, kinds),
        *_special(tokenizer, settings),
        *_space_in_front(backend, settings),
    ]
    checked = "" if notes else " and agree with what it says"
    return tokenizer, (
        *notes,
        f"Its tokenizer is rebuilt from the GGUF file: tokens, special tokens and cuts were held against the "
        f"file{checked}; whether its publisher's tokenizer cuts alike the file alone does not tell.",
    )


def _as_cut(backend: Any, settings: dict[str, Any]) -> list[str]:
    """Let texts be cut by the rule that the file names, and say where that is not sure."""
    if settings.get("tokenizer.ggml.model") != "gpt2":
        return []  # no cut before the tokens are looked up
    from tokenizers import pre_tokenizers
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    rule = settings.get("tokenizer.ggml.pre", "")
    before = cuts(backend)
    if rule in _WHOLE_WORDS_FIRST:
        backend.model.ignore_merges = True
    if rule in _DIGITS_FIRST:
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    elif rule not in _AS_GPT2 and rule not in GGUF_PRE_TOKENIZER_SPLITS:
        named = f'names "{rule}"' if rule and rule != "default" else "names none"
        return [
            f"By which rule texts are cut into words cannot be checked: the file {named}, and they are cut as "
            "GPT-2 cuts them; numbers and punctuation may come in other pieces than the model was trained on."
        ]
    if cuts(backend) == before:
        return []
    return [
        f'transformers does not cut texts as the file says ("{rule}"); here they are cut so, and other tools that read '
        "it through transformers may count other tokens."
    ]


def _first_token(tokenizer: Any, settings: dict[str, Any]) -> list[str]:
    """Put a start token in front where the file, or llama.cpp's default for its kind, says so."""
    said = settings.get("tokenizer.ggml.add_bos_token")
    kind, rule = settings.get("tokenizer.ggml.model"), settings.get("tokenizer.ggml.pre")
    wanted = bool(said) if said is not None else kind == "llama" or rule in _START_UNLESS_SAID
    if kind == "gemma4" or tokenizer.bos_token_id is None or _starts(tokenizer) == wanted:
        return []
    tokenizer.add_bos_token = wanted
    how, where = "with" if wanted else "without", "says" if said is not None else "means, though it does not say so"
    if _starts(tokenizer) != wanted:
        return [f"The file {where} that a text begins {how} a start token; here it does otherwise."]
    return [f"A text begins {how} a start token, as the file {where}; transformers alone does otherwise."]


def _starts(tokenizer: Any) -> bool:
    ids = tokenizer.backend_tokenizer.encode("a").ids
    return bool(ids) and ids[0] == tokenizer.bos_token_id


def _vocabulary(backend: Any, tokens: tuple[str, ...], kinds: tuple[int, ...]) -> list[str]:
    """Tokens that have another number, or none: as they are spelled, in bytes, or with spaces drawn."""
    other = [
        token
        for number, token in enumerate(tokens)
        if (found := backend.id_to_token(number)) != token and found not in _respelled(token)
    ]
    control = [token for token, kind in zip(tokens, kinds, strict=False) if kind == _CONTROL]
    broken = [token for token in control if token not in other and len(_alone(backend, token)) != 1]
    sentences = []
    if other:
        sentences.append(
            f"{len(other):,} of {len(tokens):,} tokens of the file are not in its rebuilt tokenizer, such as "
            f'"{other[0]}": the model may read texts that it was not trained on.'
        )
    if broken:
        sentences.append(
            f'Control tokens such as "{broken[0]}" come in pieces, which llama.cpp reads as one token each.'
        )
    return sentences


def _alone(backend: Any, token: str) -> list[int]:
    ids: list[int] = backend.encode(token, add_special_tokens=False).ids
    return ids


def _respelled(token: str) -> tuple[str, str]:
    """A token as byte-level vocabularies spell it, and with its spaces drawn."""
    spelling = import_module("transformers.convert_slow_tokenizer").bytes_to_unicode()
    return "".join(spelling[byte] for byte in token.encode("utf-8")), token.replace(" ", "\u2581")


def _special(tokenizer: Any, settings: dict[str, Any]) -> list[str]:
    """Start and end tokens that are others than the file's."""
    pairs = (("start", "bos", tokenizer.bos_token_id), ("end", "eos", tokenizer.eos_token_id))
    return [
        f"The {what} token of its rebuilt tokenizer is number {found}, and the file says {said}."
        for what, key, found in pairs
        if (said := settings.get(f"tokenizer.ggml.{key}_token_id")) is not None and said != found
    ]


def _space_in_front(backend: Any, settings: dict[str, Any]) -> list[str]:
    """A sentencepiece vocabulary may read every text as if a space stood before it."""
    if settings.get("tokenizer.ggml.model") != "llama":
        return []
    wanted = bool(settings.get("tokenizer.ggml.add_space_prefix", True))
    first = backend.encode("a", add_special_tokens=False).tokens
    if not first or first[0].startswith("\u2581") == wanted:
        return []
    return [
        f"The file says that a text is read {'as if' if wanted else 'without that'} a space stood before it, and its "
        "rebuilt tokenizer does otherwise: first words are other tokens than in llama.cpp."
    ]
