"""Which columns are input and label, and whether the first row is a header: files as they are published."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files import Table, read_file, read_text
from core.files.column_names import ID_NAMES

DATA = Path(__file__).parents[3] / "shared" / "data"

AG_NEWS = (
    b'"3","Fears for T N pension after talks","Unions representing workers at Turner Newall are disappointed."\n'
    b'"4","The Race is On","SPACE.com - TORONTO, Canada -- A second team of rocketeers competing for the prize."\n'
    b'"4","Ky. Company Wins Grant","AP - A company founded by a chemistry researcher won a grant."\n'
    b'"3","Prediction Unit Helps","AP - It is barely dawn when Mike Fitzpatrick starts his shift."\n'
)
COLA = (
    b"gj04\t1\t\tOur friends won't buy this analysis, let alone the next one we propose.\n"
    b"gj04\t1\t\tOne more pseudo generalization and I'm giving up.\n"
    b"bc01\t0\t*\tThey drank the pub.\n"
    b"bc01\t1\t\tThe professor talked us into a stupor.\n"
    b"ks08\t0\t*\tWe yelled ourselves.\n"
    b"cj99\t1\t\tThe more books I ask to whom he will give, the more he reads.\n"
)
RTE = (
    b"index\tsentence1\tsentence2\tlabel\n"
    b"0\tNo weapons of mass destruction were found.\tWeapons were found.\tnot_entailment\n"
    b"1\tA place of sorrow became a place of celebration.\tHe was elected.\tentailment\n"
)


@pytest.mark.parametrize(
    ("name", "data", "first"),
    [
        ("train.csv", AG_NEWS, ("Unions representing workers at Turner Newall are disappointed.", "3")),
        ("in_domain.tsv", COLA, ("Our friends won't buy this analysis, let alone the next one we propose.", "1")),
        ("rte.tsv", RTE, ("No weapons of mass destruction were found.", "not_entailment")),
        ("a.csv", b"qid,query_text,relevance\nq1,where is it,yes\nq2,who was it,no\nq3,when,yes\nq4,how,no\n",
         ("where is it", "yes")),
        ("a.csv", b"doc_id,body,kind\n7,a long text of some words,x\n9,another text,y\n1,more text,x\n4,and more,x\n",
         ("a long text of some words", "x")),
        ("a.csv", b"verdict,remark\nfine,it was a long and happy evening\npoor,it rained\nfine,sun\npoor,wind\n",
         ("it was a long and happy evening", "fine")),
        ("a.csv", b"text,label,label_text\nit was good,1,positive\nit was bad,0,negative\n",
         ("it was good", "positive")),
        ("a.json", b'[{"instruction": "Name it.", "input": "", "output": "cat"},'
         b'{"instruction": "Say.", "input": "", "output": "no"}]', ("Name it.", "cat")),
    ],
)  # fmt: skip
def test_published_layouts(name: str, data: bytes, first: tuple[str, str]) -> None:
    table = read_file(data, name)
    text, label = (table.columns.index(column) for column in table.guess)
    assert (table.rows[0][text], table.rows[0][label]) == first


@pytest.mark.parametrize("name", sorted(ID_NAMES))
def test_an_id_is_never_the_input(name: str) -> None:
    table = Table((name, "french", "english"), (("a1", "chat", "cat"), ("b2", "chien", "dog")))
    assert table.guess == ("french", "english")
    assert Table((f"doc.{name}", "label", "body"), (("a1", "x", "cat"),)).guess == ("body", "label")
    assert Table((name, "label"), (("a1", "x"),)).guess == (name, "label")  # where there is no other


def test_numbers_that_count_the_rows_are_no_input() -> None:
    rows = tuple((str(i), f"word {i}", f"mot {i}") for i in range(1, 6))
    assert Table(("column 1", "column 2", "column 3"), rows).guess == ("column 2", "column 3")


@pytest.mark.parametrize(
    ("data", "columns", "said"),
    [
        (b"cat,chat\ndog,chien\n", ("cat", "chat"), True),
        (b"source,target\ndog,chien\n", ("source", "target"), False),
        (b"text,mood\ndog,chien\n", ("text", "mood"), True),
        (b"1,a film\n2,another\n", ("column 1", "column 2"), False),
        (b"A film that runs for hours and ends in nothing,bad\nfine,good\n", ("column 1", "column 2"), False),
    ],
)
def test_a_first_row_is_not_taken_for_a_header_without_a_word(
    data: bytes, columns: tuple[str, ...], said: bool
) -> None:
    table = read_file(data, "a.csv")
    assert table.columns == columns
    assert any("taken for the names of the columns" in note for note in table.notes) is said
    assert not read_file(data, "a.csv", header=True).notes


def test_the_hint_of_spreadsheets_is_skipped() -> None:
    for data in (b"sep=;\ninput;label\na,b;c\n", b"\xef\xbb\xbfsep=;\r\ninput;label\r\na,b;c\r\n"):
        table = read_file(data, "a.csv")
        assert (table.columns, table.rows) == (("input", "label"), (("a,b", "c"),))
    assert read_text("sep=;\na,b;c\nd;e").rows == (("a,b", "c"), ("d", "e"))


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
def test_ag_news_without_its_header() -> None:
    lines = (DATA / "agnews" / "test-first-1000.csv").read_bytes().split(b"\n", 1)[1]
    table = read_file(lines, "test.csv")
    assert table.guess == ("column 3", "column 1")
    assert table.rows[0][0] == "3"
