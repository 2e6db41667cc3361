"""Who chose what: every selection on the present query, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.selection.comparison import (
    Choice,
    Refusal,
    choose,
    overlap,
    rows_to_show,
    score_correlation,
    standing,
)
from core.analysis.selection.records import choice_records
from core.figures.selection.comparison import choice_figure, lead_figure, square_figure
from core.selection import selections
from core.study.cleaning import usable
from core.study.study import Study
from pages.ui.components import menu
from pages.ui.components.card import Card, Values, empty, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.frame import parts
from pages.ui.jobs import analysis, engine
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Waiting
from pages.ui.selection.settings import LOOK, OWN, P, SelectionSettings, settings, take

MOST, LEAST = 32, 12  # rows of the table
WANTED, PICTURE = P + "wanted", P + "square"
LARGE = 500  # rows above which a selection that reads them all with the model runs on request
ACROSS = 3  # selections on request in a row
OVERLAP, SCORES = SQUARES = "Overlap", "Score correlation"
DECIDES = ANSWERS - {"selection"}  # whichever selection is the study's, each chooses the same
ROW = 360
HELP = (
    "Rows of the pool against selections, all on the present query with the study's k, seed and encoder. A ring: it "
    "chose the row, as number 1, 2, …; a dot where it takes a set at once. The shade is the row's standing among the "
    "scores that the selection gave, so that different units compare; point at a cell for the score itself. "
    "Rows that most selections chose come first. The dotted column is the study's own selection."
)
HELP_LEAD = (
    "What the model answers to the query with the demonstrations that each selection chose, in the study's ordering "
    "and by its scorer, and how probable it finds the right answer then. Click a row to make that selection the "
    "study's own."
)
HELP_SQUARE = (
    "**Overlap**: Jaccard's |A ∩ B| / |A ∪ B| of the rows that two selections chose; 1 is the same set. **Score "
    "correlation**: Spearman's ρ of the scores, over the rows that both scored; blank where one ranks nothing."
)
HELP_SLOW = (
    "These train, write, or score hundreds of prompts first. What is learned is kept on this machine, so that the next "
    "query costs next to nothing."
)


def cost_of(choice: Choice) -> str:
    """What a choice cost, this time and to learn."""
    said = f"{choice.chosen.cost}, {choice.seconds:.1f} s" if choice.chosen.cost.texts else "No forward pass this time"
    if choice.chosen.learned.texts:
        said += f"; what it learned took {choice.chosen.learned} and is kept"
    return f"{said}."


@dataclass(frozen=True)
class SelectionRequest:
    """A selection that chooses on request.

    Attributes:
        name: of the selection.
        asked: whether it was asked.
        choice: what it chose, or why it cannot; None where it has not yet.
        waits: how the wait for it looks, None where there is none.
        waiting: the wait itself.
    """

    name: str
    asked: bool
    choice: Choice | Refusal | None = None
    waits: Any = None
    waiting: Waiting | None = field(default=None, compare=False)


@dataclass(frozen=True)
class RowsChosen:
    """What a selection chose, told from another by its rows alone, and not by the answer that they lead to.

    Attributes:
        choice: all of it.
        name, places, outside, scores: as in `Choice`.
    """

    choice: Choice = field(compare=False)
    name: str
    places: tuple[int, ...]
    outside: tuple[Any, ...]
    scores: Any

    @classmethod
    def of(cls, one: Choice) -> RowsChosen:
        return cls(one, one.name, one.places, one.outside, one.scores)


def without_query(settings: SelectionSettings) -> SelectionSettings:
    """What decides a view that another query leaves as it is."""
    return replace(settings, study=settings.study.model_copy(update={"query": ""}))


def _slow(study: Study) -> list[str]:
    """Selections that run on request."""
    large = sum(map(usable, study.pool)) > LARGE
    return [s.name for s in selections if s.slow or (large and s.reads_pool)]


def _quick(study: Study) -> Sequence[Choice | Refusal]:
    """What the quick ones choose.

    Raises:
        Waiting: they are choosing.
    """
    slow, known = _slow(study), model()
    table = any(usable(row) for row in study.demonstrations)
    names = [s.name for s in selections if s.name not in slow and (table or s.source == "pool")]
    return analysis.value(
        P + "quick",
        study,
        known,
        {"names": names},
        lambda study, stop: choose(study, known, names, stop=stop),
        f"{len(names)} selections",
        reads=DECIDES,
    )


def _of_one(study: Study, name: str) -> Choice | Refusal:
    """What one chooses that was asked to.

    Raises:
        Waiting: it is choosing.
    """
    known = model()
    (choice,) = analysis.value(
        f"{P}choose_{name}",
        study,
        known,
        {},
        lambda study, stop: choose(study, known, [name], stop=stop),
        selections.find(name).title,
        reads=DECIDES,
    )
    return choice


def _requests(study: Study) -> tuple[SelectionRequest, ...]:
    """Every selection that chooses on request: each comes in its own time, and no view waits for all."""
    wanted: dict[str, str] = st.session_state.get(WANTED, {})
    learns = _learns_from(study) if wanted else ""
    requests = []
    for name in _slow(study):
        if study.selection != name and wanted.get(name) != learns:
            requests.append(SelectionRequest(name, False))
            continue
        try:
            requests.append(SelectionRequest(name, True, _of_one(study, name)))
        except Waiting as waiting:
            requests.append(SelectionRequest(name, True, waits=waiting.token, waiting=waiting))
    return tuple(requests)


def choices_of(settings: SelectionSettings) -> tuple[Choice | Refusal, ...]:
    """What is known of all selections, in their order.

    Raises:
        Waiting: the quick ones are choosing.
    """
    requested = [request.choice for request in _requests(settings.study) if request.choice is not None]
    places = {entry.name: i for i, entry in enumerate(selections)}
    return tuple(sorted([*_quick(settings.study), *requested], key=lambda one: places[one.name]))


def made(ones: Sequence[Choice | Refusal]) -> list[Choice]:
    """Without refusals."""
    return [one for one in ones if isinstance(one, Choice)]


def _requests_view(study: Study, requests: Sequence[SelectionRequest]) -> None:
    """A cell a slow selection: a button, its progress, or what it cost."""
    for start in range(0, len(requests), ACROSS):
        row = requests[start : start + ACROSS]
        for column, request in zip(st.columns(ACROSS, gap="small"), row, strict=False):
            with column.container(border=True, height="stretch", gap="xsmall"):
                _request(study, request)


def _request(study: Study, request: SelectionRequest) -> None:
    entry = selections.find(request.name)
    st.markdown(f":small[**{entry.title}**]", help=f"{entry.help}.", width="content")
    if not request.asked:
        st.button(
            "Choose",
            key=f"{P}ask_{request.name}",
            on_click=_want,
            args=(request.name, study),
            icon=":material/play_arrow:",
        )
    elif isinstance(request.choice, Choice):
        st.caption(cost_of(request.choice))
    elif request.waiting is not None:
        request.waiting.show(parts.done)


def _learns_from(study: Study) -> str:
    """A study that learns the same: once computed, a selection follows the query by itself."""
    return engine.body(cut(study, DECIDES - {"query"}))


def _want(name: str, study: Study) -> None:
    st.session_state[WANTED] = {**st.session_state.get(WANTED, {}), name: _learns_from(study)}


def _titles(choices: Sequence[Choice]) -> list[str]:
    return [selections.find(choice.name).title for choice in choices]


def _reads() -> Values:
    chosen = settings()
    return chosen, choices_of(chosen)


def _by_rows(ones: Sequence[Choice | Refusal]) -> tuple[RowsChosen | Refusal, ...]:
    return tuple(one if isinstance(one, Refusal) else RowsChosen.of(one) for one in ones)


def _made_by_rows(ones: Sequence[RowsChosen | Refusal]) -> list[Choice]:
    return [one.choice for one in ones if isinstance(one, RowsChosen)]


def _table_reads() -> Values:
    chosen = settings()
    return without_query(chosen), _by_rows(choices_of(chosen)), st.session_state.get(LOOK, OWN)


def _save_choices(settings: SelectionSettings, ones: Sequence[RowsChosen | Refusal], _: str) -> None:
    st.space("stretch")
    save_csv("CSV", P + "choices", lambda: choice_records(settings.study, _made_by_rows(ones)))


def _table_view(settings: SelectionSettings, ones: Sequence[RowsChosen | Refusal], look: str) -> None:
    """The rows that they chose, and who could not choose."""
    if choices := _made_by_rows(ones):
        _table(settings, choices, look)
    for one in ones:
        if isinstance(one, Refusal):
            st.caption(f"{selections.find(one.name).title}: {plain(one.why, 300)}")


def _table(settings: SelectionSettings, choices: Sequence[Choice], looked_at: str) -> None:
    study = settings.study
    by_name = {choice.name: choice for choice in choices}
    look = by_name.get(looked_at or study.selection) or by_name.get(study.selection)
    rows = rows_to_show(choices, None if look is None else look.scores, MOST, LEAST)
    everyone = {place for choice in choices for place in choice.places}
    nothing = np.full(len(study.pool), np.nan)
    scores = np.stack([nothing if c.scores is None else c.scores for c in choices], axis=1)
    shades = np.stack([nothing if c.scores is None else standing(c.scores) for c in choices], axis=1)
    ranks = [[_rank(choice, place) for choice in choices] for place in rows]
    own = next((i for i, choice in enumerate(choices) if choice.name == study.selection), None)
    figure = choice_figure(
        _titles(choices),
        [i + 1 for i in rows],
        [study.pool[i].input for i in rows],
        [study.pool[i].label for i in rows],
        ranks,
        shades[rows] if rows else np.zeros((0, len(choices))),
        scores[rows] if rows else np.zeros((0, len(choices))),
        own,
        settings.marked,
    )
    chart(
        figure,
        P + "table",
        f"Which of {len(rows)} rows {len(choices)} selections chose; together they chose {len(everyone)} rows",
        on_click=settings.clicked,
    )
    said = [f"Together they chose {len(everyone):,} of {len(study.pool):,} rows."]
    if len(everyone - set(rows)):
        said.append(f"{len(everyone - set(rows)):,} chosen by few are in the CSV alone.")
    for choice in choices:
        if choice.outside:
            said.append(f"{selections.find(choice.name).title} shows {len(choice.outside)} that no row of the pool is.")
    st.caption(" ".join(said))


def _rank(choice: Choice, place: int) -> int | None:
    if place not in choice.places:
        return None
    return choice.ranks.get(place, 0)


def _leads_reads() -> Values:
    return (*_reads(), (outcome().study.gold or "").strip())


def _leads(settings: SelectionSettings, ones: Sequence[Choice | Refusal], gold: str) -> None:
    study, choices = settings.study, made(ones)
    if not choices:
        empty("No selection could choose.", ROW)
        return
    known = bool(gold) and any(gold in choice.answer.labels for choice in choices)
    shares = [choice.probability(gold if known else choice.answer.best) for choice in choices]
    figure = lead_figure(
        [choice.name for choice in choices],
        _titles(choices),
        [choice.answer.best for choice in choices],
        shares,
        [choice.answer.best == gold if known else None for choice in choices],
        [cost_of(choice) for choice in choices],
        study.selection,
        f"p({gold[:20]}), the right answer" if known else "p of its answer",
        height=50 + 22 * len(choices),
    )
    right = sum(choice.answer.best == gold for choice in choices)
    alt = f"{right} of {len(choices)} selections lead to the right answer" if known else "Answers by selection"
    chart(figure, P + "leads", alt, on_click=lambda data: take(study, str(data[0])), modebar=False)


def _square_switch(_: Sequence[RowsChosen | Refusal]) -> None:
    menu.switch("Between selections", SQUARES, PICTURE)


def _square(ones: Sequence[RowsChosen | Refusal]) -> None:
    which, choices = menu.held(SQUARES, PICTURE), _made_by_rows(ones)
    if not choices:
        empty("No selection could choose.", ROW)
        return
    if which == SCORES:
        choices = [choice for choice in choices if choice.scores is not None and np.isfinite(choice.scores).any()]
        if len(choices) < 2:
            st.caption("Fewer than two selections have ranked the rows.")
            return
        values, counts = score_correlation(choices)
        words = "ρ = {:+z.3f} over {} rows"
    else:
        values, counts = overlap(choices), np.zeros((len(choices), len(choices)), dtype=np.intp)
        words = "Jaccard {:.3f}"
    titles = _titles(choices)
    hover = [
        [
            f"{a} and {b}<br>"
            + (words.format(values[i, j], counts[i, j]) if np.isfinite(values[i, j]) else "undefined")
            for j, b in enumerate(titles)
        ]
        for i, a in enumerate(titles)
    ]
    height = 90 + 21 * len(choices)
    chart(
        square_figure(titles, values, hover, which == SCORES, height),
        P + "square_chart",
        f"{which} between {len(choices)} selections",
        modebar=False,
    )


def _requests_reads() -> Values:
    study = settings().study
    return cut(study, DECIDES - {"query"}), _requests(study)


TABLE = Card(P + "card_table", "Who chose what", HELP, _table_reads, _table_view, beside=_save_choices, height=ROW)
LEADS = Card(P + "card_leads", "Where each leads", HELP_LEAD, _leads_reads, _leads, height=ROW)
REQUESTS = Card(P + "card_requests", "On request", HELP_SLOW, _requests_reads, _requests_view, height=ROW)
SQUARE = Card(
    P + "card_square",
    "Between selections",
    HELP_SQUARE,
    lambda: (_by_rows(choices_of(settings())),),
    _square,
    beside=_square_switch,
    height=ROW,
)
