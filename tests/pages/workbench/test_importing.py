"""What an import leaves: the example gone, many rows a pool, and a sentence for what is not used."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from core import Demonstration, Study
from core.files import read_file
from core.runtime.progress import check, counting
from pages.ui.session.examples import default_study
from pages.ui.workbench import importing
from tests.pages.conftest import Page

RTE = {
    "name": "rte",
    "train": [
        {"idx": 0, "premise": "A man sleeps.", "hypothesis": "Somebody rests.", "label": 0},
        {"idx": 1, "premise": "A cat runs.", "hypothesis": "A cat sleeps.", "label": 1},
    ],
    "dev": [{"idx": 0, "premise": "It rains.", "hypothesis": "It is wet.", "label": 0}],
}


def give(page: Page, name: str, data: bytes | str) -> Page:
    """Open the dialog and give it a file."""
    page.press("import")
    page.at.file_uploader(key="frame_import_file").upload(name, data if isinstance(data, bytes) else data.encode())
    return page.run()


def rows(count: int) -> str:
    return "input,label\n" + "".join(f"word {i},{i % 2}\n" for i in range(count))


def preview(page: Page) -> list[str]:
    """Inputs as the dialog shows them; the other frames are tables to type in, whose rows are numbered."""
    (shown,) = [frame.value for frame in page.at.dataframe if "number" not in frame.value and "input" in frame.value]
    return [str(text) for text in shown["input"]]


def captions(page: Page) -> str:
    return " ".join(caption.value for caption in page.at.caption)


def test_the_example_is_cleared_with_all_that_belongs_to_it(playground: Page) -> None:
    assert playground.study.hypotheses
    give(playground, "a.csv", rows(3)).press("import_take")
    study = playground.study
    assert len(study.demonstrations) == 3
    assert (study.query, study.gold, study.labels, study.hypotheses, study.pool) == ("", None, (), (), ())
    playground.press("undo")
    assert playground.study == default_study()


def test_what_the_user_made_stays(playground: Page) -> None:
    own = (Demonstration(input="red", label="rouge"),)
    playground.edit(demonstrations=own, query="blue")
    give(playground, "a.csv", rows(30)).press("import_take")
    assert (playground.study.demonstrations, playground.study.query) == (own, "blue")
    assert len(playground.study.pool) == 30


@pytest.mark.parametrize(("count", "field"), [(20, "demonstrations"), (21, "pool")])
def test_more_than_twenty_rows_are_a_pool_at_first(playground: Page, count: int, field: str) -> None:
    give(playground, "a.csv", rows(count)).press("import_take")
    assert len(getattr(playground.study, field)) == count
    assert playground.at.session_state["frame_table"] == field.capitalize()


def test_what_is_not_used_is_said(playground: Page) -> None:
    give(playground, "a.csv", "id,text,tone,topic\n1,good soup,positive,food\n2,bad film,negative,film\n3,,,\n")
    assert "Not used: the columns “id”, “tone”" in captions(playground).replace("\\", "")
    assert "1 blank rows are left out" in captions(playground)


def test_a_pool_that_no_selection_reads_says_so(playground: Page) -> None:
    give(playground, "a.csv", rows(30)).press("import_take")
    assert "Not read" in captions(playground)
    playground.edit(selection="random")
    assert "Not read" not in captions(playground)


def test_the_parts_of_a_set_are_demonstrations_and_a_query(playground: Page) -> None:
    give(playground, "rte.json", json.dumps(RTE))
    assert playground.at.selectbox(key="frame_import_part_3_5").options == ["train", "dev", "every part"]
    playground.press("import_take")
    study = playground.study
    assert [row.label for row in study.demonstrations] == ["0", "1"]
    assert "It rains." in study.query
    assert study.gold == "0"


def test_an_exported_study_is_opened(playground: Page) -> None:
    study = Study(demonstrations=(Demonstration(input="a", label="b"),), query="c", hypotheses=(), gold="b")
    give(playground, "study.json", study.model_dump_json(indent=1))
    playground.press("import_open")
    assert playground.study == study


def test_a_file_in_another_encoding_is_read_as_chosen(playground: Page) -> None:
    text = "текст,метка\nОчень хороший фильм,хорошо\nСкучно и плохо,плохо\n"
    give(playground, "a.csv", text.encode("cp1251"))
    box = playground.at.selectbox(key="frame_import_encoding_cp1251")
    assert box.value == "cp1251"
    box.set_value("koi8-r")
    playground.run()
    assert preview(playground) == [
        t.encode("cp1251").decode("koi8-r") for t in ("Очень хороший фильм", "Скучно и плохо")
    ]
    playground.at.selectbox(key="frame_import_encoding_cp1251").set_value("cp1251")
    playground.run().press("import_take")
    assert playground.study.demonstrations[0].input == "Очень хороший фильм"


def test_a_utf8_file_has_no_such_choice(playground: Page) -> None:
    give(playground, "a.csv", "input,label\nété,summer\n")
    assert not [box for box in playground.at.selectbox if (box.key or "").startswith("frame_import_encoding")]


def test_several_columns_are_one_input_by_a_pattern(playground: Page) -> None:
    give(
        playground,
        "a.tsv",
        "premise\thypothesis\tgold_label\nA man sleeps.\tHe rests.\tyes\nIt rains.\tIt is dry.\tno\n",
    )
    assert playground.at.text_area(key="frame_import_pattern_2_3").value == "{premise}\nhypothesis: {hypothesis}"
    assert preview(playground)[0] == "A man sleeps.\nhypothesis: He rests."
    playground.at.text_area(key="frame_import_pattern_2_3").set_value("{premise} question: {hypothesis}")
    playground.run()
    assert preview(playground)[0] == "A man sleeps. question: He rests."
    playground.press("import_take")
    study = playground.study
    assert study.input_pattern == "{premise} question: {hypothesis}"
    assert study.demonstrations[1] == Demonstration(
        input="It rains. question: It is dry.",
        label="no",
        fields=(("premise", "It rains."), ("hypothesis", "It is dry.")),
    )
    assert Study.model_validate_json(study.model_dump_json()) == study
    playground.run()
    assert playground.study == study  # the table gives the fields back


def test_a_pattern_that_names_no_column_is_one_sentence(playground: Page) -> None:
    give(playground, "a.tsv", "premise\thypothesis\tlabel\na\tb\tc\nd\te\tf\n")
    for typed, said in (("{premise} {conclusion}", "no field {conclusion}"), ("only words", "names no field")):
        playground.at.text_area(key="frame_import_pattern_2_3").set_value(typed)
        playground.run()
        assert len(playground.at.error) == 1
        assert said in playground.at.error[0].value.replace("\\", "")
    playground.at.selectbox(key="frame_import_input_2_3").set_value("hypothesis")
    playground.run().press("import_take")
    assert [row.input for row in playground.study.demonstrations] == ["b", "e"]
    assert playground.study.input_pattern == ""


def test_a_file_that_takes_long_can_be_cancelled(playground: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    before, held = playground.study, [True]

    def slowly(*given: Any, stop: Any, **named: Any) -> Any:
        with counting(100, "rows") as advance:
            advance(40)
            while held[0]:
                check(stop)
                time.sleep(0.01)
        return read_file(*given, stop=stop, **named)

    monkeypatch.setattr(importing, "read_file", slowly)
    monkeypatch.setattr(importing, "PATIENCE", 0.2)
    give(playground, "a.csv", rows(3))
    assert not playground.at.button(key="import_cancel").disabled
    (bar,) = playground.at.get("progress")
    assert "40 of 100 rows" in bar.proto.text
    assert not [button for button in playground.at.button if button.key == "frame_import_take"]
    begun = time.perf_counter()
    playground.at.button(key="import_cancel").click()
    playground.run()
    assert time.perf_counter() - begun < 5
    assert "Reading was stopped" in captions(playground)
    assert playground.study == before
    held[0] = False
    playground.at.button(key="frame_import_again").click()
    playground.run().press("import_take")
    assert len(playground.study.demonstrations) == 3


def data_set(folder: Path, **parts: list[tuple[str, str]]) -> str:
    """A folder with a part a file."""
    folder.mkdir(parents=True)
    for name, pairs in parts.items():
        (folder / f"{name}.csv").write_text("text,label\n" + "".join(f"{x},{y}\n" for x, y in pairs))
    return str(folder)


def pairs(word: str, count: int) -> list[tuple[str, str]]:
    return [(f"{word} {i}", "good" if i % 2 else "bad") for i in range(count)]


def name_set(page: Page, name: str) -> Page:
    """Open the dialog and name a data set."""
    if not [box for box in page.at.text_input if box.key == "frame_import_set"]:
        page.press("import")
    page.at.text_input(key="frame_import_set").set_value(name)
    return page.run()


def test_a_data_set_lands_as_pool_and_questions(playground: Page, tmp_path: Path) -> None:
    place = data_set(tmp_path / "set", train=pairs("seen", 30), dev=pairs("near", 5), test=pairs("new", 8))
    name_set(playground, place)
    said = captions(playground).replace("\\", "")
    assert "“test” (8 rows) becomes the questions" in said
    assert "Not taken: “validation” (5)" in said
    assert playground.at.button(key="frame_import_take").label == "Take over 30 rows and 8 questions"
    playground.press("import_take")
    study = playground.study
    assert [row.input for row in study.pool] == [x for x, _ in pairs("seen", 30)]
    assert [(row.input, row.label) for row in study.questions] == pairs("new", 8)
    assert (study.query, study.gold, study.demonstrations) == ("new 0", "bad", ())
    assert Study.model_validate_json(study.model_dump_json()) == study
    playground.front("Questions")
    assert "No prompt shows them" in captions(playground)
    playground.press("clear")
    assert playground.study.questions == ()
    playground.press("undo")
    assert playground.study == study


def test_a_test_part_without_labels_is_not_asked(playground: Page, tmp_path: Path) -> None:
    kept_back = [(x, "-1") for x, _ in pairs("new", 8)]
    place = data_set(tmp_path / "set", train=pairs("seen", 30), dev=pairs("near", 5), test=kept_back)
    (tmp_path / "set" / "README.md").write_text(
        "---\ndataset_info:\n  features: [{name: label, dtype: {class_label: {names: [bad, good]}}}]\n---\n"
    )
    for part in ("train", "dev"):
        file = tmp_path / "set" / f"{part}.csv"
        file.write_text(file.read_text().replace(",bad", ",0").replace(",good", ",1"))
    name_set(playground, place).press("import_take")
    assert [(row.input, row.label) for row in playground.study.questions] == pairs("near", 5)
    assert {row.label for row in playground.study.pool} == {"bad", "good"}


def test_a_file_of_questions(playground: Page) -> None:
    before = playground.study
    give(playground, "test.csv", rows(30))
    playground.at.segmented_control(key="frame_import_into_pool").set_value("Questions")
    playground.run().press("import_take")
    study = playground.study
    assert len(study.questions) == 30
    assert study == before.model_copy(update={"questions": study.questions})  # nothing else changed


def test_a_configuration_is_chosen(playground: Page, tmp_path: Path) -> None:
    for name in ("books", "films"):
        data_set(tmp_path / name, train=pairs(name, 3))
    name_set(playground, str(tmp_path))
    (box,) = [box for box in playground.at.selectbox if box.label == "Configuration"]
    assert (box.options, box.value) == (["books", "films"], "books")
    assert preview(playground)[0] == "books 0"
    box.set_value("films")
    playground.run()
    assert preview(playground)[0] == "films 0"
    playground.press("import_take")
    assert playground.study.demonstrations[0].input == "films 0"
    assert playground.study.questions == ()


def test_a_data_set_that_is_not_there_is_one_sentence(playground: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    before = playground.study
    monkeypatch.setattr("core.files.hub_sets.find_spec", lambda name: None)
    for name, said in (("/no/such/folder", "no folder"), ("some/set", "requirements-datasets.txt")):
        name_set(playground, name)
        assert len(playground.at.error) == 1
        assert said in playground.at.error[0].value.replace("\\", "")
    monkeypatch.setenv("ICLENS_MODELS", "/srv")
    for name, said in (("/etc", "one folder only"), ("some/sets", "none from the hub")):
        name_set(playground, name)
        assert said in playground.at.error[0].value
    assert playground.study == before
