"""The present question: what the model wrote stage by stage, and the answer that it came to."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures import answer_figure
from core.reasoning import reasonings, reasons
from core.study.outcome import Answer, Outcome
from core.study.reasoned import Stage
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.components.written import written_line
from pages.ui.reasoning.html import stage_prompt_html, written_html
from pages.ui.reasoning.settings import P, no_steps, save, title
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


def question_view(outcome: Outcome) -> None:
    """Answer and stages."""
    if reasons(outcome.study) or outcome.reasoning is None:
        no_steps(outcome)
    with st.container(border=True):
        _answer(outcome)
    with st.container(border=True):
        _stages(outcome)


def _answer(outcome: Outcome) -> None:
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        after = "after the rationale" if _reasons(outcome) else "without reasoning"
        title("Answer", HELP_ANSWER)
        st.markdown(f":violet[**{_said(outcome.answer)}**] :small[{after}]")
        if outcome.written is not None:
            written_line(outcome.written)
        if outcome.bayes is not None:
            st.markdown(f":small[:gray[exact Bayes: **{_said(outcome.bayes)}**]]")
        gold = outcome.study.gold
        st.markdown(f":small[right answer: **{plain(gold, 30)}**]" if gold else ":small[:gray[right answer unknown]]")
        for note in outcome.notes[:4]:
            st.caption(plain(note, 240))
    with right:
        model, bayes = outcome.answer, outcome.bayes
        by_bayes = None
        if bayes is not None:
            known = dict(zip(bayes.labels, bayes.probabilities, strict=True))
            by_bayes = np.array([known.get(label, 0.0) for label in model.labels])
        figure = answer_figure(model.labels, model.probabilities, by_bayes, outcome.study.gold, height=BARS)
        chart(figure, P + "answer", f"Probability of each candidate; the model answers {model.best}", modebar=False)


def _reasons(outcome: Outcome) -> bool:
    return outcome.reasoning is not None and outcome.reasoning.method != reasonings.plain


def _said(answer: Answer) -> str:
    return f"{plain(answer.best, 24)} {answer.probabilities[int(np.argmax(answer.scores))]:.2f}"


def _stages(outcome: Outcome) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Stages", HELP_STAGES)
        st.space("stretch")
        if outcome.reasoning is not None:
            save("CSV", "stages", lambda: stage_records(outcome))
    if outcome.reasoning is None:
        st.caption(
            "Nothing is written: choose a method above, or turn on “Own words” to let the model write its answer. "
            + " ".join(f"**{entry.title}**: {entry.help}." for entry in reasonings if entry.name != reasonings.plain)
        )
        return
    numbers, marked = session.numbers(outcome), session.marked_in(outcome)
    for place, stage in enumerate(outcome.reasoning.stages, start=1):
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
    total = f"{float(np.sum(stage.logprobs)):.2f}".replace("-", "−")
    size = f"{len(stage.tokens)} token{'s' if len(stage.tokens) != 1 else ''}, log p = {total} nats"
    if not stage.finished:
        return f"{size}; cut off"
    if not stage.ended.strip():
        return f"{size}; ended by itself"
    return f"{size}; ended at “{plain(stage.ended, 40)}”"


def stage_records(outcome: Outcome) -> list[dict[str, object]]:
    """A row a token, for a file."""
    assert outcome.reasoning is not None
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
        for place, stage in enumerate(outcome.reasoning.stages, start=1)
        for i, (token, value) in enumerate(zip(stage.tokens, stage.logprobs, strict=True))
    ]
