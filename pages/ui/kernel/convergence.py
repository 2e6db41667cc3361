"""Convergence: the distance between exact Bayes and kernel regression as demonstrations are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.analysis.kernel.convergence import (
    KINDS,
    NUMBERS,
    READS,
    ModelConvergence,
    compared_kernels,
    model_convergence,
    name_of,
)
from core.errors import StudyError
from core.figures.kernel.convergence import Published, convergence_figure
from core.hidden_markov import convergence as hidden
from core.runtime.numbers import cell
from core.runtime.progress import Stop
from core.statistics.curves import Curve
from core.study.study import Study
from pages.ui.components.card import Card, Values, heading, save_csv
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis, engine
from pages.ui.jobs.waiting import Nothing
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
WORLD: dict[str, tuple[tuple[Any, ...], Any]] = {  # what a control offers, and its value at first
    "tasks": ((2, 4, 8, 12, 16), 8),
    "observations": ((10, 20, 50, 100, 200), 100),
    "seeds": ((2, 4, 8, 16, 32), 8),
    "differ": (tuple(DIFFER), "all"),
}
TEMPERATURES = (0.02, 0.05, 0.1, 0.2)
LABELS = {
    "tasks": "Tasks",
    "states": "States",
    "observations": "Observations",
    "length": "Length of x",
    "seeds": "Seeds",
    "differ": "Tasks differ in",
    "temperature": "Temperature",
    "norm": "Distance",
}
NAMES: dict[str, dict[Any, str]] = {"differ": DIFFER, "norm": NORMS, "kind": KIND_NAMES}
DOCUMENTS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "kind": (tuple(KINDS), "labels"),
    "documents": ((12, 24, 48, 96), 24),
    "seed": (tuple(range(10)), 0),
    "measure": (MEASURES, MEASURES[0]),
}
MODEL_LABELS = {
    "kind": (
        "Tasks",
        "Two classes: labels repeat, so a vote of the demonstrations can answer. Codebooks: an input has to be "
        "seen again. Maps: every input has an answer of its own, and no vote can give it.",
    ),
    "documents": ("Documents", "Drawn from the mixture as in pretraining, noise included."),
    "seed": ("Seed", "Of the draws."),
    "measure": (
        "Show",
        "Distance is Σ|p − q| over the candidates, 0 to 2. Accuracy is against the document's own label, noise "
        "included.",
    ),
}
COLUMNS = {  # short names for a narrow table, and what each means
    hidden.KERNEL: ("kernel", HELP_KERNEL),
    hidden.SIGNED: ("signed", "With negative weights, the formula as it is written, each distance capped."),
    hidden.FLAT: ("equal", "All weights equal, K = 1: the frequencies of the labels shown."),
}


def _source() -> str:
    """Which mixture."""
    chosen: str = st.session_state.get(P + "source", HMM)
    return chosen


def _reads() -> Values:
    return (_source(), *(_hidden_reads() if _source() == HMM else _model_reads()))


def _controls(values: Values | None) -> None:
    drawn = values[1:] if values is not None and values[0] == _source() else None

    def menus() -> None:
        st.session_state.setdefault(P + "source", HMM)
        st.segmented_control(
            "Mixture",
            (HMM, EMBEDDED),
            key=P + "source",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        st.space("stretch")
        if drawn is not None:
            rows = _hidden_records if _source() == HMM else _model_records
            help = "Every curve with its interval, and the published figures."
            save_csv("CSV", "kernel_convergence", lambda: rows(drawn[0]), help=help)

    heading("Bayes and kernel regression as n grows", HELP, menus)
    if _source() == HMM:
        _world_controls()
    elif _has_mixture():
        _model_controls()


def _draw(source: str, *values: Any) -> None:
    (_hidden_view if source == HMM else _model_view)(*values)


def _hidden_reads() -> Values:
    world = hidden.World(**{name: value for name, (_, value) in _world_choices().items()} | _warmth())

    def work(_: Study, stop: Stop) -> hidden.Convergence:
        return hidden.convergence(world, stop=stop)

    curves = analysis.value(P + "hmm", Study(), None, asdict(world), work, "Mixtures", reads=())
    return curves, _one_of("norm", tuple(NORMS), "L1")


def _hidden_view(found: hidden.Convergence, norm: str) -> None:
    """The distance over n on a mixture of hidden Markov models, beside the published figures."""
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


def _hidden_records(found: hidden.Convergence) -> list[dict[str, Any]]:
    return _records(found.numbers, [(f"distance {name}", c) for name, c in found.distances.items()], hidden.PUBLISHED)


def _one_of(name: str, options: Sequence[Any], default: Any) -> Any:
    """What is chosen."""
    chosen = st.session_state.get(P + name)
    return chosen if chosen in options else default


def _warmth() -> dict[str, float]:
    temperature = _one_of("temperature", TEMPERATURES, 0.05)
    return {"transition": temperature, "emission": temperature}


def _world_choices() -> dict[str, tuple[tuple[Any, ...], Any]]:
    """For each control of a world, what it offers and what is chosen."""
    choices: dict[str, tuple[tuple[Any, ...], Any]] = {
        name: (options, _one_of(name, options, first)) for name, (options, first) in WORLD.items()
    }
    tasks, observations, differ = (choices[name][1] for name in ("tasks", "observations", "differ"))
    # Multiples of the number of tasks; a choice that no longer is one becomes the nearest that is.
    multiples = tuple(tasks * each for each in (3, 4, 6, 8, 10, 12))
    before = st.session_state.get(P + "states", 80)
    states = before if before in multiples else min(multiples, key=lambda count: abs(count - before))
    lengths = tuple(n for n in (1, 2, 3) if _fits(tasks, states, observations, n, differ))
    length = _one_of("length", lengths, min(2, lengths[-1]))
    return choices | {"states": (multiples, states), "length": (lengths, length)}


def _world_controls() -> None:
    """What decides a world, in one row."""
    choices = _world_choices()
    choices["temperature"] = (TEMPERATURES, _warmth()["emission"])
    choices["norm"] = (tuple(NORMS), _one_of("norm", tuple(NORMS), "L1"))
    slots = st.columns([0.9, 0.95, 1.2, 1.1, 0.9, 1.25, 1.25, 1.05], gap="small", vertical_alignment="bottom")
    for column, (name, label) in zip(slots, LABELS.items(), strict=True):
        options, value = choices[name]
        with column:
            _choice(label, name, options, value, HELP_CONTROLS[name], NAMES.get(name))


def _fits(tasks: int, states: int, observations: int, length: int, differ: Any) -> bool:
    try:
        hidden.World(tasks=tasks, states=states, observations=observations, length=length, differ=differ)
    except StudyError:
        return False
    return True


def _choice(
    label: str, name: str, options: Sequence[Any], value: Any, help: str, names: dict[Any, str] | None = None
) -> None:
    key = P + name
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    st.selectbox(
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
    return f"{curve.mean[i]:.3f}" + (f" ±{cell(half, 3)}" if half == half else "")


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


def _has_mixture() -> bool:
    known = engine.loaded(state.study().model)
    return known is not None and known.mixture is not None


def _model_choices() -> dict[str, tuple[tuple[Any, ...], Any]]:
    return {name: (options, _one_of(name, options, first)) for name, (options, first) in DOCUMENTS.items()}


def _model_controls() -> None:
    """Which documents, and what is shown of them."""
    choices = _model_choices()
    slots = st.columns([1.4, 1, 1, 2.6], gap="small", vertical_alignment="bottom")
    for column, (name, (label, help)) in zip(slots, MODEL_LABELS.items(), strict=True):
        with column:
            _choice(label, name, *choices[name], help, NAMES.get(name))


def _model_reads() -> Values:
    study = state.study()
    known = engine.loaded(study.model)
    if known is None or known.mixture is None:
        raise Nothing(
            "Exact Bayes needs a model whose mixture of tasks is known: choose the embedded model, or look at the "
            "hidden Markov mixture."
        )
    settings = {name: value for name, (_, value) in _model_choices().items()}
    measure, documents = settings.pop("measure"), settings["documents"]

    def work(held: Study, stop: Stop) -> ModelConvergence:
        return model_convergence(held, known, **settings, stop=stop)

    ask = (
        f"{documents} documents of {NUMBERS[-1]} demonstrations, each answered {len(NUMBERS)} times by the model, "
        "exact Bayes and two kernels: seconds to a minute."
    )
    curves = analysis.value(P + "model", study, known, settings, work, "Documents", reads=READS, ask=ask)
    return curves, measure


def _model_records(found: ModelConvergence) -> list[dict[str, Any]]:
    return _records(found.numbers, list(_measures(found).items()))


def _measures(found: ModelConvergence) -> dict[str, tuple[Curve, ...]]:
    return dict(
        zip(
            MEASURES,
            (found.distances(), found.distances("model"), found.agreement(), found.accuracy()),
            strict=True,
        )
    )


def _model_view(found: ModelConvergence, measure: str) -> None:
    """The same curves on the study's model, where its mixture is known."""
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


CARD = Card(P + "card", "", "", _reads, _draw, controls=_controls, height=HEIGHT + 50, stretched=False)
