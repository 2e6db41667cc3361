"""Orders as tables, and the way from an order to the Playground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.ordering.effects import best_and_worst
from core.analysis.ordering.records import order_records, strategy_records
from core.files.csv_records import with_counts
from core.ordering import orderings
from core.selection import selections
from core.study.study import Study
from pages.ui.components.card import Card, save_csv
from pages.ui.components.text import plain
from pages.ui.jobs.analysis import derived
from pages.ui.jobs.run import outcome
from pages.ui.ordering.views import PICKED, View, signed, view
from pages.ui.session import state
from pages.ui.session.opening import open_button

P = "ordering_"
HEIGHT = 330

HELP_STRATEGIES = (
    "How often each strategy is right, ordering anew for every question (those that go by the pool: once for all), its "
    "gain over random orders relative to their mean, with its 95 % interval over questions; then the order that it "
    "takes for this query and the answer under it. Best and worst on the pool are judged on labelled rows of it: "
    "bounds, not methods; where the questions come from the pool too, these rows may be among them. “Its highest”: the "
    "mean over the orders of highest entropy, as Lu et al. keep them."
)
HELP_PICKS = (
    "The order as the numbers of its demonstrations, the last one next to the query, and its answer to the query. Best "
    "and worst by the share of questions answered right, ties by the mean probability of the right answer; a click on "
    "a dot or a row picks an order."
)
HELP_ORDERS = (
    "Every order tried; a click on a heading sorts, a click on a row picks the order in every chart. P(right): mean "
    "probability of the right answer over the questions. Entropies in nats."
)


@dataclass(frozen=True)
class Pick:
    """An order on offer.

    Attributes:
        name: what it is.
        place: its row.
    """

    name: str
    place: int


def picks_row(view: View) -> None:
    """Best, worst and the picked order, each one click from the Playground."""
    best, worst = best_and_worst(view.table)
    picks = [Pick("Best", best), Pick("Worst", worst)]
    if view.picked is not None:
        picks.append(Pick("Picked", view.picked))
    elif view.on_screen is not None:
        picks.append(Pick("On screen", view.on_screen))
    for column, pick in zip(st.columns(3, gap="small"), picks, strict=False):
        with column.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(_said(view, pick), width="content", help=HELP_PICKS)
            st.space("stretch")
            _open_button(view, pick)


def _said(view: View, pick: Pick) -> str:
    table, place = view.table, pick.place
    right = f" right {table.accuracy[place]:.0%}" if view.asked else ""
    answer = plain(table.labels[int(table.best[place])], 12)
    return f"**{pick.name}**{right}  \n:small[{view.words[place]} → {answer} {table.answers[place].max():.2f}]"


def _open_button(view: View, pick: Pick) -> None:
    order = tuple(int(i) for i in view.table.orders[pick.place])
    shown = pick.place == view.on_screen
    open_button(
        "Open",
        P + "open_" + pick.name.lower().replace(" ", "_"),
        lambda: in_order(view, order),
        "This is the order on screen." if shown else "Open the demonstrations in this order in the Playground.",
        disabled=shown,
    )


def in_order(view: View, order: tuple[int, ...]) -> Study:
    """The session's study with its demonstrations in this order."""
    study, chosen, rows = state.study(), outcome().chosen, view.table.shown
    ordered = tuple(rows[i] for i in order)
    if chosen.source == "demonstrations" and not chosen.left_out:
        table = list(study.demonstrations)  # the rows shown take each other's places; rows not shown stay
        for slot, row in zip(view.settings.places, ordered, strict=True):
            table[slot] = row
        return study.model_copy(update={"demonstrations": tuple(table), "ordering": orderings.plain})
    where = {"pool": "chosen from the pool", "generated": "written by the model"}.get(chosen.source, "shown")
    state.say(
        f"The {len(ordered)} demonstrations {where} were copied into the hand-picked table in this order; Undo brings "
        "the study before back."
    )
    update = {"demonstrations": ordered, "selection": selections.plain, "ordering": orderings.plain, "shots": None}
    return study.model_copy(update=update)


def _strategies(view: View) -> list[dict[str, Any]]:
    """Rows of the strategies: an interval over questions each."""
    numbers = view.settings.numbers
    return derived(view.table, f"strategies {numbers}", lambda: strategy_records(view.table, numbers))


def strategies_view(view: View) -> None:
    """Which strategy takes which order."""
    rows = _strategies(view)
    st.dataframe(
        {
            "Strategy": [row["strategy"] for row in rows],
            "Right": [row["accuracy"] * 100 for row in rows],
            "Gain": [row["gain"] * 100 for row in rows],
            "95 %": [_interval(row) for row in rows],
            "Order": [row["order"] or ("–" if not row["note"] else "cannot choose") for row in rows],
            "Answer": [row["answer"] for row in rows],
        },
        column_config={
            "Strategy": st.column_config.TextColumn(width=124),
            "Order": st.column_config.TextColumn(width=84),
            "Right": st.column_config.NumberColumn(format="%.1f %%", width=62),
            "Gain": st.column_config.NumberColumn(format="%+.1f %%", width=62),
            "95 %": st.column_config.TextColumn(width=92),
        },
        hide_index=True,
        height=HEIGHT,
        row_height=28,
        key=P + "strategies",
        alt="Order, accuracy and gain of each strategy",
    )
    for note in dict.fromkeys(row["note"] for row in rows if row["note"]):
        st.caption(plain(note, 400))


def _interval(row: dict[str, Any]) -> str:
    """The interval of a gain; nothing where there is none."""
    return (
        "" if np.isnan(row["gain_low"]) else f"{signed(row['gain_low'])} … {signed(row['gain_high'])}".replace("%", "")
    )


def orders_view(view: View) -> None:
    """Every order in numbers."""
    rows = order_records(view.table, view.settings.numbers)
    names = {
        "order": "Order",
        "accuracy": "Right",
        "p_gold": "P(right)",
        "answer": "Answer",
        "p_answer": "P(answer)",
        "globale": "GlobalE",
        "locale": "LocalE",
        "chosen_by": "Chosen by",
    }
    if not view.asked:
        del names["accuracy"], names["p_gold"]
    key = P + "orders"

    def selected() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        if chosen:
            st.session_state[PICKED] = tuple(int(i) for i in view.table.orders[chosen[0]])

    st.dataframe(
        {title: [row[name] for row in rows] for name, title in names.items()},
        column_config={
            names[name]: st.column_config.NumberColumn(format="%.3f", width=66)
            for name in names
            if isinstance(rows[0][name], float)
        },
        hide_index=True,
        height=HEIGHT,
        row_height=28,
        key=key,
        on_select=selected,
        selection_mode="single-row",
        alt="Every order with its accuracy, answer and entropies",
    )


def _save_strategies(view: View) -> None:
    st.space("stretch")
    save_csv("Strategies CSV", P + "strategies", lambda: _counted(view, _strategies(view)))


def _save_orders(view: View) -> None:
    count = len(view.table.orders)
    st.markdown(f":small[all {count}]" if view.table.complete else f":small[{count} of them]", width="content")
    st.space("stretch")
    save_csv("Orders CSV", P + "orders", lambda: _counted(view, order_records(view.table, view.settings.numbers)))


def _counted(view: View, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return with_counts(records, len(view.table.labels), view.settings.labels_found)


PICKS = Card(P + "card_picks", "", "", lambda: (view(),), picks_row, height=64, framed=False)
STRATEGIES = Card(
    P + "card_strategies",
    "What each strategy takes",
    HELP_STRATEGIES,
    lambda: (view(),),
    strategies_view,
    beside=_save_strategies,
    height=HEIGHT,
)
ORDERS = Card(
    P + "card_orders", "Orders", HELP_ORDERS, lambda: (view(),), orders_view, beside=_save_orders, height=HEIGHT
)
