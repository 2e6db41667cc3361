"""Every item of the experiment on screen, and the way from one to the Playground; files to take away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from core.experiments import takeaway
from core.experiments.items import ExperimentItem
from core.experiments.table import parquet, records, shown
from core.files.csv_records import as_csv
from core.ordering import orderings
from core.selection import selections
from core.study.study import Study
from pages.ui.components.card import Card, Values
from pages.ui.components.text import plain
from pages.ui.lab.draft import P
from pages.ui.lab.views import ShownExperiment, with_items
from pages.ui.session.opening import open_button

MOST = 2_000  # rows on screen; files hold all
HELP = (
    "One row an item: a question in one cell. Wrong ones first. Choose a row to see what was shown, and to open it in "
    "the Playground with the same demonstrations in the same order."
)


def _reads() -> Values:
    found = with_items()
    return found.experiment.key, found.done, found.failed


def _draw(*_: Any) -> None:
    found = with_items()
    items = found.items()
    gold = [row.label.strip() for row in found.experiment.questions]
    ranked = sorted(items, key=lambda item: (item.prediction == gold[item.question], item.cell, item.question))[:MOST]
    cells, settings = found.design.cells, found.design.settings
    event = st.dataframe(
        {
            "Setting": [settings[cells[item.cell].setting].name for item in ranked],
            "Set": [cells[item.cell].drawn + 1 for item in ranked],
            "Order": [cells[item.cell].order + 1 for item in ranked],
            "Question": [found.experiment.questions[item.question].input for item in ranked],
            "Right": [gold[item.question] for item in ranked],
            "Answer": [item.prediction or "failed" for item in ranked],
            "P(right)": [_p(item, gold[item.question]) for item in ranked],
        },
        column_config={
            "Question": st.column_config.TextColumn(width="large"),
            "P(right)": st.column_config.NumberColumn(format="%.3f"),
        },
        hide_index=True,
        height=240,
        row_height=28,
        on_select="rerun",
        selection_mode="single-row",
        key=P + "items",
        alt="Items of the experiment",
    )
    rows = event.selection.rows if event is not None else []
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if len(items) > MOST:
            st.caption(f"{MOST:,} of {len(items):,} items; the files hold all.", width="content")
        if rows and rows[0] < len(ranked):
            item = ranked[rows[0]]
            said = (
                item.error or f"shown: {', '.join(f'{row.input} → {row.label}' for row in shown(found.design, item))}"
            )
            st.caption(plain(said, 160), width="stretch")
            open_button(
                "Open",
                P + "open_item",
                lambda: study_of(found, item),
                "Open this item in the Playground: its question, and the demonstrations that it was shown.",
                disabled=bool(item.error),
            )
        else:
            st.caption("Choose a row to open it in the Playground.", width="stretch")
        _take_away(found)


def _p(item: ExperimentItem, gold: str) -> float | None:
    return float(np.exp(item.log_shares[item.labels.index(gold)])) if gold in item.labels else None


def study_of(found: ShownExperiment, item: ExperimentItem) -> Study:
    """The study that gives the item's answer, its demonstrations as they were shown, as its hand-picked set."""
    study = found.design.asked(found.design.cells[item.cell], item.question)
    changes = {
        "demonstrations": shown(found.design, item),
        "selection": selections.plain,
        "ordering": orderings.plain,
        "shots": None,
        "labels": item.labels,
        "pool": found.design.rows,
    }
    return study.model_copy(update=changes)


def _take_away(found: ShownExperiment) -> None:
    experiment, name = found.experiment, f"iclens-experiment-{found.experiment.key}"
    files: tuple[tuple[str, str, str, Callable[[], str | bytes]], ...] = (
        ("Items (CSV)", ".csv", "text/csv", lambda: as_csv(records(found.design, found.items()))),
        ("Items (Parquet)", ".parquet", "application/octet-stream", lambda: parquet(found.design, found.items())),
        ("Experiment (JSON)", ".json", "application/json", lambda: experiment.model_dump_json(indent=1)),
        ("Script", ".py", "text/x-python", lambda: takeaway.script(experiment)),
        ("Notebook", ".ipynb", "application/x-ipynb+json", lambda: takeaway.notebook(experiment)),
        ("Methods and BibTeX", ".md", "text/markdown", lambda: _methods(found)),
    )
    with st.popover("Take away", icon=":material/download:"):
        for label, end, kind, make in files:
            st.download_button(
                label, make, name + end, kind, key=f"{P}file_{end[1:]}", on_click="ignore", width="stretch"
            )


def _methods(found: ShownExperiment) -> str:
    return f"{takeaway.methods(found.experiment)}\n\n```bibtex\n{takeaway.bibtex(found.experiment)}\n```\n"


CARD = Card(P + "items_card", "Items", HELP, _reads, _draw, height=320)
