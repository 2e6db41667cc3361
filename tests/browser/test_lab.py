"""The Lab as a visitor uses it: a standing question from the first click to the verdict, stopped and resumed on the
way, an item in the Playground, files that hold the same numbers."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import expect

from core import run
from core.experiments.design import Design
from core.experiments.experiment import read
from tests.browser.app import App
from tests.browser.playground import Playground

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240_000  # milliseconds, until an experiment is done on a busy machine


def saved(app: App, label: str) -> bytes:
    """The file that a button of “Take away” gives."""
    page = app.page
    if not page.get_by_role("button", name=label, exact=True).is_visible():
        page.get_by_role("button", name="Take away").click()
    with page.expect_download() as found:
        page.get_by_role("button", name=label, exact=True).click()
    return Path(found.value.path()).read_bytes()


def finish(app: App) -> None:
    """Wait until the experiment is done and its verdict stands there."""
    expect(app.key("card_lab_verdicts").get_by_text("demonstration sets").first).to_be_visible(timeout=PATIENCE)
    expect(app.page.locator("[data-testid=stProgress]:visible")).to_have_count(0, timeout=PATIENCE)
    app.settle()


def test_a_question_is_asked_stopped_resumed_answered_opened_and_taken_away(
    playground: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = playground.app
    page = app.page
    page.get_by_role("link", name="Lab", exact=True).click()
    app.settle()
    app.choose("Question", "Does similarity beat random?")
    app.choose("How many", "50")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Cancelled; what was computed is kept.")).to_be_visible(timeout=60_000)
    app.settle()
    page.get_by_role("button", name="Go on", exact=True).last.click()
    finish(app)
    verdict = app.key("card_lab_verdicts").inner_text()
    assert re.search(r"No difference in accuracy|scored [\d.]+ points", verdict), verdict

    rows = list(csv.DictReader(io.StringIO(saved(app, "Items (CSV)").decode())))
    design = Design(read(saved(app, "Experiment (JSON)")))
    assert len(rows) == design.items
    for row in rows[::97]:
        study = design.asked(design.cells[int(row["cell"])], int(row["question"]))
        assert run(study, playground.model).answer.best == row["prediction"]

    notebook = nbformat.reads(saved(app, "Notebook").decode(), as_version=4)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", ()))
    sentence = verdict.splitlines()[-1].strip()
    assert sentence[-60:] in said

    page.keyboard.press("Escape")
    box = app.key("lab_items").locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 15, box["y"] + 50)  # the first row's own check box
    app.settle()
    app.key("lab_open_item").get_by_role("button").click()
    app.settle()
    study = playground.study()
    assert study.query in {question.input for question in design.experiment.questions}
    assert study.selection == "hand-picked"
    assert not app.troubles()


def test_experiments_are_listed_renamed_and_deleted(playground: Playground) -> None:
    app = playground.app
    page = app.page
    page.get_by_role("link", name="Lab", exact=True).click()
    app.settle()
    app.choose("How many", "10")
    app.choose("Question", "Do right labels matter?")
    app.key("lab_sets").get_by_role("spinbutton").fill("2")
    app.key("lab_sets").get_by_role("spinbutton").press("Enter")
    app.settle()
    page.get_by_role("button", name="Run", exact=True).click()
    finish(app)
    assert "No verdict" in app.key("card_lab_verdicts").inner_text()  # two sets carry none
    mine = app.key("card_lab_kept")
    name = mine.get_by_role("textbox").first
    expect(name).to_have_value("Do right labels matter?")
    name.fill("Mine & <b>only</b> mine")
    name.press("Enter")
    app.settle()
    app.open("lab")
    expect(app.key("card_lab_kept").get_by_role("textbox").first).to_have_value("Mine & <b>only</b> mine")
    app.key("card_lab_kept").get_by_role("button", name="Open", exact=True).first.click()
    app.settle()
    expect(app.key("card_lab_verdicts").get_by_text("No verdict").first).to_be_visible()
    before = app.key("card_lab_kept").get_by_role("textbox").count()
    app.key("card_lab_kept").get_by_role("button", name="Delete", exact=True).first.click()
    app.settle()
    app.key("card_lab_kept").get_by_role("button", name="Delete for good").click()
    app.settle()
    assert app.key("card_lab_kept").get_by_role("textbox").count() == before - 1
    assert not app.troubles()
