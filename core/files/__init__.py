"""Demonstrations in and out of files and pasted text.

A file becomes a `Table` of text first; the user chooses two columns; the table then becomes demonstrations. Formats:
CSV, TSV, JSON, JSON Lines and Parquet, both ways.
"""

from core.files.reading import EXTENSIONS, read_file, read_text
from core.files.table import MAX_BYTES, MAX_ROWS, Table, to_demonstrations
from core.files.writing import FORMATS, Format, write_file

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "MAX_BYTES",
    "MAX_ROWS",
    "Format",
    "Table",
    "read_file",
    "read_text",
    "to_demonstrations",
    "write_file",
]
