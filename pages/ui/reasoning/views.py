"""The present question: what the model wrote stage by stage, and the answer that it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.figures import answer_figure
from core.reasoning import reasonings
from core.runtime.numbers import fixed
from core.study.outcome import Answer
from core.study.reasoned import Stage, Written
from pages.ui.components.card import Card, Values, save_csv, title
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.components.written import written_line
from pages.ui.jobs.run import outcome
from pages.ui.reasoning.html import stage_prompt_html, written_html
from pages.ui.reasoning.settings import NO_STEPS, P
from pages.ui.session import session

TALL = 104  # pixels of a stage's prompt
BARS = 210
HELP_STAGES = (
    "One after another: what stood before (scrolled to its end; the dashed frame holds what the model wrote) and the "
    "tokens it wrote, the likeliest at each step. Violet: the model was sure; orange: less than one half; point at one "
    "for its log-probability. The last tokens may be those that ended the stage."
)
HELP_ANSWER = (
    "Candidates scored after the rationale, p(y | demonstrations with steps, x, rationale), violet; exact Bayes, which "
    "reads inputs and labels alone and knows nothing of steps, grey. ★ is the right answer."
)


def _answer_reads() -> Values:
    found = outcome()
    reasoned = found.reasoning is not None and found.reasoning.method != reasonings.plain
    return found.answer, found.bayes, found.written, found.study.gold, found.notes, reasoned


def _answer(
    model: Answer, bayes: Answer | None, written: Written | None, gold: str | None, notes: Sequence[str], reasoned: bool
) -> None:
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        after = "after the rationale" if reasoned else "without reasoning"
        title("Answer", HELP_ANSWER)
        st.markdown(f":violet[**{_said(model)}**] :small[{after}]")
        if written is not None:
            written_line(written)
        if bayes is not None:
            st.markdown(f":small[:gray[exact Bayes: **{_said(bayes)}**]]")
        st.markdown(f":small[right answer: **{plain(gold, 30)}**]" if gold else ":small[:gray[right answer unknown]]")
        for note in notes[:4]:
            st.caption(plain(note, 240))
    with right:
        by_bayes = None
        if bayes is not None:
            known = dict(zip(bayes.labels, bayes.probabilities, strict=True))
            by_bayes = np.array([known.get(label, 0.0) for label in model.labels])
        figure = answer_figure(model.labels, model.probabilities, by_bayes, gold, height=BARS)
        chart(figure, P + "answer", f"Probability of each candidate; the model answers {model.best}", modebar=False)


def _said(answer: Answer) -> str:
    return f"{plain(answer.best, 24)} {answer.probabilities[int(np.argmax(answer.scores))]:.2f}"


def _stages_reads() -> Values:
    found = outcome()
    stages = None if found.reasoning is None else tuple(found.reasoning.stages)
    return stages, tuple(session.numbers(found)), session.marked_in(found)


def _save_stages(stages: Sequence[Stage] | None, *_: Any) -> None:
    st.space("stretch")
    if stages is not None:
        save_csv("CSV", P + "stages", lambda: stage_records(stages))


def _stages(stages: Sequence[Stage] | None, numbers: Sequence[int], marked: int | None) -> None:
    if stages is None:
        st.caption(
            "Nothing is written: choose a method above, or turn on “Own words” to let the model write its answer. "
            + " ".join(f"**{entry.title}**: {entry.help}." for entry in reasonings if entry.name != reasonings.plain)
        )
        return
    for place, stage in enumerate(stages, start=1):
        st.markdown(
            f"**{place} · {plain(stage.name, 60)}** :small[:gray[{_about(stage)}]]",
        )
        left, right = st.columns([0.56, 0.44], gap="small")
        with left:
            st.html(stage_prompt_html(stage, numbers, marked, TALL))
        with right:
            if stage.tokens:
                st.html(written_html(stage.tokens, stage.logprobs.tolist(), TALL))
            else:
                st.caption("Nothing was written.")


def _about(stage: Stage) -> str:
    total = fixed(float(np.sum(stage.logprobs)), 2)
    size = f"{len(stage.tokens)} token{'s' if len(stage.tokens) != 1 else ''}, log p = {total} nats"
    if not stage.finished:
        return f"{size}; cut off"
    if not stage.ended.strip():
        return f"{size}; ended by itself"
    return f"{size}; ended at “{plain(stage.ended, 40)}”"


def stage_records(stages: Sequence[Stage]) -> list[dict[str, object]]:
    """A row a token, for a file."""
    return [
        {
            "stage": place,
            "name": stage.name,
            "prompt": stage.prompt.text if not i else "",
            "written": stage.written if not i else "",
            "token": token,
            "logprob": float(value),
            "finished": stage.finished,
        }
        for place, stage in enumerate(stages, start=1)
        for i, (token, value) in enumerate(zip(stage.tokens, stage.logprobs, strict=True))
    ]


ANSWER = Card(P + "card_answer", "", "", _answer_reads, _answer, height=BARS)
STAGES = Card(P + "card_stages", "Stages", HELP_STAGES, _stages_reads, _stages, beside=_save_stages, height=TALL)
CARDS = (NO_STEPS, ANSWER, STAGES)
