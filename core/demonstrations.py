"""A demonstration: an input and its label. Files in and out live in `core.files`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Demonstration(BaseModel):
    """One labelled example (x, y).

    Attributes:
        input: x, any text.
        label: y, any text.
        excluded: kept in the table, left out of every prompt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str
    label: str
    excluded: bool = False
