"""Label imbalance: one label's demonstrations take over, and the curves of every scorer move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.analysis.scoring.agreement import BAYES
from core.analysis.scoring.label_imbalance import (
    Imbalance,
    counts_of,
    imbalance,
    imbalance_records,
    labels_that_repeat,
    shared_out,
)
from core.evaluation.questions import questions_of
from core.figures.colours import MODEL, OTHERS
from core.figures.scoring.label_imbalance import imbalance_figure, share_figure
from core.ordering import orderings
from core.runtime.progress import Stop
from core.selection import selections
from core.statistics.bootstrap import DRAWS as LEAST_DRAWS
from core.statistics.bootstrap import mean_over_both
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.components import menu, questions
from pages.ui.components.card import Card, Values, beside, save_csv, title
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings
from pages.ui.components.text import plain, safe
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import cut
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Done, Nothing, Waiting
from pages.ui.scoring.shared import P, by_key, cost, fields_read
from pages.ui.session import session, state
from pages.ui.session.examples import examples
from pages.ui.session.opening import open_button

if TYPE_CHECKING:
    from core.models import LanguageModel

PRE = P + "imbalance_"
ROWS, MAJORITY, SIZE, DRAWS, SEED, LINES, RATIO = (
    PRE + name for name in ("rows", "majority", "size", "draws", "seed", "lines", "ratio")
)
FIRST_LINES = ("direct/sum/none", "direct/sum/contextual", "channel/even/none", "pmi/none")
AT_FIRST = {SIZE: 8, DRAWS: 3, SEED: 0}
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
HELP_SIZE = "n: shown at every ratio, the repeated label and the others together."
HELP_BARS = (
    "The study's own query after the first draw at the ratio marked: P(repeated label), and the label that wins. ★ is "
    "the right answer."
)


Tables = dict[str, tuple[Demonstration, ...]]


@dataclass(frozen=True)
class ImbalanceSettings:
    """What the controls say.

    Attributes:
        table: that rows are taken from.
        rows: to show.
        majority: the label that takes over.
        size, draws, seed: as `core.analysis.scoring.label_imbalance.imbalance` takes them.
        lines: keys of the combinations.
    """

    table: str
    rows: tuple[Demonstration, ...]
    majority: str
    size: int
    draws: int
    seed: int
    lines: tuple[str, ...]


class NeverRecurs(Waiting):
    """No label occurs twice: an answer that never recurs cannot be in the majority. Offers studies where labels do."""

    acts = True

    def __init__(self) -> None:
        super().__init__("")

    def show(self, done: Done) -> None:
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


def drawn_of(count: int) -> int:
    """How many questions are drawn to keep `count` even ones: of an uneven task few have the rarer answer."""
    return min(20 * count, max(1_000, 2 * count))


def _repeating() -> Tables:
    """What can be repeated, the table that the study reads first."""
    study = outcome().study
    rows = {
        "Pool": tuple(row for row in study.pool if usable(row)),
        "Demonstrations": tuple(row for row in study.demonstrations if usable(row)),
    }
    names = sorted(rows, key=lambda name: name != session.table_read(study))
    return {name: rows[name] for name in names if labels_that_repeat(rows[name])}


def _tables() -> Tables:
    """What can be repeated.

    Raises:
        Waiting: nothing, or there is no outcome.
    """
    tables = _repeating()
    if not tables:
        raise Nothing("No label occurs twice beside another one.")
    return tables


def _load(study: Study) -> None:
    state.replace(study.model_copy(update={"model": state.study().model}))
    session.mark(None)


def _settings(tables: Tables) -> ImbalanceSettings:
    """What the controls say, drawn or not yet."""
    table = menu.held(list(tables), ROWS)
    rows = tables[table]
    majority = menu.held(list(labels_that_repeat(rows)), MAJORITY)
    size, draws, seed = (int(st.session_state.get(key, AT_FIRST[key])) for key in (SIZE, DRAWS, SEED))
    lines = tuple(key for key in st.session_state.get(LINES, FIRST_LINES) if key in by_key())
    return ImbalanceSettings(table, rows, majority, size, draws, seed, lines)


def _fresh(study: Study) -> bool:
    """Whether to start from fresh draws of a task: where the pool is small, what is asked cannot be shown."""
    rows = tuple(row for row in study.pool if usable(row))
    return not labels_that_repeat(rows) or len(rows) < SMALL_POOL


def _asking() -> Study:
    """What the questions are asked of: the study without a query of its own."""
    return cut(outcome().study, fields_read() - {"query"})


def _controls_reads() -> Values:
    return _tables(), _asking(), model()


def _controls(tables: Tables, study: Study, known: LanguageModel) -> None:
    columns = [
        *st.columns(2, gap="small", vertical_alignment="bottom"),
        *st.columns([1.2, 0.9, 1.1], gap="small", vertical_alignment="bottom"),
    ]
    with columns[0]:
        _choice("Rows to show from", list(tables), ROWS, "The table whose rows are repeated or dropped.")
    with columns[1]:
        labels = list(labels_that_repeat(_settings(tables).rows))
        _choice("Label repeated", labels, MAJORITY, "Its demonstrations take over.")
    for column, label, key, least, most, help in (
        (columns[2], "Demonstrations", SIZE, 2, 64, HELP_SIZE),
        (columns[3], "Draws", DRAWS, 1, 20, "Sets of rows and places, averaged over."),
        (columns[4], "Seed", SEED, 0, 2**31 - 1, "Of the draws."),
    ):
        with column:
            st.session_state.setdefault(key, AT_FIRST[key])
            st.number_input(label, least, most, key=key, help=help, persist_state="session")
    st.session_state[LINES] = list(_settings(tables).lines)
    st.multiselect(
        "Ways to score",
        list(by_key()),
        format_func=lambda key: by_key()[key].title,
        key=LINES,
        max_selections=MOST_LINES,
        placeholder="Choose up to seven",
        persist_state="session",
    )
    questions.question_controls(PRE, study, known, fresh=_fresh(study))


def _choice(label: str, options: list[str], key: str, help: str) -> None:
    st.session_state[key] = menu.held(options, key)
    st.selectbox(
        label,
        options,
        format_func=lambda text: plain(text, 40).replace("\\", ""),
        key=key,
        help=help,
        persist_state="session",
    )


def _curves_of() -> Imbalance:
    """The curves.

    Raises:
        Waiting: they are being computed, or there is nothing to compute them from.
    """
    settings, study, known = _settings(_tables()), _asking(), model()
    asked = questions.asked(PRE, study, known, fresh=_fresh(study))
    if asked is None:
        raise Nothing("No question to ask.")
    if not settings.lines:
        raise Nothing("Choose at least one way to score.")
    return _compute(outcome().study, known, settings, asked)


def _compute(study: Study, known: LanguageModel, settings: ImbalanceSettings, asked: QuestionSettings) -> Imbalance:
    ways = [by_key()[key] for key in settings.lines]

    def work(study: Study, stop: Stop) -> Imbalance:
        drawn = questions_of(study, known, asked.source, drawn_of(asked.count), asked.seed)
        rows, even = shared_out(settings.rows, drawn, settings.majority, asked.count)
        return imbalance(
            study,
            known,
            rows,
            even,
            ways,
            majority=settings.majority,
            n=settings.size,
            draws=settings.draws,
            seed=settings.seed,
            stop=stop,
        )

    labels = len(labels_that_repeat(settings.rows))
    texts = asked.count * settings.draws * len(counts_of(settings.size, labels)) * len(ways) * labels
    decides = {
        **asked.value,
        "rows": settings.table,
        "majority": settings.majority,
        "size": settings.size,
        "draws": settings.draws,
        "rows_seed": settings.seed,
        "lines": list(settings.lines),
    }
    ask = cost(texts, known)
    return analysis.value(PRE + "curves", study, known, decides, work, "curves", reads=fields_read(), ask=ask)


def _at(curves: Imbalance) -> int:
    """The ratio marked: 7:1 of eight at first."""
    at = st.session_state.get(RATIO)
    return at if at in range(len(curves.counts)) else max(0, len(curves.counts) - 2)


def _moving_reads() -> Values:
    curves = _curves_of()
    return curves, _at(curves)


def _curves_reads() -> Values:
    if not _repeating():
        raise NeverRecurs
    return _moving_reads()


def _ratio(curves: Imbalance, at: int) -> None:
    """The ratio marked, and the ways out from it."""
    st.session_state[RATIO] = at
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        title(f"{plain(curves.majority, 20)} : {_others(curves)}", HELP)
        st.select_slider(
            "Ratio",
            list(range(len(curves.counts))),
            format_func=curves.names.__getitem__,
            key=RATIO,
            label_visibility="collapsed",
            width=300,
            persist_state="session",
        )
        st.space("stretch")
        save_csv("CSV", P + "imbalance", lambda: imbalance_records(curves))
        open_button(
            "Open in the Playground",
            PRE + "open",
            lambda: _as_study(curves, state.study(), at),
            "The first draw at this ratio as the demonstrations, picked by hand, in this order.",
        )


def _others(curves: Imbalance) -> str:
    others = [label for label in curves.labels if label != curves.majority]
    return plain(others[0], 20) if len(others) == 1 else "others"


def _as_study(curves: Imbalance, study: Study, at: int) -> Study:
    """The first draw at a ratio, picked by hand and in its order."""
    return study.model_copy(
        update={
            "demonstrations": curves.demonstrations[0][at],
            "selection": selections.plain,
            "ordering": orderings.plain,
            "shots": None,
            "labels": curves.labels,
        }
    )


def _names(curves: Imbalance) -> tuple[list[str], list[str]]:
    return [way.title for way in curves.combinations], list(BAYES[: len(curves.bayes_right)])


def _curves(curves: Imbalance, at: int) -> None:
    names, bayes = _names(curves)
    accuracy = mean_over_both(np.concatenate([curves.right, curves.bayes_right]), curves.resampling)
    shares = mean_over_both(np.concatenate([curves.majority_probability, curves.bayes_majority]), curves.resampling)
    figure = imbalance_figure(
        curves.names,
        [
            ("Accuracy", "half of the questions have either label", *accuracy),
            (f"Mean P({plain(curves.majority, 16)})".replace("\\", ""), "0.5 is even", *shares),
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


def _answer(curves: Imbalance, at: int, query: str, gold: str | None) -> None:
    """The study's own query at the ratio."""
    st.markdown(f":small[**{plain(query, 40)}** at {curves.names[at]}]", help=HELP_BARS, width="content")
    if not curves.query:
        return
    table = curves.query[at]
    names, bayes = _names(curves)
    truths = [answer for answer in (table.bayes, table.bayes_channel) if answer is not None]
    answers = [answer for answer in table.answers if answer is not None] + truths
    if len(answers) != len(names) + len(truths):
        st.caption("Not every way can score this query.")
        return
    shares = [float(answer.probabilities[curves.labels.index(curves.majority)]) for answer in answers]
    figure = share_figure(
        [*names, *bayes[: len(truths)]],
        shares,
        [answer.best for answer in answers],
        curves.majority,
        (gold or "").strip() or None,
        len(truths),
        HEIGHT - 30,
    )
    chart(
        figure,
        PRE + "bars",
        f"P({curves.majority}) for the query at {curves.names[at]}: {names[0]} gives {shares[0]:.2f}",
    )


def _strip(curves: Imbalance, at: int, rows: int) -> None:
    """The demonstrations of the first draw, in order: which label stands where."""
    chips = "".join(
        f'<span title="{safe(row.input)}" style="display:inline-block;margin:1px 3px 1px 0;padding:0 .5em;'
        f"border-radius:4px;font-size:.78rem;border:1px solid {MODEL if row.label == curves.majority else OTHERS};"
        f'background:{"rgba(109,91,208,.28)" if row.label == curves.majority else "transparent"}">'
        f"{safe(row.input[:28])} → {safe(row.label[:16])}</span>"
        for row in curves.demonstrations[0][at]
    )
    st.html(f"<div>{chips}</div>")
    _say(curves, rows)


def _say(curves: Imbalance, rows: int) -> None:
    """What stands behind the curves."""
    draws = len(curves.demonstrations)
    said = (
        f"{len(curves.questions)} questions × {draws} draw{'s' if draws != 1 else ''} at every ratio, from {rows} rows."
    )
    if draws < LEAST_DRAWS:
        said += f" Intervals over draws and questions take {LEAST_DRAWS} draws."
    if curves.repeated > 1:
        said += f" Rows run out: one is shown up to {curves.repeated} times in a prompt."
    st.caption(said, help=HELP)


def _answer_reads() -> Values:
    study = outcome().study
    return (*_moving_reads(), study.query, study.gold)


def _strip_reads() -> Values:
    return (*_moving_reads(), len(_settings(_tables()).rows))


SETTINGS = Card(PRE + "card_settings", "Label imbalance", HELP, _controls_reads, _controls, height=330, stretched=False)
RATIOS = Card(PRE + "card_ratio", "", "", _moving_reads, _ratio, height=40, stretched=False)
CURVES = Card(PRE + "card_curves", "", "", _curves_reads, _curves, height=HEIGHT)
ANSWER = Card(PRE + "card_answer", "", "", _answer_reads, _answer, height=HEIGHT)
STRIP = Card(PRE + "card_strip", "", "", _strip_reads, _strip, height=64, stretched=False)
CARDS = (RATIOS, beside(CURVES, ANSWER, widths=(0.66, 0.34)), STRIP)
