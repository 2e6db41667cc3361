"""Files and pasted tables: good ones arrive whole, bad ones get one sentence and change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.playground import Playground

GOOD = {
    "words.csv": b"source,target\ndog,chien\ncat,chat\n",
    "words.tsv": b"source\ttarget\ndog\tchien\ncat\tchat\n",
    "words.json": b'[{"source": "dog", "target": "chien"}, {"source": "cat", "target": "chat"}]',
    "words.jsonl": b'{"source": "dog", "target": "chien"}\n{"source": "cat", "target": "chat"}\n',
    "utf16.csv": "source,target\ndog,chien\ncat,chat\n".encode("utf-16"),
}
BAD = {
    "binary.csv": bytes(range(256)) * 64,
    "empty.csv": b"",
    "broken.json": b'[{"source": "dog", ',
    "notreally.parquet": b"PAR1 but nothing else",
}


def start(playground: Playground, name: str, data: bytes) -> None:
    """Open the dialog and give it a file."""
    page = playground.app.page
    if not page.get_by_role("dialog").count():
        page.get_by_role("button", name="Import").click()
        playground.app.settle()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": data})
    playground.app.settle()


def take_over(playground: Playground) -> None:
    playground.app.key("frame_import_take").get_by_role("button").click()
    playground.app.page.get_by_role("dialog").wait_for(state="detached")
    playground.app.settle()


def rows(playground: Playground) -> list[tuple[str, str]]:
    return [(d.input, d.label) for d in playground.study().demonstrations]


@pytest.mark.parametrize("name", GOOD)
def test_a_file_becomes_the_table(playground: Playground, name: str) -> None:
    start(playground, name, GOOD[name])
    take_over(playground)
    assert rows(playground) == playground.grid.rows() == [("dog", "chien"), ("cat", "chat")]
    assert playground.study().query == ""  # the example that was there is cleared
    playground.ask("bread")
    playground.check()


def test_columns_are_chosen_on_screen(playground: Playground) -> None:
    start(playground, "three.csv", b"id,english,french\n1,dog,chien\n2,cat,chat\n")
    playground.app.choose("Input x", "french")
    playground.app.choose("Label y", "english")
    take_over(playground)
    assert rows(playground) == [("chien", "dog"), ("chat", "cat")]
    playground.ask("pain")
    playground.check()


def test_a_pasted_table_becomes_the_table(playground: Playground) -> None:
    page = playground.app.page
    page.get_by_role("button", name="Import").click()
    playground.app.settle()
    box = page.get_by_label("Or paste a table", exact=True)
    box.fill("dog -> chien\ncat -> chat")
    box.press("Control+Enter")
    playground.app.settle()
    take_over(playground)
    assert rows(playground) == [("dog", "chien"), ("cat", "chat")]
    playground.ask("bread")
    playground.check()


def test_bad_files_get_a_sentence_and_change_nothing(playground: Playground) -> None:
    before = playground.study()
    for name, data in BAD.items():
        start(playground, name, data)
        alert = playground.app.page.get_by_role("dialog").get_by_role("alert")
        alert.wait_for()
        assert len(alert.inner_text().strip()) > 20, name
        assert playground.app.key("frame_import_take").count() == 0, name
    assert playground.study() == before


def test_a_ragged_file_says_what_became_of_its_rows(playground: Playground) -> None:
    start(playground, "ragged.csv", b"source,target\ndog,chien\ncat\nbird,oiseau,extra\n")
    dialog = playground.app.page.get_by_role("dialog").inner_text()
    assert "row" in dialog.lower()
    assert playground.app.troubles() == []


def test_a_file_of_fifty_megabytes_is_refused(playground: Playground, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"source,target\n" + b"dog,chien\n" * 5_000_000)
    page = playground.app.page
    page.get_by_role("button", name="Import").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("File must be").wait_for()
    assert playground.app.troubles() == []


def test_what_is_saved_can_be_read_again(playground: Playground) -> None:
    page = playground.app.page
    page.get_by_role("button", name="Export").click()
    playground.app.settle()
    with page.expect_download() as download:
        playground.app.key("frame_save_study-json").get_by_role("button").click()
    study = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert study == playground.study().model_dump(mode="json")
