"""What the views of the Format page share: small controls, the fields of a template, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.analysis.format.escapes import read_typed, show_typed
from core.analysis.format.family import describe
from core.study.prompts import ARROW, TEMPLATES, Template, in_place_of, ready_made
from core.study.study import Study
from pages.ui.components.card import Card, Values
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.price import price
from pages.ui.jobs.run import outcome
from pages.ui.jobs.waiting import Waiting
from pages.ui.session import state, widgets
from pages.ui.workbench import shots as shots_control

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "format_"
DECIDES = ANSWERS - {"query"}  # on questions, the query on screen decides nothing
FREE = 2_000  # texts scored unasked on the embedded model
START, B = P + "start", P + "b"
TYPED = "↵ or \\n is a line break, ⇥ or \\t a tab; a space at either end counts."
FIELDS: dict[str, tuple[str, str]] = {
    "input_prefix": ("Before x", "Stands before every input."),
    "label_prefix": ("Between x and y", "Stands between input and label; its trailing space goes with the answer."),
    "end": ("After y", "Ends a demonstration."),
    "channel_label_prefix": ("Channel: before y", "Stands before every label when labels come first."),
    "channel_input_prefix": ("Channel: between y and x", "Stands between label and input when labels come first."),
}


def _shots_reads() -> Values:
    """How many demonstrations are shown, and of how many; of None where the study does not run: then they are typed."""
    shots = state.study().shots
    try:
        chosen = outcome().chosen
    except Waiting:
        return shots, None
    return shots, len(chosen.indices) + len(chosen.left_out)


def _shots(shots: int | None, most: int | None) -> None:
    if most is None:
        shots_control.field(shots, P + "shots_typed")
    else:
        shots_control.slider(most, shots, P + "shots")


SHOTS = Card(P + "card_shots", "", "", _shots_reads, _shots, height=60, stretched=False)


def asking() -> Study:
    """What questions are asked of: the study without a query of its own."""
    return cut(outcome().study, DECIDES)


def cost(texts: int, model: LanguageModel) -> str:
    """A sentence on what work costs where it should be asked for, else ""."""
    free = FREE if model.mixture is not None else FREE // 8
    return price(texts, model, free, labels=len(outcome().answer.labels))


def with_field(template: Template, field: str, typed: str) -> Template:
    """The template with one part as typed, under the name that it then has."""
    return named(template.model_copy(update={field: read_typed(typed)}))


def named(template: Template) -> Template:
    """The template under its ready-made name, or under its pattern where it has none."""
    return template.model_copy(update={"name": ready_made(template) or describe(template)})


def title_of(template: Template) -> str:
    """A name to read: the ready-made one and its pattern, or the pattern alone."""
    known = ready_made(template)
    return f"{known}: {describe(template)}" if known else describe(template)


def written(template: Template) -> str:
    """The pattern for st.markdown, letter by letter: outside of code, -> would become an arrow."""
    return f"`{describe(template).replace('`', 'ˋ')}`"


def take_template(template: Template) -> None:
    """Write the study so, its own words and chat kept."""
    state.edit(template=named(in_place_of(state.study().template, template)))


def template_b(own: Template) -> Template:
    """The template on the other side: the one chosen, at first a ready-made one that is not the study's."""
    found: Template | None = st.session_state.get(B)
    if found is None:
        other = next(name for name in TEMPLATES if name != ready_made(own) and name != ARROW.name)
        found = TEMPLATES[other]
    return found


def take_b(template: Template) -> None:
    """Put it on the other side."""
    st.session_state[B] = named(template)


def template_fields(prefix: str, now: Callable[[], Template], write: Callable[[Template], None]) -> None:
    """A text input for every part of a template, in one row for the forward form and one for the channel.

    Args:
        prefix: of the fields' names.
        now: the template as it is when it is asked for.
        write: takes over a changed one.
    """
    template = now()
    for row in (("input_prefix", "label_prefix", "end"), ("channel_label_prefix", "channel_input_prefix")):
        for column, field in zip(st.columns(len(row), gap="small"), row, strict=True):
            label, help = FIELDS[field]
            key = f"{prefix}{field}"
            with column:
                st.text_input(
                    label,
                    live="250ms",
                    help=f"{help} {TYPED}",
                    **_tied(key, show_typed(getattr(template, field)), field, now, write),
                )


def _tied(
    key: str, value: str, field: str, now: Callable[[], Template], write: Callable[[Template], None]
) -> dict[str, Any]:
    """As `state.bind`, for a template that need not be the study's."""

    def written(typed: str) -> dict[str, Any]:
        write(with_field(now(), field, typed))
        return {}

    kept = widgets.held(key)
    # What was typed as \n is shown so until another value comes from elsewhere.
    shown = kept if isinstance(kept, str) and read_typed(kept) == read_typed(value) else value
    return state.bind(key, shown, written, "value")
