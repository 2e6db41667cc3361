"""What the posteriors make of the answer, and what other orders and repeats make of the posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.figures.colours import BAYES, MODEL, OTHERS
from core.figures.posterior.mixture import task_mixture_figure
from core.figures.posterior.orders import Strip, orders_figure
from core.figures.posterior.twice import twice_figure
from core.ordering import orderings
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.components.menu import choice
from pages.ui.components.text import plain
from pages.ui.jobs import analysis, engine
from pages.ui.session import session, state

if TYPE_CHECKING:
    from core.analysis.posterior.duplicate_probe import DuplicateProbe
    from core.analysis.posterior.order_spread import OrderSpread
    from core.analysis.posterior.task_mixture import TaskMixture
    from core.models import LanguageModel

P = "posterior_"
SHORT = {"exact": "exact Bayes", "implicit": "implicit", "instruction": "hypotheses"}
UNEXPLAINED = 0.05  # total variation between a change and what is said of it
WHOLE = -1  # in place of a demonstration's
FAR = 3  # rows of a panel where three stand side by side
KERNEL_SAYS, BAYES_SAYS = "#B7791F", BAYES

HELP = (
    "**As a mixture**: the answer as Σ_T P(T|D,x) p(y|x,T), task by task, below what the model itself says at this n, "
    "p(y|D,x) by its own tokens whatever the scorer. KL(model ‖ mixture) is what this mixture leaves unexplained.\n\n"
    "**Prior**: another prior for exact Bayes.\n\n"
    "**Orders**: the model's answer and implied posterior under permutations of the same demonstrations. Exact Bayes "
    "and kernels give every order the same, so their spread is none.\n\n"
    "**Say it twice**: with the whole set doubled a kernel's normalised weights, and so its answer, stay, while a "
    "posterior counts every demonstration twice and sharpens. Shown is which of the two the model's change is nearer."
)


def _slow(model: LanguageModel, sentence: str) -> str:
    """Work on a model from elsewhere may take long, so it waits to be asked for."""
    return "" if model.mixture is not None else sentence


def mixture(outcome: Outcome, n: int, height: int) -> None:
    """Stacked bars of every task's share in the answer, beside the model's own."""
    model = engine.loaded(outcome.study.model)
    if model is None:
        return

    def work(stop: Any) -> TaskMixture:
        from core.analysis.posterior.task_mixture import task_mixture

        shown, labels = outcome.demonstrations, outcome.answer.labels
        return task_mixture(outcome.study, model, shown, labels, outcome.posteriors, stop=stop)

    found = analysis.result(P + "mixture", outcome.study, model, {}, work, "the mixture")
    if found is None:
        st.container(height=height, border=False)
        return
    kinds = list(found.explanations)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        kind = choice("Mixture by", kinds, P + "mixture_of", SHORT, 128)
        residuals = [
            f"{SHORT[name]} **{one.residual[n]:.3f}**" if name == kind else f"{SHORT[name]} {one.residual[n]:.3f}"
            for name, one in found.explanations.items()
        ]
        st.caption("KL left: " + " · ".join(residuals), width="content", help=_residual_help(found, kind, n))
    one = found.explanations[kind]
    colours = session.task_colours(outcome.posteriors)
    figure = task_mixture_figure(
        found.labels,
        found.own[n],
        one.shares[n],
        one.tasks,
        colours,
        outcome.study.gold,
        height=height - 8,
    )
    best = found.labels[int(np.argmax(one.predictive[n]))]
    alt = f"{SHORT[kind]} after {n}: the mixture answers {best}; it leaves {one.residual[n]:.3f} nats unexplained"
    chart(figure, P + "mixture", alt)


def _residual_help(found: TaskMixture, kind: str, n: int) -> str:
    one = found.explanations[kind]
    return (
        f"After {n} demonstrations the model's distribution over the candidates and any other text is "
        f"{one.distance[n]:.3f} away in total variation. A large residual means: not a mixture of these tasks in these "
        "proportions. Zero would mean that the tasks explain the answer whole."
    )


def orders(outcome: Outcome, height: int) -> None:
    """The spread over permutations."""
    from core.analysis.posterior.order_spread import spread

    model, k = engine.loaded(outcome.study.model), len(outcome.demonstrations)
    if model is None:
        return
    if k < 2:
        st.container(height=height, border=False).caption("Orders need at least two demonstrations.")
        return
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    with row:
        settings = _order_settings(k)

    def work(stop: Any) -> OrderSpread:
        from core.analysis.posterior.order_spread import order_spread

        shown, labels = outcome.demonstrations, outcome.answer.labels
        return order_spread(outcome.study, model, shown, labels, stop=stop, **settings)

    ask = _slow(model, "Scores every candidate label after each order of the demonstrations.")
    found = analysis.result(P + "orders", outcome.study, model, settings, work, "orders", ask=ask)
    if found is None:
        return
    with row:
        _use_order(outcome, found)
    by_answer = spread(found.answers)
    strips = [_answers_strip(outcome, found, by_answer)]
    if found.kind:
        strips.append(_posterior_strip(outcome, found, spread(found.posteriors)))
    numbers = session.numbers(outcome)
    words = [" ".join(str(numbers[i]) for i in order) for order in found.orders]
    alt = (
        f"{len(words)} orders: the answer is {by_answer:.3f} from their mean on average; "
        f"{found.flips:.0%} answer otherwise than most"
    )
    chart(orders_figure(strips, words, height=height - 30), P + "orders", alt)
    count = f"All {len(words)} orders" if found.complete else f"{len(words)} of {k}! orders"
    st.caption(
        f"{count}: {found.flips:.0%} answer otherwise than most. Exact Bayes and every kernel: none.",
        help="Spread: mean total variation between an order and the mean of all. The ringed dot is the order given.",
    )


def _order_settings(k: int) -> dict[str, int]:
    """How many orders, and which; nothing to choose where all of them are tried."""
    from core.analysis.posterior.order_spread import ALL_UP_TO

    every = k <= ALL_UP_TO
    most = st.number_input(
        "Orders",
        2,
        720,
        step=24,
        label_visibility="collapsed",
        width=110,
        disabled=every,
        help="How many orders are tried; up to four demonstrations, every one.",
        **session.hold(P + "orders_most", 48),
    )
    seed = st.number_input(
        "Seed of the orders",
        0,
        2**31 - 1,
        step=1,
        label_visibility="collapsed",
        width=90,
        disabled=every,
        help="Seed of the orders drawn.",
        **session.hold(P + "orders_seed", 0),
    )
    return {} if every else {"most": most, "seed": seed}


def _answers_strip(outcome: Outcome, found: OrderSpread, by_answer: float) -> Strip:
    top = np.argsort(-found.answers.max(0), kind="stable")[:5]
    labels = tuple(("★ " if found.labels[i] == outcome.study.gold else "") + found.labels[i] for i in top)
    exact = None if found.bayes is None else found.bayes[top]
    return Strip("answer", labels, found.answers[:, top], exact, (MODEL,) * len(top), f"spread {by_answer:.3f}")


def _posterior_strip(outcome: Outcome, found: OrderSpread, by_task: float) -> Strip:
    colours = session.task_colours(outcome.posteriors)
    largest = found.posteriors.max(0)
    if found.exact is not None:
        largest = np.maximum(largest, found.exact)
    top = np.argsort(-largest, kind="stable")[:5]
    tints = tuple(colours.get(found.tasks[t], OTHERS) for t in top)
    exact = None if found.exact is None else found.exact[top]
    title = "implicit posterior" if found.kind == "implicit" else "chained hypotheses"
    names = tuple(found.tasks[t] for t in top)
    return Strip(title, names, found.posteriors[:, top], exact, tints, f"spread {by_task:.3f}")


def _use_order(outcome: Outcome, found: OrderSpread) -> None:
    """Put the demonstrations into the order that is surest, or least sure, of an answer."""
    answer = outcome.study.gold if outcome.study.gold in found.labels else outcome.answer.best
    column = found.answers[:, found.labels.index(answer)]
    fixed = outcome.chosen.source != "demonstrations"
    why = "Only the table of demonstrations has an order of its own." if fixed else ""
    for name, row in (("Best", int(np.argmax(column))), ("Worst", int(np.argmin(column)))):
        st.button(
            f"{name} order",
            key=f"{P}orders_{name.lower()}",
            disabled=fixed or row == 0,
            on_click=_reorder,
            args=(outcome.study, outcome.chosen.indices, tuple(int(i) for i in found.orders[row])),
            help=why or f"Show the order in which “{plain(answer, 30)}” has {column[row]:.2f}.",
        )


def _reorder(study: Study, places: Sequence[int], order: Sequence[int]) -> None:
    """The demonstrations shown take each other's rows in the table; rows not shown stay."""
    rows = list(study.demonstrations)
    for slot, i in zip(sorted(places), order, strict=True):
        rows[slot] = study.demonstrations[places[i]]
    state.edit(demonstrations=tuple(rows), ordering=orderings.plain)
    session.mark(None)


def twice(outcome: Outcome, height: int) -> None:
    """The duplicate probe."""
    model, shown = engine.loaded(outcome.study.model), outcome.demonstrations
    if model is None:
        return
    if not shown:
        st.container(height=height, border=False).caption("There is no demonstration to double.")
        return
    numbers = session.numbers(outcome)
    names = {WHOLE: "the whole set"}
    names |= {i: f"{numbers[i]}: {row.input} → {row.label}" for i, row in enumerate(shown)}
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        place = choice("Say twice", list(names), P + "twice_which", names, 176)
        kernels = {name: f"{name} kernel" for name in outcome.kernels}
        kernel = choice("Kernel", list(kernels), P + "twice_kernel", kernels, 150)
        beside = choice("Beside the answer", ["posterior", "weights"], P + "twice_beside", {}, 116)
    which = None if place == WHOLE else place

    def work(stop: Any) -> DuplicateProbe:
        from core.analysis.posterior.duplicate_probe import duplicate_probe

        return duplicate_probe(outcome.study, model, outcome, which, stop=stop)

    ask = _slow(model, "Runs the study again on the doubled prompt.")
    found = analysis.result(P + "twice", outcome.study, model, {"which": which}, work, "the doubled prompt", ask=ask)
    if found is None:
        return
    st.markdown(_verdict(found, kernel), help=HELP_VERDICT)
    panels = [_answer_panel(outcome, found, kernel)]
    panels.append(_weights_panel(outcome, found, kernel) if beside == "weights" else _posterior_panel(outcome, found))
    chart(twice_figure([panel for panel in panels if panel], height=height - 10), P + "twice", _verdict(found, kernel))


HELP_VERDICT = (
    "By how much the answer moved in total variation, and by how much each explanation says that it moves. "
    "Changes of the answer are compared: ½ Σ|Δ model − Δ explanation|. The kernel's change is that of "
    "ŷ = Σ c_i K_i e(y_i) / Σ c_i K_i with c_i copies, none where the whole set is doubled; the posterior's is that of "
    "its predictive on the doubled prompt. The model's posterior counts what was doubled c times, where "
    "P(T) · evidence^c comes nearest: c = 1 as before, c = 2 by Bayes's rule."
)


def _verdict(found: DuplicateProbe, kernel: str) -> str:
    """One line on who is right."""
    follows, bayes = found.follows(kernel), found.bayes_change()
    by_kernel = 0.5 * float(np.abs(found.kernel_change(kernel)).sum())
    said = f"Moved **{found.moved:.3f}** · kernel {by_kernel:.3f}"
    if bayes is None:
        said += " · no posterior to compare with"
    else:
        said += f" · posterior {0.5 * float(np.abs(bayes).sum()):.3f}: "
        if follows == "neither can be told":
            off = min(found.distance(bayes), found.distance(found.kernel_change(kernel)))
            said += "**neither explains it**" if off > UNEXPLAINED else "both say so"
        else:
            said += f"follows the **{follows}**"
    for kind in ("implicit", "instruction"):
        one = found.posteriors.get(kind)
        if one is not None and not np.isnan(one.counts):
            return f"{said} · counted **{one.counts:.1f}×**"
    return said


def _answer_panel(outcome: Outcome, found: DuplicateProbe, kernel: str) -> tuple[Any, ...]:
    one = found.kernels[kernel]
    reach = np.maximum(found.before, found.after)
    if found.bayes_after is not None:
        reach = np.maximum(reach, found.bayes_after)
    top = np.argsort(-reach, kind="stable")[:FAR]
    bars = [
        ("model ×1", found.before[top], MODEL, "/"),
        ("model ×2", found.after[top], MODEL, ""),
        ("kernel ×2", one.predicted[top], KERNEL_SAYS, ""),
    ]
    if found.bayes_after is not None:
        bars.append(("Bayes ×2", found.bayes_after[top], BAYES_SAYS, ""))
    names = [("★ " if found.labels[i] == outcome.study.gold else "") + found.labels[i] for i in top]
    return "answer", "what it was, is, and was said to be", names, bars


def _posterior_panel(outcome: Outcome, found: DuplicateProbe) -> tuple[Any, ...] | None:
    kind = next((k for k in ("implicit", "instruction", "exact") if k in found.posteriors), None)
    if kind is None:
        return None
    one, exact = found.posteriors[kind], found.posteriors.get("exact")
    reach = np.maximum(one.before, one.after)
    if exact is not None and kind == "implicit":
        reach = np.maximum(reach, exact.after)
    top = np.argsort(-reach, kind="stable")[:FAR]
    owner, colour = ("Bayes", BAYES) if kind == "exact" else ("model", MODEL)
    bars = [(f"{owner} ×1", one.before[top], colour, "/"), (f"{owner} ×2", one.after[top], colour, "")]
    if exact is not None and kind == "implicit":
        bars += [("Bayes ×1", exact.before[top], BAYES, "/"), ("Bayes ×2", exact.after[top], BAYES, "")]
    return "posterior", SHORT[kind], [one.tasks[t] for t in top], bars


def _weights_panel(outcome: Outcome, found: DuplicateProbe, kernel: str) -> tuple[Any, ...]:
    one, numbers = found.kernels[kernel], session.numbers(outcome)
    rows = range(min(len(numbers), 8))
    names = [f"{numbers[i]}: {outcome.demonstrations[i].label}" for i in rows]
    bars = [
        ("kernel ×1", one.before[: len(names)], KERNEL_SAYS, "/"),
        ("kernel ×2", one.after[: len(names)], KERNEL_SAYS, ""),
    ]
    return "weights K / ΣK", "as measured, copies added up", names, bars
