"""Label imbalance: one label's demonstrations take over, and the curves of every scorer move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.scoring.agreement import BAYES
from core.analysis.scoring.label_imbalance import (
    Imbalance,
    counts_of,
    imbalance,
    imbalance_records,
    labels_that_repeat,
    shared_out,
)
from core.evaluation.questions import POOL, questions_of, sources_of
from core.figures.colours import MODEL, OTHERS
from core.figures.scoring.label_imbalance import imbalance_figure, share_figure
from core.ordering import orderings
from core.runtime.progress import Stop
from core.selection import selections
from core.statistics.bootstrap import mean_over_both
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings, question_controls
from pages.ui.components.text import plain, safe
from pages.ui.jobs import analysis
from pages.ui.scoring.shared import P, by_key, cost, open_button, save, title, unscored
from pages.ui.session import session, state
from pages.ui.session.examples import examples

if TYPE_CHECKING:
    from core.models import LanguageModel

PRE = P + "imbalance_"
ROWS, MAJORITY, SIZE, DRAWS, SEED, LINES, RATIO = (
    PRE + name for name in ("rows", "majority", "size", "draws", "seed", "lines", "ratio")
)
FIRST_LINES = ("direct/sum/none", "direct/sum/contextual", "channel/even/none", "pmi/none")
MOST_LINES = 7
SMALL_POOL = 60  # rows; of fewer, too few can be asked while the others are shown
FAMOUS = ("Seven to one", "Sentiment as foo and bar", "Flipped labels")
HEIGHT = 330
HELP = (
    "n demonstrations, a of them with one label and n − a with the others, from an even share to all. A draw has its "
    "own rows and places; from one ratio to the next a single demonstration of the others gives its place to one of "
    "the repeated label, and nothing else moves. Rows that run out are shown again. Half of the questions have the "
    "repeated label, half another, so 0.5 is what always answering one label gets. Intervals: 95 %, bootstrap over "
    "draws and questions. Grey is exact Bayes on the same demonstrations: p(y|x,D) solid, from p(x|y,D) with even P(y) "
    "dotted. Bayes infers the imbalance as well: where the task's own classes are uneven, leaning towards one is right."
)
HELP_BARS = (
    "The study's own query after the first draw at the ratio marked: P(repeated label), and the label that wins. ★ is "
    "the right answer."
)


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        rows: to show.
        majority: the label that takes over.
        size, draws, seed: as `core.analysis.scoring.label_imbalance.imbalance` takes them.
        lines: keys of the combinations.
    """

    rows: tuple[Demonstration, ...]
    majority: str
    size: int
    draws: int
    seed: int
    lines: tuple[str, ...]


def imbalance_view(outcome: Outcome, model: LanguageModel, below: DeltaGenerator) -> None:
    """Curves with a slider, and the answer at the ratio marked; what is repeated and asked, below the query."""
    tables = {name: rows for name, rows in _tables(outcome.study).items() if labels_that_repeat(rows)}
    if not tables:
        _nothing_to_repeat()
        return
    with below.container(border=True):
        settings = _controls(tables)
        _first_source(outcome.study, model, tables)
        asked = question_controls(PRE, outcome.study, model)
    with st.container(border=True):
        if asked is None or not settings.lines:
            why = "No question to ask." if asked is None else "Choose at least one way to score."
            st.container(height=HEIGHT, border=False).caption(why)
            return
        found = _compute(outcome, model, settings, asked)
        if found is not None:
            _moving(found, outcome.study, len(settings.rows))


def drawn_of(count: int) -> int:
    """How many questions are drawn to keep `count` even ones: of an uneven task few have the rarer answer."""
    return min(20 * count, max(1_000, 2 * count))


def _tables(study: Study) -> dict[str, tuple[Demonstration, ...]]:
    """What can be repeated, the table that the study reads first."""
    tables = {
        "Pool": tuple(row for row in study.pool if usable(row)),
        "Demonstrations": tuple(row for row in study.demonstrations if usable(row)),
    }
    first = session.table_read(study)
    return {name: tables[name] for name in (first, *(other for other in tables if other != first)) if name in tables}


def _nothing_to_repeat() -> None:
    """An answer that never recurs cannot be in the majority: offer studies where labels do."""
    with st.container(border=True):
        title("Label imbalance", HELP)
        st.info(
            "Imbalance takes at least two labels, one of which occurs twice, among the demonstrations or in the pool. "
            "Here every answer is another one, or all are the same.",
            icon=":material/balance:",
        )
        with st.container(horizontal=True, gap="small"):
            for place, example in enumerate(e for e in examples() if e.name in FAMOUS):
                st.button(
                    f"Load “{example.name}”",
                    key=f"{PRE}example_{place}",
                    on_click=_load,
                    args=(example.study,),
                    help=example.about,
                )


def _load(study: Study) -> None:
    state.replace(study.model_copy(update={"model": state.study().model}))
    session.mark(None)


def _controls(tables: dict[str, tuple[Demonstration, ...]]) -> Settings:
    title("Label imbalance", HELP)
    columns = [
        *st.columns(2, gap="small", vertical_alignment="bottom"),
        *st.columns([1.2, 0.9, 1.1], gap="small", vertical_alignment="bottom"),
    ]
    with columns[0]:
        name = _held("Rows to show from", list(tables), ROWS, "The table whose rows are repeated or dropped.")
    rows = tables[name]
    with columns[1]:
        labels = list(labels_that_repeat(rows))
        majority = _held("Label repeated", labels, MAJORITY, "Its demonstrations take over.")
    with columns[2]:
        size = st.number_input(
            "Demonstrations",
            2,
            64,
            8,
            key=SIZE,
            help="n: shown at every ratio, the repeated label and the others together.",
            persist_state="session",
        )
    with columns[3]:
        draws = st.number_input(
            "Draws", 1, 20, 3, key=DRAWS, help="Sets of rows and places, averaged over.", persist_state="session"
        )
    with columns[4]:
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key=SEED, help="Of the draws.", persist_state="session")
    st.session_state.setdefault(LINES, list(FIRST_LINES))
    st.session_state[LINES] = [key for key in st.session_state[LINES] if key in by_key()]
    lines = st.multiselect(
        "Ways to score",
        list(by_key()),
        format_func=lambda key: by_key()[key].title,
        key=LINES,
        max_selections=MOST_LINES,
        placeholder="Choose up to seven",
        persist_state="session",
    )
    return Settings(rows, majority, int(size), int(draws), int(seed), tuple(lines))


def _held(label: str, options: list[str], key: str, help: str) -> str:
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    chosen: str = st.selectbox(
        label,
        options,
        format_func=lambda text: plain(text, 40).replace("\\", ""),
        key=key,
        help=help,
        persist_state="session",
    )
    return chosen


def _first_source(study: Study, model: LanguageModel, tables: dict[str, tuple[Demonstration, ...]]) -> None:
    """Start from fresh draws of a task where the pool is small: what is asked cannot be shown."""
    key = PRE + "questions_source"
    sources = sources_of(study, model)
    fresh = [source for source in sources if source != POOL]
    if fresh and st.session_state.get(key) not in sources and len(tables.get("Pool", ())) < SMALL_POOL:
        st.session_state[key] = fresh[0]


def _compute(outcome: Outcome, model: LanguageModel, settings: Settings, asked: QuestionSettings) -> Imbalance | None:
    study = outcome.study
    ways = [by_key()[key] for key in settings.lines]

    def work(stop: Stop) -> Imbalance:
        drawn = questions_of(study, model, asked.source, drawn_of(asked.count), asked.seed)
        rows, questions = shared_out(settings.rows, drawn, settings.majority, asked.count)
        return imbalance(
            study,
            model,
            rows,
            questions,
            ways,
            majority=settings.majority,
            n=settings.size,
            draws=settings.draws,
            seed=settings.seed,
            stop=stop,
        )

    labels = len(labels_that_repeat(settings.rows))
    texts = asked.count * settings.draws * len(counts_of(settings.size, labels)) * len(ways) * labels
    return analysis.result(
        PRE + "curves",
        unscored(study),
        model,
        {
            **asked.value,
            "rows": [[row.input, row.label] for row in settings.rows],
            "majority": settings.majority,
            "size": settings.size,
            "draws": settings.draws,
            "rows_seed": settings.seed,
            "lines": list(settings.lines),
        },
        work,
        "curves",
        ask=cost(texts, model.mixture is not None),
    )


@st.fragment
def _moving(found: Imbalance, study: Study, rows: int) -> None:
    """Curves with the ratio marked by the slider, and the answer there; moving it reruns nothing else."""
    ratios = list(range(len(found.counts)))
    if st.session_state.get(RATIO) not in ratios:
        st.session_state[RATIO] = max(0, len(ratios) - 2)  # 7:1 of eight
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        title(f"{plain(found.majority, 20)} : {_others(found)}", HELP)
        at = st.select_slider(
            "Ratio",
            ratios,
            format_func=found.names.__getitem__,
            key=RATIO,
            label_visibility="collapsed",
            width=300,
            persist_state="session",
        )
        st.space("stretch")
        save("CSV", "imbalance", lambda: imbalance_records(found))
        open_button(
            "Open in the Playground",
            PRE + "open",
            lambda: _as_study(found, study, at),
            "The first draw at this ratio as the demonstrations, picked by hand, in this order.",
        )
    left, right = st.columns([0.66, 0.34], gap="small")
    with left:
        _curves(found, at)
    with right:
        _answer(found, study, at)
    _strip(found, at)
    _say(found, rows)


def _others(found: Imbalance) -> str:
    others = [label for label in found.labels if label != found.majority]
    return plain(others[0], 20) if len(others) == 1 else "others"


def _as_study(found: Imbalance, study: Study, at: int) -> Study:
    """The first draw at a ratio, picked by hand and in its order."""
    return study.model_copy(
        update={
            "demonstrations": found.demonstrations[0][at],
            "selection": selections.plain,
            "ordering": orderings.plain,
            "shots": None,
            "labels": found.labels,
        }
    )


def _names(found: Imbalance) -> tuple[list[str], list[str]]:
    return [way.title for way in found.combinations], list(BAYES[: len(found.bayes_right)])


def _curves(found: Imbalance, at: int) -> None:
    names, bayes = _names(found)
    accuracy = mean_over_both(np.concatenate([found.right, found.bayes_right]), found.resampling)
    shares = mean_over_both(np.concatenate([found.majority_probability, found.bayes_majority]), found.resampling)
    figure = imbalance_figure(
        found.names,
        [
            ("Accuracy", "half of the questions have either label", *accuracy),
            (f"Mean P({plain(found.majority, 16)})".replace("\\", ""), "0.5 is even", *shares),
        ],
        names,
        bayes,
        at,
        HEIGHT,
    )
    falls = accuracy[0][0, 0] - accuracy[0][0, -1]
    chart(
        figure,
        PRE + "lines_chart",
        f"Accuracy and probability of the repeated label by ratio; {names[0]} falls by {falls:.2f} from even to all",
        on_click=lambda data: st.session_state.__setitem__(RATIO, int(data[0])),
    )


def _answer(found: Imbalance, study: Study, at: int) -> None:
    """The study's own query at the ratio."""
    st.markdown(f":small[**{plain(study.query, 40)}** at {found.names[at]}]", help=HELP_BARS, width="content")
    if not found.query:
        return
    table = found.query[at]
    names, bayes = _names(found)
    truths = [answer for answer in (table.bayes, table.bayes_channel) if answer is not None]
    answers = [answer for answer in table.answers if answer is not None] + truths
    if len(answers) != len(names) + len(truths):
        st.caption("Not every way can score this query.")
        return
    shares = [float(answer.probabilities[found.labels.index(found.majority)]) for answer in answers]
    figure = share_figure(
        [*names, *bayes[: len(truths)]],
        shares,
        [answer.best for answer in answers],
        found.majority,
        (study.gold or "").strip() or None,
        len(truths),
        HEIGHT - 30,
    )
    chart(
        figure,
        PRE + "bars",
        f"P({found.majority}) for the query at {found.names[at]}: {names[0]} gives {shares[0]:.2f}",
    )


def _strip(found: Imbalance, at: int) -> None:
    """The demonstrations of the first draw, in order: which label stands where."""
    chips = "".join(
        f'<span title="{safe(row.input)}" style="display:inline-block;margin:1px 3px 1px 0;padding:0 .5em;'
        f"border-radius:4px;font-size:.78rem;border:1px solid {MODEL if row.label == found.majority else OTHERS};"
        f'background:{"rgba(109,91,208,.28)" if row.label == found.majority else "transparent"}">'
        f"{safe(row.input[:28])} → {safe(row.label[:16])}</span>"
        for row in found.demonstrations[0][at]
    )
    st.html(f"<div>{chips}</div>")


def _say(found: Imbalance, rows: int) -> None:
    draws = len(found.demonstrations)
    said = (
        f"{len(found.questions)} questions × {draws} draw{'s' if draws != 1 else ''} at every ratio, from {rows} rows."
    )
    if found.repeated > 1:
        said += f" Rows run out: one is shown up to {found.repeated} times in a prompt."
    st.caption(said, help=HELP)
