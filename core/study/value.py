"""What the values of a study have in common: text that can be written, and one sentence where one cannot be made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from core.errors import InvalidValue

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Metaclass
else:
    _Metaclass = type(BaseModel)

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
REPLACED = "�"
"""U+FFFD, the sign of replacement."""


def writable(text: Any) -> Any:
    """Text with U+FFFD for what no file, page or model can take: halves of a pair of UTF-16, NUL and other control
    characters but tabulators and ends of lines. Two halves that belong together are the character that they make."""
    if not isinstance(text, str) or _UNWRITABLE.search(text) is None:
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWRITABLE.sub(REPLACED, whole)


Text = Annotated[str, BeforeValidator(writable)]


class _OneSentence(_Metaclass):
    """What is called by name raises one sentence; what is read inside another value is that one's to say."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        try:
            return super().__call__(*arguments, **named)
        except ValidationError as error:
            raise _said(error) from None


class Value(BaseModel, metaclass=_OneSentence):
    """Base of every value: frozen, of known fields only.

    Raises:
        InvalidValue: in one sentence: a field that it has not, or a value that a field cannot have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def model_validate(cls, obj: Any, **how: Any) -> Self:
        try:
            return super().model_validate(obj, **how)
        except ValidationError as error:
            raise _said(error) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        try:
            return super().model_validate_json(json_data, **how)
        except ValidationError as error:
            raise _said(error) from None


def _said(error: ValidationError) -> InvalidValue:
    """The first of what is wrong, in one sentence."""
    every = error.errors(include_url=False, include_context=False)
    first = every[0]
    name = ".".join(map(str, first["loc"]))
    unknown = [one["loc"] for one in every if one["type"] == "extra_forbidden"]
    why = _one_line(first["msg"].removeprefix("Value error, "), 160).rstrip(".")
    if first["type"] == "missing":
        sentence = f"“{name}” is missing"
    elif first["type"] == "extra_forbidden":
        sentence = f"“{_one_line(name, 80)}” is no field of a {error.title}"
    elif not name:
        sentence = f"This is no {error.title}: {why[:1].lower()}{why[1:]}"
    else:
        sentence = (
            f"“{_one_line(name, 80)}” cannot be {_one_line(repr(first['input']), 60)}: {why[:1].lower()}{why[1:]}"
        )
    more = f" ({len(every) - 1:,} more like this)" if len(every) > 1 else ""
    return InvalidValue(f"{sentence}{more}.", first["loc"], why, tuple(unknown))


def _one_line(text: str, most: int) -> str:
    line = " ".join(str(writable(text)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
