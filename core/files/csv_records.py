"""Records as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from core.files.formulas import all_as_text


def with_counts(records: Sequence[dict[str, Any]], scored: int, found: int) -> list[dict[str, Any]]:
    """Records of what candidates decide, with how many labels were scored, and how many there were to score."""
    return [{**record, "labels_scored": scored, "labels_found": found} for record in records]


def as_csv(records: Sequence[dict[str, Any]]) -> bytes:
    """Records as a CSV file in UTF-8, columns as in the first; what a spreadsheet would run is text (`formulas`)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if records:
        writer.writerow(all_as_text(records[0]))
        writer.writerows(all_as_text(record.values()) for record in records)
    return text.getvalue().encode()
