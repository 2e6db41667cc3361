"""Demonstrations in and out of files and pasted text.

A file becomes a `Table` of text first; the user chooses two columns; the table then becomes demonstrations. Formats:
CSV, TSV, JSON, JSON Lines and Parquet, both ways.
"""

from core.files.decoding import ENCODINGS, detected, is_unicode
from core.files.guessing import guess_pattern
from core.files.reading import EXTENSIONS, read_file, read_text
from core.files.table import MAX_BYTES, MAX_ROWS, Table, part_of, parts_of, to_demonstrations
from core.files.writing import FORMATS, Format, write_file

__all__ = [
    "ENCODINGS",
    "EXTENSIONS",
    "FORMATS",
    "MAX_BYTES",
    "MAX_ROWS",
    "Format",
    "Table",
    "detected",
    "guess_pattern",
    "is_unicode",
    "part_of",
    "parts_of",
    "read_file",
    "read_text",
    "to_demonstrations",
    "write_file",
]
