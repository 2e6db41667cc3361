"""What the posteriors make of the answer, and what other priors, orders and repeats make of the posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.analysis.posterior.duplicate_probe import DuplicateProbe, duplicate_probe
from core.analysis.posterior.order_spread import ALL_UP_TO, OrderSpread, order_spread, spread
from core.analysis.posterior.task_mixture import TaskMixture, task_mixture
from core.figures.colours import BAYES, MODEL, OTHERS
from core.figures.posterior.mixture import task_mixture_figure
from core.figures.posterior.orders import Strip, orders_figure
from core.figures.posterior.twice import twice_figure
from core.ordering import orderings
from core.runtime.progress import Stop
from core.study.outcome import Chosen, Outcome, Posterior
from core.study.study import Study
from pages.ui.components.card import Card, Values
from pages.ui.components.charts import chart
from pages.ui.components.menu import choice
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS
from pages.ui.jobs.run import model
from pages.ui.jobs.waiting import Nothing
from pages.ui.posterior import prior
from pages.ui.posterior.under_prior import SHORT, P, step, with_posteriors
from pages.ui.session import session, state
from pages.ui.workbench.shown import ShownRows, rows_of

if TYPE_CHECKING:
    from core.models import LanguageModel

Posteriors = dict[str, Posterior]
RIGHT = P + "right"
MIXTURE, PRIOR, ORDERS, TWICE = LOOKS = ("As a mixture", "Prior", "Orders", "Say it twice")
BOTTOM = 262  # pixels of a chart
MOST, SEED = P + "orders_most", P + "orders_seed"
WHICH, KERNEL, BESIDE = P + "twice_which", P + "twice_kernel", P + "twice_beside"
BY_TASK = ANSWERS | {"hypotheses", "chained", "posterior_solver"}  # fields that the implied posterior reads
EVERYTHING = frozenset(Study.model_fields) - {"gold", "token_head"}
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


def _look() -> str:
    look: str = st.session_state.get(RIGHT, MIXTURE)
    return look


def _reads() -> Values:
    """The view, and what it is drawn from."""
    look, found = _look(), with_posteriors()
    return look, *READS[look](found)


def _controls(values: Values | None) -> None:
    """Which view, and its own controls."""
    st.segmented_control(
        "What to do with the posteriors",
        LOOKS,
        required=True,
        label_visibility="collapsed",
        help=HELP,
        **session.hold(RIGHT, LOOKS[0], "default"),
    )
    look = _look()
    drawn = values[1:] if values is not None and values[0] == look else None
    if look == ORDERS:
        _orders_controls(drawn)
    elif look == TWICE:
        _twice_controls()


def _draw(look: str, *values: Any) -> None:
    VIEWS[look](*values)


def _mixture_reads(found: Outcome) -> Values:
    known, shown, labels, posteriors = model(), found.demonstrations, found.answer.labels, found.posteriors

    def work(study: Study, stop: Stop) -> TaskMixture:
        return task_mixture(study, known, shown, labels, posteriors, stop=stop)

    decides = {"labels": labels}
    by_task = analysis.value(
        P + "mixture", found.study, known, decides, work, "the mixture", reads=BY_TASK | {"posteriors"}
    )
    return by_task, step(len(shown)), posteriors, found.study.gold


def _mixture(by_task: TaskMixture, n: int, posteriors: Posteriors, gold: str | None) -> None:
    """Stacked bars of every task's share in the answer, beside the model's own."""
    kinds = list(by_task.explanations)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        kind = choice("Mixture by", kinds, P + "mixture_of", SHORT, 128)
        residuals = [
            f"{SHORT[name]} **{one.residual[n]:.3f}**" if name == kind else f"{SHORT[name]} {one.residual[n]:.3f}"
            for name, one in by_task.explanations.items()
        ]
        st.caption("KL left: " + " · ".join(residuals), width="content", help=_residual_help(by_task, kind, n))
    one = by_task.explanations[kind]
    figure = task_mixture_figure(
        by_task.labels,
        by_task.own[n],
        one.shares[n],
        one.tasks,
        session.task_colours(posteriors),
        gold,
        height=BOTTOM - 8,
    )
    best = by_task.labels[int(np.argmax(one.predictive[n]))]
    alt = f"{SHORT[kind]} after {n}: the mixture answers {best}; it leaves {one.residual[n]:.3f} nats unexplained"
    chart(figure, P + "mixture", alt)


def _residual_help(found: TaskMixture, kind: str, n: int) -> str:
    one = found.explanations[kind]
    return (
        f"After {n} demonstrations the model's distribution over the candidates and any other text is "
        f"{one.distance[n]:.3f} away in total variation. A large residual means: not a mixture of these tasks in these "
        "proportions. Zero would mean that the tasks explain the answer whole."
    )


def _prior_reads(found: Outcome) -> Values:
    return found.posteriors, found.study.prior, prior.prior_by_task(model())


def _prior(posteriors: Posteriors, weights: tuple[Any, ...], by_mixture: dict[str, float]) -> None:
    prior.editor(posteriors, weights, by_mixture, BOTTOM + 40)


def _orders_reads(found: Outcome) -> Values:
    known, shown, labels = model(), found.demonstrations, found.answer.labels
    if len(shown) < 2:
        raise Nothing("Orders need at least two demonstrations.")
    drawn = {} if len(shown) <= ALL_UP_TO else {"most": _most(), "seed": _seed()}

    def work(study: Study, stop: Stop) -> OrderSpread:
        return order_spread(study, known, shown, labels, stop=stop, **drawn)

    ask = _slow(known, "Scores every candidate label after each order of the demonstrations.")
    decides = {"labels": labels, **drawn}
    orders = analysis.value(P + "orders", found.study, known, decides, work, "orders", reads=BY_TASK, ask=ask)
    return orders, found.posteriors, found.study.gold, found.answer.best, found.chosen


def _most() -> int:
    return int(st.session_state.get(MOST, 48))


def _seed() -> int:
    return int(st.session_state.get(SEED, 0))


def _orders_controls(values: Values | None) -> None:
    """How many orders, and which, with nothing to choose where all of them are tried; and two orders to take."""
    k = len(with_posteriors().demonstrations)
    if k < 2:
        return
    every = k <= ALL_UP_TO
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.number_input(
            "Orders",
            2,
            720,
            step=24,
            label_visibility="collapsed",
            width=110,
            disabled=every,
            help="How many orders are tried; up to four demonstrations, every one.",
            **session.hold(MOST, 48),
        )
        st.number_input(
            "Seed of the orders",
            0,
            2**31 - 1,
            step=1,
            label_visibility="collapsed",
            width=90,
            disabled=every,
            help="Seed of the orders drawn.",
            **session.hold(SEED, 0),
        )
        if values is not None:
            orders, _, gold, best, chosen = values
            _use_order(orders, gold, best, chosen)


def _orders(orders: OrderSpread, posteriors: Posteriors, gold: str | None, _: str, chosen: Chosen) -> None:
    """The spread over permutations."""
    by_answer = spread(orders.answers)
    strips = [_answers_strip(orders, gold, by_answer)]
    if orders.kind:
        strips.append(_posterior_strip(posteriors, orders, spread(orders.posteriors)))
    numbers = [place + 1 for place in chosen.indices]
    words = [" ".join(str(numbers[i]) for i in order) for order in orders.orders]
    alt = (
        f"{len(words)} orders: the answer is {by_answer:.3f} from their mean on average; "
        f"{orders.flips:.0%} answer otherwise than most"
    )
    chart(orders_figure(strips, words, height=BOTTOM - 30), P + "orders", alt)
    count = f"All {len(words)} orders" if orders.complete else f"{len(words)} of {len(numbers)}! orders"
    st.caption(
        f"{count}: {orders.flips:.0%} answer otherwise than most. Exact Bayes and every kernel: none.",
        help="Spread: mean total variation between an order and the mean of all. The ringed dot is the order given. Of "
        "labels and tasks the five likeliest are drawn; the spread is over all.",
    )


def _answers_strip(orders: OrderSpread, gold: str | None, by_answer: float) -> Strip:
    top = np.argsort(-orders.answers.max(0), kind="stable")[:5]
    labels = tuple(("★ " if orders.labels[i] == gold else "") + orders.labels[i] for i in top)
    exact = None if orders.bayes is None else orders.bayes[top]
    return Strip("answer", labels, orders.answers[:, top], exact, (MODEL,) * len(top), f"spread {by_answer:.3f}")


def _posterior_strip(posteriors: Posteriors, orders: OrderSpread, by_task: float) -> Strip:
    colours = session.task_colours(posteriors)
    largest = orders.posteriors.max(0)
    if orders.exact is not None:
        largest = np.maximum(largest, orders.exact)
    top = np.argsort(-largest, kind="stable")[:5]
    tints = tuple(colours.get(orders.tasks[t], OTHERS) for t in top)
    exact = None if orders.exact is None else orders.exact[top]
    title = "implicit posterior" if orders.kind == "implicit" else "chained hypotheses"
    names = tuple(orders.tasks[t] for t in top)
    return Strip(title, names, orders.posteriors[:, top], exact, tints, f"spread {by_task:.3f}")


def _use_order(orders: OrderSpread, gold: str | None, best: str, chosen: Chosen) -> None:
    """Put the demonstrations into the order that is surest, or least sure, of an answer."""
    answer = gold if gold in orders.labels else best
    column = orders.answers[:, orders.labels.index(answer)]
    fixed = chosen.source != "demonstrations"
    why = "Only the table of demonstrations has an order of its own." if fixed else ""
    for name, row in (("Best", int(np.argmax(column))), ("Worst", int(np.argmin(column)))):
        st.button(
            f"{name} order",
            key=f"{P}orders_{name.lower()}",
            disabled=fixed or row == 0,
            on_click=_reorder,
            args=(chosen.indices, tuple(int(i) for i in orders.orders[row])),
            help=why or f"Show the order in which “{plain(answer, 30)}” has {column[row]:.2f}.",
        )


def _reorder(places: Sequence[int], order: Sequence[int]) -> None:
    """The demonstrations shown take each other's rows in the table; rows not shown stay."""
    table = state.study().demonstrations
    rows = list(table)
    for slot, i in zip(sorted(places), order, strict=True):
        rows[slot] = table[places[i]]
    state.edit(demonstrations=tuple(rows), ordering=orderings.plain)
    session.mark(None)


def _twice_choices(found: Outcome) -> tuple[dict[int, str], dict[str, str]]:
    """What can be said twice, and the kernels."""
    names = {WHOLE: "the whole set"}
    for i, (number, row) in enumerate(zip(session.numbers(found), found.demonstrations, strict=True)):
        names[i] = f"{number}: {row.input} → {row.label}"
    return names, {name: f"{name} kernel" for name in found.kernels}


def _twice_controls() -> None:
    found = with_posteriors()
    if not found.demonstrations:
        return
    names, kernels = _twice_choices(found)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        choice("Say twice", list(names), WHICH, names, 176)
        choice("Kernel", list(kernels), KERNEL, kernels, 150)
        choice("Beside the answer", ["posterior", "weights"], BESIDE, {}, 116)


def _twice_reads(found: Outcome) -> Values:
    known = model()
    if not found.demonstrations:
        raise Nothing("There is no demonstration to double.")
    names, kernels = _twice_choices(found)
    place, kernel = st.session_state.get(WHICH), st.session_state.get(KERNEL)
    which = None if place == WHOLE or place not in names else place

    def work(study: Study, stop: Stop) -> DuplicateProbe:
        return duplicate_probe(study, known, found, which, stop=stop)

    ask = _slow(known, "Runs the study again on the doubled prompt.")
    decides = {"which": which, "labels": found.answer.labels}
    probe = analysis.value(
        P + "twice", found.study, known, decides, work, "the doubled prompt", reads=EVERYTHING, ask=ask
    )
    return probe, kernel if kernel in kernels else next(iter(kernels)), found.study.gold, rows_of(found)


def _twice(probe: DuplicateProbe, kernel: str, gold: str | None, rows: ShownRows) -> None:
    """The duplicate probe."""
    st.markdown(_verdict(probe, kernel), help=HELP_VERDICT)
    weights = st.session_state.get(BESIDE) == "weights"
    panels = [_answer_panel(probe, kernel, gold)]
    panels.append(_weights_panel(probe, kernel, rows) if weights else _posterior_panel(probe))
    chart(twice_figure([panel for panel in panels if panel], height=BOTTOM - 10), P + "twice", _verdict(probe, kernel))


HELP_VERDICT = (
    "By how much the answer moved in total variation, and by how much each explanation says that it moves. "
    "Changes of the answer are compared: ½ Σ|Δ model − Δ explanation|. The kernel's change is that of "
    "ŷ = Σ c_i K_i e(y_i) / Σ c_i K_i with c_i copies, none where the whole set is doubled; the posterior's is that of "
    "its predictive on the doubled prompt. The model's posterior counts what was doubled c times, where "
    "P(T) · evidence^c comes nearest: c = 1 as before, c = 2 by Bayes's rule."
)


def _verdict(probe: DuplicateProbe, kernel: str) -> str:
    """One line on who is right."""
    follows, bayes = probe.follows(kernel), probe.bayes_change()
    by_kernel = 0.5 * float(np.abs(probe.kernel_change(kernel)).sum())
    said = f"Moved **{probe.moved:.3f}** · kernel {by_kernel:.3f}"
    if bayes is None:
        said += " · no posterior to compare with"
    else:
        said += f" · posterior {0.5 * float(np.abs(bayes).sum()):.3f}: "
        if follows == "neither can be told":
            off = min(probe.distance(bayes), probe.distance(probe.kernel_change(kernel)))
            said += "**neither explains it**" if off > UNEXPLAINED else "both say so"
        else:
            said += f"follows the **{follows}**"
    for kind in ("implicit", "instruction"):
        one = probe.posteriors.get(kind)
        if one is not None and not np.isnan(one.counts):
            return f"{said} · counted **{one.counts:.1f}×**"
    return said


def _answer_panel(probe: DuplicateProbe, kernel: str, gold: str | None) -> tuple[Any, ...]:
    one = probe.kernels[kernel]
    reach = np.maximum(probe.before, probe.after)
    if probe.bayes_after is not None:
        reach = np.maximum(reach, probe.bayes_after)
    top = np.argsort(-reach, kind="stable")[:FAR]
    bars = [
        ("model ×1", probe.before[top], MODEL, "/"),
        ("model ×2", probe.after[top], MODEL, ""),
        ("kernel ×2", one.predicted[top], KERNEL_SAYS, ""),
    ]
    if probe.bayes_after is not None:
        bars.append(("Bayes ×2", probe.bayes_after[top], BAYES_SAYS, ""))
    names = [("★ " if probe.labels[i] == gold else "") + probe.labels[i] for i in top]
    return "answer", "what it was, is, and was said to be", names, bars


def _posterior_panel(probe: DuplicateProbe) -> tuple[Any, ...] | None:
    kind = next((k for k in ("implicit", "instruction", "exact") if k in probe.posteriors), None)
    if kind is None:
        return None
    one, exact = probe.posteriors[kind], probe.posteriors.get("exact")
    reach = np.maximum(one.before, one.after)
    if exact is not None and kind == "implicit":
        reach = np.maximum(reach, exact.after)
    top = np.argsort(-reach, kind="stable")[:FAR]
    owner, colour = ("Bayes", BAYES) if kind == "exact" else ("model", MODEL)
    bars = [(f"{owner} ×1", one.before[top], colour, "/"), (f"{owner} ×2", one.after[top], colour, "")]
    if exact is not None and kind == "implicit":
        bars += [("Bayes ×1", exact.before[top], BAYES, "/"), ("Bayes ×2", exact.after[top], BAYES, "")]
    return "posterior", SHORT[kind], [one.tasks[t] for t in top], bars


def _weights_panel(probe: DuplicateProbe, kernel: str, rows: ShownRows) -> tuple[Any, ...]:
    one = probe.kernels[kernel]
    names = [f"{number}: {label}" for number, (_, label) in list(zip(rows.numbers, rows.texts, strict=True))[:8]]
    bars = [
        ("kernel ×1", one.before[: len(names)], KERNEL_SAYS, "/"),
        ("kernel ×2", one.after[: len(names)], KERNEL_SAYS, ""),
    ]
    return "weights K / ΣK", "as measured, copies added up", names, bars


READS = {MIXTURE: _mixture_reads, PRIOR: _prior_reads, ORDERS: _orders_reads, TWICE: _twice_reads}
VIEWS = {MIXTURE: _mixture, PRIOR: _prior, ORDERS: _orders, TWICE: _twice}
PROBES = Card(P + "card_probes", "", "", _reads, _draw, controls=_controls, height=BOTTOM + 44)
