"""Numbers as they are read, against decimal arithmetic."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.base import cell_text, single
from core.runtime.numbers import cell, fixed, signed, signed_cell

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        (10.34, "10.34"),
        (100.5, "100.50"),
        (-20.06, "−20.06"),
        (0.9951, "1.00"),
        (11.004, "11.00"),
        (1.0, "1"),
        (0.31, ".31"),
        (-0.31, "−.31"),
        (-0.0001, ".00"),
        (0.0, "0"),
        (-0.0, "0"),
        (float("nan"), "–"),
    ],
)
def test_a_cell(value: float, drawn: str) -> None:
    assert cell(value) == drawn


def test_cells_of_a_figure_keep_every_digit() -> None:
    assert cell_text(single([[10.34, 0.9951, -0.31, 0.001]]))["text"] == ["10.34", "1.00", "−.31", ""]


@given(FINITE, st.integers(0, 4))
def test_what_is_read_is_the_number_rounded(value: float, digits: int) -> None:
    exact = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    for write in (fixed, signed, cell, signed_cell):
        said = write(value, digits)
        assert Decimal(said.replace("−", "-")) == exact
        assert said.startswith("−") == (exact < 0)
    for write in (signed, signed_cell):
        assert write(value, digits).startswith("+") == (exact > 0)


def test_nothing_has_no_sign() -> None:
    assert [fixed(-0.0004), signed(-0.0004), signed(0.0004), signed_cell(-0.004)] == ["0.000", "0.000", "0.000", ".00"]
