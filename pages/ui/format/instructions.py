"""Instructions ranked by how likely they make the right answers."""

from __future__ import annotations

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
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.components.questions import QuestionSettings, question_controls
from pages.ui.components.text import plain
from pages.ui.format.shared import P, choose, save, title
from pages.ui.jobs import analysis
from pages.ui.session import state

if TYPE_CHECKING:
    from core.models import LanguageModel

LIST, SOURCES, COUNT, SHOTS, SEED, PICKED = (
    P + name for name in ("list", "sources", "proposals", "shots_kind", "seed", "instruction")
)
MIXTURE, TYPED, WRITTEN = "the mixture's own", "a list of yours", "written by the model"
ALONE, STUDY = "Instruction alone", "With the demonstrations"
MOST_DRAWN = 24
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


def instructions_view(outcome: Outcome, model: LanguageModel) -> None:
    """Where candidates come from, the questions, and the ranking."""
    study = outcome.study
    with st.container(border=True):
        title("Candidates", HELP_SOURCES)
        left, right = st.columns([0.4, 0.6], gap="medium")
        with left:
            sources = _sources(model)
            typed = st.text_area(
                "Instructions of yours, one a line",
                key=LIST,
                height=104,
                placeholder="Is it positive or negative?\nSay how the writer feels.",
                disabled=TYPED not in sources,
                persist_state="session",
            )
        with right:
            asked = question_controls(P, study, model)
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                shots = choose("Prompt", [ALONE, STUDY], SHOTS, ALONE)
                st.markdown(" ", help=HELP_SHOTS, width="content")
                count, seed = _writing(WRITTEN in sources)
        if asked is None:
            return
        found = _result(study, model, sources, typed, asked, 0 if shots == ALONE else None, count, seed)
    if found is not None:
        _ranking(study, found)


def _sources(model: LanguageModel) -> list[str]:
    known = model.mixture is not None
    options = [MIXTURE, TYPED] if known else [TYPED, WRITTEN]
    kept = [source for source in st.session_state.get(SOURCES, options[:1]) if source in options]
    st.session_state[SOURCES] = kept
    chosen = st.segmented_control(
        "From", options, key=SOURCES, selection_mode="multi", persist_state="session", help=HELP_SOURCES
    )
    if known:
        st.caption("The embedded model cannot write instructions freely; a model from disk can.")
    return list(chosen or [])


def _writing(needed: bool) -> tuple[int, int]:
    """How many instructions the model writes, and the seed of the draw."""
    if not needed:
        return 0, 0
    count = st.selectbox(
        "To write",
        [4, 8, 16, 32],
        index=1,
        key=COUNT,
        width=100,
        help="Drawn; repeats count once.",
        persist_state="session",
    )
    seed = st.number_input(
        "Seed", 0, 2**31 - 1, step=1, key=SEED, width=110, help="Of the drawing.", persist_state="session"
    )
    return int(count), int(seed)


def _result(
    study: Study,
    model: LanguageModel,
    sources: list[str],
    typed: str,
    asked: QuestionSettings,
    shots: int | None,
    count: int,
    seed: int,
) -> Ranking | None:
    lines = tuple(filter(None, (line.strip() for line in typed.splitlines()))) if TYPED in sources else ()

    def work(stop: Stop) -> Ranking:
        found = [("", "no instruction")]
        if study.instruction.strip():
            found.append((study.instruction.strip(), "the study's own"))
        found += [(text, TYPED) for text in lines]
        if MIXTURE in sources:
            found += [(text, MIXTURE) for text in mixture_instructions(model)]
        if WRITTEN in sources:
            found += [(text, WRITTEN) for text in generated(study, model, count, seed=seed, stop=stop)]
        if len(found) < 2:
            raise StudyError("There is nothing to rank yet: choose where candidates come from, or type some.")
        return rank_instructions(study, model, found, asked.of(study, model), shots=shots, stop=stop)

    if not lines and not study.instruction.strip() and not {MIXTURE, WRITTEN} & set(sources):
        st.caption("Nothing to rank yet: choose where candidates come from, or type some.")
        return None
    number = len(lines) + count + (len(mixture_instructions(model)) if MIXTURE in sources else 0) + 1
    return analysis.result(
        P + "instructions",
        study.model_copy(update={"query": "", "gold": None}),
        model,
        {"lines": lines, "sources": sources, "shots": shots, "count": count, "seed": seed, **asked.value},
        work,
        "instructions",
        ask=f"{number} instructions on {asked.count} questions each.",
    )


def _ranking(study: Study, found: Ranking) -> None:
    left, right = st.columns([0.4, 0.6], gap="small")
    with left.container(border=True, height="stretch"):
        title("Mean log p(right answer)", HELP)
        _dots(study, found)
    with right.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title("Instructions, likeliest first", HELP)
            st.space("stretch")
            save("CSV", "instructions", lambda: ranking_records(found))
        _table(found)
        _take(study, found)


def _names(found: Ranking) -> list[str]:
    return [text or "(no instruction)" for text in found.instructions]


def _dots(study: Study, found: Ranking) -> None:
    """The likeliest, and no instruction and the study's own wherever they come."""
    own = study.instruction.strip()
    kept = {*range(MOST_DRAWN), *(i for i, text in enumerate(found.instructions) if text in ("", own))}
    rows = [i for i in range(len(found.instructions)) if i in kept]
    low, high = found.mean_interval[rows].T
    names = _names(found)
    hover = [
        f"<b>{wrap(names[i])}</b><br>{found.sources[i]}<br>mean log p {found.mean[i]:.3f} nats<br>95 %: "
        f"{found.mean_interval[i, 0]:.3f} to {found.mean_interval[i, 1]:.3f}<br>accuracy {found.accuracy[i]:.1%}"
        for i in rows
    ]
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
    return f"{row['gain_low']:+.2f} to {row['gain_high']:+.2f}"


def _take(study: Study, found: Ranking) -> None:
    text = st.session_state.get(PICKED)
    if text not in found.instructions:
        text = found.instructions[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"Chosen: {plain(text, 90) or ':gray[no instruction]'}", width="content")
        st.button(
            "Use in the study",
            type="primary",
            key=P + "use_instruction",
            disabled=text == study.instruction.strip(),
            on_click=state.edit,
            kwargs={"instruction": text},
            help="One step of undo. Click another row to choose it.",
        )
    st.caption(
        f"{len(found.questions)} questions, "
        + (f"up to {found.shots} demonstrations in each prompt." if found.shots else "no demonstration in the prompts.")
    )
