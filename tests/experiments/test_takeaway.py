"""What is taken away gives the same numbers: the script, the notebook, the table; the paragraph says what was done."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from core.experiments.design import Design
from core.experiments.findings import findings_of
from core.experiments.ledger import Ledger
from core.experiments.run import run_experiment
from core.experiments.table import parquet, records
from core.experiments.takeaway import BIBTEX, SOURCES, bibtex, methods, notebook, script
from core.ordering import orderings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections
from tests.experiments.made import Here, experiment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made() -> tuple[Design, Ledger]:
    asked = experiment(asked=24, draws={"sets": 5}, ordering=["random", "nearest-last"])
    ledger = Ledger(Path(os.environ["ICLENS_HOME"]) / "takeaway.sqlite")
    run_experiment(asked, ledger, workers=Here(asked))
    return Design(asked), ledger


def test_the_script_and_the_notebook_give_the_same_numbers(made: tuple[Design, Ledger], tmp_path: Path) -> None:
    design, ledger = made
    found = findings_of(design, ledger.items(design.experiment.key))
    wanted = [f"{mean.mean:.4f} ({mean.low:.4f} to {mean.high:.4f})" for mean in found.means if mean is not None]
    verdict = found.pairs[0].said.text
    path = tmp_path / "experiment.py"
    path.write_text(script(design.experiment), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, path.name], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert all(numbers in ran.stdout for numbers in wanted)
    assert verdict in ran.stdout

    read = nbformat.reads(notebook(design.experiment), as_version=4)
    nbformat.validate(read)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        NotebookClient(read, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    said = "".join(
        output.get("text", "") for cell in read.cells for output in cell.get("outputs", ()) if "text" in output
    )
    assert all(numbers in said for numbers in wanted)
    assert verdict in said


def test_the_table_holds_every_item_and_its_numbers(made: tuple[Design, Ledger]) -> None:
    design, ledger = made
    items = ledger.items(design.experiment.key)
    rows = records(design, items)
    frame = pd.read_parquet(io.BytesIO(parquet(design, items)))
    assert len(rows) == len(frame) == design.items == 240
    means = frame.groupby("ordering")["accuracy"].mean()
    found = findings_of(design, items)
    for setting, mean in zip(found.settings, found.means, strict=True):
        assert mean is not None
        assert means[setting.name] == pytest.approx(mean.mean)
    right = frame["prediction"] == frame["gold"]
    assert np.array_equal(right, frame["accuracy"] == 1)


def test_the_paragraph_says_what_was_drawn_and_the_sources_are_those_of_what_varies(
    made: tuple[Design, Ledger],
) -> None:
    design, _ = made
    said = methods(design.experiment)
    assert "24 questions" in said
    assert "5 sets were drawn" in said
    assert "order (Random and Nearest last)" in said
    assert design.experiment.key in said
    keys = re.findall(r"@\w+\{(\w+),", bibtex(design.experiment))
    assert keys == ["lu2022", "liu2022"]


def test_every_source_is_of_a_strategy_that_there_is_and_has_an_entry() -> None:
    kinds = {"ordering": orderings, "selection": selections, "scoring": scorers, "calibration": calibrations}
    for (field, name), keys in SOURCES.items():
        assert name in kinds[field]
        assert set(keys) <= BIBTEX.keys()
