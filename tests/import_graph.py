"""The import graph of ICLens, by rooms. `python -m tests.import_graph` prints it.

A room is a package or a loose file of `core/`, or `pages/ui` as one; the scripts of `pages/` are the last. An arrow
A → B stands for every import of a file of B in a file of A, at its top or late, but for those that type checking alone
reads. A room's level is 1 where it imports no other, and else one more than the highest it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("core", "pages")
Graph = dict[str, set[str]]


@dataclass(frozen=True)
class Import:
    """One import of our own code.

    Attributes:
        source: the module that imports, dotted.
        target: the module that is imported, dotted.
        line: where, from 1.
        late: whether it stands in a function, and so is done when that is called.
    """

    source: str
    target: str
    line: int
    late: bool


def module_name(path: Path) -> str:
    """core/study/study.py → core.study.study, and a package's own file → the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> Mapping[str, Path]:
    """Every module of core and pages, by its dotted name."""
    return {module_name(path): path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))}


@cache
def imports() -> tuple[Import, ...]:
    """Every import of our own code by our own code."""
    return tuple(found for name, path in modules().items() for found in _imports_of(name, path))


def _imports_of(name: str, path: Path) -> Iterator[Import]:
    yield from _walk(name, ast.parse(path.read_text(encoding="utf-8")), late=False)


def _walk(name: str, node: ast.AST, late: bool) -> Iterator[Import]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        named = {_module(f"{node.module}.{alias.name}") for alias in node.names}
        yield from (Import(name, target, node.lineno, late) for target in sorted(named - {"", name}))
    elif isinstance(node, ast.Import):
        named = {_module(alias.name) for alias in node.names}
        yield from (Import(name, target, node.lineno, late) for target in sorted(named - {"", name}))
    inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _walk(name, child, inside)


def _module(dotted: str) -> str:
    """The longest beginning of a dotted name that is a module of ours, "" where there is none."""
    while dotted and dotted not in modules():
        dotted = dotted.rpartition(".")[0]
    return dotted


def room_of(module: str) -> str:
    """core.scoring.direct → core.scoring; pages.ui.… → pages.ui; pages.kernel → pages."""
    parts = module.split(".")
    if parts[0] == "pages":
        return "pages.ui" if parts[1:2] == ["ui"] else "pages"
    return ".".join(parts[:2])


def rooms() -> Graph:
    """Which rooms each room imports."""
    graph: Graph = {room_of(name): set() for name in modules()}
    for found in imports():
        source, target = room_of(found.source), room_of(found.target)
        if source != target:
            graph[source].add(target)
    return graph


def folders_of_pages() -> Graph:
    """Which folders of `pages/ui` each of them imports."""
    inside = [found for found in imports() if found.source.startswith("pages.ui.")]
    graph: Graph = {".".join(name.split(".")[:3]): set() for name in modules() if name.startswith("pages.ui.")}
    for found in inside:
        source, target = (".".join(name.split(".")[:3]) for name in (found.source, found.target))
        if target.startswith("pages.ui.") and source != target:
            graph[source].add(target)
    return graph


def files() -> Graph:
    """Which files each file imports at its top; a late import can close no cycle while modules load."""
    graph: Graph = {name: set() for name in modules()}
    for found in imports():
        if not found.late:
            graph[found.source].add(found.target)
    return graph


def cycles(graph: Graph) -> list[list[str]]:
    """Groups of two or more that reach each other (Tarjan's strongly connected components), each sorted."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def levels(graph: Graph) -> dict[str, int]:
    """The level of every room of a graph without cycles.

    Raises:
        ValueError: the graph has a cycle, which is named.
    """
    if bent := cycles(graph):
        raise ValueError("There is no level in a cycle: " + "; ".join(" ↔ ".join(group) for group in bent))
    found: dict[str, int] = {}

    def level(node: str) -> int:
        if node not in found:
            found[node] = 1 + max((level(other) for other in graph[node]), default=0)
        return found[node]

    for node in graph:
        level(node)
    return found


def report() -> str:
    """The graph in words: a line a room, lowest level first, then what is counted."""
    graph = rooms()
    lines = []
    bent = cycles(graph)
    if not bent:
        height = levels(graph)
        for name in sorted(graph, key=lambda room: (height[room], room)):
            lines.append(f"{height[name]:>3}  {name:<18} → {', '.join(sorted(graph[name])) or '–'}")
        lines.append(f"{max(height.values())} levels")
    arrows = sum(map(len, graph.values()))
    lines.append(f"{len(graph)} rooms, {arrows} arrows, {len(bent)} cycles")
    lines += ["  cycle: " + " ↔ ".join(group) for group in bent]
    inner = folders_of_pages()
    lines.append(f"pages/ui: {len(inner)} folders, {sum(map(len, inner.values()))} arrows, {len(cycles(inner))} cycles")
    lines += ["  cycle: " + " ↔ ".join(group) for group in cycles(inner)]
    lines.append(f"{sum(found.late for found in imports())} late imports, {len(cycles(files()))} cycles of files")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
