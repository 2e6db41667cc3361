"""Numbers as they are read: a real minus sign, no digit lost, no sign before nothing, a bare 0 or 1 for these alone."""

from __future__ import annotations

import math
from typing import SupportsFloat


def fixed(value: SupportsFloat, digits: int = 3) -> str:
    """10.340, −0.250; what rounds to nothing has no sign: 0.000."""
    return f"{float(value):z.{digits}f}".replace("-", "−")


def signed(value: SupportsFloat, digits: int = 3) -> str:
    """+10.340, −0.250; what rounds to nothing has no sign either."""
    found = fixed(value, digits)
    return found if found.startswith("−") or not float(found) > 0 else f"+{found}"


def cell(value: SupportsFloat, digits: int = 2) -> str:
    """As it stands in a cell, the zero before the point left out: .31, −.31, 10.34.

    0, 1 and −1 are written for these numbers alone, .00 and 1.00 for what only rounds to them; – for what is no number.
    """
    number = float(value)
    if math.isnan(number):
        return "–"
    if number in (-1, 0, 1):
        return fixed(number, 0)
    found = fixed(value, digits)
    sign, size = ("−", found[1:]) if found.startswith("−") else ("", found)
    return sign + (size[1:] if size.startswith("0.") else size)


def signed_cell(value: SupportsFloat, digits: int = 2) -> str:
    """`cell` with a + before what is more than nothing."""
    found = cell(value, digits)
    return f"+{found}" if signed(value, digits).startswith("+") else found
