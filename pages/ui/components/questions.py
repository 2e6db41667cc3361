"""Which questions a page asks: where from, how many, and the seed that draws them. The same controls on every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.evaluation.questions import HELD_OUT, POOL, EvaluationQuestion, questions_of, sources_of
from core.study.study import Study
from pages.ui.components.text import plain

if TYPE_CHECKING:
    from core.models import LanguageModel

COUNTS = (10, 20, 50, 100, 200, 500)
HELP_SOURCE = (
    "Where questions with a known answer come from: those held out for it, such as the test part of a data set, rows "
    "of the pool, each left out of its own prompt, or fresh draws "
    "of a task of the embedded mixture, with the label words of the demonstrations. Tasks stand in the order in which "
    "exact Bayes believes in them."
)
HELP_COUNT = "More questions make intervals narrower: at 50 an accuracy of .8 is known to about ± .11, at 200 to ± .06."


@dataclass(frozen=True)
class QuestionSettings:
    """What the controls say.

    Attributes:
        source, count, seed: as `core.evaluation.questions.questions_of` takes them.
    """

    source: str
    count: int
    seed: int

    def of(self, study: Study, model: LanguageModel) -> tuple[EvaluationQuestion, ...]:
        """The questions; StudyError says why there are none."""
        return questions_of(study, model, self.source, self.count, self.seed)

    @property
    def value(self) -> dict[str, Any]:
        """What decides them, for a cache."""
        return {"source": self.source, "count": self.count, "seed": self.seed}


def asked(
    prefix: str, study: Study, model: LanguageModel, *, count: int = 50, fresh: bool = False
) -> QuestionSettings | None:
    """What the controls say, drawn or not yet; None where no question can be had.

    Args:
        prefix: of the page, "scoring_"; keys derive from it.
        count: asked at first, one of `COUNTS`.
        fresh: whether they come at first from fresh draws of a task, where there is one, and not from the pool.
    """
    known = sources(prefix, study, model)
    if not known:
        return None
    source, chosen, seed = (st.session_state.get(f"{prefix}questions_{name}") for name in ("source", "count", "seed"))
    return QuestionSettings(source if source in known else _first(known, fresh), int(chosen or count), int(seed or 0))


def question_controls(
    prefix: str, study: Study, model: LanguageModel, *, count: int = 50, fresh: bool = False
) -> QuestionSettings | None:
    """Three controls in one row; None, with one sentence in their place, where no question can be had.

    Args:
        prefix, count, fresh: as `asked` has them.
    """
    known = sources(prefix, study, model)
    if not known:
        st.info(
            "There is nothing to ask: add labelled examples to the pool that are not among the demonstrations.",
            icon=":material/quiz:",
        )
        return None
    key = prefix + "questions"
    if st.session_state.get(key + "_source") not in known:  # another study has other tasks
        st.session_state[key + "_source"] = _first(known, fresh)
    left, middle, right = st.columns([2.2, 1, 1], gap="small")
    kept: dict[str, Any] = {"persist_state": "session"}
    with left:
        st.selectbox("Questions from", known, format_func=_title, key=key + "_source", help=HELP_SOURCE, **kept)
    with middle:
        first = COUNTS.index(count)
        st.selectbox("How many", COUNTS, index=first, key=key + "_count", help=HELP_COUNT, **kept)
    with right:
        st.number_input("Seed of the draw", 0, 2**31 - 1, step=1, key=key + "_seed", help="Draws them.", **kept)
    return asked(prefix, study, model, count=count, fresh=fresh)


def sources(prefix: str, study: Study, model: LanguageModel) -> tuple[str, ...]:
    """`sources_of`, asked by several cards a run and worked out once: exact Bayes puts the tasks in order, and reads
    neither query nor right answer."""
    kept, asked_of = f"{prefix}questions_sources", study.model_copy(update={"query": "", "gold": None})
    before, fingerprint, found = st.session_state.get(kept, (None, "", ()))
    if before != asked_of or fingerprint != model.fingerprint:
        found = sources_of(study, model)
        st.session_state[kept] = (asked_of, model.fingerprint, found)
    return found


def _first(sources: tuple[str, ...], fresh: bool) -> str:
    return next((source for source in sources if source != POOL or not fresh), sources[0])


def _title(source: str) -> str:
    if source == HELD_OUT:
        return "the questions held out"
    return "the pool" if source == POOL else f"the task “{plain(source, 40)}”".replace("\\", "")
