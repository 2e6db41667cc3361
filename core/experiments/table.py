"""The items of an experiment as a table: a row an item, for files and for screens."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.experiments.design import Design
from core.experiments.fields import words_of
from core.experiments.findings import MEASURES, values_of
from core.experiments.items import ExperimentItem
from core.selection import selections
from core.study.demonstrations import Demonstration


def records(design: Design, items: Sequence[ExperimentItem]) -> list[dict[str, Any]]:
    """Rows with what varied, what was drawn, what was asked, what came out, and what it was shown."""
    values = {one.name: values_of(design, items, one) for one in MEASURES}
    found = []
    for place, item in enumerate(items):
        cell, question = design.cells[item.cell], design.experiment.questions[item.question]
        setting = design.settings[cell.setting]
        found.append(
            {field: words_of(field, value) for field, value in setting.values}
            | {
                "cell": item.cell,
                "set": cell.drawn,
                "order": cell.order,
                "question": item.question,
                "input": question.input.strip(),
                "gold": question.label.strip(),
                "prediction": item.prediction,
            }
            | {name: None if np.isnan(column[place]) else float(column[place]) for name, column in values.items()}
            | {
                "p": json.dumps(
                    dict(zip(item.labels, np.exp(item.log_shares).tolist(), strict=True)), ensure_ascii=False
                ),
                "shown": json.dumps(item.shown, ensure_ascii=False),
                "checkpoint": item.fingerprint,
                "seconds": item.seconds,
                "error": item.error,
            }
        )
    return found


def parquet(design: Design, items: Sequence[ExperimentItem]) -> bytes:
    """`records` as a Parquet file."""
    import pandas as pd

    made = io.BytesIO()
    pd.DataFrame(records(design, items)).to_parquet(made, index=False)
    return made.getvalue()


def shown(design: Design, item: ExperimentItem) -> tuple[Demonstration, ...]:
    """The demonstrations that an item was shown, in order."""
    written = [one for one in item.shown if isinstance(one, tuple)]
    if written:
        return tuple(Demonstration(input=text, label=label) for text, label in written)
    study = design.study(design.cells[item.cell])
    rows = study.demonstrations if selections.find(study.selection).source == "demonstrations" else study.pool
    return tuple(rows[place] for place in item.shown if isinstance(place, int))
