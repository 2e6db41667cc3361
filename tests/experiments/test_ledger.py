"""The ledger: numbers come back to the last bit, owners are apart, what is wrong with the file is one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.experiments.design import Design
from core.experiments.items import ExperimentItem
from core.experiments.ledger import Ledger, LedgerError
from tests.experiments.made import experiment


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "folder" / "ledger.sqlite")


ITEM = ExperimentItem(1, 2, ("a", "é\U0001f600"), (-0.1 - 1e-17, float("-inf")), (3, 1), "0123456789ab bfloat16", 0.25)


def test_items_come_back_as_they_were(ledger: Ledger) -> None:
    made = experiment()
    ledger.keep(made, 36)
    written = ExperimentItem(0, 0, ("a",), (-1e-300,), (("x", "y"),), "f", 1.0)
    failed = ExperimentItem(0, 1, error="No.")
    ledger.write(made.key, [ITEM, written, failed])
    assert ledger.items(made.key) == [written, failed, ITEM]
    assert ledger.count(made.key) == (3, 1)
    ledger.write(made.key, [ITEM, failed])  # anew, not twice
    assert ledger.count(made.key) == (3, 1)
    assert ITEM.prediction == "a"
    assert failed.prediction == ""


def test_what_is_done_is_told_by_block(ledger: Ledger) -> None:
    made = experiment()
    first, second, *_ = blocks = Design(made).blocks
    ledger.keep(made, 36)
    ledger.write(made.key, [ExperimentItem(first.cell.number, q) for q in range(12)])
    ledger.write(made.key, [ExperimentItem(second.cell.number, q, error="No." * (q == 3)) for q in range(12)])
    assert ledger.done(made.key, blocks) == {first, second}
    assert ledger.done(made.key, blocks, again=True) == {first}


def test_owners_share_items_and_nothing_else(ledger: Ledger) -> None:
    made = experiment()
    ledger.keep(made.model_copy(update={"name": "mine"}), 36, "a")
    ledger.keep(made.model_copy(update={"name": "yours"}), 36, "b")
    ledger.write(made.key, [ITEM])
    assert [kept.name for kept in ledger.all("a")] == ["mine"]
    assert [kept.name for kept in ledger.all("c")] == []
    ledger.rename(made.key, "renamed", "a")
    found = ledger.experiment(made.key, "a")
    assert [ledger.name_of(made.key, owner) for owner in "abc"] == ["renamed", "yours", None]
    assert found is not None
    assert found.name == "renamed"
    assert found.key == made.key
    ledger.delete(made.key, "a")
    assert ledger.all("a") == []
    assert ledger.count(made.key) == (1, 0)
    ledger.delete(made.key, "b")
    assert ledger.count(made.key) == (0, 0)
    assert ledger.experiment(made.key, "b") is None


def test_items_of_an_experiment_that_was_deleted_are_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="deleted meanwhile"):
        ledger.write("0" * 16, [ITEM])


def test_a_file_that_is_deleted_is_begun_anew(ledger: Ledger) -> None:
    made = experiment()
    ledger.keep(made, 36)
    assert ledger.path is not None
    ledger.path.unlink()
    assert ledger.all() == []
    ledger.keep(made, 36)
    assert len(ledger.all()) == 1


def test_a_file_that_is_no_ledger_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(LedgerError, match="cannot be kept") as caught:
        Ledger(path).all()
    assert "\n" not in str(caught.value)
    assert path.read_bytes().startswith(b"this is no database")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerError, match="cannot be kept"):
        Ledger(tmp_path / "ledger.sqlite").keep(experiment(), 1)
