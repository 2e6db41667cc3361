"""Records as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any


def as_csv(records: Sequence[dict[str, Any]]) -> bytes:
    """Records as a CSV file in UTF-8, columns as in the first."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if records:
        writer.writerow(records[0])
        writer.writerows(record.values() for record in records)
    return text.getvalue().encode()
