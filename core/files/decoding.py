"""From bytes to text."""

from __future__ import annotations

import codecs

from core.errors import DataError

# UTF-32's mark begins with UTF-16's, so it is asked for first.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"SQLite format 3", "an SQLite database"),
)
CONTROL = frozenset(range(32)) - {9, 10, 12, 13}


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file: UTF-8, UTF-16 or UTF-32 by their mark, UTF-8 without one, else Latin-1 with a note.

    Latin-1 is read as Windows-1252, which adds its quotation marks and dashes in place of control characters.

    Raises:
        DataError: the bytes are not text.
    """
    for start, kind in MAGIC:
        if data.startswith(start):
            raise DataError(f"It is {kind}, not text; export the table as CSV or TSV first.")
    for mark, encoding in MARKS:
        if data.startswith(mark):
            try:
                return _without_nul(data.decode(encoding)), ()
            except UnicodeDecodeError as error:
                raise DataError(f"It is marked as {encoding.upper()} but byte {error.start:,} is not.") from None
    if b"\0" in data:
        raise DataError("It holds NUL bytes: a binary file, or UTF-16 without its mark; save it as UTF-8 first.")
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        sample = data[:65_536]
        if sum(byte in CONTROL for byte in sample) > 0.01 * len(sample):
            raise DataError("It is a binary file, not text; export the table as CSV or TSV first.") from None
        note = "It is not UTF-8, so it was read as Latin-1 (Western European); look at accented letters."
        try:
            return data.decode("cp1252"), (note,)
        except UnicodeDecodeError:
            return data.decode("latin-1"), (note,)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise DataError("It holds NUL characters, so it is not a table of text; save it as UTF-8 first.")
    return text
