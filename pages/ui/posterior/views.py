"""The Posterior page's views: the posteriors at n, what moved them, and what they make of the answer."""

from __future__ import annotations

import csv
import io

import numpy as np
import streamlit as st

from core.figures import Panel, bars_figure, path_figure
from core.figures.colours import BAYES, MODEL
from core.figures.posterior.gains import gains_figure
from core.figures.posterior.steps import Line, steps_figure
from core.study.outcome import Outcome, Posterior
from pages.ui.components.charts import chart
from pages.ui.components.menu import choice
from pages.ui.components.text import plain
from pages.ui.jobs import engine
from pages.ui.playground.views import HELP_POSTERIOR, NAMES, title
from pages.ui.posterior import prior as posterior_prior
from pages.ui.posterior import probes as posterior_probes
from pages.ui.session import session, state

P = "posterior_"
N, STYLE, LEFT, RIGHT = P + "n", P + "style", P + "left", P + "right"
TOP, BOTTOM = 204, 262  # pixels of the charts
LEFTS = ("Who convinced it", "Distance", "Entropy", "Evidence")
RIGHTS = ("As a mixture", "Prior", "Orders", "Say it twice")
SHORT = {"exact": "exact Bayes", "implicit": "implicit", "instruction": "hypotheses"}
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


def nothing(why: str) -> None:
    """Placeholders where there is no outcome."""
    with st.container(border=True):
        title("Posterior over tasks", HELP_POSTERIOR)
        st.container(height=TOP, border=False).caption(why)


def show(outcome: Outcome) -> None:
    """All views of an outcome."""
    if not outcome.posteriors:
        _no_posterior(outcome)
        return
    with st.container(border=True):
        n = _steps(outcome)
    left, right = st.columns([0.42, 0.58], gap="small")
    with left.container(border=True, height="stretch"):
        _left(outcome, n)
    with right.container(border=True, height="stretch"):
        _right(outcome, n)


def _no_posterior(outcome: Outcome) -> None:
    """A model whose mixture is unknown, and no hypothesis yet; or every posterior is switched off."""
    with st.container(border=True):
        title("Posterior over tasks", HELP_POSTERIOR)
        known = engine.loaded(outcome.study.model)
        if known is not None and known.mixture is not None:
            st.caption("No posterior is switched on.")
            st.button(
                "Switch on exact and implicit",
                key=P + "switch_on",
                on_click=lambda: state.edit(posteriors=("exact", "implicit")),
            )
        else:
            st.caption(
                "This model's mixture of tasks is not known, so there is no exact posterior. Write down what tasks it "
                "may be doing, a name and an instruction each, and P(T | D) follows from how well each foresees the "
                "labels."
            )
            st.button("Write hypotheses", type="primary", key=P + "write", on_click=_to_hypotheses)


def _to_hypotheses() -> None:
    st.session_state[session.TABLE] = "Hypotheses"


def _steps(outcome: Outcome) -> int:
    """The posteriors side by side after n demonstrations; returns n."""
    k = len(outcome.demonstrations)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Posterior over tasks", HELP_POSTERIOR)
        style = session.hold(STYLE, "Bars", "default")
        look = st.segmented_control("Style", ["Bars", "Path"], required=True, label_visibility="collapsed", **style)
        if st.session_state.get(P + "n_of") != k:  # another number of demonstrations: show all of them
            st.session_state[P + "n_of"] = st.session_state[N] = k
        place = session.hold(N, k, shape=k)
        n = st.slider("n", 0, k, label_visibility="collapsed", format="n = %d", **place) if k else 0
        notes = [
            f"**{NAMES[kind]}**: {plain(post.note, 400)}" for kind, post in outcome.posteriors.items() if post.note
        ]
        if notes:
            count = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
            st.markdown(f":orange[{count}]", width="content", help="\n\n".join(notes))
        st.download_button(
            "CSV",
            lambda: table(outcome),
            file_name="posterior.csv",
            mime="text/csv",
            icon=":material/download:",
            key=P + "csv",
            on_click="ignore",
            help="Every posterior at every n: weights, entropy, evidence, and nats added by each demonstration.",
        )
    colours = session.task_colours(outcome.posteriors)
    panels = [
        Panel(NAMES[kind], post.tasks, post.weights, _figures(post, n)) for kind, post in outcome.posteriors.items()
    ]
    draw = path_figure if look == "Path" else bars_figure
    leaders = "; ".join(f"{NAMES[kind]}: {_leader(post, n)}" for kind, post in outcome.posteriors.items())
    chart(draw(panels, n, colours, height=TOP), P + "steps", f"Posterior after {n} demonstrations. {leaders}")
    return int(n)


def _leader(post: Posterior, n: int) -> str:
    row = post.weights[min(n, len(post.weights) - 1)]
    return f"{post.tasks[int(np.argmax(row))]} {row.max():.2f}"


def _figures(post: Posterior, n: int) -> str:
    """Entropy, and how far to trust a posterior."""
    from core.statistics.distributions import entropy

    row = min(n, len(post.weights) - 1)
    parts = [f"H {float(entropy(post.weights[row])):.2f}"]
    if post.log_evidence is not None:
        parts.append(f"log P(D) {post.log_evidence[row]:.1f}")
    if post.residual is not None:
        parts.append(f"residual {post.residual[row]:.3f}")
    if post.condition is not None:
        parts.append(f"condition {post.condition[row]:.2g}")
    return ", ".join(parts)


def _left(outcome: Outcome, n: int) -> None:
    """What moved the posteriors, and how far apart they are."""
    look = st.segmented_control(
        "What to show of the posteriors",
        LEFTS,
        required=True,
        label_visibility="collapsed",
        help=HELP_LEFT,
        **session.hold(LEFT, LEFTS[0], "default"),
    )
    if look == "Distance":
        _distance(outcome, n)
    elif look == "Entropy":
        _entropy(outcome, n)
    elif look == "Evidence":
        _evidence(outcome, n)
    else:
        _gains(outcome, n)


def _gains(outcome: Outcome, n: int) -> None:
    """The heatmap of nats added."""
    from core.posterior.comparing import FLOORS, gains

    kinds = list(outcome.posteriors)
    if not outcome.demonstrations:
        st.container(height=BOTTOM, border=False).caption("No demonstration is shown, so nobody is convinced yet.")
        return
    with st.container(horizontal=True, gap="small"):
        kind = choice("Whose posterior", kinds, P + "gains_of", SHORT, 150)
        against = choice(
            "Against", ["average", "rest"], P + "against", {"average": "vs. average", "rest": "vs. the rest"}, 138
        )
    post = outcome.posteriors[kind]
    colours = session.task_colours(outcome.posteriors)
    few = len(post.tasks) <= len(colours) or kind == "instruction"
    names = list(post.tasks) if few else [task for task in colours if task in post.tasks]
    added = gains(post.weights, against, FLOORS[kind])[:, [post.tasks.index(task) for task in names]]
    source = outcome.chosen.source
    figure = gains_figure(
        added,
        names,
        [row.input for row in outcome.demonstrations],
        [row.label for row in outcome.demonstrations],
        session.numbers(outcome),
        session.marked_in(outcome),
        n,
        height=BOTTOM - 8,
    )
    best = np.unravel_index(int(np.argmax(added)), added.shape)
    numbers = session.numbers(outcome)
    alt = f"Nats added, {SHORT[kind]}: demonstration {numbers[best[0]]} spoke most, for {names[best[1]]}"
    chart(figure, P + "gains", alt, on_click=lambda data: session.mark(data[0], source))


def _distance(outcome: Outcome, n: int) -> None:
    """Total variation or KL between every two posteriors."""
    from core.posterior.comparing import compare

    pairs = compare(outcome.posteriors)
    if not pairs:
        st.container(height=BOTTOM, border=False).caption(
            "A distance needs two posteriors over the same tasks. Hypotheses with names of the mixture's tasks are "
            "compared with them."
        )
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
        lines.append(Line(name, getattr(pair, measure), colour, dash))
    bounded = measure == "total_variation"
    label = "½ Σ|p − q|" if bounded else "nats"
    figure = steps_figure(lines, n, label, height=BOTTOM - 8, top=1.0 if bounded else None)
    said = "; ".join(f"{line.name}: {np.asarray(line.values)[n]:.3f}" for line in lines)
    chart(figure, P + "distance", f"{measures[measure]} after {n} demonstrations: {said}")


def _entropy(outcome: Outcome, n: int) -> None:
    from core.statistics.distributions import entropy

    lines = [
        Line(SHORT[kind], entropy(post.weights), COLOURS[kind], DASHES[kind])
        for kind, post in outcome.posteriors.items()
    ]
    said = "; ".join(f"{line.name}: {np.asarray(line.values)[n]:.3f}" for line in lines)
    figure = steps_figure(lines, n, "H(T | D) in nats", height=BOTTOM + 44)
    chart(figure, P + "entropy", f"Entropy over tasks after {n} demonstrations: {said}")


def _evidence(outcome: Outcome, n: int) -> None:
    found = {kind: post.log_evidence for kind, post in outcome.posteriors.items() if post.log_evidence is not None}
    if not found:
        st.container(height=BOTTOM, border=False).caption(
            "An implicit posterior is decoded from answers and has no evidence; exact Bayes and hypotheses have."
        )
        return
    ways = {"sum": "log P(D) so far", "each": "surprise of each"}
    with st.container(horizontal=True, gap="small"):
        way = choice("Evidence", list(ways), P + "evidence_way", ways)
    lines = []
    for kind, values in found.items():
        shown = values if way == "sum" else np.concatenate([[np.nan], -np.diff(values)])
        axis = "right" if kind == "instruction" and "exact" in found else "left"
        lines.append(Line(SHORT[kind], shown, COLOURS[kind], DASHES[kind], axis))
    label = "log P(D_n), nats" if way == "sum" else "−log p(d_n | D_<n), nats"
    right = f"{label}, labels alone" if len(lines) > 1 else ""
    figure = steps_figure(lines, n, label, right, height=BOTTOM - 8)
    said = "; ".join(f"{line.name}: {np.asarray(line.values)[n]:.2f}" for line in lines)
    chart(figure, P + "evidence", f"Evidence after {n} demonstrations: {said}")


def _right(outcome: Outcome, n: int) -> None:
    """What the posteriors make of the answer, and what moves them."""
    look = st.segmented_control(
        "What to do with the posteriors",
        RIGHTS,
        required=True,
        label_visibility="collapsed",
        help=posterior_probes.HELP,
        **session.hold(RIGHT, RIGHTS[0], "default"),
    )
    if look == "Prior":
        posterior_prior.editor(outcome, BOTTOM + 40)
    elif look == "Orders":
        posterior_probes.orders(outcome, BOTTOM)
    elif look == "Say it twice":
        posterior_probes.twice(outcome, BOTTOM)
    else:
        posterior_probes.mixture(outcome, n, BOTTOM)


def table(outcome: Outcome) -> bytes:
    """Every number of the posteriors as CSV, a row a posterior, n and task."""
    from core.posterior.comparing import FLOORS, gains
    from core.statistics.distributions import entropy

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ["posterior", "n", "input", "label", "task", "weight", "nats added", "entropy", "log evidence", "residual"]
    )
    for kind, post in outcome.posteriors.items():
        added, spread = gains(post.weights, "average", FLOORS[kind]), entropy(post.weights)
        for n, row in enumerate(post.weights):
            shown = outcome.demonstrations[n - 1] if n else None
            common = [kind, n, shown.input if shown else "", shown.label if shown else ""]
            evidence = post.log_evidence[n] if post.log_evidence is not None else ""
            misfit = post.residual[n] if post.residual is not None else ""
            for t, task in enumerate(post.tasks):
                writer.writerow([*common, task, row[t], added[n - 1, t] if n else "", spread[n], evidence, misfit])
    return text.getvalue().encode()
