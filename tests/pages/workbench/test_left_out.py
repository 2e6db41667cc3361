"""Where a run leaves some of the labels out, every page says so, and so does every file of what the rest decides."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from core import Demonstration, Study, run
from core.models import LanguageModel
from pages.ui.workbench import transfer
from tests.pages.conftest import Start

LABELS = tuple(f"label {i}" for i in range(77))
POOL = tuple(Demonstration(input=f"word {i}", label=label) for i, label in enumerate(LABELS))
STUDY = Study(query="horse", demonstrations=POOL[:2], pool=POOL, k=2)
FILES = {
    "ordering": "ordering.tables",
    "influence": "influence.views",
    "scoring": "scoring.query",
    "kernel": "kernel.views",
}


@pytest.mark.parametrize("name", FILES)
def test_a_page_and_its_files_say_it(name: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, list[dict[str, Any]]] = {}

    def keep(label: str, name: str, rows: Any, *, help: str = "") -> None:
        written[name] = rows()

    monkeypatch.setattr(import_module(f"pages.ui.{FILES[name]}"), "save_csv", keep)
    page = start()
    page.study = STUDY
    page.at.switch_page(f"pages/{name}.py")
    page.run().settle()
    (said,) = [element.value for element in page.at.caption if "labels were found" in element.value]
    found = int(said.split("[")[1].split()[0])
    assert found >= 77
    assert f"{found} labels were found and 24 are scored" in said
    assert written
    for rows in written.values():
        assert rows
        assert {(row["labels_scored"], row["labels_found"]) for row in rows} == {(24, found)}


def test_nothing_is_said_where_all_that_is_named_is_scored(start: Start) -> None:
    page = start()
    page.study = STUDY.model_copy(update={"labels": LABELS})
    page.at.switch_page("pages/scoring.py")
    page.run().settle()
    assert not [element for element in page.at.caption if "labels were found" in element.value]


def test_what_the_export_menu_hands_out_says_it(model: LanguageModel) -> None:
    outcome = run(STUDY, model)
    head, *rows = transfer._csv(transfer.VIEWS["Answer"](outcome)).decode().splitlines()
    assert head == "label,score,probability,exact Bayes,labels_scored,labels_found"
    assert len(rows) == 24
    assert all(row.endswith(f",24,{outcome.labels_found}") for row in rows)
    assert outcome.labels_found >= 77
    assert f'"labels_found": {outcome.labels_found}' in transfer.outcome_json(outcome).decode()
