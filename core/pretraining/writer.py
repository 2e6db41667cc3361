"""Documents written in a template and encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.mixture.documents import Document
from core.pretraining.tokenizer import CONTEXT
from core.study.prompts import INSTRUCTION_END

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

REMEMBERED = 40  # characters of the longest piece whose ids are kept: longer ones hardly come back


class Writer:
    """Turns documents into token ids, with the tokenizer's answer for every piece remembered."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._memory: dict[str, list[int]] = {}
        assert tokenizer.bos_token_id is not None
        self._bos: int = int(tokenizer.bos_token_id)

    def ids(self, text: str) -> list[int]:
        """Token ids of a piece. Pieces never merge across their joins: templates set them apart by white space."""
        found = self._memory.get(text)
        if found is None:
            found = self._tokenizer.encode(text, add_special_tokens=False)
            if len(text) <= REMEMBERED and len(self._memory) < 100_000:
                self._memory[text] = found
        return found

    def write(self, document: Document) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids, and the token span of each answer: y, or x in a reversed document.

        Pairs that would not fit the context are left off.
        """
        template = document.template
        if document.reversed:
            opening, middle = template.channel_label_prefix, template.channel_input_prefix
        else:
            opening, middle = template.input_prefix, template.label_prefix
        first, between, end = self.ids(opening), self.ids(middle), self.ids(template.end)
        tokens = [self._bos]
        spans: list[tuple[int, int]] = []
        if document.instruction:
            tokens += self.ids(document.instruction + INSTRUCTION_END)
        for x, y in document.pairs:
            given, answer = self.ids(y if document.reversed else x), self.ids(x if document.reversed else y)
            start = len(tokens) + len(first) + len(given) + len(between)
            if start + len(answer) + len(end) > CONTEXT:
                break
            tokens += first + given + between + answer + end
            spans.append((start, start + len(answer)))
        return tokens, spans
