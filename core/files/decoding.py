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


ENCODINGS = {
    "cp1252": "Latin-1 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R (Russian)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "gb18030": "GB18030 (Chinese, simplified)",
    "big5": "Big5 (Chinese, traditional)",
    "shift_jis": "Shift-JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "cp949": "CP949 (Korean)",
}
"""Encodings offered for a file that is not Unicode, by Python's names, as they are called on screen."""
SPELLED = {
    "iso-8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc-kr": "cp949",
    "cp932": "shift_jis",
}
"""Of these, what chardet calls otherwise, or tells from a part of it."""
SAMPLE = 65_536
FEWEST = 6
"""Bytes beyond ASCII from which on they say anything about the encoding."""
SURE = 0.7
"""Confidence from which on another Latin alphabet than the Western one is believed."""
LATIN = frozenset({"cp1250", "cp1254", "cp1257"})


def decode(data: bytes, encoding: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The text of a file: UTF-8, UTF-16 or UTF-32 by their mark, UTF-8 without one, else as `detected`, with a note.

    Args:
        data: the file's bytes.
        encoding: one of `ENCODINGS` for a file that is not Unicode; None to detect it.

    Raises:
        DataError: the bytes are not text, or not text in that encoding.
    """
    for start, kind in MAGIC:
        if data.startswith(start):
            raise DataError(f"It is {kind}, not text; export the table as CSV or TSV first.")
    for mark, marked in MARKS:
        if data.startswith(mark):
            try:
                return _without_nul(data.decode(marked)), ()
            except UnicodeDecodeError as error:
                raise DataError(f"It is marked as {marked.upper()} but byte {error.start:,} is not.") from None
    if b"\0" in data:
        raise DataError("It holds NUL bytes: a binary file, or UTF-16 without its mark; save it as UTF-8 first.")
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        sample = data[:SAMPLE]
        if sum(byte in CONTROL for byte in sample) > 0.01 * len(sample):
            raise DataError("It is a binary file, not text; export the table as CSV or TSV first.") from None
    if encoding is not None:
        try:
            return data.decode(encoding), ()
        except UnicodeDecodeError as error:
            name = ENCODINGS.get(encoding, encoding)
            raise DataError(f"It is not {name}: byte {error.start:,} is none of its signs.") from None
    found = detected(data)
    note = f"It is not UTF-8, so it was read as {ENCODINGS[found]}; look at letters that are not English."
    try:
        return data.decode(found), (note,)
    except UnicodeDecodeError:
        # Windows-1252 adds its quotation marks and dashes to Latin-1, in place of control characters.
        return data.decode("latin-1"), (note,)


def is_unicode(data: bytes) -> bool:
    """Whether the bytes say of themselves that they are UTF-8, UTF-16 or UTF-32."""
    if any(data.startswith(mark) for mark, _ in MARKS):
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def detected(data: bytes) -> str:
    """The likeliest of `ENCODINGS` for bytes that are not Unicode, by chardet's reading of their first 64 KB.

    Western European where the bytes say little: few are beyond ASCII, or they are as likely of another Latin alphabet.
    """
    import chardet

    sample = data[:SAMPLE]
    if sum(byte > 127 for byte in sample) < FEWEST:
        return "cp1252"
    found = chardet.detect(sample)
    name = str(found["encoding"] or "").lower().replace("windows-", "cp")
    name = SPELLED.get(name, name)
    if name not in ENCODINGS or (name in LATIN and found["confidence"] < SURE):
        return "cp1252"
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return "cp1252"
    return name


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise DataError("It holds NUL characters, so it is not a table of text; save it as UTF-8 first.")
    return text
