"""Controls of the Playground: how demonstrations are chosen, ordered, written and scored, and by which model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import ICLensError
from core.models.gguf import announce
from core.models.shelf import Shelved, shelf
from core.ordering import orderings
from core.runtime.registry import Registry
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections
from core.study.prompts import TEMPLATES, in_place_of, ready_made
from core.study.study import Dtype, ModelChoice, Study
from pages.ui.components.text import message, plain
from pages.ui.jobs import engine, jobs, view
from pages.ui.session import state
from pages.ui.workbench import chats, encoder_menu, reasoning_controls, shots

P = "frame_"
NORMALISATIONS = {
    "sum": "Sum of tokens",
    "token": "Mean per token",
    "character": "Mean per character",
    "byte": "Mean per byte",
}
SIMILARITIES = {"cosine": "Cosine", "dot": "Dot product", "rbf": "RBF, median width"}


def _menu(label: str, registry: Registry[Any], field: str, value: str, help: str) -> None:
    entries = {strategy.name: strategy for strategy in registry}
    lines = "\n\n".join(f"**{entry.title}**: {entry.help}" for entry in entries.values())
    options = list(entries) if value in entries else [*entries, value]  # a link may name what this version lacks
    st.selectbox(
        label,
        options,
        format_func=lambda name: entries[name].title if name in entries else f"{name}?",
        help=f"{help}\n\n{lines}",
        **state.bind(P + field, value, field, "index", options),
    )


def _seed(label: str, field: str, value: int, reads: bool, help: str) -> None:
    st.number_input(
        label, 0, 2**31 - 1, step=1, disabled=not reads, help=help, **state.bind(P + field, value, field, "value")
    )


def strategy_row(study: Study) -> None:
    """Instruction, template, selection, ordering and scorer in one row."""
    chosen = _reads(selections, study.selection)
    ordered = _reads(orderings, study.ordering)
    scored = _reads(scorers, study.scoring)
    widths, chat = [2.1, 1.15, 1.25, 0.62, 0.68, 1.25, 0.68, 1.05, 1.25, 0.62], chats.offered(study)
    if chat:
        widths = [1.5, 1.0, 0.95, *widths[2:]]
    first, second, *columns = st.columns(widths, gap="small", vertical_alignment="bottom")
    if chat:
        with columns.pop(0):
            chats.menu(study, P + "chat")
    columns = [first, second, *columns]
    _format_controls(columns[:2], study)
    with columns[2]:
        _menu("Selection", selections, "selection", study.selection, "Which demonstrations are shown.")
    with columns[3]:
        st.number_input(
            "k",
            0,
            10_000,
            step=1,
            disabled="k" not in chosen,
            help="How many demonstrations are taken from the pool.",
            **state.bind(P + "k", study.k, "k", "value"),
        )
    with columns[4]:
        _seed("Seed", "selection_seed", study.selection_seed, "selection_seed" in chosen, "Of the selection.")
    with columns[5]:
        _menu("Ordering", orderings, "ordering", study.ordering, "In which order they are shown.")
    with columns[6]:
        _seed("Seed ", "ordering_seed", study.ordering_seed, "ordering_seed" in ordered, "Of the ordering.")
    with columns[7]:
        _menu("Scorer", scorers, "scoring", study.scoring, "What ranks the candidate labels.")
    with columns[8]:
        st.selectbox(
            "Normalisation",
            list(NORMALISATIONS),
            format_func=NORMALISATIONS.get,
            disabled="normalisation" not in scored,
            help="Σ log p of a label's tokens is a joint probability; a mean per token or character is tempered "
            "and treats long labels otherwise.",
            **state.bind(P + "normalisation", study.normalisation, "normalisation", "index", list(NORMALISATIONS)),
        )
    with columns[9]:
        _more_popover(study, "encoder" in chosen | ordered, "probes" in ordered)


def _format_controls(columns: Sequence[DeltaGenerator], study: Study) -> None:
    """Instruction and template."""
    with columns[0]:
        st.text_input(
            "Instruction",
            live="250ms",
            placeholder="none",
            help="Stands first in the prompt, on a line of its own.",
            **state.bind(P + "instruction", study.instruction, "instruction", "value"),
        )
    with columns[1]:
        known = ready_made(study.template)
        own = study.template.name if study.template.name not in TEMPLATES else f"{study.template.name} changed"
        words = study.template.words
        names = list(TEMPLATES) if known else [*TEMPLATES, own]
        st.selectbox(
            "Template",
            names,
            help="How a demonstration is written. The page Format writes templates of your own, and words for labels"
            + (f"; {len(words)} label{'s' if len(words) != 1 else ''} of this study have a word." if words else "."),
            **state.bind(
                P + "template",
                known or own,
                lambda name: (
                    {"template": in_place_of(state.study().template, TEMPLATES[name])} if name in TEMPLATES else {}
                ),
                "index",
                names,
            ),
        )


def _more_popover(study: Study, encoder: bool, probes: bool) -> None:
    with st.container(key="icon_" + P + "more"):
        more = st.popover(
            "More settings",
            icon=":material/tune:",
            help="Encoder, probes, kernels, posteriors",
            on_change="rerun",
            key=P + "more",
            width="stretch",
        )
    if more.open:
        with more:
            more_settings(study, encoder, probes)


def _reads(registry: Registry[Any], name: str) -> frozenset[str]:
    return frozenset(registry.find(name).reads) if name in registry else frozenset()


def more_settings(study: Study, encoder: bool, probes: bool) -> None:
    """What a first look does not need."""
    _selection_settings(study)
    _scoring_settings(study)
    shots.field(study.shots, P + "shots")
    reasoning_controls.more(study, P)
    left, right = st.columns(2)
    with left:
        _reading_settings(study, encoder)
    with right:
        st.number_input(
            "Probes",
            1,
            1000,
            step=1,
            disabled=not probes and "probes" not in _reads(calibrations, study.calibration),
            help="Inputs of the pool on which GlobalE and LocalE try an order, and prior correction takes its mean.",
            **state.bind(P + "probes", study.probes, "probes", "value"),
        )
        st.segmented_control(
            "Probes come from",
            ["pool", "model"],
            required=True,
            disabled="probe_source" not in _reads(orderings, study.ordering),
            help="The pool's inputs, or one that the model itself writes after every order tried (slower).",
            **state.bind(P + "probe_source", study.probe_source, "probe_source", "default"),
        )
        st.selectbox(
            "Hidden-state similarity",
            list(SIMILARITIES),
            format_func=SIMILARITIES.get,
            **state.bind(P + "similarity", study.similarity, "similarity", "index", list(SIMILARITIES)),
        )
        st.segmented_control(
            "Attention kernel reads",
            ["demonstration", "label"],
            required=True,
            help="K(x, x_i) is the largest attention weight inside the demonstration, or inside its label alone.",
            **state.bind(P + "span", study.span, "span", "default"),
        )
    _heads(study)
    st.segmented_control(
        "Posteriors",
        ["exact", "implicit", "instruction"],
        format_func={"exact": "Exact", "implicit": "Implicit", "instruction": "By hypotheses"}.get,
        selection_mode="multi",
        help="Those that the model allows are computed.",
        **state.bind(P + "posteriors", list(study.posteriors), lambda v: {"posteriors": tuple(v)}, "default"),
    )
    st.toggle(
        "Chain the hypotheses",
        help="Off: p(y_i | I, x_i), which is Bayes's rule. On: given the earlier demonstrations too, which depends on "
        "their order.",
        **state.bind(P + "chained", study.chained, "chained", "value"),
    )


# Field, label, bounds and help of what single selections read.
SELECTION_SETTINGS: tuple[tuple[str, str, int, int, str], ...] = (
    ("shortlist", "Shortlist", 1, 10_000, "Rows of the pool looked at closely, where all of them cost too much."),
    ("neighbours", "Neighbours", 1, 10_000, "Inputs that each input votes for."),
    ("organisations", "Sets tried", 1, 1_000, "Sets of demonstrations drawn from the pool and compared."),
    ("selection_probes", "Probe inputs", 1, 1_000, "Inputs on which the sets are compared."),
    ("validation", "Held out", 1, 1_000, "Labelled rows of the pool on which an example's worth is measured."),
    ("concept_tokens", "Concept tokens", 1, 100, "Tokens learned to stand for the task."),
)


def _selection_settings(study: Study) -> None:
    """The settings of the selection chosen, where it has any beyond k and seed."""
    read = _reads(selections, study.selection)
    settings = [setting for setting in SELECTION_SETTINGS if setting[0] in read]
    if not settings and "mmr_lambda" not in read:
        return
    columns = iter(st.columns(len(settings) + ("mmr_lambda" in read)))
    for field, label, least, most, help in settings:
        next(columns).number_input(
            label, least, most, step=1, help=help, **state.bind(P + field, getattr(study, field), field, "value")
        )
    if "mmr_lambda" in read:
        next(columns).slider(
            "λ",
            0.0,
            1.0,
            step=0.05,
            help="1: nearest to the query alone; 0: unlike those chosen already alone.",
            **state.bind(P + "mmr_lambda", study.mmr_lambda, "mmr_lambda", "value"),
        )


def _scoring_settings(study: Study) -> None:
    """Calibration, and what single scorers read."""
    read = _reads(calibrations, study.calibration)
    scored = _reads(scorers, study.scoring)
    left, middle, right = st.columns([1.2, 0.8, 1.2], vertical_alignment="bottom")
    with left:
        _menu("Calibration", calibrations, "calibration", study.calibration, "q(y) ∝ p(y) / p_cf(y).")
    with middle:
        _seed("Seed  ", "calibration_seed", study.calibration_seed, "calibration_seed" in read, "Of the calibration.")
    with right:
        if "premise" in scored:
            st.text_input(
                "Premise of PMI",
                placeholder=study.template.label_prefix.strip(),
                help="PMI compares with the label's probability after this text alone; empty is the template's own.",
                **state.bind(P + "premise", study.premise, "premise", "value"),
            )
        elif "label_prior" in scored:
            st.segmented_control(
                "P(y) of the channel",
                ["even", "shown"],
                format_func={"even": "Even", "shown": "As shown"}.get,
                required=True,
                help="The channel scores log p(x|D,y); with “as shown” log P(y) is added, the labels' shares among the "
                "demonstrations, one added to each.",
                **state.bind(P + "label_prior", study.label_prior, "label_prior", "default"),
            )


def _reading_settings(study: Study, encoder: bool) -> None:
    """Encoder, hidden layer and decoder."""
    names = encoder_menu.offered(study.encoder)
    st.selectbox(
        "Encoder",
        list(names),
        format_func=lambda name: names.get(name, str(name)),
        disabled=not encoder,
        help=encoder_menu.help_text(),
        **state.bind(P + "encoder", study.encoder, "encoder", "index", list(names)),
    )
    st.number_input(
        "Hidden layer",
        -200,
        200,
        step=1,
        help="Layer of the hidden-state kernel: 0 is the embedding, −1 the last.",
        **state.bind(P + "hidden_layer", study.hidden_layer, "hidden_layer", "value"),
    )
    st.segmented_control(
        "Implicit posterior by",
        ["em", "least-squares"],
        format_func={"em": "Least KL (EM)", "least-squares": "Least squares"}.get,
        required=True,
        help="The w on the simplex whose answers Pw come nearest to the model's q: min KL(q‖Pw), or min ‖q − Pw‖².",
        **state.bind(P + "posterior_solver", study.posterior_solver, "posterior_solver", "default"),
    )


def _heads(study: Study) -> None:
    model = engine.loaded(study.model)
    if model is None:
        return
    options = [f"{layer}.{head}" for layer in range(model.layers) for head in range(model.heads)]
    chosen = [f"{layer}.{head}" for layer, head in study.heads]
    st.multiselect(
        "Heads of the attention kernel (layer.head)",
        list(dict.fromkeys([*options, *chosen])),
        placeholder="the mean of all",
        help="Averaged. A head chosen because it fits this study looks better here than it is: report it on others.",
        **state.bind(
            P + "heads",
            chosen,
            lambda v: {"heads": tuple((int(a), int(b)) for a, b in (t.split(".") for t in v))},
            "default",
        ),
    )


def model_popover(study: Study) -> None:
    """Which model, and loading another one in the background."""
    name = (
        "Embedded model" if study.model.name == "embedded" else plain(study.model.name.rstrip("/").split("/")[-1], 22)
    )
    box = st.popover(name, icon=":material/memory:", on_change="rerun", key=P + "model_box", help="Choose a model")
    if not box.open:
        return
    with box:
        _model_form(study)


def _model_form(study: Study) -> None:
    if study.model.name != "embedded":
        st.button("Back to the embedded model", key=P + "model_embedded", on_click=use, args=(engine.EMBEDDED,))
    model = engine.loaded(study.model)
    for note in () if model is None else model.notes:
        st.caption(message(note))
    for key, default in ((P + "model_name", ""), (P + "model_dtype", "float32"), (P + "model_device", "cpu")):
        st.session_state.setdefault(key, default)
    _known_models(st.session_state[P + "model_dtype"])
    st.text_input(
        "Hub id, local folder or GGUF file",
        key=P + "model_name",
        placeholder="gpt2",
        persist_state="session",
        help="A causal language model with a fast tokenizer and safetensors, or one GGUF file as llama.cpp and Ollama "
        "keep it. Code that comes with a model is not run.",
    )
    left, right = st.columns(2)
    left.selectbox("Number format", ["float32", "bfloat16", "float16"], key=P + "model_dtype", persist_state="session")
    right.selectbox(
        "Device", ["cpu", "cuda", "mps"], key=P + "model_device", accept_new_options=True, persist_state="session"
    )
    _announced(st.session_state[P + "model_name"].strip(), st.session_state[P + "model_dtype"])
    st.button("Load", type="primary", icon=":material/download:", key=P + "model_load", on_click=request_load)
    loading()


def _known_models(dtype: Dtype) -> None:
    """A menu of models that can be loaded, which fills in the name."""
    known = {each.name: each.line(dtype) for each in shelf() if each.name != engine.EMBEDDED.name and _allowed(each)}

    def fill() -> None:
        name = st.session_state[P + "model_known"]
        if name:
            st.session_state[P + "model_name"] = name

    st.selectbox(
        "Known models",
        list(known),
        index=None,
        format_func=known.get,
        key=P + "model_known",
        on_change=fill,
        placeholder="on this machine and on the hub",
        help="Models loaded before, in the folder that ICLENS_MODELS names, Ollama's and in the hub's cache, with the "
        "memory that their weights take; then small ones on the hub, which are fetched when they are loaded.",
    )


def _allowed(shelved: Shelved) -> bool:
    try:
        engine.check_allowed(shelved.name)
    except ICLensError:
        return False
    return True


def _announced(name: str, dtype: Dtype) -> None:
    """What a GGUF file would take, said before it is loaded, or why it cannot be."""
    try:
        if name:
            engine.check_allowed(name)
            found = announce(name, dtype)
            if found is not None:
                st.caption(message(found.sentence(dtype)))
    except ICLensError as error:
        st.caption(message(error))


def use(choice: ModelChoice) -> None:
    """Make a model in memory the study's."""
    jobs.replace("load", None)
    state.edit(model=choice, token_head=None, heads=(), template=chats.on(choice, state.study().template))


def request_load(choice: ModelChoice | None = None) -> None:
    """Start loading what the form names, or `choice`."""
    try:
        if choice is None:
            name = st.session_state[P + "model_name"].strip()
            if not name:
                state.say("Type the hub id or the folder of a model first.")
                return
            device = st.session_state[P + "model_device"].strip()
            choice = ModelChoice(name=name, dtype=st.session_state[P + "model_dtype"], device=device)
        engine.check_allowed(choice.name)
        if engine.is_loaded(choice):
            use(choice)
            return
        engine.start_loading(choice)
    except (ICLensError, ValueError) as error:
        state.say(str(error))


def loading() -> None:
    """Progress of a load under way, its error, or its success."""
    job = jobs.current("load")
    if job is not None:
        name = plain(ModelChoice.model_validate_json(job.key).name, 40)
        view.progress("load", f"Loading {name}", _loaded, drop=True)


def _loaded() -> None:
    ended = engine.load_ended()
    if ended is None:
        return
    choice, error = ended
    if error:
        state.say(error)
    else:
        use(choice)
    st.rerun()
