"""Convergence: the distance between exact Bayes and kernel regression as demonstrations are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.analysis.kernel.convergence import (
    KINDS,
    NUMBERS,
    ModelConvergence,
    bare,
    compared_kernels,
    model_convergence,
    name_of,
)
from core.errors import StudyError
from core.figures.kernel.convergence import Published, convergence_figure
from core.files.csv_records import as_csv
from core.hidden_markov import convergence as hidden
from core.statistics.curves import Curve
from core.study.study import Study
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis, engine
from pages.ui.session import state

P = "kernel_convergence_"
HMM, EMBEDDED = "Hidden Markov mixture", "This model"
DIFFER = {"all": "everything", "transitions": "transitions", "start": "start"}
NORMS = {"L1": "Σ|·|", "L2": "√Σ|·|²", "max": "max|·|"}
MEASURES = ("Distance to exact Bayes", "Distance to the model", "Same answer as Bayes", "Accuracy")
KIND_NAMES = {"labels": "two classes", "codebooks": "codebooks", "maps": "maps"}
PUBLISHED = Published("published (Han et al. 2023)", hidden.NUMBERS, hidden.PUBLISHED)
HEIGHT = 372
HELP = (
    "Han et al. 2023: Bayesian prediction nears kernel regression, ŷ = Σᵢ e(yᵢ) K(x,xᵢ) / Σᵢ K(x,xᵢ), as the number "
    "n of demonstrations grows. The distance is a norm of ŷ − P(y | x, D). Bands are 95 % intervals over seeds, or "
    "over documents. “All weights equal” is what no kernel at all would give: the frequencies of the labels shown."
)
HELP_KERNEL = (
    "K(x,x′) = vec(Tₓ)ᵀ Σ⁺ vec(Tₓ′) with Tₓ = Πₜ diag(p_oₜ) T and Σ exact for the whole mixture. Negative weights are "
    "set to 0, so that ŷ is a distribution; with them, a sum near nothing can make ŷ enormous, so each distance "
    "is capped at the largest that two distributions can have."
)


HELP_CONTROLS = {
    "tasks": "Models in the mixture, one of which makes a prompt.",
    "states": "Hidden states of all tasks together, shared equally by the tasks.",
    "observations": "Different tokens; y is one of them too.",
    "length": "Tokens of an input; the one after them is y. Lengths whose kernel would take minutes are not offered.",
    "seeds": "Mixtures drawn, with 64 prompts each; the interval is over them.",
    "differ": "Everything: each task is a model of its own. Transitions: emissions are shared, as in GINC. Start: all "
    "tasks walk one model of all states and begin elsewhere (takes an x of one token).",
    "temperature": "Rows of transitions and emissions are softmax(N(0,1) / temperature): the lower, the closer to "
    "certain. Our choice, and it decides how fast the distance falls.",
    "norm": "Norm of ŷ − P over the observations. The published figures go to 1.322, more than max|·| can be, so they "
    "stand beside the sum.",
}
COLUMNS = {  # short names for a narrow table, and what each means
    hidden.KERNEL: ("kernel", HELP_KERNEL),
    hidden.SIGNED: ("signed", "With negative weights, the formula as it is written, each distance capped."),
    hidden.FLAT: ("equal", "All weights equal, K = 1: the frequencies of the labels shown."),
}


def convergence_view() -> None:
    """The distance over n on a mixture of hidden Markov models, or on the study's model."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Bayes and kernel regression as n grows**", help=HELP, width="content")
        st.session_state.setdefault(P + "source", HMM)
        source = st.segmented_control(
            "Mixture",
            (HMM, EMBEDDED),
            key=P + "source",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        st.space("stretch")
        file_slot = st.container(width="content")
    rows = _hidden_markov() if source == HMM else _embedded(state.study())
    if rows:
        with file_slot:
            st.download_button(
                "CSV",
                as_csv(rows),
                "iclens-convergence.csv",
                "text/csv",
                key=P + "csv",
                icon=":material/download:",
                on_click="ignore",
                help="Every curve with its interval, and the published figures.",
            )


def _hidden_markov() -> list[dict[str, Any]]:
    """Rows of the file; empty until the result is there."""
    settings = _world_controls()
    world = hidden.World(**settings)
    found = analysis.result(
        P + "hmm",
        Study(),
        None,
        asdict(world),
        lambda stop: hidden.convergence(world, stop=stop),
        "Mixtures",
    )
    if found is None:
        return []
    norm = st.session_state[P + "norm"]
    curves = found.distances[norm]
    left, right = st.columns([0.57, 0.43], gap="small")
    with left:
        figure = convergence_figure(
            found.numbers,
            curves,
            f"distance {NORMS[norm]}",
            PUBLISHED if norm == "L1" else None,
            hidden.NORMS[norm],
            HEIGHT,
        )
        first, last = curves[0].mean[0], curves[0].mean[-1]
        chart(
            figure,
            P + "chart",
            f"Distance of the operator kernel to exact Bayes falls from {first:.2f} at n = 1 to {last:.2f} at n = 128",
        )
    with right:
        _table(found.numbers, curves, PUBLISHED.values if norm == "L1" else None)
    _say_about(found)
    return _records(found.numbers, [(f"distance {name}", c) for name, c in found.distances.items()], hidden.PUBLISHED)


def _world_controls() -> dict[str, Any]:
    """What decides a world, from the row of controls."""
    slots = st.columns([0.9, 0.95, 1.2, 1.1, 0.9, 1.25, 1.25, 1.05], gap="small", vertical_alignment="bottom")
    tasks_at, states_at, observations_at, length_at, seeds_at, differ_at, temperature_at, norm_at = slots
    with tasks_at:
        tasks = _choice("Tasks", "tasks", (2, 4, 8, 12, 16), 8, HELP_CONTROLS["tasks"])
    with states_at:
        # Multiples of the number of tasks; a choice that no longer is one becomes the nearest that is.
        options = tuple(tasks * each for each in (3, 4, 6, 8, 10, 12))
        before = st.session_state.get(P + "states", 80)
        if before not in options:
            st.session_state[P + "states"] = min(options, key=lambda states: abs(states - before))
        states = _choice("States", "states", options, 80, HELP_CONTROLS["states"])
    with observations_at:
        tokens = (10, 20, 50, 100, 200)
        observations = _choice("Observations", "observations", tokens, 100, HELP_CONTROLS["observations"])
    with seeds_at:
        seeds = _choice("Seeds", "seeds", (2, 4, 8, 16, 32), 8, HELP_CONTROLS["seeds"])
    with differ_at:
        differ = _choice("Tasks differ in", "differ", tuple(DIFFER), "all", HELP_CONTROLS["differ"], DIFFER)
    with length_at:
        lengths = tuple(n for n in (1, 2, 3) if _fits(tasks, states, observations, n, differ))
        length = _choice("Length of x", "length", lengths, min(2, lengths[-1]), HELP_CONTROLS["length"])
    with temperature_at:
        warmth = (0.02, 0.05, 0.1, 0.2)
        temperature = _choice("Temperature", "temperature", warmth, 0.05, HELP_CONTROLS["temperature"])
    with norm_at:
        _choice("Distance", "norm", tuple(NORMS), "L1", HELP_CONTROLS["norm"], NORMS)
    return {
        "tasks": tasks,
        "states": states,
        "observations": observations,
        "length": length,
        "seeds": seeds,
        "differ": differ,
        "transition": temperature,
        "emission": temperature,
    }


def _fits(tasks: int, states: int, observations: int, length: int, differ: Any) -> bool:
    try:
        hidden.World(tasks=tasks, states=states, observations=observations, length=length, differ=differ)
    except StudyError:
        return False
    return True


def _choice(
    label: str, name: str, options: Sequence[Any], default: Any, help: str, names: dict[Any, str] | None = None
) -> Any:
    key = P + name
    if st.session_state.get(key) not in options:
        st.session_state[key] = default
    return st.selectbox(
        label,
        options,
        key=key,
        help=help,
        format_func=(names or {}).get if names else str,
        persist_state="session",
    )


def _table(numbers: Sequence[int], curves: Sequence[Curve], published: Sequence[float] | None) -> None:
    """The figures, a row for each n."""
    columns: dict[str, list[Any]] = {"n": list(numbers)}
    config: dict[str, Any] = {"n": st.column_config.NumberColumn("n", width=40, help="Demonstrations.")}
    if published is not None:
        columns["published"] = list(published)
        config["published"] = st.column_config.NumberColumn(
            "published",
            width=72,
            format="%.3f",
            help="Han et al. 2023, Table 3: 8 tasks, 80 states, 100 observations, whatever is chosen above.",
        )
    words = COLUMNS | {name_of(kernel): (kernel.name, kernel.converges) for kernel in compared_kernels()}
    for curve in curves:
        columns[curve.name] = [_with_half(curve, i) for i in range(len(numbers))]
        short, help = words.get(curve.name, (curve.name, "Mean ± half a 95 % interval."))
        config[curve.name] = st.column_config.TextColumn(short, help=help)
    st.dataframe(columns, hide_index=True, column_config=config)


def _with_half(curve: Curve, i: int) -> str:
    half = (curve.high[i] - curve.low[i]) / 2
    return f"{curve.mean[i]:.3f}" + (f" ±{half:.3f}".replace("0.", ".") if half == half else "")


def _say_about(found: hidden.Convergence) -> None:
    certain = next((n for n, p in zip(found.numbers, found.certainty.mean, strict=True) if p > 0.99), None)
    when = f"from n = {certain} on" if certain else "at no n shown"
    ranks = found.ranks
    st.caption(
        f"Rank of Σ {ranks.min()} to {ranks.max()}; mean K(x,x) {found.mean_k.mean():.0f}, in expectation the "
        f"rank. The true task has a posterior above .99 {when}; what falls from there is the kernel's own error.",
        help="The paper's table gives the numbers of tasks, states and observations; how its models were drawn and "
        "which norm it reports are not among the figures that we have. So the shape can be compared, the level cannot.",
    )


def _records(
    numbers: Sequence[int],
    named: Sequence[tuple[str, Sequence[Curve]]],
    published: Sequence[float] | None = None,
) -> list[dict[str, Any]]:
    rows = [
        {
            "measure": measure,
            "way": curve.name,
            "n": n,
            "mean": float(curve.mean[i]),
            "low": float(curve.low[i]),
            "high": float(curve.high[i]),
        }
        for measure, curves in named
        for curve in curves
        for i, n in enumerate(numbers)
    ]
    for n, value in zip(numbers, published or (), strict=False):
        rows.append({"measure": "distance", "way": "published", "n": n, "mean": value, "low": "", "high": ""})
    return rows


def _embedded(study: Study) -> list[dict[str, Any]]:
    """The same curves on the study's model, where its mixture is known."""
    model = engine.loaded(study.model)
    if model is None or model.mixture is None:
        st.info(
            "Exact Bayes needs a model whose mixture of tasks is known: choose the embedded model, or look at the "
            "hidden Markov mixture."
        )
        return []
    columns = st.columns([1.4, 1, 1, 2.6], gap="small", vertical_alignment="bottom")
    with columns[0]:
        kind = _choice(
            "Tasks",
            "kind",
            tuple(KINDS),
            "labels",
            "Two classes: labels repeat, so a vote of the demonstrations can answer. Codebooks: an input has to be "
            "seen again. Maps: every input has an answer of its own, and no vote can give it.",
            KIND_NAMES,
        )
    with columns[1]:
        documents = _choice(
            "Documents", "documents", (12, 24, 48, 96), 24, "Drawn from the mixture as in pretraining, noise included."
        )
    with columns[2]:
        seed = _choice("Seed", "seed", tuple(range(10)), 0, "Of the draws.")
    with columns[3]:
        measure = _choice(
            "Show",
            "measure",
            MEASURES,
            MEASURES[0],
            "Distance is Σ|p − q| over the candidates, 0 to 2. Accuracy is against the document's own label, noise "
            "included.",
        )
    asked = bare(study)
    found = analysis.result(
        P + "model",
        asked,
        model,
        {"kind": kind, "documents": documents, "seed": seed},
        lambda stop: model_convergence(asked, model, kind=kind, documents=documents, seed=seed, stop=stop),
        "Documents",
        ask=f"{documents} documents of {NUMBERS[-1]} demonstrations, each answered {len(NUMBERS)} times by the model, "
        "exact Bayes and two kernels: seconds to a minute.",
    )
    if found is None:
        return []
    _draw_embedded(found, measure)
    return _records(found.numbers, list(_measures(found).items()))


def _measures(found: ModelConvergence) -> dict[str, tuple[Curve, ...]]:
    return dict(
        zip(
            MEASURES,
            (found.distances(), found.distances("model"), found.agreement(), found.accuracy()),
            strict=True,
        )
    )


def _draw_embedded(found: ModelConvergence, measure: str) -> None:
    curves = _measures(found)[measure]
    left, right = st.columns([0.57, 0.43], gap="small")
    with left:
        is_share = measure in MEASURES[2:]
        figure = convergence_figure(
            found.numbers, curves, measure[0].lower() + measure[1:], most=1.05 if is_share else 2.0, height=HEIGHT
        )
        ends = "; ".join(f"{c.name} {c.mean[0]:.2f} to {c.mean[-1]:.2f}" for c in curves)
        chart(figure, P + "model_chart", f"{measure}, from n = 1 to {found.numbers[-1]}: {ends}")
    with right:
        _table(found.numbers, curves, None)
    st.caption(
        f"{len(found.families)} documents of {len(set(found.families))} tasks. The exact kernel is our definition for "
        "this mixture: the chance that two inputs share a label under the exact posterior. Kernel regression answers "
        "with labels shown and with nothing else."
    )
