"""Data sets by folder and by name: parts, configurations and the names of classes, with the library as the oracle."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from core import DataError
from core.files import hub_sets
from core.files.data_sets import DataSet, open_data_set
from core.files.table import MAX_ROWS
from core.runtime.allowed import FOLDER, HUB

TRAIN = {"text": ["a fine film", "dull, slow", "a treat"], "label": [1, 0, 1], "tags": [["a"], [], ["b", "c"]]}
TEST = {"text": ["a mess", "a joy"], "label": [0, 1], "tags": [[], ["d"]]}
DEV = {"text": ["so so"], "label": [1], "tags": [[]]}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The package `datasets`, with a cache of its own and no network."""
    import datasets

    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("cache")
    return datasets


def made(library: Any, columns: dict[str, list[Any]]) -> Any:
    features = library.Features(
        text=library.Value("string"),
        label=library.ClassLabel(names=["neg", "pos"]),
        tags=library.List(library.Value("string")),
    )
    return library.Dataset.from_dict(columns, features=features)


def parts(found: DataSet) -> dict[str, list[tuple[str, str]]]:
    """Text and label of every row, by part."""
    return {
        name: [(row[table.columns.index("text")], row[table.columns.index("label")]) for row in table.rows]
        for name, table in found.parts
    }


EXPECTED = {
    "train": [("a fine film", "pos"), ("dull, slow", "neg"), ("a treat", "pos")],
    "validation": [("so so", "pos")],
    "test": [("a mess", "neg"), ("a joy", "pos")],
}


def test_what_save_to_disk_writes(library: Any, tmp_path: Path) -> None:
    whole = library.DatasetDict(
        {"test": made(library, TEST), "train": made(library, TRAIN), "validation": made(library, DEV)}
    )
    whole.save_to_disk(tmp_path / "all", num_shards={"train": 2, "test": 1, "validation": 1})
    found = open_data_set(str(tmp_path / "all"))
    assert parts(found) == EXPECTED
    assert found.parts[0][0] == "train"
    again = library.load_from_disk(tmp_path / "all")
    assert [row["text"] for row in again["train"]] == [text for text, _ in EXPECTED["train"]]
    made(library, DEV).save_to_disk(tmp_path / "one")
    assert parts(open_data_set(str(tmp_path / "one"))) == {"all rows": EXPECTED["validation"]}


def written(library: Any, kind: str, path: Path, columns: dict[str, list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = made(library, columns).remove_columns("tags") if kind == "csv" else made(library, columns)
    {"parquet": rows.to_parquet, "csv": rows.to_csv, "jsonl": rows.to_json}[kind](str(path))


LAYOUTS = {
    "data/train-00000-of-00001.{}": ("data/test-00000-of-00001.{}", "data/validation-00000-of-00001.{}"),
    "train.{}": ("test.{}", "dev.{}"),
    "train/0000.{}": ("test/0000.{}", "validation/0000.{}"),
    "my_train_file.{}": ("my_test_file.{}", "my-dev.{}"),
}


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_that_say_by_their_names_which_part_they_are(
    library: Any, kind: str, layout: str, tmp_path: Path
) -> None:
    test, dev = LAYOUTS[layout]
    for name, columns in ((layout, TRAIN), (test, TEST), (dev, DEV)):
        written(library, kind, tmp_path / name.format(kind), columns)
    (tmp_path / "LICENSE.txt").write_text("A licence.")
    numbers = {"pos": "1", "neg": "0"} if kind != "parquet" else {"pos": "pos", "neg": "neg"}  # who knows names
    expected = {part: [(x, numbers[y]) for x, y in rows] for part, rows in EXPECTED.items()}
    assert parts(open_data_set(str(tmp_path))) == expected
    told = library.load_dataset(str(tmp_path), streaming=True)  # the library takes the same files for the same parts
    assert {part: [row["text"] for row in rows] for part, rows in told.items()} == {
        part: [x for x, _ in rows] for part, rows in EXPECTED.items()
    }


CARD = """---
license: mit
configs:
- config_name: films
  data_files:
  - split: train
    path: one/a*.csv
  - split: test
    path: [one/b.csv]
- config_name: books
  data_files: two/*.csv
dataset_info:
- config_name: films
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': pos
---
# A set
"""


def test_a_card_says_which_files_and_what_its_classes_are_called(library: Any, tmp_path: Path) -> None:
    for name, columns in (("one/a1.csv", TRAIN), ("one/b.csv", TEST), ("two/c.csv", DEV)):
        written(library, "csv", tmp_path / name, columns)
    (tmp_path / "README.md").write_text(CARD)
    films, books = open_data_set(str(tmp_path)), open_data_set(str(tmp_path), "books")
    assert (films.configs, films.config, books.config) == (("films", "books"), "films", "books")
    assert parts(films) == {"train": EXPECTED["train"], "test": EXPECTED["test"]}
    assert parts(books) == {"train": [("so so", "1")]}
    assert set(library.get_dataset_config_names(str(tmp_path))) == set(films.configs)


def test_labels_that_are_kept_back_are_none(library: Any, tmp_path: Path) -> None:
    written(library, "parquet", tmp_path / "test.parquet", {**TEST, "label": [-1, -1]})
    assert parts(open_data_set(str(tmp_path))) == {"test": [("a mess", ""), ("a joy", "")]}


def test_folders_of_one_set_each_are_configurations(library: Any, tmp_path: Path) -> None:
    for config in ("cola", "sst2"):
        written(library, "jsonl", tmp_path / config / "train.jsonl", TRAIN)
    found = open_data_set(str(tmp_path), "sst2")
    assert (found.configs, found.config, list(parts(found))) == (("cola", "sst2"), "sst2", ["train"])


def test_many_files_of_a_part_are_one_and_rows_are_cut(tmp_path: Path) -> None:
    for number in range(3):
        rows = (f"row {number} {i},x\n" for i in range(4_000))
        (tmp_path / f"train-{number:05}-of-00003.csv").write_text("text,label\n" + "".join(rows))
    ((name, table),) = open_data_set(str(tmp_path)).parts
    assert (name, len(table.rows), table.rows[-1]) == ("train", MAX_ROWS, ("row 2 1999", "x"))
    assert "There are more than 10,000 rows; the first 10,000 were kept." in table.notes


def test_the_beginning_of_a_large_file_of_lines_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.jsonl").write_text(
        "".join(json.dumps({"text": f"t{i}", "label": "x"}) + "\n" for i in range(900))
    )
    monkeypatch.setattr("core.files.data_sets.MAX_BYTES", 1_000)
    ((_, table),) = open_data_set(str(tmp_path)).parts
    assert table.rows[-1] == (f"t{len(table.rows) - 1}", "x")
    assert 20 < len(table.rows) < 50
    assert "first 0 MB were read" in table.notes[-1]
    (tmp_path / "train.jsonl").rename(tmp_path / "train.json")
    with pytest.raises(DataError, match="at most 0 can be read"):
        open_data_set(str(tmp_path))


def wrong(tmp_path: Path) -> dict[str, str]:
    """Names that cannot be read, and why."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.csv").write_text("a,b\nc,d\n")
    for name, said in (("no parts", {}), ("above", {"splits": ["../.."]}), ("missing", {"splits": ["train"]})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dataset_dict.json").write_text(json.dumps(said))
    (tmp_path / "zero").mkdir()
    (tmp_path / "zero" / "train.parquet").write_bytes(b"")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "train.csv")
    (tmp_path / "unequal").mkdir()
    (tmp_path / "unequal" / "train-1.csv").write_text("a,b\nc,d\n")
    (tmp_path / "unequal" / "train-2.csv").write_text("a,c\nc,d\n")
    return {
        "": "cannot be a data set's name",
        "a\nb": "cannot be a data set's name",
        "x" * 2_000: "cannot be a data set's name",
        "~nobody-of-that-name/x": "no folder",
        "./nowhere": "no folder",
        "a/b/c": "no folder",
        str(tmp_path / "empty"): "holds no data set",
        str(tmp_path / "file.csv"): "is a file",
        str(tmp_path / "no parts"): "does not name its parts",
        str(tmp_path / "above"): "does not name its parts",
        str(tmp_path / "missing"): "state.json is not there",
        str(tmp_path / "zero"): "“train.parquet” cannot be read",
        str(tmp_path / "pipe"): "is no file",
        str(tmp_path / "unequal"): "has other columns than",
    }


def test_one_sentence_for_what_is_wrong(tmp_path: Path) -> None:
    for name, reason in wrong(tmp_path).items():
        with pytest.raises(DataError, match=reason) as caught:
            open_data_set(name)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")


def test_by_name(library: Any, tmp_path: Path) -> None:
    """A folder stands for the hub: the library reads either by the same calls."""
    for name, columns in (("train.jsonl", TRAIN), ("test.jsonl", TEST)):
        written(library, "jsonl", tmp_path / name, columns)
    name = str(tmp_path)
    (config,) = hub_sets.configs_of(name)
    assert hub_sets.parts_of_set(name, config) == ["train", "test"]
    assert [row[0] for row in hub_sets.stream(name, config, "train").rows] == TRAIN["text"]


def test_names_of_classes_come_by_name_too(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made(library, TRAIN).add_column("picture", [None] * 3).cast_column("picture", library.Image())
    monkeypatch.setattr(library, "get_dataset_config_names", lambda name: ["default"])
    monkeypatch.setattr(library, "get_dataset_split_names", lambda name, config: ["train"])
    monkeypatch.setattr(library, "load_dataset", lambda *_, **__: rows.to_iterable_dataset())
    found = open_data_set("some/set")
    assert parts(found) == {"train": EXPECTED["train"]}
    assert "Left out: “picture”." in found.parts[0][1].notes


def test_without_the_library_or_a_network_one_sentence(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise ConnectionError("Couldn't reach\nthe hub.")

    monkeypatch.setattr(library, "get_dataset_config_names", fail)
    with pytest.raises(
        DataError, match=r"cannot be read from the hub \(Couldn't reach the hub\): look at name and network\."
    ):
        open_data_set("some/set")
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setattr(hub_sets, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install -r requirements-datasets\.txt\."):
        open_data_set("some/set")


def test_served_to_others(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = tmp_path / "shared" / "set", tmp_path / "private"
    for place in (inside, outside):
        written(library, "csv", place / "train.csv", TRAIN)
    (inside / "test.csv").symlink_to(outside / "train.csv")
    monkeypatch.setenv(FOLDER, str(tmp_path / "shared"))
    for name in (str(outside), f" {outside}", str(inside / ".." / ".." / "private"), str(tmp_path / "no such folder")):
        with pytest.raises(DataError, match="allows local data sets from one folder only"):
            open_data_set(name)
    with pytest.raises(DataError, match="allows local data sets from one folder only"):
        open_data_set(str(inside))  # one of its files is a link that leads out
    (inside / "test.csv").unlink()
    assert list(parts(open_data_set(str(inside)))) == ["train"]
    with pytest.raises(DataError, match="none from the hub"):
        open_data_set("some/set")
    monkeypatch.setenv(HUB, "1")
    monkeypatch.setattr(hub_sets, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="requirements-datasets"):
        open_data_set("some/set")
