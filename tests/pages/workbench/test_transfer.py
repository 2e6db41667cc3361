"""In and out: files and pasted tables, exports that read back, and code that gives the same numbers."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from core import Demonstration, Study, run
from core.files import FORMATS, read_file, to_demonstrations, write_file
from core.models import LanguageModel
from pages.ui.session.examples import default_study
from pages.ui.workbench import importing as dialog
from pages.ui.workbench import transfer
from tests.pages.conftest import Page

ROWS = (Demonstration(input="cat", label="chat"), Demonstration(input="dog, big", label="gros chien", excluded=True))


def importing(page: Page) -> Page:
    return page.press("import")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_comes_in(playground: Page, kind: str) -> None:
    importing(playground)
    playground.at.file_uploader(key="frame_import_file").upload(f"rows.{kind}", write_file(ROWS, kind))
    playground.run().press("import_take")
    assert playground.study.demonstrations == ROWS


def test_columns_are_chosen_on_screen(playground: Page) -> None:
    importing(playground)
    data = b"id,text,tone,topic\n1,good soup,positive,food\n2,bad film,negative,film\n"
    playground.at.file_uploader(key="frame_import_file").upload("rows.csv", data)
    playground.run()
    playground.at.selectbox(key="frame_import_input_2_4").set_value("text")
    playground.at.selectbox(key="frame_import_label_2_4").set_value("topic")
    playground.run().press("import_take")
    assert [(row.input, row.label) for row in playground.study.demonstrations] == [
        ("good soup", "food"),
        ("bad film", "film"),
    ]


def test_a_pasted_table_is_appended_to_the_pool(playground: Page) -> None:
    playground.edit(pool=ROWS[:1])
    importing(playground)
    playground.at.text_area(key="frame_import_text").set_value("bee -> abeille\nfly -> mouche")
    playground.run()
    playground.at.get_by_key("frame_import_into_demonstrations").set_value("Pool")
    playground.at.get_by_key("frame_import_mode").set_value("Append")
    playground.run().press("import_take")
    assert [row.input for row in playground.study.pool] == ["cat", "bee", "fly"]
    assert playground.at.session_state["frame_table"] == "Pool"


def test_more_than_the_box_reads_is_refused_before_it_is_parsed(playground: Page, monkeypatch) -> None:
    monkeypatch.setattr(dialog, "MAX_PASTED", 20)
    importing(playground)
    playground.at.text_area(key="frame_import_text").set_value("bee -> abeille\nfly -> mouche")
    playground.run()
    assert [error.value.replace("\\", "") for error in playground.at.error] == [
        "The box reads 20 characters and this text has 28: choose it as a file."
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rows.csv", b"\x00\x01\x02\xff" * 50),
        ("rows.csv", b"a,b\n1,2\n3\n"),
        ("rows.json", b"{not json"),
        ("rows.parquet", b"PAR1 broken"),
        ("rows.csv", b""),
    ],
)
def test_a_bad_file_is_one_sentence(playground: Page, name: str, data: bytes) -> None:
    before = playground.study
    importing(playground)
    playground.at.file_uploader(key="frame_import_file").upload(name, data)
    playground.run()
    assert len(playground.at.error) == 1
    assert "\n" not in playground.at.error[0].value
    assert playground.study == before


def test_utf16_is_read(playground: Page) -> None:
    importing(playground)
    data = "input,label\nété,summer\n".encode("utf-16")
    playground.at.file_uploader(key="frame_import_file").upload("rows.csv", data)
    playground.run().press("import_take")
    assert playground.study.demonstrations[0].input == "été"


def test_export_offers_everything(playground: Page) -> None:
    playground.at.session_state["frame_export_box"] = True
    playground.run()
    names = [button.label for button in playground.at.get("download_button")]
    assert all(names.count(kind) == 2 for kind in FORMATS)  # demonstrations and pool
    assert {"Study JSON", "Outcome JSON", "Arrays npz", "Answer csv", "Attention csv"} <= set(names)
    assert transfer.as_python(playground.study) in [code.value for code in playground.at.code]


@pytest.mark.parametrize(
    "study",
    [
        default_study(),
        Study(query='"""\\n', labels=("a'''b", "c"), demonstrations=(Demonstration(input="\\", label="'''"),)),
    ],
)
def test_code_gives_the_same_study_and_numbers(study: Study, model: LanguageModel, capsys) -> None:
    scope: dict[str, object] = {}
    exec(transfer.as_python(study), scope)
    assert scope["study"] == study
    np.testing.assert_allclose(scope["outcome"].answer.scores, run(study, model).answer.scores)
    assert capsys.readouterr().out


def test_an_outcome_is_written_whole(model: LanguageModel) -> None:
    outcome = run(default_study(), model)
    tree = json.loads(transfer.outcome_json(outcome))
    assert Study.model_validate(tree["study"]) == default_study()
    np.testing.assert_allclose(tree["answer"]["probabilities"], outcome.answer.probabilities)
    with np.load(io.BytesIO(transfer.outcome_npz(outcome))) as arrays:
        np.testing.assert_array_equal(arrays["posteriors/exact/weights"], outcome.posteriors["exact"].weights)
        assert tuple(arrays["answer/labels"]) == outcome.answer.labels
        assert Study.model_validate_json(str(arrays["study"])) == default_study()


def test_views_are_written_as_csv(model: LanguageModel) -> None:
    outcome = run(default_study(), model)
    for make in transfer.VIEWS.values():
        assert len(transfer._csv(make(outcome)).decode().splitlines()) > 4


def test_downloads_read_back() -> None:
    for kind in FORMATS:
        table = read_file(write_file(ROWS, kind), f"rows.{kind}")
        assert to_demonstrations(table, "input", "label") == ROWS
