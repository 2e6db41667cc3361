"""The modules of a component become one, in the order in which they need each other."""

from __future__ import annotations

import re

import pytest

from pages.ui.components.javascript import FOLDER, bundle

BUNDLES = ("chart", "mount", "plots", "drag", "paste", "prompt", "leftovers")
NAME = re.compile(r"^(?:const|let|function|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_needs_nothing_else_and_names_nothing_twice(name: str) -> None:
    text = bundle(name)
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export \w+", text, re.MULTILINE) == ["export default"]
    names = NAME.findall(text)
    assert len(names) == len(set(names))


def test_a_module_stands_once_and_before_what_imports_it() -> None:
    names = NAME.findall(bundle("chart"))
    needed = ["parse", "colourOf", "drawBars", "Chart"]
    assert [name for name in names if name in needed] == needed


def test_all_modules_are_in_some_bundle() -> None:
    whole = "".join(bundle(name) for name in BUNDLES)
    for path in FOLDER.glob("*.js"):
        comment = path.read_text(encoding="utf-8").splitlines()[0]
        assert comment.startswith("// ")
        assert comment in whole


def test_chart_and_library_find_the_same_shelf() -> None:
    found = [re.findall(r'globalThis\["(iclens [0-9a-f]{12})"\]', bundle(name)) for name in ("chart", "mount")]
    assert found[0] == found[1] != []
