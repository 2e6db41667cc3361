"""Registries: what a menu needs, and one file for one strategy."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from core import Study, StudyError
from core.embeddings.encoders import encoders
from core.kernels import kernels
from core.ordering import orderings
from core.reasoning import reasonings
from core.runtime.registry import AnyRegistry
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections

ROOT = Path(__file__).parents[2]
REGISTRIES: list[AnyRegistry] = [selections, orderings, scorers, encoders, kernels, calibrations, reasonings]


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_strategy_has_what_a_menu_shows(registry: AnyRegistry) -> None:
    assert len(registry) == len(set(registry.names())) > 1
    for strategy in registry:
        assert strategy.title
        assert strategy.help
        assert "\n" not in strategy.help
        assert set(strategy.reads) <= set(Study.model_fields)
        assert strategy.function.__doc__
        assert strategy.name in registry
        assert registry.find(strategy.name) is strategy


def test_the_promised_strategies_are_there() -> None:
    assert set(selections.names()) >= {
        *("hand-picked", "random", "balanced", "similarity", "bm25", "k-means", "mmr", "dpp", "vote-k"),
        *("entropy", "perplexity", "mutual-information", "mdl", "influence"),
        *("latent-concept", "epr", "active", "self-generated"),
    }
    assert {"given", "random", "nearest-last", "nearest-first", "globale", "locale"} <= set(orderings.names())
    assert {"direct", "perplexity", "channel"} <= set(scorers.names())
    assert {"attention", "hidden", "encoder", "prediction", "exact"} <= set(kernels.names())
    assert selections.names()[0] == Study().selection
    assert orderings.names()[0] == Study().ordering
    assert scorers.names()[0] == Study().scoring
    assert encoders.names()[0] == Study().encoder


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_an_unknown_name_says_what_there_is(registry: AnyRegistry) -> None:
    with pytest.raises(StudyError, match=registry.names()[0]):
        registry.find("nonsense")
    assert "nonsense" not in registry


def test_one_new_file_is_one_new_strategy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "plugged"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from core.runtime.registry import Entry, Registry\nthings = Registry('thing', Entry, __name__)\n"
    )
    for name in ("one", "two"):
        (package / f"{name}.py").write_text(
            "from plugged import things\n"
            f"@things.register('{name}', help='the number', place={len(name)})\n"
            "def number(): return 1\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    plugged = importlib.import_module("plugged")

    assert plugged.things.names() == ("one", "two")
    with pytest.raises(ValueError, match="already defined"):
        plugged.things.register("one", help="")(lambda: 2)
    with pytest.raises(TypeError, match="tempered"):
        plugged.things.register("three", help="", tempered=True)(lambda: 3)


def test_what_is_registered_on_trial_is_forgotten() -> None:
    before = list(orderings)
    with orderings.trial():
        orderings.register("backwards", help="the other way round")(lambda *asked: ([], None))
        assert "backwards" in orderings
    assert list(orderings) == before


def test_a_study_that_asks_for_nothing_has_the_plain_entries() -> None:
    for registry in (selections, orderings, scorers, calibrations, reasonings):
        assert registry.plain == getattr(Study(), registry.kind) == registry.names()[0]


def test_an_order_turned_twice_is_the_order() -> None:
    for ordering in orderings:
        assert not ordering.reverse or orderings.find(ordering.reverse).reverse == ordering.name


def test_importing_core_is_light() -> None:
    code = (
        "import sys, core\n"
        "from core import Study, run, load_model\n"
        "assert callable(run) and callable(load_model)\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'pandas', 'pyarrow', 'streamlit', 'plotly'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
