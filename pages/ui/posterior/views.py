"""The Posterior page's views of the posteriors at n: side by side, what moved them, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis.posterior.records import posterior_records
from core.figures import Panel, bars_figure, path_figure
from core.figures.colours import BAYES, MODEL
from core.figures.posterior.gains import gains_figure
from core.figures.posterior.steps import StepLine, steps_figure
from core.posterior.comparing import FLOORS, compare, gains
from core.posterior.fitting import sign
from core.runtime.numbers import fixed
from core.statistics.distributions import entropy
from core.study.demonstrations import Demonstration
from core.study.outcome import MixtureFit, Posterior
from pages.ui.components.card import Card, Values, empty, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.menu import choice
from pages.ui.components.text import plain
from pages.ui.jobs.run import model
from pages.ui.playground.views import HELP_POSTERIOR, NAMES
from pages.ui.posterior.under_prior import SHORT, N, P, step, under_prior, with_posteriors
from pages.ui.session import session, state
from pages.ui.workbench.shown import ShownRows, rows_of

Posteriors = dict[str, Posterior]
STYLE, LEFT = P + "style", P + "left"
TOP, BOTTOM = 204, 262  # pixels of the charts
LEFTS = ("Who convinced it", "Distance", "Entropy", "Evidence")
PLAIN = {"exact": "exact", "implicit": "implicit", "instruction": "hypotheses"}
COLOURS = {"exact": BAYES, "implicit": MODEL, "instruction": "#B7791F"}
DASHES = {"exact": "dash", "implicit": "solid", "instruction": "dot"}

HELP_LEFT = (
    "**Who convinced it**: nats that each demonstration added to each task. Against the average, "
    "log p(x_i,y_i|T,D_<i) − log Σ_S P(S|D_<i) p(x_i,y_i|S,D_<i), which is the change of log P(T|D); against the rest, "
    "the change of the log-odds, Good's weight of evidence. A row sums to the task's total change. Implicit weights "
    "below .00001 count as that.\n\n"
    "**Distance**: total variation, ½ Σ|p − q|, and KL in nats, at every n. KL counts a task that the second rules out "
    "as 1e-6 of the uniform. Hypotheses are compared with tasks of the same name, over those alone.\n\n"
    "**Entropy**: H(T|D_n) in nats: 0 is certainty, log 2 = .69 two equal tasks.\n\n"
    "**Evidence**: log P(D_n), how well the tasks together foresaw the demonstrations. Exact Bayes counts inputs and "
    "labels, hypotheses labels alone, so the two have axes of their own."
)


def _steps_reads() -> Values:
    found = under_prior()
    n = step(len(found.demonstrations))
    return found.posteriors, found.demonstrations, n, model().mixture is not None, found.fit


def _steps_controls(
    posteriors: Posteriors, shown: Sequence[Demonstration], n: int, mixture_known: bool, fit: MixtureFit | None
) -> None:
    """Bars or paths, after how many demonstrations, what to beware of, and the numbers as a file."""
    if not posteriors:
        return
    k = len(shown)
    style = session.hold(STYLE, "Bars", "default")
    st.segmented_control("Style", ["Bars", "Path"], required=True, label_visibility="collapsed", **style)
    if k:
        st.slider("n", 0, k, label_visibility="collapsed", format="n = %d", **session.hold(N, k, shape=k))
    notes = [f"**{NAMES[kind]}**: {plain(post.note, 400)}" for kind, post in posteriors.items() if post.note]
    if notes:
        count = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
        st.markdown(f":orange[{count}]", width="content", help="\n\n".join(notes))
    help = "Every posterior at every n: weights, entropy, evidence, how well it fits, and nats added by each."
    save_csv("CSV", "posterior", lambda: posterior_records(posteriors, shown, fit), help=help)


def steps_view(
    posteriors: Posteriors, shown: Sequence[Demonstration], n: int, mixture_known: bool, fit: MixtureFit | None
) -> None:
    """The posteriors side by side after n demonstrations."""
    if not posteriors:
        _no_posterior(mixture_known)
        return
    colours = session.task_colours(posteriors)
    panels = [
        Panel(NAMES[kind], post.tasks, post.weights, _figures(post, n, fit), post.reach)
        for kind, post in posteriors.items()
    ]
    draw = path_figure if st.session_state[STYLE] == "Path" else bars_figure
    leaders = "; ".join(f"{NAMES[kind]}: {_leader(post, n)}" for kind, post in posteriors.items())
    chart(draw(panels, n, colours, height=TOP), P + "steps", f"Posterior after {n} demonstrations. {leaders}")


def _no_posterior(mixture_known: bool) -> None:
    """A model whose mixture is unknown, and no hypothesis yet; or every posterior is switched off."""
    with st.container(height=TOP, border=False):
        if mixture_known:
            st.caption("No posterior is switched on.")
            st.button("Switch on exact and implicit", key=P + "switch_on", on_click=_switch_on)
        else:
            st.caption(
                "This model's mixture of tasks is not known, so there is no exact posterior. Write down what tasks it "
                "may be doing, a name and an instruction each, and P(T | D) follows from how well each foresees the "
                "labels."
            )
            st.button("Write hypotheses", type="primary", key=P + "write", on_click=_to_hypotheses)


def _switch_on() -> None:
    state.edit(posteriors=("exact", "implicit"))


def _to_hypotheses() -> None:
    st.session_state[session.TABLE] = "Hypotheses"


def _leader(post: Posterior, n: int) -> str:
    row = post.weights[min(n, len(post.weights) - 1)]
    return f"{post.tasks[int(np.argmax(row))]} {row.max():.2f}"


def _figures(post: Posterior, n: int, fit: MixtureFit | None) -> str:
    """How far to trust a posterior, and its entropy."""
    row = min(n, len(post.weights) - 1)
    said = sign(post, row, fit)
    parts = [*([said] if said else []), f"H {float(entropy(post.weights[row])):.2f}"]
    if post.log_evidence is not None:
        parts.append(f"log P(D) {fixed(post.log_evidence[row], 1)}")
    if post.residual is not None:
        parts.append(f"residual {post.residual[row]:.3f}")
    if post.condition is not None:
        parts.append(f"condition {post.condition[row]:.2g}")
    return ", ".join(parts)


def _moved_reads() -> Values:
    found = with_posteriors()
    return found.posteriors, found.demonstrations, rows_of(found), step(len(found.demonstrations))


def _moved_controls(_: Values | None) -> None:
    look = session.hold(LEFT, LEFTS[0], "default")
    st.segmented_control(
        "What to show of the posteriors",
        LEFTS,
        required=True,
        label_visibility="collapsed",
        help=HELP_LEFT,
        **look,
    )


def moved_view(posteriors: Posteriors, shown: Sequence[Demonstration], rows: ShownRows, n: int) -> None:
    """What moved the posteriors, and how far apart they are."""
    look = st.session_state[LEFT]
    if look == "Distance":
        _distance(posteriors, n)
    elif look == "Entropy":
        _entropy(posteriors, n)
    elif look == "Evidence":
        _evidence(posteriors, n)
    else:
        _gains(posteriors, rows, n)


def _gains(posteriors: Posteriors, rows: ShownRows, n: int) -> None:
    """The heatmap of nats added."""
    kinds = list(posteriors)
    if not rows.texts:
        empty("No demonstration is shown, so nobody is convinced yet.", BOTTOM)
        return
    with st.container(horizontal=True, gap="small"):
        kind = choice("Whose posterior", kinds, P + "gains_of", SHORT, 150)
        against = choice(
            "Against", ["average", "rest"], P + "against", {"average": "vs. average", "rest": "vs. the rest"}, 138
        )
    post = posteriors[kind]
    colours = session.task_colours(posteriors)
    few = len(post.tasks) <= len(colours) or kind == "instruction"
    names = list(post.tasks) if few else [task for task in colours if task in post.tasks]
    added = gains(post.weights, against, FLOORS[kind])[:, [post.tasks.index(task) for task in names]]
    figure = gains_figure(
        added,
        names,
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        rows.marked,
        n,
        height=BOTTOM - 8,
    )
    best = np.unravel_index(int(np.argmax(added)), added.shape)
    numbers = rows.numbers
    alt = f"Nats added, {SHORT[kind]}: demonstration {numbers[best[0]]} spoke most, for {names[best[1]]}"
    chart(figure, P + "gains", alt, on_click=lambda data: session.mark(data[0], rows.source))


def _distance(posteriors: Posteriors, n: int) -> None:
    """Total variation or KL between every two posteriors."""
    pairs = compare(posteriors)
    if not pairs:
        why = "A distance needs two posteriors over the same tasks. Hypotheses with names of the mixture's tasks are "
        empty(why + "compared with them.", BOTTOM)
        return
    measures = {
        "total_variation": "Total variation",
        "forward": "KL(first ‖ second)",
        "backward": "KL(second ‖ first)",
    }
    with st.container(horizontal=True, gap="small"):
        measure = choice("Measure", list(measures), P + "measure", measures)
    looks = ((MODEL, "solid"), (BAYES, "dash"), ("#B7791F", "dot"))
    lines = []
    for pair, (colour, dash) in zip(pairs, looks, strict=False):
        over = "" if pair.whole else f" ({len(pair.tasks)} tasks)"
        name = f"{PLAIN[pair.first]} – {PLAIN[pair.second]}{over}"
        lines.append(StepLine(name, getattr(pair, measure), colour, dash))
    bounded = measure == "total_variation"
    label = "½ Σ|p − q|" if bounded else "nats"
    figure = steps_figure(lines, n, label, height=BOTTOM - 8, top=1.0 if bounded else None)
    said = "; ".join(f"{line.name}: {fixed(np.asarray(line.values)[n])}" for line in lines)
    chart(figure, P + "distance", f"{measures[measure]} after {n} demonstrations: {said}")


def _entropy(posteriors: Posteriors, n: int) -> None:
    lines = [
        StepLine(SHORT[kind], entropy(post.weights), COLOURS[kind], DASHES[kind]) for kind, post in posteriors.items()
    ]
    said = "; ".join(f"{line.name}: {fixed(np.asarray(line.values)[n])}" for line in lines)
    figure = steps_figure(lines, n, "H(T | D) in nats", height=BOTTOM + 44)
    chart(figure, P + "entropy", f"Entropy over tasks after {n} demonstrations: {said}")


def _evidence(posteriors: Posteriors, n: int) -> None:
    evidence = {kind: post.log_evidence for kind, post in posteriors.items() if post.log_evidence is not None}
    if not evidence:
        empty(
            "An implicit posterior is decoded from answers and has no evidence; exact Bayes and hypotheses have.",
            BOTTOM,
        )
        return
    ways = {"sum": "log P(D) so far", "each": "surprise of each"}
    with st.container(horizontal=True, gap="small"):
        way = choice("Evidence", list(ways), P + "evidence_way", ways)
    lines = []
    for kind, values in evidence.items():
        shown = values if way == "sum" else np.concatenate([[np.nan], -np.diff(values)])
        axis = "right" if kind == "instruction" and "exact" in evidence else "left"
        lines.append(StepLine(SHORT[kind], shown, COLOURS[kind], DASHES[kind], axis))
    label = "log P(D_n), nats" if way == "sum" else "−log p(d_n | D_<n), nats"
    right = f"{label}, labels alone" if len(lines) > 1 else ""
    figure = steps_figure(lines, n, label, right, height=BOTTOM - 8)
    said = "; ".join(f"{line.name}: {fixed(np.asarray(line.values)[n], 2)}" for line in lines)
    chart(figure, P + "evidence", f"Evidence after {n} demonstrations: {said}")


STEPS = Card(
    P + "card_steps",
    "Posterior over tasks",
    HELP_POSTERIOR,
    _steps_reads,
    steps_view,
    beside=_steps_controls,
    height=TOP,
)
MOVED = Card(P + "card_moved", "", "", _moved_reads, moved_view, controls=_moved_controls, height=BOTTOM + 44)
