"""What the Selection page draws, and what a click on it does: the card on the left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from core.analysis.selection.pool_map import PROJECTIONS, Projection
from core.embeddings.encoders import encoders
from core.embeddings.sentence_encoders import PREFIX
from core.files.csv_records import as_csv
from core.selection import selections, source_of
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.session import session, state

P = "selection_"
ENCODER, PROJECTION, CLICK, LOOK = P + "encoder", P + "projection", P + "click", P + "look"
OWN = ""  # the study's own encoder or selection, whichever it is
MARK, PICK = "Mark it", "Hand-pick it"
NAMES: dict[Projection, str] = {"pca": "PCA", "t-sne": "t-SNE"}
HELP_PROJECTION = (
    "**PCA**: the two directions in which the inputs' vectors vary most. The same map every time, and the query is put "
    "on it without moving it; how much of the variance it shows is said below. **t-SNE**: keeps near rows together, "
    "while distances between groups mean nothing, and a new query can move everything."
)
HELP_CLICK = (
    "**Mark it**: frames the row in every view. **Hand-pick it**: adds the row to the demonstrations table, or takes "
    "it out again; they are what the selection “Hand-picked” shows."
)


@dataclass(frozen=True)
class Settings:
    """What the page is about.

    Attributes:
        study: tidied, with a pool.
        outcome: of the study as it stands.
        source: the table that the pool's numbers belong to.
        encoder: of the map.
        projection: of the map.
        picks: whether a click picks instead of marking.
    """

    study: Study
    outcome: Outcome
    source: Literal["demonstrations", "pool"]
    encoder: str
    projection: Projection
    picks: bool

    @property
    def marked(self) -> int | None:
        """Number of the marked row, where the table in front is the one drawn."""
        front = st.session_state.get(session.TABLE)
        return session.marked() if front == self.source.capitalize() else None

    def clicked(self, data: list[Any]) -> None:
        """What a click on the row with this number does."""
        number = int(data[0])
        if not self.picks:
            session.mark(number, self.source)
            return
        pick(self.study, number)


def pick(study: Study, number: int) -> None:
    """Add the pool's row of this number to the demonstrations, or take it out where it is one."""
    row = study.pool[number - 1].model_copy(update={"excluded": False})
    table = state.study().demonstrations
    same = [i for i, one in enumerate(table) if (one.input.strip(), one.label.strip()) == (row.input, row.label)]
    if same:
        state.edit(demonstrations=tuple(one for i, one in enumerate(table) if i != same[0]))
        st.toast(f"Row {number} is no longer hand-picked.", icon=":material/remove_circle:")
        return
    state.edit(demonstrations=(*table, row))
    then = "" if source_of(study) == "demonstrations" else " The selection “Hand-picked” shows them."
    st.toast(f"Row {number} is hand-picked now.{then}", icon=":material/add_circle:")


def settings_card(outcome: Outcome, study: Study) -> Settings:
    """The controls, and what they say."""
    st.markdown("**Map**", help=HELP_PROJECTION, width="content")
    left, right = st.columns([1.3, 1], gap="small")
    names = {OWN: f"the study's: {encoder_title(study.encoder)}"} | {entry.name: entry.title for entry in encoders}
    if st.session_state.get(ENCODER) not in names:
        st.session_state[ENCODER] = OWN
    with left:
        encoder = st.selectbox(
            "Encoder of the map",
            list(names),
            format_func=lambda name: names.get(name, str(name)),
            key=ENCODER,
            help="Whose vectors the map projects. Selections use the study's, whatever the map shows.",
            persist_state="session",
        )
    with right:
        projection: Projection = _segments("Projection", list(PROJECTIONS), PROJECTION, NAMES.get, HELP_PROJECTION)
    click = _segments("A click on a row", [MARK, PICK], CLICK, str, HELP_CLICK)
    source: Literal["demonstrations", "pool"] = "pool" if outcome.study.pool else "demonstrations"
    return Settings(study, outcome, source, encoder or study.encoder, projection, click == PICK)


def encoder_title(name: str) -> str:
    """As a menu calls it; a sentence encoder by the end of its name."""
    if name.startswith(PREFIX):
        return name.removeprefix(PREFIX).rstrip("/").split("/")[-1]
    return encoders.find(name).title if name in encoders else name


def _segments(label: str, options: list[Any], key: str, say: Callable[[Any], Any], help: str) -> Any:
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return st.segmented_control(
        label, options, key=key, format_func=say, required=True, help=help, persist_state="session"
    )


def take(study: Study, name: str) -> None:
    """Make a selection the study's own; where the demonstrations stood in for a pool, they become it."""
    changes: dict[str, Any] = {"selection": name}
    if selections.find(name).source == "pool" and not state.study().pool:
        changes["pool"] = study.pool
    state.edit(**changes)
    title_of = selections.find(name).title
    st.toast(f"The study now selects by “{title_of}”. Undo brings the other back.", icon=":material/check:")


def title(words: str, help: str) -> None:
    st.markdown(f"**{words}**", help=help, width="content")


def save(label: str, name: str, rows: Callable[[], list[dict[str, Any]]]) -> None:
    """A download of rows, written when it is asked for."""
    st.download_button(
        label,
        lambda: as_csv(rows()),
        f"iclens-{name}.csv",
        "text/csv",
        key=f"{P}{name}_csv",
        icon=":material/download:",
        on_click="ignore",
    )
