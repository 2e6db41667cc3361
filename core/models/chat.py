"""The chat template that came with a tokenizer, where a model can be asked through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import StudyError
from core.models.encoding import Encoder
from core.study.chat import ChatTemplate, Message, register

_PROBE = ("A question, and 12?", "An answer.", "Another\nquestion")


def chat_of(tokenizer: Any, encoder: Encoder) -> tuple[ChatTemplate | None, tuple[str, ...]]:
    """The tokenizer's chat template, None where it has none or cannot be asked through it; and why, a sentence.

    A text is encoded as any other: what the template writes must be read as the same tokens as `apply_chat_template`
    gives, a start token in front included.
    """
    if not getattr(tokenizer, "chat_template", None):
        return None, ()

    def write(messages: Sequence[Message], asks: bool) -> str:
        text = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=asks)
        return str(text)

    start = tokenizer.bos_token if _starts(encoder, tokenizer) else ""
    try:
        source, special = str(tokenizer.get_chat_template()), _texts(tokenizer.special_tokens_map)
        template = register(ChatTemplate(source, special, write, start))
        text = template.says("", _PROBE)
    except (StudyError, ValueError) as error:
        return None, (f"This model's chat template cannot be used here: {str(error).rstrip('.')}.",)
    given = tokenizer.apply_chat_template(
        template.messages("", _PROBE), tokenize=True, add_generation_prompt=True, return_dict=False
    )
    if list(given) != encoder.ids_batch([text])[0]:
        return None, (
            "This model's chat template cannot be used here: its tokenizer reads what the template writes as other "
            "tokens, or puts a start token in front that the template does not.",
        )
    dated = "Its chat template writes today's date into every prompt, so tomorrow's numbers may differ."
    return template, (dated,) if template.dated else ()


def _starts(encoder: Encoder, tokenizer: Any) -> bool:
    ids = encoder.ids_batch(["a"])[0]
    return tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]


def _texts(special: dict[str, Any]) -> dict[str, str]:
    return {name: str(token) for name, token in sorted(special.items())}
