"""Instructions ranked by how likely they make the right answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.format.instructions import (
    Ranking,
    generated,
    mixture_instructions,
    rank_instructions,
    ranking_records,
)
from core.errors import StudyError
from core.figures.base import wrap
from core.figures.format.format import dots_figure
from core.runtime.numbers import fixed, signed
from core.runtime.progress import Stop
from core.study.study import Study
from pages.ui.components import menu, questions
from pages.ui.components.card import Card, Values, beside, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.format.shared import DECIDES, P, asking
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing
from pages.ui.session import state

if TYPE_CHECKING:
    from core.models import LanguageModel

LIST, SOURCES, COUNT, SHOTS, SEED, PICKED = (
    P + name for name in ("list", "sources", "proposals", "shots_kind", "seed", "instruction")
)
MIXTURE, TYPED, WRITTEN = "the mixture's own", "a list of yours", "written by the model"
ALONE, STUDY = PROMPTS = "Instruction alone", "With the demonstrations"
MOST_DRAWN = 24
AT_FIRST = 8  # instructions that the model writes
HEIGHT, FOOT = 380, 60
HELP = (
    "Each candidate is put first in the prompt and scored by mean log p(right answer | instruction, demonstrations, x) "
    "over the questions, as in APE (Zhou et al. 2023); the one that makes right answers likeliest wins. Bars are 95 % "
    "of the mean. Accuracy is by the study's own scorer. Chosen on these questions, the best looks better than it is: "
    "draw others by the seed to check it."
)
HELP_SOURCES = (
    "The mixture's own: the 60 or so sentences that open the embedded model's training documents. Written by the "
    "model: drawn at temperature 0.9 after up to five demonstrations, for models from disk; the embedded model cannot "
    "write instructions. No instruction, and the study's own, are always among them."
)
HELP_SHOTS = (
    "Instruction alone is zero-shot, where an instruction has to say everything; with the demonstrations it can only "
    "add to what they say."
)


@dataclass(frozen=True)
class InstructionSettings:
    """What the controls say, drawn or not yet.

    Attributes:
        sources: where candidates come from.
        lines: those of the user's own.
        shots: of a prompt, None for the study's own.
        count, seed: of those that the model writes.
    """

    sources: tuple[str, ...]
    lines: tuple[str, ...]
    shots: int | None
    count: int
    seed: int


def _options(known: bool) -> list[str]:
    return [MIXTURE, TYPED] if known else [TYPED, WRITTEN]


def _sources(known: bool) -> tuple[str, ...]:
    options = _options(known)
    return tuple(source for source in st.session_state.get(SOURCES, options[:1]) or () if source in options)


def _settings(known: bool) -> InstructionSettings:
    sources = _sources(known)
    typed = st.session_state.get(LIST) or ""
    lines = tuple(filter(None, (line.strip() for line in typed.splitlines()))) if TYPED in sources else ()
    count, seed = int(st.session_state.get(COUNT, AT_FIRST)), int(st.session_state.get(SEED, 0))
    shots = 0 if menu.held(PROMPTS, SHOTS) == ALONE else None
    return InstructionSettings(sources, lines, shots, *((count, seed) if WRITTEN in sources else (0, 0)))


def _controls(_: Values | None) -> None:
    known = model()
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        _sources_control(known.mixture is not None)
        st.text_area(
            "Instructions of yours, one a line",
            key=LIST,
            height=104,
            placeholder="Is it positive or negative?\nSay how the writer feels.",
            disabled=TYPED not in _sources(known.mixture is not None),
            persist_state="session",
        )
    with right:
        questions.question_controls(P, asking(), known)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            menu.switch("Prompt", PROMPTS, SHOTS)
            st.markdown(" ", help=HELP_SHOTS, width="content")
            if WRITTEN in _sources(known.mixture is not None):
                _writing()


def _sources_control(known: bool) -> None:
    st.session_state[SOURCES] = list(_sources(known))
    st.segmented_control(
        "From", _options(known), key=SOURCES, selection_mode="multi", persist_state="session", help=HELP_SOURCES
    )
    if known:
        st.caption("The embedded model cannot write instructions freely; a model from disk can.")


def _writing() -> None:
    """How many instructions the model writes, and the seed of the draw."""
    st.session_state.setdefault(COUNT, AT_FIRST)
    help = "Drawn; repeats count once."
    st.selectbox("To write", [4, 8, 16, 32], key=COUNT, width=100, help=help, persist_state="session")
    st.number_input("Seed", 0, 2**31 - 1, step=1, key=SEED, width=110, help="Of the drawing.", persist_state="session")


def _ranking() -> Ranking:
    """The candidates, likeliest first.

    Raises:
        Waiting: they are being scored, or there is nothing to rank.
    """
    study, known = asking(), model()
    asked, chosen = questions.asked(P, study, known), _settings(known.mixture is not None)
    if asked is None:
        raise Nothing("No question, so nothing to rank.")
    own = study.instruction.strip()
    if not chosen.lines and not own and not {MIXTURE, WRITTEN} & set(chosen.sources):
        raise Nothing("Nothing to rank yet: choose where candidates come from, or type some.")

    def work(study: Study, stop: Stop) -> Ranking:
        found = _candidates(study, known, chosen, stop)
        return rank_instructions(study, known, found, asked.of(study, known), shots=chosen.shots, stop=stop)

    from_mixture = len(mixture_instructions(known)) if MIXTURE in chosen.sources else 0
    return analysis.value(
        P + "instructions",
        study,
        known,
        {"candidates": asdict(chosen), **asked.value},
        work,
        "instructions",
        reads=DECIDES,
        ask=f"{len(chosen.lines) + chosen.count + from_mixture + 1} instructions on {asked.count} questions each.",
    )


def _candidates(study: Study, known: LanguageModel, chosen: InstructionSettings, stop: Stop) -> list[tuple[str, str]]:
    """(instruction, where it comes from) of every candidate."""
    found = [("", "no instruction")]
    if study.instruction.strip():
        found.append((study.instruction.strip(), "the study's own"))
    found += [(text, TYPED) for text in chosen.lines]
    if MIXTURE in chosen.sources:
        found += [(text, MIXTURE) for text in mixture_instructions(known)]
    if WRITTEN in chosen.sources:
        found += [(text, WRITTEN) for text in generated(study, known, chosen.count, seed=chosen.seed, stop=stop)]
    if len(found) < 2:
        raise StudyError("There is nothing to rank yet: choose where candidates come from, or type some.")
    return found


def _reads() -> Values:
    return _ranking(), outcome().study.instruction.strip()


def _save(found: Ranking, *_: Any) -> None:
    st.space("stretch")
    save_csv("CSV", P + "instructions", lambda: ranking_records(found))


def _names(found: Ranking) -> list[str]:
    return [text or "(no instruction)" for text in found.instructions]


def _dots(found: Ranking, own: str) -> None:
    """The likeliest, and no instruction and the study's own wherever they come."""
    rows = [i for i, text in enumerate(found.instructions) if i < MOST_DRAWN or text in ("", own)]
    low, high = found.mean_interval[rows].T
    names = _names(found)
    hover = [
        f"<b>{wrap(names[i])}</b><br>{found.sources[i]}<br>mean log p {fixed(found.mean[i])} nats"
        f"{_ends(found, i)}<br>accuracy {found.accuracy[i]:.1%}"
        for i in rows
    ]
    low, high = (np.where(np.isnan(ends), found.mean[rows], ends) for ends in (low, high))
    air = 0.04 * float(high.max() - low.min() or 1.0)
    figure = dots_figure(
        [names[i] for i in rows],
        found.mean[rows],
        low,
        high,
        ["plain"] * len(rows),
        hover,
        "nats per question",
        (float(low.min()) - air, float(high.max()) + air),
        next((r for r, i in enumerate(rows) if found.instructions[i] == own), None),
    )
    chart(
        figure,
        P + "instruction_dots",
        f"Mean log-likelihood of the right answer under {len(rows)} instructions; best: {names[0]}",
        on_click=lambda data: _pick(found.instructions[rows[int(data[0])]]),
    )


def _ends(found: Ranking, i: int) -> str:
    """Of the mean's interval, "" where there is none."""
    low, high = found.mean_interval[i]
    return "" if np.isnan(low) else f"<br>95 %: {fixed(low)} to {fixed(high)}"


def _pick(text: str) -> None:
    st.session_state[PICKED] = text


def _table(found: Ranking) -> None:
    rows: list[dict[str, Any]] = ranking_records(found)
    key = P + "instruction_table"

    def clicked() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        if chosen:
            _pick(found.instructions[chosen[0]])

    st.dataframe(
        pd.DataFrame(
            {
                "Instruction": _names(found),
                "log p": [row["mean_log_likelihood"] for row in rows],
                "Gain, 95 %": [_gain(row) for row in rows],
                "Accuracy": [row["accuracy"] for row in rows],
                "95 %": [f"{row['accuracy_low']:.2f} to {row['accuracy_high']:.2f}" for row in rows],
                "From": found.sources,
            }
        ),
        key=key,
        hide_index=True,
        height=320,
        row_height=29,
        on_select=clicked,
        selection_mode="single-row",
        alt="Instructions with likelihood, accuracy and intervals",
        column_config={
            "Instruction": st.column_config.TextColumn(width=150),
            "log p": st.column_config.NumberColumn(
                format="%.2f", width=50, help="Mean over the questions, nats; 0 is certainty."
            ),
            "Gain, 95 %": st.column_config.TextColumn(
                width=104, help="Of the mean difference from no instruction, question by question."
            ),
            "Accuracy": st.column_config.NumberColumn(format="%.2f", width=62),
            "95 %": st.column_config.TextColumn(width=92, help="Wilson's interval of the accuracy."),
        },
    )


def _gain(row: dict[str, Any]) -> str:
    if not row["instruction"] or np.isnan(row["gain_low"]):
        return ""
    return f"{signed(row['gain_low'], 2)} to {signed(row['gain_high'], 2)}"


def _table_reads() -> Values:
    found, own = _reads()
    text = st.session_state.get(PICKED)
    chosen = text if text in found.instructions else found.instructions[0]
    return found, chosen, chosen == own


def _table_view(found: Ranking, chosen: str, is_own: bool) -> None:
    _table(found)
    _take(found, chosen, is_own)


def _take(found: Ranking, text: str, is_own: bool) -> None:
    """The instruction that was clicked, and where it can go."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"Chosen: {plain(text, 90) or ':gray[no instruction]'}", width="content")
        st.button(
            "Use in the study",
            type="primary",
            key=P + "use_instruction",
            disabled=is_own,
            on_click=state.edit,
            kwargs={"instruction": text},
            help="One step of undo. Click another row to choose it.",
        )
    st.caption(
        f"{len(found.questions)} questions, "
        + (f"up to {found.shots} demonstrations in each prompt." if found.shots else "no demonstration in the prompts.")
    )


CANDIDATES = Card(
    P + "card_sources",
    "Candidates",
    HELP_SOURCES,
    lambda: (bool(_ranking()),),
    lambda _: st.container(height=FOOT, border=False),
    controls=_controls,
    height=FOOT,
)
DOTS = Card(P + "card_instruction_dots", "Mean log p(right answer)", HELP, _reads, _dots, height=HEIGHT)
TABLE = Card(
    P + "card_ranking", "Instructions, likeliest first", HELP, _table_reads, _table_view, beside=_save, height=HEIGHT
)
CARDS = (CANDIDATES, beside(DOTS, TABLE, widths=(0.4, 0.6)))
