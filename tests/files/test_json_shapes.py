"""JSON as it is published: where the records stand, what becomes a column, and chats."""

from __future__ import annotations

import json

import pytest

from core.files import read_file, read_text, to_demonstrations

RECORDS = [{"input": "cat", "label": "chat"}, {"input": "dog", "label": "chien"}]
PAIRS = [("cat", "chat"), ("dog", "chien")]
LINES = "".join(json.dumps(record) + "\n" for record in RECORDS)


def pairs(data: str, name: str = "a.json") -> list[tuple[str, str]]:
    """Demonstrations by the columns that are guessed."""
    table = read_file(data.encode(), name)
    return [(row.input, row.label) for row in to_demonstrations(table, *table.guess)]


@pytest.mark.parametrize(
    "value",
    [
        RECORDS,
        {"examples": RECORDS},
        {"Contributors": ["A"], "Instances": [{"input": r["input"], "output": [r["label"]]} for r in RECORDS]},
        {"version": "1.0", "data": {"all": RECORDS}},
        {"input": ["cat", "dog"], "label": ["chat", "chien"]},
        {"input": {"0": "cat", "1": "dog"}, "label": {"0": "chat", "1": "chien"}},
        {"columns": ["input", "label"], "index": [0, 1], "data": PAIRS},
        {"q1": RECORDS[0], "q2": RECORDS[1]},
        {"cat": "chat", "dog": "chien"},
        PAIRS,
        [{"messages": [{"role": "user", "content": x}, {"role": "assistant", "content": y}]} for x, y in PAIRS],
        [{"conversations": [{"from": "human", "value": x}, {"from": "gpt", "value": y}]} for x, y in PAIRS],
        {"messages": [turn for x, y in PAIRS for turn in (
            {"role": "user", "content": [{"type": "text", "text": x}]}, {"role": "assistant", "content": y})]},
    ],
)  # fmt: skip
def test_where_the_records_stand(value: object) -> None:
    assert pairs(json.dumps(value)) == PAIRS
    assert pairs(json.dumps(value, indent=2)) == PAIRS


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.txt", "a.train", "a.dev", "train", "a.csv"])
def test_json_lines_whatever_the_name(name: str) -> None:
    assert pairs(LINES, name) == PAIRS
    assert pairs(json.dumps(RECORDS), name) == PAIRS


@pytest.mark.parametrize(
    "text", ["cat\tchat\ndog\tchien\n", "cat -> chat\ndog -> chien", "input,label\ncat,chat\ndog,chien"]
)
def test_other_names_are_read_by_content(text: str) -> None:
    for name in ("a.train", "a.dev", "train"):
        assert pairs(text, name) == PAIRS


def test_pasted_json() -> None:
    assert read_text(LINES).rows == read_text(json.dumps(RECORDS)).rows == tuple(PAIRS)


def test_a_list_of_one_is_what_it_holds() -> None:
    assert pairs('[{"input": "Is it?", "output": ["Yes"]}, {"input": "And?", "output": [["No"]]}]') == [
        ("Is it?", "Yes"),
        ("And?", "No"),
    ]
    assert pairs('[{"input": "a", "output": ["x", "y"]}]') == [("a", '["x", "y"]')]


def test_samples_of_lm_eval() -> None:
    """The form of `--log_samples`: nested documents, the target and log-likelihoods as text."""
    sample = {
        "doc_id": 0,
        "doc": {"sentence": "a fine film", "label": 1, "idx": 0},
        "target": "1",
        "arguments": {"gen_args_0": {"arg_0": "a fine film\nQuestion: positive or negative?\nAnswer:", "arg_1": " no"}},
        "resps": [[["-3.25", "False"]], [["-1.5", "False"]]],
        "filtered_resps": [["-3.25", "False"], ["-1.5", "False"]],
        "metrics": ["acc"],
        "doc_hash": "6f",
        "acc": 1.0,
    }
    samples = [sample, {**sample, "doc_id": 1, "doc": {"sentence": "a bad film", "label": 0, "idx": 1}, "target": "0"}]
    table = read_file("".join(json.dumps(one) + "\n" for one in samples).encode(), "samples_sst2.jsonl")
    assert {"doc.sentence", "doc.label", "arguments.gen_args_0.arg_0", "target", "resps"} <= {*table.columns}
    assert table.guess == ("doc.sentence", "target")
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert (cells["target"], cells["metrics"], cells["acc"]) == ("1", "acc", "1.0")
    assert json.loads(cells["filtered_resps"]) == [["-3.25", "False"], ["-1.5", "False"]]


def test_what_is_left_out_of_an_object_is_said() -> None:
    table = read_file(json.dumps({"name": "x", "canary": "y", "examples": RECORDS}).encode(), "task.json")
    assert table.notes == ("The list “examples” was read; “name”, “canary” were left out.",)


def test_parts_of_a_set_keep_their_names() -> None:
    table = read_file(json.dumps({"train": RECORDS, "test": RECORDS[:1]}).encode(), "a.json")
    assert table.columns == ("input", "label", "split")
    assert [row[2] for row in table.rows] == ["train", "train", "test"]
    assert table.guess == ("input", "label")
    assert table.notes == ("Its lists are parts of one set: “train” 2, “test” 1 rows.",)


def test_a_chat_of_several_turns_is_a_demonstration_an_answer() -> None:
    chat = [
        {"role": "system", "content": "Translate."},
        {"role": "user", "content": "cat"},
        {"role": "assistant", "content": "chat"},
        {"role": "user", "content": "dog"},
        {"role": "user", "content": "big dog"},
        {"role": "assistant", "content": "gros chien"},
        {"role": "user", "content": "cow"},
    ]
    table = read_file(json.dumps([{"messages": chat, "id": 7}]).encode(), "chats.json")
    assert table.guess == ("user", "assistant")
    assert table.rows == (
        ("cat", "chat", "Translate.", "7"),
        ("dog\nbig dog", "gros chien", "Translate.", "7"),
        ("cow", "", "Translate.", "7"),
    )
    assert table.notes


@pytest.mark.parametrize(
    "text", ['[{"input": "good \\ud83d", "label": "\\u0000"}]', '{"input": "good \\uD83D", "label": "\\u0000"}\n']
)
def test_half_an_emoji_and_nul_are_replaced_with_a_note(text: str) -> None:
    table = read_file(text.encode(), "a.jsonl")
    assert table.rows == (("good \ufffd", "\ufffd"),)
    assert "half an emoji" in table.notes[0]
    "".join(table.rows[0]).encode()
    assert read_file(b'[{"input": "\\ud83d\\ude00", "label": "x"}]', "a.json").rows == (("\U0001f600", "x"),)
