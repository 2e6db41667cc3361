"""The head atlas: which head's attention, read as a kernel, reproduces the model's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.kernel import head_atlas as heads
from core.analysis.kernel.records import atlas_records
from core.evaluation.items import Item, items_from_mixture, items_from_pool
from core.figures.kernel.head_atlas import AgreementRow, AtlasPanel, agreement_figure, atlas_figure
from core.kernels import kernels
from core.kernels.variants import KernelVariant
from core.mixture.mixture import load_mixture
from core.runtime.progress import Stop
from core.study.study import Study
from pages.ui.components.card import Card, Values, heading
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.jobs import analysis, engine
from pages.ui.jobs.run import model, outcome
from pages.ui.kernel import settings as kernel_settings
from pages.ui.kernel.settings import READS as READS_OF_KERNELS
from pages.ui.kernel.views import download
from pages.ui.session import state

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "kernel_atlas_"
SOURCES = ("Tasks of the mixture", "Pool, leaving one out")
KINDS = ("codebook", "arbitrary", "natural", "flipped", "map")
FIRST = {"k": 12, "count": 60, "seed": 0}  # what the controls of the items begin with
READS = READS_OF_KERNELS - {"demonstrations", "query", "heads"}  # items bring demonstrations and queries of their own
BEST = "the best of these"
NAMES = {
    ("demonstration", "max"): "largest weight in the demonstration",
    ("demonstration", "sum"): "summed weight in the demonstration",
    ("label", "max"): "largest weight in the label",
    ("label", "sum"): "summed weight in the label",
}
HELP = (
    "For every item, each head votes: ŷ = argmax_y Σᵢ aᵢ [yᵢ = y], aᵢ its attention from the prompt's last token to "
    "demonstration i (Han et al. 2023). A cell is the share of items whose vote is the model's answer, or the right "
    "one. The head is chosen on the first half of the items and reported on the second: the best of many heads looks "
    "better on the items that chose it than it is. Published, GPT-J: its best head agrees with the model on 89.2 %."
)


def _reads() -> Values:
    study, known = outcome().study, model()
    settings, others = _settings(known), _others(study, known)

    def work(held: Study, stop: Stop) -> heads.Atlas:
        return heads.head_atlas(held, known, _items(held, settings), others, stop=stop)

    decides = {**settings, "kernels": [variant.name for variant in others]}
    count = settings["count"]
    ask = "" if known.mixture is not None else f"{count} prompts are read and scored, one after another."
    atlas = analysis.value(P + "maps", study, known, decides, work, "head atlas", reads=READS, ask=ask)
    return atlas, _chosen_reading()


def _controls(values: Values | None) -> None:
    known = model()

    def menus() -> None:
        first = _source(known)
        _segmented("Items from", P + "source", SOURCES, first)
        _reading_control()
        if values is not None:
            download(lambda: atlas_records(values[0]), "atlas")

    heading("Head atlas", HELP, menus)
    _items_controls(len(state.study().pool), _source(known))


def atlas_view(atlas: heads.Atlas, reading: int | None) -> None:
    """The two maps, and heads beside other kernels on the same items."""
    choice = atlas.choose(reading)
    _summary(atlas, choice)
    _maps(atlas, choice)
    chart(
        agreement_figure(_rows(atlas, choice), _rules(atlas)),
        P + "agreement",
        "Agreement of the chosen head and of other kernels with the model's answer and with the right one",
    )
    for name, why in atlas.missing:
        st.caption(f"{plain(name)}: {plain(why, 300)}")


def _segmented(label: str, key: str, options: tuple[str, ...], first: str) -> None:
    st.session_state.setdefault(key, first)
    st.segmented_control(label, options, key=key, required=True, label_visibility="collapsed", persist_state="session")


def _source(model: LanguageModel) -> str:
    """Where the items come from."""
    chosen: str = st.session_state.get(P + "source", SOURCES[0] if model.mixture else SOURCES[1])
    return chosen


def _chosen_reading() -> int | None:
    """How attention becomes a weight; None lets the choosing part decide."""
    chosen: int | None = st.session_state.get(P + "reading")
    return chosen


def _reading_control() -> None:
    options = [None, *range(len(heads.READINGS))]
    st.selectbox(
        "Weight",
        options,
        format_func=lambda i: BEST if i is None else NAMES[heads.READINGS[i]],
        key=P + "reading",
        required=True,
        label_visibility="collapsed",
        width=270,
        persist_state="session",
        help="How a head's attention becomes the weight of a demonstration. All four are measured at once; the best of "
        "them is chosen with the head, on the first half of the items.",
    )


def _settings(model: LanguageModel) -> dict[str, Any]:
    """Where the items come from, as JSON values."""
    settings: dict[str, Any] = {"source": _source(model)}
    if settings["source"] == SOURCES[0]:
        settings["families"] = _families()
    for name, first in FIRST.items():
        settings[name] = int(st.session_state.get(P + name, first))
    return settings


def _items_controls(pool: int, source: str) -> None:
    """Where the items come from."""
    columns = st.columns([3.5, 1.6, 0.7, 0.8, 0.8], gap="small", vertical_alignment="bottom")
    for name, first in FIRST.items():
        st.session_state.setdefault(P + name, first)
    if source == SOURCES[0]:
        _families_controls(*columns[:2])
    else:
        columns[0].caption(
            f"Each of the pool's {pool} rows is asked once, with k others drawn anew as its demonstrations."
        )
    for column, key, label, low, high, help in (
        (columns[2], "k", "k", 1, 200, "Demonstrations of every item."),
        (columns[3], "count", "Items", 4, 1000, "Half of them choose the head, the others report."),
        (columns[4], "seed", "Seed", 0, 2**31 - 1, "Of the items drawn."),
    ):
        column.number_input(label, low, high, step=1, key=P + key, persist_state="session", help=help)


def _of_kinds() -> list[str]:
    """Tasks of the kinds chosen."""
    kinds = st.session_state.get(P + "kinds", KINDS[:4])
    return [family.name for family in engine.mixture().details if family.kind in kinds]


def _families() -> list[str]:
    """The tasks chosen; of those kinds all, where none is."""
    names = _of_kinds()
    return [name for name in st.session_state.get(P + "tasks", []) if name in names] or names


def _families_controls(left: DeltaGenerator, right: DeltaGenerator) -> None:
    st.session_state.setdefault(P + "kinds", list(KINDS[:4]))
    left.segmented_control(
        "Kinds of task",
        KINDS,
        selection_mode="multi",
        key=P + "kinds",
        persist_state="session",
        help="codebook: inputs tied to random labels, asked again; arbitrary, natural, flipped: two classes, with "
        "labels that mean nothing, their names, or the names exchanged; map: a word to a word, where the answer is "
        "hardly ever among the labels shown, so that no kernel can give it.",
    )
    names = _of_kinds()
    st.session_state[P + "tasks"] = [name for name in st.session_state.get(P + "tasks", []) if name in names]
    right.multiselect("Tasks", names, key=P + "tasks", placeholder="all of these kinds", persist_state="session")


def _items(study: Study, settings: dict[str, Any]) -> tuple[Item, ...]:
    k, count, seed = settings["k"], settings["count"], settings["seed"]
    if settings["source"] == SOURCES[0]:
        return items_from_mixture(load_mixture(), settings["families"], k, count, seed)
    return items_from_pool(study, k, count, seed)


def _others(study: Study, model: LanguageModel) -> list[KernelVariant]:
    """Kernels beside the heads; on a model that is not small, of the hidden layers the study's alone."""
    known = kernel_settings.offered(model).values()
    own = study.hidden_layer % (model.layers + 1)
    of_heads = [entry.name for entry in kernels if entry.varies == "heads"]
    return [KernelVariant("Mean of all heads", name, (("heads", ()),)) for name in of_heads] + [
        variant
        for variant in known
        if variant.kernel not in of_heads
        and (model.mixture is not None or dict(variant.settings).get("hidden_layer", own) == own)
    ]


def _summary(atlas: heads.Atlas, choice: heads.ChosenHead) -> None:
    """The split in numbers, and what a head has to beat."""
    place = (choice.reading, choice.layer, choice.head)
    reported = atlas.part("reporting")
    model, gold = (heads.share(atlas.hits(against)[place][reported]) for against in ("model", "gold"))
    on = atlas.agreement("model", "choosing")[place]
    label = heads.share(atlas.common_model[reported])
    st.markdown(
        f"Layer {choice.layer} head {choice.head}, {NAMES[heads.READINGS[choice.reading]]}: chosen on "
        f"{atlas.split} items ({on:.3f}), **{model.value:.3f}** on the other {model.count} "
        f"[{model.low:.2f}–{model.high:.2f}] with the model's answer, **{gold.value:.3f}** "
        f"[{gold.low:.2f}–{gold.high:.2f}] with the right one.",
        help="Shares of items with their 95 % intervals (Wilson). The model itself is right on "
        f"{atlas.right[reported].mean():.3f} of the reporting items.",
    )
    st.caption(
        f"Label balance: the commonest label holds {atlas.common_share.mean():.0%} of the demonstrations of an item; "
        f"always answering it agrees with the model on {label.value:.3f} of the reporting items. On "
        f"{int((~atlas.known).sum())} of {atlas.count} items the model answers a label that no demonstration carries, "
        "which no kernel can."
    )


def _maps(atlas: heads.Atlas, choice: heads.ChosenHead) -> None:
    panels = []
    for against, title in (("model", "with the model’s answer"), ("gold", "with the right answer")):
        report, chosen = (atlas.agreement(against, part)[choice.reading] for part in ("reporting", "choosing"))
        best = (choice.layer, choice.head)
        note = f"{atlas.count - atlas.split} reporting items, {NAMES[heads.READINGS[choice.reading]]}"
        panels.append(AtlasPanel(f"Agreement {title}", note, report, chosen, "on the choosing items", best))

    def clicked(data: list[Any]) -> None:
        span, pooling = heads.READINGS[choice.reading]
        state.edit(heads=((int(data[2]), int(data[1])),), span=span, pooling=pooling)
        state.hint(f"Layer {int(data[2])} head {int(data[1])} is now the study's attention kernel.")

    alt = f"Agreement of every head; chosen is layer {choice.layer} head {choice.head}"
    chart(atlas_figure(panels), P + "map", alt, on_click=clicked)
    st.caption("The frame is the head chosen. Click a head to make it the attention kernel of every page.")


def _rows(atlas: heads.Atlas, choice: heads.ChosenHead) -> list[AgreementRow]:
    """The chosen head, the mean head, other kernels, and what any of them has to beat."""
    reported = atlas.part("reporting")

    def interval(hits: Any) -> tuple[float, float, float]:
        found = heads.share(hits[reported])
        return found.value, found.low, found.high

    place = (choice.reading, choice.layer, choice.head)
    rows = [
        AgreementRow(
            f"Attention {choice.layer}.{choice.head}, chosen", interval(atlas.model[place]), interval(atlas.gold[place])
        )
    ]
    rows += [
        AgreementRow(name, interval(by_model), interval(by_gold))
        for name, by_model, by_gold in zip(atlas.kernels, atlas.kernels_model, atlas.kernels_gold, strict=True)
    ]
    rows.append(AgreementRow("Always the commonest label", interval(atlas.common_model), interval(atlas.common_gold)))
    rows.append(AgreementRow("The model itself", None, interval(atlas.right)))
    return rows


def _rules(atlas: heads.Atlas) -> list[tuple[str, float]]:
    reported = atlas.part("reporting")
    every = float(np.mean(atlas.model[..., reported]))
    return [("mean of all heads and readings", every)]


CARD = Card(P + "card", "", "", _reads, atlas_view, controls=_controls, height=420, stretched=False)
