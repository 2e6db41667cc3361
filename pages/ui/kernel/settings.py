"""Settings of the kernels, and which of them are rows of the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.embeddings.encoders import NEAREST
from core.embeddings.sentence_encoders import installed
from core.errors import ICLensError
from core.kernels import kernels
from core.kernels.variants import KernelVariant, one_of_each, variants
from core.study.study import Study
from pages.ui.components.card import Card, Values
from pages.ui.jobs import engine
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.session import state
from pages.ui.workbench import encoder_menu
from pages.ui.workbench.controls import SIMILARITIES

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "kernel_"
ROWS, CHOSEN, ENCODERS = P + "rows", P + "chosen", P + "encoders"
CHOICES = ("One of each", "Every layer", "Every head", "Chosen")
SETTINGS = frozenset({"heads", "hidden_layer", "similarity", "bandwidth", "span", "pooling"})
READS = ANSWERS | SETTINGS  # fields of a study that decide kernel weights


def _card_reads() -> Values:
    study = state.study()
    known = engine.loaded(study.model)
    size = (known.layers, known.heads) if known is not None else (0, 0)
    return cut(study, SETTINGS), *size


def _draw_card(study: Study, layers: int, per_layer: int) -> None:
    """What the kernels read: part of the study, so that undo, links and the other pages follow."""
    heads = [f"{layer}.{head}" for layer in range(layers) for head in range(per_layer)]
    chosen = [f"{layer}.{head}" for layer, head in study.heads]
    st.multiselect(
        "Heads of “Attention” (layer.head)",
        list(dict.fromkeys([*heads, *chosen])),
        placeholder="the mean of all",
        help="Averaged. A head chosen because it fits this study looks better here than it is: the head atlas chooses "
        "on some items and reports on others.",
        **state.bind(P + "heads", chosen, lambda names: {"heads": tuple(map(_head, names))}, "default"),
    )
    left, right = st.columns(2, gap="small")
    with left:
        _segmented(
            "Attention to",
            P + "span",
            study.span,
            "span",
            {"demonstration": "whole", "label": "label"},
            "The tokens of a demonstration that count: all of it, or its label's alone.",
        )
        st.selectbox(
            "Hidden states by",
            list(SIMILARITIES),
            format_func=SIMILARITIES.get,
            help="Cosine h·hᵢ/(‖h‖‖hᵢ‖), dot product h·hᵢ, or RBF exp(−‖h − hᵢ‖²/2σ²); h is the mean over the input's "
            "tokens, read alone.",
            **state.bind(P + "similarity", study.similarity, "similarity", "index", list(SIMILARITIES)),
        )
    with right:
        _segmented(
            "Pooled by",
            P + "pooling",
            study.pooling,
            "pooling",
            {"max": "largest", "sum": "sum"},
            "The largest weight on those tokens (Han et al. 2023), or the sum of the weights.",
        )
        st.slider(
            "Bandwidth × median",
            0.1,
            4.0,
            step=0.1,
            disabled=study.similarity != "rbf",
            help="σ of the RBF kernel as a multiple of the median distance between all pairs of the query and the "
            "inputs shown (the median heuristic is 1). Read by RBF alone.",
            **state.bind(P + "bandwidth", float(min(max(study.bandwidth, 0.1), 4.0)), "bandwidth", "value"),
        )
    _sentence_encoders()


def _segmented(label: str, key: str, value: str, field: str, names: dict[str, str], help: str) -> None:
    st.segmented_control(
        label, list(names), format_func=names.get, required=True, help=help, **state.bind(key, value, field, "default")
    )


def _head(name: str) -> tuple[int, int]:
    layer, head = name.split(".")
    return int(layer), int(head)


def _sentence_encoders() -> None:
    st.session_state.setdefault(ENCODERS, [])
    st.multiselect(
        "Sentence encoders",
        list(dict.fromkeys([*st.session_state[ENCODERS], *encoder_menu.sources()])),
        key=ENCODERS,
        accept_new_options=True,
        persist_state="session",
        disabled=not installed(),
        placeholder="folder or hub name" if installed() else "pip install sentence-transformers",
        on_change=_check_encoders,
        help="Read by the sentence-transformers library (pip install sentence-transformers), for instance "
        "sentence-transformers/all-MiniLM-L6-v2, the paper's. Safetensors only; code that comes with one is not run. "
        + NEAREST,
    )


def _check_encoders() -> None:
    """Drop a folder that the operator does not allow."""
    allowed = []
    for name in dict.fromkeys(text.strip() for text in st.session_state[ENCODERS] if text.strip()):
        try:
            engine.check_allowed(str(Path(name).expanduser()) if name.startswith("~") else name)
            allowed.append(name)
        except ICLensError as error:
            state.say(str(error))
    st.session_state[ENCODERS] = allowed


def sentence_encoders() -> list[str]:
    """Folders and hub names that the visitor has typed."""
    return list(st.session_state.get(ENCODERS, []))


def offered(model: LanguageModel) -> dict[str, KernelVariant]:
    """Every kernel with its settings, by name."""
    return {variant.name: variant for variant in variants(model.layers, model.heads, sentence_encoders())}


def rows_control(study: Study, model: LanguageModel) -> None:
    """Which kernels are rows of the table of weights."""
    st.session_state.setdefault(ROWS, CHOICES[0])
    st.segmented_control(
        "Kernels", CHOICES, key=ROWS, required=True, label_visibility="collapsed", persist_state="session"
    )
    if st.session_state[ROWS] != "Chosen":
        return
    st.session_state[CHOSEN] = [variant.name for variant in rows(study, model)]
    st.multiselect(
        "Rows",
        list(offered(model)),
        key=CHOSEN,
        placeholder="Choose kernels",
        label_visibility="collapsed",
        persist_state="session",
        help="Heads are “Attention layer.head”, layers “Hidden states n”, 0 being the embedding.",
    )


def rows(study: Study, model: LanguageModel) -> tuple[KernelVariant, ...]:
    """The kernels that the controls say."""
    known, kind = offered(model), st.session_state.get(ROWS, CHOICES[0])
    if kind == "Every layer":
        return tuple(v for v in known.values() if "hidden_layer" in dict(v.settings))
    if kind == "Every head":
        return tuple(v for v in known.values() if kernels.find(v.kernel).varies == "heads")
    names: Sequence[str] | None = st.session_state.get(CHOSEN) if kind == "Chosen" else None
    if names is None:
        return one_of_each(study, tuple(known.values()), model.layers)
    return tuple(known[name] for name in names if name in known)


CARD = Card(
    P + "card_settings",
    "Kernel settings",
    "They belong to the study: the Playground's kernels follow, and links carry them.",
    _card_reads,
    _draw_card,
    height=330,
    stretched=False,
)
