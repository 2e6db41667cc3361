"""Demonstrations out to files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Literal, get_args

from core.files.column_names import EXCLUDED, INPUT, LABEL, STEPS
from core.files.formulas import all_as_text
from core.study.demonstrations import Demonstration, write_steps

Format = Literal["csv", "tsv", "json", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)


def write_file(demonstrations: Sequence[Demonstration], format: Format) -> bytes:
    """The demonstrations as a file, in UTF-8, that `read_file` reads back unchanged.

    Columns "input" and "label", the fields that inputs were written from, "steps" where any row has some, and
    "excluded" where any is. Steps are read back without white space around their parts, fields as columns beside. In
    CSV and TSV what a spreadsheet would run is text (`formulas`).
    """
    flagged, stepped = any(row.excluded for row in demonstrations), any(row.steps for row in demonstrations)
    ours = [INPUT, LABEL, *([STEPS] if stepped else []), *([EXCLUDED] if flagged else [])]
    fields = {name: _beside(name) for row in demonstrations for name, _ in row.fields}
    columns = [*ours, *fields.values()]
    records: list[dict[str, str | bool]] = []
    for row in demonstrations:
        written = dict(row.fields)
        beside = {column: written.get(name, "") for name, column in fields.items()}
        records.append({**{name: _cell(row, name) for name in ours}, **beside})
    if format == "json":
        return (json.dumps(records, ensure_ascii=False, indent=1) + "\n").encode()
    if format == "jsonl":
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    if format == "parquet":
        return _parquet(records, columns)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if format == "tsv" else ",")
    writer.writerow(all_as_text(columns))
    writer.writerows(
        all_as_text(str(record[name]).lower() if name == EXCLUDED else record[name] for name in columns)
        for record in records
    )
    return text.getvalue().encode()


def _beside(name: str) -> str:
    """What a field's column is called, so that it is not taken for one of ours."""
    return f"{name} field" if name.strip().lower() in (INPUT, LABEL, STEPS, EXCLUDED) else name


def _cell(row: Demonstration, column: str) -> str | bool:
    if column == STEPS:
        return write_steps(row.steps)
    if column == EXCLUDED:
        return row.excluded
    return row.input if column == "input" else row.label


def _parquet(records: list[dict[str, str | bool]], columns: list[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.bool_() if name == EXCLUDED else pa.string()) for name in columns])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records, schema=schema), buffer)
    return buffer.getvalue()
