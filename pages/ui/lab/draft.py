"""The experiment that is being put together on the Lab page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import StudyError
from core.experiments.design import Design
from core.experiments.experiment import Draws, Experiment, Variation
from core.experiments.fields import offered, title_of
from core.experiments.questions import DRAWN_ROWS, LEAST_ROWS, draw
from core.experiments.standing import standing_questions
from core.runtime.lru import LRU
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.components import questions
from pages.ui.jobs import engine

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "lab_"
QUESTION, FIELDS, NAME = P + "question", P + "fields", P + "name"
SETS, ORDERS, SHARE = P + "sets", P + "orders", P + "share"
BEFORE, POOLED, SHOWN, RAY = P + "before", P + "pooled", P + "shown", P + "ray"
OWN = "own"
COUNT = 100
_PLACEHOLDER = (Demonstration(input="?", label="?"),)
_drawn: LRU[tuple[Any, ...], tuple[Study, tuple[Demonstration, ...]]] = LRU(16)
_designs: LRU[str, Design] = LRU(8)


def names() -> tuple[str, ...]:
    """Standing questions, and a grid of one's own."""
    return (*standing_questions.names(), OWN)


def title(name: str) -> str:
    """What a question is called."""
    return "A grid of my own" if name == OWN else standing_questions.find(name).title


def values_key(field: str) -> str:
    """Of the menu with a field's values."""
    return f"{P}values_{field}"


def standing(study: Study, name: str) -> Experiment:
    """The experiment behind a question, on placeholders in place of questions."""
    if name == OWN:
        return Experiment(study=study, questions=_PLACEHOLDER, draws=Draws())
    return standing_questions.find(name).function(study, _PLACEHOLDER)


def settle(study: Study) -> None:
    """Where another question was chosen, its fields, values and draws stand in the menus."""
    kept = st.session_state
    if kept.get(QUESTION) not in names():
        kept[QUESTION] = names()[0]
    name, rows = kept[QUESTION], (sum(map(usable, study.pool)) >= LEAST_ROWS, bool(study.questions))
    if kept.get(POOLED) != rows:  # rows that have just come are what one means to ask
        kept[POOLED] = rows
        kept.pop(P + "questions_source", None)
    if kept.get(BEFORE) == (name, rows, study.k, study.template.name):
        return
    found = standing(study if rows[0] else study.model_copy(update={"pool": _PLACEHOLDER * DRAWN_ROWS}), name)
    kept[FIELDS] = [one.field for one in found.vary]
    for one in found.vary:
        kept[values_key(one.field)] = list(one.values)
    kept[SETS], kept[ORDERS], kept[SHARE] = found.draws.sets, found.draws.orders, found.draws.share
    kept[BEFORE] = (name, rows, study.k, study.template.name)


def experiment(study: Study, model: LanguageModel) -> Experiment:
    """What the menus say.

    Raises:
        StudyError: in one sentence, why there is none.
    """
    settle(study)
    kept = st.session_state
    asked = questions.asked(P, study, model, count=COUNT)
    if asked is None:
        raise StudyError("There is nothing to ask: import labelled rows into the pool, or use the embedded model.")
    key = (study.model_dump_json(), model.fingerprint, asked.source, asked.count, asked.seed)
    found = _drawn.get(key)
    if found is None:
        found = draw(study, model, asked.source, asked.count, asked.seed)
        _drawn.put(key, found)
    base, rows = found
    base = standing(base, kept[QUESTION]).study
    vary = []
    for field in kept.get(FIELDS) or ():
        values = kept.get(values_key(field))
        if values is None:
            values = list(offered(field, base)[:2])
        if not values:
            raise StudyError(f"Choose at least one value of “{title_of(field)}”, or let it not vary.")
        vary.append(Variation(field=field, values=tuple(values)))
    draws = Draws(
        sets=int(kept.get(SETS) or 1),
        orders=int(kept.get(ORDERS) or 1),
        share=float(kept.get(SHARE) or 0.5),
        seed=asked.seed,
    )
    return Experiment(name=str(kept.get(NAME) or ""), study=base, vary=tuple(vary), questions=rows, draws=draws)


def design(of: Experiment) -> Design:
    """Its design, made once.

    Raises:
        StudyError: it cannot be asked.
    """
    found = _designs.get(of.key)
    if found is None:
        found = Design(of)
        _designs.put(of.key, found)
    return found


def check_models(of: Experiment) -> None:
    """Refuse models that the operator does not allow.

    Raises:
        ICLensError: one of them.
    """
    for choice in of.models:
        if choice != engine.EMBEDDED:
            engine.check_allowed(choice.name)
