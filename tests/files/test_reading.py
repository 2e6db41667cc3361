"""Files in: encodings, layouts, and one sentence for whatever is wrong."""

from __future__ import annotations

import io
import json
import random
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import DataError, Demonstration
from core.files import EXTENSIONS, MAX_BYTES, MAX_ROWS, Table, read_file, to_demonstrations

CSV = "word;name,french\ncafé au lait,lait\nnaïve,naïf\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(encoding: str) -> None:
    table = read_file(CSV.encode(encoding), "a.CSV")
    assert table.columns == ("word;name", "french")
    assert table.rows == (("café au lait", "lait"), ("naïve", "naïf"))
    assert table.notes == (
        "The first row, “word;name”, “french”, was taken for the names of the columns; say so if it is data.",
    )


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_of_either_order_needs_its_mark(order: str) -> None:
    assert read_file("\ufeff".encode(order) + CSV.encode(order), "a.csv").rows[0][0] == "café au lait"
    with pytest.raises(DataError, match="UTF-16 without its mark"):
        read_file(CSV.encode(order), "a.csv")


def test_latin_1_with_a_note() -> None:
    table = read_file(CSV.encode("latin-1"), "a.csv")
    assert table.rows[1] == ("naïve", "naïf")
    assert "Latin-1" in table.notes[0]
    assert "names of the columns" in table.notes[1]
    assert read_file("a,b\n“x”,y\n".encode("cp1252"), "a.csv").rows == (("“x”", "y"),)
    assert read_file(b"a,b\n\xe9\x81,y\n", "a.csv").rows == (("é\x81", "y"),)


@pytest.mark.parametrize(
    ("name", "data", "rows"),
    [
        ("a.csv", b'input,label\r\n"a, b","says ""no"""\r\n', [("a, b", 'says "no"')]),
        ("a.csv", b'input,label\n"two\nlines",x\n\n  \nc,d\n', [("two\nlines", "x"), ("c", "d")]),
        ("a.csv", b"input;label\n1,5;pos\n2,5;neg\n", [("1,5", "pos"), ("2,5", "neg")]),
        (
            "a.csv",
            b"good film,pos\nbad film,neg\nfine film,pos\n",
            [("good film", "pos"), ("bad film", "neg"), ("fine film", "pos")],
        ),
        ("a.tsv", b"text\tlabel\na, b\tpos\n", [("a, b", "pos")]),
        ("a.tsv", b'text\tlabel\n"Hello\tpos\nfine\tneg\n', [('"Hello', "pos"), ("fine", "neg")]),
        ("a.json", b'[{"input": "a", "label": 5}, {"label": null, "input": true}]', [("a", "5"), ("true", "")]),
        ("a.jsonl", b'{"input": "a", "label": ["x", 1]}\n\n{"input": "b"}\n', [("a", '["x", 1]'), ("b", "")]),
        ("a.jsonl", '{"input": "a\u2028b", "label": "c"}'.encode(), [("a\u2028b", "c")]),
        ("a.txt", b"1 a good film\n0 a bad film\n", [("a good film", "1"), ("a bad film", "0")]),
    ],
)
def test_layouts(name: str, data: bytes, rows: list[tuple[str, str]]) -> None:
    table = read_file(data, name)
    assert [(d.input, d.label) for d in to_demonstrations(table, *table.guess)] == rows


def test_parquet_keeps_whole_numbers_whole() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", "b"], "label": pa.array([1, None], pa.int64())}), buffer)
    assert read_file(buffer.getvalue(), "a.parquet").rows == (("a", "1"), ("b", ""))


def _parquet(columns: dict[str, list[object]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


WRONG: list[tuple[str, bytes, str]] = [
    ("a.csv", b"", "it is empty"),
    ("a.csv", b" \n\n", "it is empty"),
    ("a.csv", "\ufeff".encode(), "it is empty"),
    ("a.csv", b"input,label\n", "no rows of data"),
    ("a.csv", b"one\ntwo\n", "one column only"),
    ("a.csv", b"x,y\na,b\n\na,b,c\n", "line 4 has 3 cells where the first row has 2"),
    ("a.csv", b'x,y\n"a\nb",c\nd\n', "line 4 has 1 cell where"),
    ("a.csv", b'x,y\n"open,' + b"z" * 200_000, "quotation mark may be left open"),
    ("a.csv", bytes(range(256)) * 20, "NUL"),
    ("a.csv", random.Random(0).randbytes(4_000).replace(b"\0", b"\1"), "binary"),
    ("a.csv", b"PK\x03\x04\x14\0\6\0", "Excel workbook"),
    ("a.csv", b"\x89PNG\r\n\x1a\n", "PNG"),
    ("a.csv", b"\xff\xfeabc", "marked as UTF-16"),
    ("a.csv", b"a,b\nx\0y,z\n", "NUL"),
    ("a.csv", "a,b\nx\0y,z\n".encode("utf-16"), "NUL"),
    ("a.csv", b",".join(b"%d" % i for i in range(300)) + b"\n" + b"," * 299 + b"x\n", "300 columns"),
    ("a.csv", b"a,b\nc,d\n" + b"\n" * 600_000, "more than 500,000 lines"),
    ("a.csv", b"," * 300_000, "more than 200,000 cells"),
    ("a.txt", b"|" * 300, "line 1 has more than 200 cells between bars"),
    ("a.json", json.dumps([["x"] * 300]).encode(), "300 columns"),
    ("a.xls", b"x", "no separator was found"),
    ("a.xls", b"\xd0\xcf\x11\xe0\1\2", "old Excel workbook"),
    ("noextension", b"x", "no separator was found"),
    ("a.json", b"{", "not JSON: .* at line 1"),
    ("a.json", b'{"input": "a"}', "not a list of records"),
    ("a.json", b'["a", "b"]', "not a list of records"),
    ("a.json", b"[]", "no rows of data"),
    ("a.json", b'{"a": 1}\n{"a": 2}', "one column only"),
    ("a.json", b'{"a": 1, "b": 2}\n{"a": 2', "line 2 is not JSON"),
    ("a.json", b'{"columns": ["a", "b"], "data": [[1, 2], [3]]}', "not the same number of cells"),
    ("a.json", b'[["a", "b"], ["c"]]', "not a list of records"),
    ("a.json", b'{"version": {"number": 1}}', "not a list of records"),
    ("a.txt", b'{"a": 1,', "not JSON"),
    ("a.json", b"[" * 100_000, "nested too deeply|not JSON"),
    ("a.json", b'[{"a": ' + b"9" * 5_000 + b', "b": 1}]', "not JSON that can be read"),
    ("a.json", json.dumps([{str(i): i for i in range(300)}]).encode(), "300 columns"),
    ("a.jsonl", b'{"a": 1}\n[1]', "line 2 is not a record"),
    ("a.jsonl", b'{"a": 1}\n{"a"', "line 2 is not JSON"),
    ("a.parquet", b"PAR1 nothing PAR1", "not a Parquet file"),
    ("a.parquet", b"text", "not a Parquet file"),
    ("a.parquet", _parquet({"a": ["x"]}), "one column only"),
    ("a.parquet", _parquet({"a": [], "b": []}), "no rows"),
    ("a.txt", b"nothing to cut at", "no separator was found"),
]


@pytest.mark.parametrize(("name", "data", "reason"), WRONG, ids=[f"{n}-{r[:24]}" for n, _, r in WRONG])
def test_one_sentence_for_what_is_wrong(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        read_file(data, name)
    message = str(caught.value)
    assert message.startswith(f"“{name}” was not read: ")
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 250


def test_fifty_megabytes_are_refused_at_once() -> None:
    data = b"a,b\n" * (50 * 2**20 // 4)
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"has 50\.0 MB and at most 20 can be read"):
        read_file(data, "big.csv")
    assert time.perf_counter() - start < 0.05


def test_a_parquet_bomb_is_refused() -> None:
    data = _parquet({"a": ["x" * 1_000_000] * 200, "b": ["y"] * 200})
    assert len(data) < MAX_BYTES
    with pytest.raises(DataError, match="more than 64 MB"):
        read_file(data, "a.parquet")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet", "txt"])
def test_ten_thousand_rows_are_kept(kind: str) -> None:
    rows = [{"input": f"w{i}", "label": f"v{i}"} for i in range(MAX_ROWS + 5)]
    data = {
        "csv": "input,label\n" + "".join(f"{r['input']},{r['label']}\n" for r in rows),
        "jsonl": "".join(json.dumps(r) + "\n" for r in rows),
        "json": json.dumps(rows),
        "txt": "".join(f"{r['input']} -> {r['label']}\n" for r in rows),
    }
    content = _parquet({k: [r[k] for r in rows] for k in rows[0]}) if kind == "parquet" else data[kind].encode()
    table = read_file(content, f"a.{kind}")
    assert len(table.rows) == MAX_ROWS
    assert table.rows[-1] == ("w9999", "v9999")
    assert table.notes == ("There are more than 10,000 rows; the first 10,000 were kept.",)
    exact = read_file(("x,y\n" + "a,b\n" * MAX_ROWS).encode(), "a.csv")
    assert len(exact.rows) == MAX_ROWS
    assert not exact.notes


def test_columns() -> None:
    table = read_file(b"id,,title,title,category\n1,2,3,4,5\n", "a.csv")
    assert table.columns == ("id", "column 2", "title", "title (2)", "category")
    assert table.guess == ("title", "category")
    assert read_file(b"id,french,english\n1,2,3\n", "a.csv").guess == ("french", "english")
    with pytest.raises(DataError, match="no column “sense”; the columns are “id”"):
        to_demonstrations(table, "title", "sense")
    assert read_file(b"input,label\na,b\n", "a.csv", header=False).rows == (("input", "label"), ("a", "b"))
    assert read_file(b"good,pos\nfine,pos\n", "a.csv", header=True).columns == ("good", "pos")


def test_blank_rows_go_and_flags_are_read() -> None:
    table = Table(("input", "label", "excluded"), (("a", "b", "TRUE"), (" ", "", "false"), ("c", "", "0")))
    assert to_demonstrations(table, "input", "label") == (
        Demonstration(input="a", label="b", excluded=True),
        Demonstration(input="c", label=""),
    )
    assert to_demonstrations(table, "input", "excluded")[0] == Demonstration(input="a", label="TRUE")


def test_nothing_typed_is_changed() -> None:
    text = "<script>alert(1)</script> **bold** =1+1 ${x} ../../etc"
    assert read_file(f'x,y\n"{text}",b\n'.encode(), "../../a.csv").rows == ((text, "b"),)


def test_extensions_are_all_read() -> None:
    for extension in EXTENSIONS:
        with pytest.raises(DataError, match="it is empty"):
            read_file(b"", f"a.{extension}")
