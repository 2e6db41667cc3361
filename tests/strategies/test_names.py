"""What a strategy is, it says: nothing else decides by its name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from core.kernels import kernels
from core.ordering import orderings
from core.reasoning import reasonings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("core", "pages") for path in (ROOT / folder).rglob("*.py"))
FIELDS = {"scoring", "calibration", "selection", "ordering", "reasoning", "kernel", "method", "name"}
NAMES = {name for kind in (scorers, kernels, selections, orderings, calibrations, reasonings) for name in kind.names()}


def decided_by_name(code: str) -> list[int]:
    """Lines that compare `….scoring`, `….kernel`, … with the name of a strategy, or look for it among names."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        fields = {side.attr for side in sides if isinstance(side, ast.Attribute)}
        words = {leaf.value for side in sides for leaf in ast.walk(side) if isinstance(leaf, ast.Constant)}
        if fields & FIELDS and words & NAMES:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_decides_by_the_name_of_a_strategy(path: Path) -> None:
    assert decided_by_name(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "code",
    ['study.scoring == "direct"', 'entry.name not in ("random", "bm25")', '"hidden" != variant.kernel'],
)
def test_a_comparison_with_a_name_is_seen(code: str) -> None:
    assert decided_by_name(code) == [1]
