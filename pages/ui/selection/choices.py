"""Who chose what: every selection on the present query, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.analysis.selection.choices import (
    Choice,
    Refusal,
    choose,
    overlap,
    rows_to_show,
    score_correlation,
    standing,
)
from core.analysis.selection.records import choice_records
from core.figures.selection.choices import choice_figure, lead_figure, square_figure
from core.selection import selections
from core.study.cleaning import usable
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.selection.settings import LOOK, OWN, P, Settings, save, take, title

if TYPE_CHECKING:
    from core.models import LanguageModel

MOST, LEAST = 32, 12  # rows of the table
WANTED, SQUARE = P + "wanted", P + "square"
LARGE = 500  # rows above which a selection that reads them all with the model runs on request
ACROSS = 3  # selections on request in a row
OVERLAP, SCORES = "Overlap", "Score correlation"
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


def choices_view(settings: Settings, model: LanguageModel) -> list[Choice]:
    """The table, the answers, the squares, and the slow ones on request; returns what is known."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Who chose what", HELP)
        st.space("stretch")
        download = st.container(width="content")
    table_slot = st.container()
    left, square_slot = st.columns([0.6, 0.4], gap="small")
    with left:
        st.markdown("**On request**", help=HELP_SLOW, width="content")
        requested = _requested(settings, model)
    found = [*_quick(settings, model, table_slot), *requested]
    places = {entry.name: i for i, entry in enumerate(selections)}
    choices = sorted((one for one in found if isinstance(one, Choice)), key=lambda choice: places[choice.name])
    with table_slot:
        for one in found:
            if isinstance(one, Refusal):
                st.caption(f"{selections.find(one.name).title}: {plain(one.why, 300)}")
        if choices:
            left, right = st.columns([0.6, 0.4], gap="small")
            with left:
                _table(settings, choices)
            with right:
                _leads(settings, choices)
            with square_slot:
                _square(choices)
            with download:
                save("CSV", "choices", lambda: choice_records(settings.study, choices))
    return choices


def _about(study: Study) -> Study:
    """The study without what no choice depends on, so that a change of it computes nothing anew."""
    return study.model_copy(update={"selection": selections.plain})


def _slow(study: Study) -> list[str]:
    """Selections that run on request."""
    large = sum(map(usable, study.pool)) > LARGE
    return [s.name for s in selections if s.slow or (large and s.reads_pool)]


def _quick(settings: Settings, model: LanguageModel, slot: object) -> Sequence[Choice | Refusal]:
    study, slow = settings.study, _slow(settings.study)
    table = any(usable(row) for row in study.demonstrations)
    names = [s.name for s in selections if s.name not in slow and (table or s.source == "pool")]
    with slot:  # type: ignore[attr-defined]
        found = analysis.result(
            P + "quick",
            _about(study),
            model,
            {"names": names},
            lambda stop: choose(study, model, names, stop=stop),
            f"{len(names)} selections",
        )
    return found or ()


def _requested(settings: Settings, model: LanguageModel) -> list[Choice | Refusal]:
    """A cell a slow selection: a button, its progress, or what it cost."""
    study, found = settings.study, []
    names = _slow(study)
    for start in range(0, len(names), ACROSS):
        for column, name in zip(st.columns(ACROSS, gap="small"), names[start : start + ACROSS], strict=False):
            with column.container(border=True, height="stretch", gap="xsmall"):
                one = _one(study, model, name)
            if one is not None:
                found.append(one)
    return found


def _one(study: Study, model: LanguageModel, name: str) -> Choice | Refusal | None:
    entry = selections.find(name)
    st.markdown(f":small[**{entry.title}**]", help=f"{entry.help}.", width="content")
    wanted: dict[str, str] = st.session_state.setdefault(WANTED, {})
    own = study.selection == name
    if not own and wanted.get(name) != _learns_from(study):
        st.button(
            "Choose",
            key=f"{P}ask_{name}",
            on_click=_want,
            args=(name, _learns_from(study)),
            icon=":material/play_arrow:",
        )
        return None
    (one,) = analysis.result(
        f"{P}choose_{name}",
        _about(study),
        model,
        {},
        lambda stop: choose(study, model, [name], stop=stop),
        entry.title,
    ) or (None,)
    if isinstance(one, Choice):
        st.caption(cost_of(one))
    return one


def _learns_from(study: Study) -> str:
    """A study that learns the same: once computed, a selection follows the query by itself."""
    return study.model_copy(update={"selection": selections.plain, "query": "", "gold": None}).model_dump_json()


def _want(name: str, learns: str) -> None:
    st.session_state[WANTED] = {**st.session_state.get(WANTED, {}), name: learns}


def _titles(choices: Sequence[Choice]) -> list[str]:
    return [selections.find(choice.name).title for choice in choices]


def _table(settings: Settings, choices: Sequence[Choice]) -> None:
    study = settings.study
    by_name = {choice.name: choice for choice in choices}
    look = by_name.get(st.session_state.get(LOOK, OWN) or study.selection) or by_name.get(study.selection)
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


def _leads(settings: Settings, choices: Sequence[Choice]) -> None:
    study = settings.study
    title("Where each leads", HELP_LEAD)
    gold = study.gold or ""
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


def _square(choices: Sequence[Choice]) -> None:
    if st.session_state.get(SQUARE) not in (OVERLAP, SCORES):
        st.session_state[SQUARE] = OVERLAP
    which = st.segmented_control(
        "Between selections",
        [OVERLAP, SCORES],
        key=SQUARE,
        required=True,
        help=HELP_SQUARE,
        label_visibility="collapsed",
        persist_state="session",
    )
    if which == SCORES:
        choices = [choice for choice in choices if choice.scores is not None and np.isfinite(choice.scores).any()]
        if len(choices) < 2:
            st.caption("Fewer than two selections have ranked the rows.")
            return
        values, counts = score_correlation(choices)
        words = "ρ = {:+.3f} over {} rows"
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
