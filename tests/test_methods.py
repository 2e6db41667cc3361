"""docs/methods.md holds every section that a docstring cites, and every section that it links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
METHODS = ROOT / "docs" / "methods.md"
CITED = re.compile(r"docs/methods\.md\s+§(\d+(?:\.\d+)?)")
HEADING = re.compile(r"^#{2,4} (\d+(?:\.\d+)?)", re.MULTILINE)
LINK = re.compile(r"\]\(#([^)]+)\)")


def sections() -> set[str]:
    return set(HEADING.findall(METHODS.read_text(encoding="utf-8")))


def test_what_is_cited_is_there() -> None:
    cited = {
        (str(path.relative_to(ROOT)), number)
        for folder in ("core", "pages", "benchmarks", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for number in CITED.findall(re.sub(r"\n\s*(# )?", " ", path.read_text(encoding="utf-8")))
    }
    assert len(cited) > 20
    assert {place for place in cited if place[1] not in sections()} == set()


def test_sections_are_numbered_in_order_and_once() -> None:
    found = [tuple(map(int, number.split("."))) for number in HEADING.findall(METHODS.read_text(encoding="utf-8"))]
    assert found == sorted(set(found))


def test_links_inside_the_page_lead_somewhere() -> None:
    text = METHODS.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(LINK.findall(text)) <= anchors
