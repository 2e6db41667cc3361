"""What is written is read back, whatever was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import Demonstration
from core.files import FORMATS, Format, read_file, to_demonstrations, write_file

# NUL is refused in text files, and a row without a single sign is not kept.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
SEEN = TEXT.filter(lambda text: bool(text.strip()))
ROWS = st.lists(st.builds(Demonstration, input=SEEN, label=TEXT, excluded=st.booleans()), min_size=1, max_size=6)


@given(ROWS)
@pytest.mark.parametrize("format", FORMATS)
def test_round_trip(format: Format, demonstrations: list[Demonstration]) -> None:
    table = read_file(write_file(demonstrations, format), f"a.{format}")
    assert table.guess == ("input", "label")
    assert to_demonstrations(table, "input", "label") == tuple(demonstrations)
    assert not table.notes
