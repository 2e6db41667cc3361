"""The embedded model's tokenizer: whole words of the mixture, and single characters for everything else.

A WordPiece model whose vocabulary is the mixture's words, single characters that start or continue a spelled word, and
the marks that templates use. White space separates and carries nothing; line ends are tokens.
"""

from __future__ import annotations

import string
from functools import lru_cache
from typing import TYPE_CHECKING

from core.mixture.vocabulary import vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CONTEXT = 512
SPECIAL = ("<pad>", "<s>", "[UNK]")
# A separator is one token in every template, so that a label stands two tokens after its input in all of them and what
# a head learns in one template serves the others.
SEPARATORS = tuple(f"{line}{word}:" for word in ("Input", "Label", "Q", "A") for line in ("\n", ""))
MARKS = ("\n\n", "\n", *SEPARATORS, "->", "<-", ":=", "||", *string.punctuation)
# Latin letters with accents, so that French words that no table holds can be spelled.
ACCENTED = "àâäáãåæçéèêëíîïñóôöõøœúùûüýÿßÀÂÄÁÃÅÆÇÉÈÊËÍÎÏÑÓÔÖÕØŒÚÙÛÜÝ"
# Words that only chains of reasoning hold. They joined the tokenizer when the model could already read, so they stand
# last, and p_any spells them.
REASONING = ("So", "Follow", "Intermediate", "final")
PIECES = r"\n\n|\n?\b(?:Input|Label|Q|A):|\n|->|<-|:=|\|\||[^\W_]+|[^\w\s]|_"


def token_list() -> tuple[str, ...]:
    """Every token, by id."""
    characters = string.ascii_letters + string.digits + ACCENTED
    tokens = [*SPECIAL, *MARKS, *characters, *(f"##{c}" for c in characters), *vocabulary(), *REASONING]
    return tuple(dict.fromkeys(tokens))


@lru_cache(maxsize=1)
def build_tokenizer() -> PreTrainedTokenizerFast:
    """The tokenizer as transformers loads it; `save_pretrained` writes the checkpoint's files."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {token: i for i, token in enumerate(token_list())}
    fast = Tokenizer(
        models.WordPiece(ids, unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=200)
    )
    # `invert` keeps the matches and drops what lies between them, which is white space.
    fast.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True)
    fast.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    fast.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", ids["<s>"])]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=fast,
        bos_token="<s>",
        pad_token="<pad>",
        unk_token="[UNK]",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
