"""The prior editor: drag or type what you hold of each task beforehand, and exact Bayes follows at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.bayes.prior import mixture_prior
from core.figures.colours import OTHERS
from core.study.outcome import Posterior
from core.study.study import TaskPrior
from pages.ui.components.card import empty
from pages.ui.components.drag import Bar, drag_bars
from pages.ui.jobs import engine
from pages.ui.session import session, state
from pages.ui.workbench import tables

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "posterior_prior_"
LARGEST = 1e9
MOST = 8  # tasks changed by hand that have a bar even where no view has a colour for them

HELP = (
    "Drag a bar to what you hold of a task beforehand: its length is π', from .0001 to 1 on a logarithmic scale, the "
    "dotted line the mixture's own π, × how many times likelier you make it; the far left rules it out, a double click "
    "brings π back. By keyboard: arrows by a quarter, Page Up and Down tenfold, Home and Delete. The table holds the "
    "weights themselves, which need not sum to one. Then P'(T|D_n) ∝ P(T|D_n) · π'_T/π_T at every n, and evidence, "
    "predictive and the Bayes answer follow. The model is not run again: its own posterior does not read this prior."
)


def editor(posteriors: dict[str, Posterior], prior: tuple[TaskPrior, ...], own: dict[str, float], height: int) -> None:
    """Bars of the tasks in colour, a table of all of them, and three starting points.

    Args:
        posteriors: by kind, under this prior.
        prior: the weights that the user has changed.
        own: the mixture's P(T) by task; empty where no mixture is known.
        height: pixels.
    """
    if not own:
        empty(
            "This model's mixture is not known. The priors of your hypotheses stand in their table, on the left.",
            height,
        )
        return
    if "exact" not in posteriors:
        empty("The exact posterior, which reads the prior, is switched off.", height)
        return
    now = {entry.task: entry.weight for entry in prior}
    tasks = _with_bars(posteriors, own, now)
    _starts(tasks, own, bool(prior))
    left, right = st.columns([0.55, 0.45], gap="small")
    with left.container(height=height - 52, border=False, gap="xsmall"):
        _bars(tasks, posteriors, own, now)
    with right:
        _table(tasks, own, now, prior, height - 52)


def prior_by_task(model: LanguageModel) -> dict[str, float]:
    """The mixture's P(T) by task; nothing where the model's mixture is not known."""
    mixture = model.mixture
    if mixture is None:
        return {}
    return dict(zip(mixture.families, mixture_prior(mixture).tolist(), strict=True))


def _with_bars(posteriors: dict[str, Posterior], own: dict[str, float], now: dict[str, float]) -> list[str]:
    """Tasks in colour and those changed by hand, in the mixture's order: a bar stays in its place while dragged."""
    chosen = set(session.task_colours(posteriors))
    if len(now) <= MOST:
        chosen |= set(now)
    return [task for task in own if task in chosen]


def _bars(tasks: list[str], posteriors: dict[str, Posterior], own: dict[str, float], now: dict[str, float]) -> None:
    """π' of every task in sight, to be dragged."""
    colours = session.task_colours(posteriors)
    bars = [Bar(task, now.get(task, own[task]), own[task], colours.get(task, OTHERS)) for task in tasks]
    rest = sum(now.get(task, weight) for task, weight in own.items() if task not in tasks)
    drag_bars(bars, rest, P + "bars", "Prior of each task in colour; drag a bar or use the arrow keys", _move)


def _move(task: str, weight: float) -> None:
    """A bar was dragged; a drag is one step of undo."""
    study = state.study()
    model = engine.loaded(study.model)
    own = {} if model is None else prior_by_task(model)
    if task in own and 0 <= weight < math.inf:
        now = {entry.task: entry.weight for entry in study.prior}
        state.replace(study.model_copy(update={"prior": _with(now, task, weight, own)}), P + task)


def _with(now: dict[str, float], task: str, weight: float, own: dict[str, float]) -> tuple[TaskPrior, ...]:
    """The prior with one weight changed; a weight that is the mixture's own is not kept."""
    changed = {**now, task: min(weight, LARGEST)}
    return tuple(
        TaskPrior(task=name, weight=value)
        for name, value in changed.items()
        if name not in own or not math.isclose(value, own[name], rel_tol=1e-6)
    )


def _starts(tasks: list[str], own: dict[str, float], edited: bool) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.markdown("Prior P(T)", help=HELP, width="content")
        st.button(
            "Mixture's own", key=P + "own", disabled=not edited, on_click=_set, args=({},), help="Forget every change."
        )
        even = dict.fromkeys(own, 1 / len(own))
        st.button("Even", key=P + "even", on_click=_set, args=(even,), help="The same for every task of the mixture.")
        only = {task: (own[task] if task in tasks else 0.0) for task in own if task not in tasks}
        st.button(
            "Only these",
            key=P + "only",
            disabled=not tasks,
            on_click=_set,
            args=(only,),
            help="Rule out every task that has no bar here.",
        )


def _set(weights: dict[str, float]) -> None:
    state.edit(prior=tuple(TaskPrior(task=task, weight=weight) for task, weight in weights.items()))


def _table(
    tasks: list[str], own: dict[str, float], now: dict[str, float], prior: tuple[TaskPrior, ...], height: int
) -> None:
    """All tasks: those with a bar first, then by the mixture's prior."""
    sheet, key = tables.sheet_of(P + "table", prior)
    order_key = f"{key}_order"
    if order_key not in st.session_state:  # rows stay where they are while the user types
        rest = sorted((task for task in own if task not in tasks), key=lambda task: -own[task])
        st.session_state[order_key] = ([*tasks, *rest], {**own, **now})
    order, given = st.session_state[order_key]
    frame = pd.DataFrame(
        {
            "task": pd.Series(order, dtype="str"),
            "own": pd.Series([own[task] for task in order], dtype="Float64"),
            "yours": pd.Series([given[task] for task in order], dtype="Float64"),
        }
    )
    edited = st.data_editor(
        frame,
        key=key,
        hide_index=True,
        height=height,
        row_height=29,
        alt="Prior of every task: the mixture's own, and yours",
        column_config={
            "task": st.column_config.TextColumn("Task T", disabled=True, width=92),
            "own": st.column_config.NumberColumn(
                "π", disabled=True, format="%.4f", width=54, help="The mixture's own."
            ),
            "yours": st.column_config.NumberColumn(
                "π′", min_value=0.0, max_value=LARGEST, format="%.4f", width=56, help="Type a weight; 0 rules it out."
            ),
        },
    )
    weights = now
    for task, weight in zip(order, edited["yours"], strict=True):
        value = given[task] if pd.isna(weight) or not 0 <= float(weight) <= LARGEST else float(weight)
        if value != given[task]:
            weights = {entry.task: entry.weight for entry in _with(weights, task, value, own)}
    typed = tuple(TaskPrior(task=task, weight=weight) for task, weight in weights.items())
    if typed != prior:
        with state.typing(P + "table"):
            state.edit(prior=typed)
    tables.settle(sheet, key, typed)
