"""The pool as a map."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.analysis.selection.comparison import Choice
from core.analysis.selection.pool_map import MOST, PoolMap, pool_map
from core.figures.selection.pool_map import DRAWN, MappedRow, pool_figure
from core.selection import selections
from pages.ui.components.card import Card, Values
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model
from pages.ui.selection.comparison import choices_of, made
from pages.ui.selection.settings import NAMES, P, SelectionSettings, settings
from pages.ui.selection.why import looked_at
from pages.ui.workbench.encoder_menu import encoder_title

HEIGHT = 430
QUICK = 300  # rows that t-SNE lays out unasked
HELP = (
    "A mark is a row of the pool, placed by its input alone; colour and shape are its label. Ringed and numbered: "
    "chosen by the selection that is looked at on the right. The star is the query. Drag to zoom in, double-click to "
    "zoom out; a click does what is set on the left."
)


def _pool_map(settings: SelectionSettings, look: Choice | None) -> PoolMap:
    """Where the rows lie.

    Raises:
        Waiting: they are being laid out.
    """
    study, known = settings.study.model_copy(update={"encoder": settings.encoder}), model()
    rows, projection = len(study.pool), settings.projection
    keep = look.places if look is not None and rows > MOST[projection] else ()
    slow = projection == "t-sne" and rows > QUICK
    return analysis.value(
        P + "map",
        study,
        known,
        {"projection": projection, "keep": list(keep)},
        lambda study, stop: pool_map(study, known, projection=projection, keep=keep, stop=stop),
        "the map",
        reads={"pool", "query", "encoder"},
        ask=f"t-SNE of {min(rows, MOST[projection]):,} rows takes some seconds." if slow else "",
    )


def _reads() -> Values:
    chosen = settings()
    look = looked_at(chosen, made(choices_of(chosen)))
    return chosen, _pool_map(chosen, look), look


def _draw(settings: SelectionSettings, found: PoolMap, look: Choice | None) -> None:
    """The map, and how far it can be trusted."""
    study, chosen = settings.study, () if look is None else look.places
    mapped = [MappedRow(int(i) + 1, study.pool[i].input, study.pool[i].label) for i in found.places]
    if found.explained is None:
        axes = ("t-SNE 1", "t-SNE 2")
    else:
        first, second = found.explained
        axes = (f"principal axis 1: {first:.0%} of the variance", f"axis 2: {second:.0%}")
    figure = pool_figure(
        mapped,
        found.points,
        found.query,
        study.query,
        found.nearness,
        [place + 1 for place in chosen],
        axes,
        settings.marked,
        height=HEIGHT,
    )
    by = "" if look is None else f"; ringed are those that {selections.find(look.name).title} chose"
    by_what = f"{NAMES[settings.projection]} of {encoder_title(settings.encoder)}"
    chart(
        figure,
        P + "map_chart",
        f"{len(mapped):,} rows of the pool by {by_what} vectors{by}",
        on_click=settings.clicked,
    )
    st.caption(_trust(found, settings))


def _trust(found: PoolMap, settings: SelectionSettings) -> str:
    """How much of the vectors the map shows, and how many rows."""
    said = []
    if found.explained is not None:
        said.append(f"The two axes carry {found.explained.sum():.0%} of the variance of the inputs' vectors.")
    if np.isfinite(found.neighbours):
        said.append(f"Of a row's nearest by cosine, {found.neighbours:.0%} are among its nearest on the map.")
    n = len(found.places)
    if n < found.total:
        said.append(f"{n:,} of {found.total:,} rows are laid out.")
    if n > DRAWN:
        said.append(f"{DRAWN:,} of {n:,} are drawn as marks, with all chosen ones; shades count every row.")
    if settings.encoder != settings.study.encoder:
        said.append(f"Selections look at {plain(encoder_title(settings.study.encoder), 40)} instead.")
    return " ".join(said)


CARD = Card(P + "card_map", "The pool", HELP, _reads, _draw, height=HEIGHT + 24)
