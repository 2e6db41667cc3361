"""What the orders do, in four charts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.ordering.effects import (
    Correlation,
    best_and_worst,
    copied,
    correlation,
    flip_rate,
    gain,
    held_out,
    highest,
    positions,
    replies_of,
    told_apart,
)
from core.analysis.ordering.records import in_words
from core.analysis.ordering.table import OrderTable
from core.figures.ordering.accuracy import Landing, Marks, accuracy_figure, entropy_figure
from core.figures.ordering.effects import answers_figure, positions_figure
from core.runtime.numbers import signed as coefficient
from core.statistics.verdicts import LEAST
from pages.ui.components.card import Card, Values
from pages.ui.components.charts import chart
from pages.ui.components.menu import choice
from pages.ui.components.text import plain
from pages.ui.jobs.analysis import derived
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Asked, Nothing, Running
from pages.ui.ordering.settings import OrderingSettings, first_table, settings, table
from pages.ui.session import session

P = "ordering_"
ROW = 300  # pixels of a chart
HEIGHT = ROW + 34  # with the line below it
TOP = 6  # labels drawn
PICKED, POSITION_VALUE = P + "picked", P + "position_value"
PUBLISHED = {"globale": ("GlobalE", 0.13), "locale": ("LocalE", 0.096)}  # Lu et al. 2022, mean of 11 tasks

HELP_ACCURACY = (
    "Above, a dot an order: the share of questions it answers right. ▲ is the best, ▼ the worst; a click picks an "
    "order. Below, each strategy, ordering anew for every question, or, where it goes by the pool, once for all; its "
    "whisker is where it would lie by its gain over random orders on other questions (95 %, bootstrap over questions, "
    "in pairs). ○ is the one order that it takes for this query. Full line: mean of random orders. Dashed: exact "
    "Bayes, which takes demonstrations for independent draws and so gives every order the same."
)
HELP_ANSWERS = (
    "Left, P(label) for the query in every order; ◆ is exact Bayes, the same in every order. Right, the share of "
    "orders that answer with the label. Flip rate: the share of orders that answer otherwise than most do."
)
HELP_ENTROPY = (
    "GlobalE: the entropy of the labels that an order answers probe inputs with. LocalE: the mean entropy of its "
    "answers to each. Neither reads a label of a probe. ρ is Spearman's over the orders; p counts the ways to pair "
    "entropies and accuracies that are as far from 0; in brackets its 95 % interval over questions. Lu et al. 2022 "
    "report +13 % for GlobalE and +9.6 % for LocalE, relative to random orders, over 11 tasks and larger models: what "
    "they do here is below, and need not be the same."
)
HELP_POSITIONS = (
    "A cell: the mean over the orders that have this demonstration (row) in this position (column), coloured by its "
    "distance from the mean of all. Below: the share of answers that are the label of the demonstration in each "
    "position (full: the questions, dotted: the query). Flat where order does not matter; a rise towards the last is "
    "recency. A click marks a demonstration."
)
NOT_TOLD, TOO_FEW = ", not told from 0", f", from 0 only told by {LEAST} questions or more"
HELP_GAINS = (
    "ρ with its 95 % interval over questions and p over pairings, and how much more often the orders of highest "
    "entropy are right than random ones, with the same interval. Told from 0 are those whose interval leaves 0 out and "
    "whose two-sided p is at most .05 after Holm's correction for all four; below "
    f"{LEAST} questions nothing is told."
)


@dataclass(frozen=True)
class View:
    """What every view is drawn from.

    Attributes:
        settings: of the card.
        table: of orders.
        shown: (k,) the order on screen, as places in the demonstrations' table.
        gold: the query's right answer, "" where it is not known.
        best: the model's answer to the query.
        order: that the user points at, None where at none.
    """

    settings: OrderingSettings
    table: OrderTable
    shown: tuple[int, ...]
    gold: str
    best: str
    order: tuple[int, ...] | None

    @property
    def asked(self) -> bool:
        """Whether there are questions."""
        return bool(self.table.questions)

    @cached_property
    def words(self) -> list[str]:
        """(M,) orders as numbers."""
        return [in_words(order, self.settings.numbers) for order in self.table.orders]

    @cached_property
    def on_screen(self) -> int | None:
        """Row of the order that the study shows, if it was tried."""
        places = {place: i for i, place in enumerate(self.settings.places)}
        return self.table.place_of([places[place] for place in self.shown])

    @property
    def picked(self) -> int | None:
        """Row of the order that the user points at, if it was tried."""
        return None if self.order is None else self.table.place_of(self.order)

    @cached_property
    def marks(self) -> Marks:
        best, worst = best_and_worst(self.table)
        return Marks(best, worst, self.picked)

    def pick(self, data: list[Any]) -> None:
        """A click on an order's dot."""
        _pick(self.table.orders, data)


def _pick(orders: np.ndarray[Any, Any], data: list[Any]) -> None:
    """A click on an order's dot."""
    st.session_state[PICKED] = tuple(int(i) for i in orders[int(data[0])])


def view() -> View:
    """What every view is drawn from.

    Raises:
        Waiting: the orders are not scored yet, or there are none.
    """
    chosen = settings()
    found = outcome()
    gold = (found.study.gold or "").strip()
    return View(chosen, table(chosen), found.chosen.indices, gold, found.answer.best, st.session_state.get(PICKED))


def answered_view() -> View:
    """`view`, or until that is there the orders on the query alone, which come first.

    Raises:
        Waiting: as `view`.
    """
    try:
        return view()
    except (Asked, Running):
        if model().mixture is not None:
            raise
        chosen, found = settings(), outcome()
        gold = (found.study.gold or "").strip()
        first = first_table(chosen)
        return View(chosen, first, found.chosen.indices, gold, found.answer.best, st.session_state.get(PICKED))


def asked_view() -> View:
    """`view`, where there are questions.

    Raises:
        Waiting: as `view`, or there is no question.
    """
    found = view()
    if not found.asked:
        raise Nothing("There is no question to be right on: add labelled rows to the pool.")
    return found


def signed(share: float) -> str:
    """A relative gain in words."""
    if np.isnan(share):
        return "unknown"
    return "0.0%" if abs(share) < 0.0005 else f"{share:+.1%}".replace("-", "−")


@dataclass(frozen=True)
class Accuracies:
    """What is known of how often orders are right; another query changes nothing of it but the orders taken for it.

    Attributes:
        orders: (M, k) tried.
        accuracy: (M,) share of questions that each answers right.
        mean: of random orders.
        bayes: exact Bayes's, None where it is not known.
        landings: of the strategies.
        line: in words, range and held-out best and worst.
    """

    orders: np.ndarray[Any, Any]
    accuracy: np.ndarray[Any, Any]
    mean: float
    bayes: float | None
    landings: list[Landing]
    line: str


def _accuracies(table: OrderTable) -> Accuracies:
    landings = []
    for strategy in table.strategies:
        if strategy.place is not None and strategy.right is not None:
            found = gain(table, strategy.right)
            low, high = found.mean * (1 + found.low), found.mean * (1 + found.high)
            note = f"{signed(found.relative)} against random orders"
            landings.append(Landing(strategy.title, found.accuracy, strategy.place, low, high, note))
    best, worst = held_out(table)
    line = f"{table.accuracy.min():.0%} to {table.accuracy.max():.0%} on these {len(table.questions)} questions."
    if not np.isnan(best):
        line += f" Chosen on one half and held against the other: best {best:.1%}, worst {worst:.1%}."
    return Accuracies(
        table.orders,
        table.accuracy,
        float(table.accuracy[table.drawn].mean()),
        None if table.bayes_right is None else float(table.bayes_right.mean()),
        landings,
        line,
    )


def _accuracy_reads() -> Values:
    found = asked_view()
    return derived(found.table, "accuracies", lambda: _accuracies(found.table)), found.words, found.marks


def accuracy_legend(found: Accuracies, *_: Any) -> None:
    """Its lines, beside the title."""
    said = f" :gray[┅ Bayes {found.bayes:.1%}]" if found.bayes is not None else ""
    st.markdown(f":small[:violet[━ random {found.mean:.1%}]{said}]", width="content")


def accuracy_view(found: Accuracies, words: list[str], marks: Marks) -> None:
    """Distribution of accuracy over orders, and where strategies land."""
    figure = accuracy_figure(found.accuracy, words, found.mean, found.bayes, found.landings, marks, height=ROW)
    low, high = found.accuracy.min(), found.accuracy.max()
    alt = f"Accuracy of {len(words)} orders, from {low:.1%} to {high:.1%}, and of each strategy's order"
    chart(figure, P + "accuracy", alt, on_click=partial(_pick, found.orders))
    st.caption(found.line, help="The best of many orders is partly lucky on the questions that it was chosen by.")


def answers_view(view: View) -> None:
    """Distribution of the query's answer over orders."""
    table = view.table
    counts = np.bincount(table.best[table.drawn], minlength=len(table.labels))
    shares = counts / counts.sum()
    top = sorted(range(len(shares)), key=lambda i: (-shares[i], -table.answers[:, i].max()))[:TOP]
    names = [("★ " if table.labels[i] == view.gold else "") + table.labels[i] for i in top]
    bayes = None if table.bayes is None else table.bayes[top]
    figure = answers_figure(names, table.answers[:, top], shares[top], bayes, view.words, view.picked, height=ROW)
    rate = float(flip_rate(table.best[table.drawn]))
    alt = f"The query's answer in every order; {rate:.0%} of orders answer otherwise than most"
    chart(figure, P + "answers", alt, on_click=view.pick)
    line = f"“{plain(view.settings.held.query, 30)}”: {rate:.0%} of the orders answer otherwise than most."
    if len(shares) > TOP:
        line += f" Drawn are the {TOP} likeliest of {len(shares)} labels."
    if view.asked:
        flips = flip_rate(table.replies[table.drawn])
        line += f" Over the questions: {flips.mean():.1%}; {np.mean(flips > 0):.0%} of them flip in some order."
    st.caption(line, help=HELP_ANSWERS)


@dataclass(frozen=True)
class Entropies:
    """What is known of entropies; another query changes nothing of it but the orders taken for it.

    Attributes:
        orders, accuracy: as in `Accuracies`.
        panels: a measure each: its name, (M,) entropies, ρ in words, and the order it takes.
        lines: what each comes to.
    """

    orders: np.ndarray[Any, Any]
    accuracy: np.ndarray[Any, Any]
    panels: list[tuple[str, np.ndarray[Any, Any], str, int | None]]
    lines: list[str]


def _entropies(table: OrderTable) -> Entropies:
    takes = {strategy.name: strategy.place for strategy in table.strategies}
    panels, found = [], []
    for name, measure in (("globale", table.global_entropy), ("locale", table.local_entropy)):
        words, published = PUBLISHED[name]
        related, kept = correlation(table, measure), highest(table, measure)
        found.append((words, related, len(kept), gain(table, table.right[kept]), published))
        # The same probes in another pass differ by a rounding, which nobody can see.
        panels.append((words, np.round(measure, 6), _short(related), takes.get(name)))
    shown = told_apart([one for _, related, _, gained, _ in found for one in (related, gained)], len(table.questions))
    unsaid = NOT_TOLD if len(table.questions) >= LEAST else TOO_FEW
    said = ["" if told else unsaid for told in shown]
    lines = [
        f"**{words}** {in_numbers(related)}{said[2 * i]}. Its {count} highest: **{signed(gained.relative)}** "
        f"[{signed(gained.low)}, {signed(gained.high)}]{said[2 * i + 1]}; published {signed(published)}."
        for i, (words, related, count, gained, published) in enumerate(found)
    ]
    return Entropies(table.orders, table.accuracy, panels, lines)


def _entropy_reads() -> Values:
    found = asked_view()
    if not found.settings.entropies:
        raise Nothing("Entropies were not asked for: choose them under “Strategies asked”.")
    return derived(found.table, "entropies", lambda: _entropies(found.table)), found.words, found.marks


def entropy_view(found: Entropies, words: list[str], marks: Marks) -> None:
    """Entropy against accuracy."""
    figure = entropy_figure(found.panels, found.accuracy, words, marks, height=ROW)
    alt = "Accuracy by entropy of every order: " + "; ".join(f"{panel[0]}, {panel[2]}" for panel in found.panels)
    chart(figure, P + "entropy", alt, on_click=partial(_pick, found.orders))
    st.caption("  \n".join(found.lines), help=HELP_GAINS)


def _short(found: Correlation) -> str:
    """A correlation as a panel's note."""
    return "no ρ" if np.isnan(found.rho) else f"ρ = {coefficient(found.rho, 2)}, p = {found.p:.2g}"


def in_numbers(found: Correlation) -> str:
    """A correlation in a few words."""
    if np.isnan(found.rho):
        return "ρ: none, one side is the same for every order"
    rho, low, high = (coefficient(value, 2) for value in (found.rho, found.low, found.high))
    return f"ρ = {rho} [{low}, {high}], p = {found.p:.2g}".replace("-", "−")


def _means(view: View) -> tuple[dict[str, Any], dict[str, str]]:
    """What a position may be judged by: a value an order, and its name, by key."""
    table = view.table
    about = view.gold if view.gold in table.labels else view.best
    values = {"p": table.answers[:, table.labels.index(about)]}
    names = {"p": f"P({about}) for the query"}
    if view.asked:
        values = {"accuracy": table.accuracy, "gold": table.gold.mean(axis=1)} | values
        names = {"accuracy": "Accuracy", "gold": "P(right answer)"} | names
    return values, names


def positions_choice(view: View, *_: Any) -> None:
    """By what a position is judged."""
    values, names = _means(view)
    choice("Mean of", list(values), POSITION_VALUE, names, 190)


def positions_view(view: View, marked: int | None, source: str) -> None:
    """Effect of each position, and whom answers copy."""
    table, drawn = view.table, view.table.drawn
    values, names = _means(view)
    what = st.session_state[POSITION_VALUE]
    cells = positions(table.orders[drawn], values[what][drawn])
    labels = tuple(row.label for row in table.shown)
    query = np.array(table.labels)[table.best[drawn]]
    recency = [("query", copied(table.orders[drawn], labels, query), "dot")]
    if view.asked:
        recency.insert(0, ("questions", copied(table.orders[drawn], labels, replies_of(table)[drawn]), "solid"))
    figure = positions_figure(
        cells,
        float(values[what][drawn].mean()),
        names[what],
        recency,
        [row.input for row in table.shown],
        labels,
        view.settings.numbers,
        marked,
        height=ROW,
    )
    spread = np.nanmax(cells) - np.nanmin(cells)
    alt = f"Mean {names[what]} by demonstration and position; cells span {spread:.3f}"
    chart(figure, P + "positions", alt, on_click=lambda data: session.mark(data[0], source))
    shares = recency[0][1]
    whom = "answers to the questions" if view.asked else "orders' answers to the query"
    line = f"Last position: {shares[-1]:.1%} of the {whom} are its label; the others: {shares[:-1].mean():.1%}."
    st.caption(line + (" No answer copies a label shown." if not shares.any() else ""), help=HELP_POSITIONS)


def _marked_reads() -> Values:
    found = outcome()
    return view(), session.marked_in(found), found.chosen.source


ACCURACY = Card(
    P + "card_accuracy",
    "How often is it right?",
    HELP_ACCURACY,
    _accuracy_reads,
    accuracy_view,
    beside=accuracy_legend,
    height=HEIGHT,
)
ANSWERS = Card(
    P + "card_answers", "What does it answer?", HELP_ANSWERS, lambda: (answered_view(),), answers_view, height=HEIGHT
)
ENTROPY = Card(
    P + "card_entropy",
    "Does entropy tell good orders?",
    HELP_ENTROPY,
    _entropy_reads,
    entropy_view,
    height=HEIGHT,
)
POSITIONS = Card(
    P + "card_positions",
    "What does a position do?",
    HELP_POSITIONS,
    _marked_reads,
    positions_view,
    beside=positions_choice,
    height=HEIGHT,
)
