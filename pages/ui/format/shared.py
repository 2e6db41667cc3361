"""What the views of the Format page share: small controls, the fields of a template, downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.analysis.format.family import describe
from core.analysis.format.typed import read_typed, show_typed
from core.files.csv_records import as_csv
from core.study.prompts import ARROW, TEMPLATES, Template, ready_made
from core.study.study import Study
from pages.ui.session import session, state, widgets

P = "format_"
PLAYGROUND = Path(__file__).resolve().parents[2] / "playground.py"
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


def title(words: str, help: str) -> None:
    st.markdown(f"**{words}**", help=help, width="content")


def choose(label: str, options: list[Any], key: str, first: Any, names: dict[Any, str] | None = None) -> Any:
    """A segmented control that always holds one of its options."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = first
    return st.segmented_control(
        label,
        options,
        key=key,
        format_func=lambda option: names[option] if names else option,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def save(label: str, name: str, rows: Callable[[], list[dict[str, Any]]]) -> None:
    """A download of rows, made when it is pressed."""
    st.download_button(
        label,
        lambda: as_csv(rows()),
        f"iclens-{name}.csv",
        "text/csv",
        key=f"{P}{name}_csv",
        icon=":material/download:",
        on_click="ignore",
    )


def open_button(label: str, key: str, make: Callable[[], Study], help: str) -> None:
    """A button that makes another study the session's, one step of undo, and goes to the Playground."""

    def take() -> None:
        state.replace(make())
        session.mark(None)

    if st.button(label, icon=":material/science:", key=key, help=help, on_click=take):
        st.switch_page(PLAYGROUND)


def cost(texts: int, known: bool) -> str:
    """A sentence on what work costs where it should be asked for, else ""."""
    return f"About {texts:,} texts are to be scored." if texts > (FREE if known else FREE // 8) else ""


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
    """Write the study so, its own words kept."""
    words = state.study().template.words
    state.edit(template=named(template.model_copy(update={"words": words})))


def template_b(study: Study) -> Template:
    """The template on the other side: the one chosen, at first a ready-made one that is not the study's."""
    found: Template | None = st.session_state.get(B)
    if found is None:
        other = next(name for name in TEMPLATES if name != ready_made(study.template) and name != ARROW.name)
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
