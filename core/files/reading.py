"""From a file's bytes, or pasted text, to a table."""

from __future__ import annotations

from pathlib import PurePosixPath

from core.errors import DataError
from core.files.decoding import decode
from core.files.delimited import read_delimited
from core.files.parquet import read_parquet
from core.files.pasting import read_pasted
from core.files.records import holds_json, read_json, read_json_lines
from core.files.table import MAX_BYTES, Table
from core.runtime.progress import Stop, stoppable

PARQUET = b"PAR1"
EXTENSIONS = ("csv", "tsv", "json", "jsonl", "ndjson", "parquet", "txt")


def read_file(
    data: bytes, filename: str, header: bool | None = None, encoding: str | None = None, stop: Stop | None = None
) -> Table:
    """Read a file by its extension: csv, tsv, json, jsonl (ndjson), parquet; any other, such as txt, train or none, by
    what is in it: Parquet, JSON, JSON Lines, or pasted text.

    Args:
        data: the file's bytes.
        filename: its name; only the extension is read.
        header: whether the first row of a CSV or TSV names its columns; None to judge.
        encoding: of a file that is not Unicode, one of `ENCODINGS`; None to detect it.
        stop: asked now and then; True ends the work.

    Raises:
        DataError: over 20 MB (refused before it is looked at), or not what its name says.
        Cancelled: `stop` said so.
    """
    extension = PurePosixPath(filename).suffix.lower().lstrip(".")
    name = PurePosixPath(filename.replace("\\", "/")).name or "The file"
    try:
        if len(data) > MAX_BYTES:
            size = len(data) / 2**20
            raise DataError(f"It has {size:,.1f} MB and at most {MAX_BYTES // 2**20} can be read; cut it first.")
        if not data.strip():
            raise DataError("It is empty.")
        with stoppable(stop):
            return _read(data, extension, header, encoding)
    except DataError as error:
        reason = str(error)
        raise DataError(f"“{name[-80:]}” was not read: {reason[:1].lower()}{reason[1:]}") from None


def _read(data: bytes, extension: str, header: bool | None, encoding: str | None) -> Table:
    if extension == "parquet" or (data.startswith(PARQUET) and extension not in EXTENSIONS):
        return read_parquet(data)
    text, notes = decode(data, encoding)
    if not text.strip():
        raise DataError("It is empty.")
    if extension == "json":
        return read_json(text, notes)
    if extension in ("jsonl", "ndjson"):
        return read_json_lines(text, notes)
    if holds_json(text):  # whatever it is called
        return read_json(text, notes)
    if extension in ("csv", "tsv"):
        return read_delimited(text, "\t" if extension == "tsv" else None, header, notes)
    return _read_text(text, header, notes)


def read_text(text: str, header: bool | None = None, notes: tuple[str, ...] = (), stop: Stop | None = None) -> Table:
    """Pasted text, its layout judged from its lines; see `core.files.pasting.read_pasted`.

    Args:
        stop: asked now and then; True ends the work.

    Raises:
        DataError: over 20 MB, empty, or of no layout that is known.
        Cancelled: `stop` said so.
    """
    with stoppable(stop):
        return _read_text(text, header, notes)


def _read_text(text: str, header: bool | None, notes: tuple[str, ...]) -> Table:
    if len(text) > MAX_BYTES:
        raise DataError(f"The text has more than {MAX_BYTES // 2**20} MB; cut it first.")
    if "\0" in text:
        raise DataError("The text holds NUL characters, so it is not a table of text.")
    table = read_json(text) if holds_json(text) else read_pasted(text, header)
    rows = tuple(tuple(cell.strip() for cell in row) for row in table.rows)
    return Table(table.columns, rows, (*notes, *table.notes))
