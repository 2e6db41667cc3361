"""Whatever a model is called: one sentence on one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import load_model
from core.errors import ModelError

ODD = ("~nobody", "~nobody/x", "x" * 300, "/" + "x" * 300, "/x" * 3_000, "ä" * 200, "a\0b", "a\ud83d", "/\ud83d")


@pytest.mark.parametrize("name", [*ODD, "", " ", "\n", "gpt2\n\nx", "\x1b[31m", "C:\\x", "a/b/c", "..", "\u202egpt2"])
def test_odd_names(name: str) -> None:
    with pytest.raises(ModelError) as raised:
        load_model(name)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400
    str(raised.value).encode()


def test_links_that_lead_to_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for name in ("a", "a/c"):
        with pytest.raises(ModelError, match="There is no folder"):
            load_model(str(tmp_path / name))
