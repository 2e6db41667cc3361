"""What the views of the Scoring page share: names, small controls, downloads, and the way to the Playground."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.analysis.scoring.grid import Combination, combinations
from core.files.csv_records import as_csv
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.study.study import Study
from pages.ui.session import session, state

P = "scoring_"
PLAYGROUND = Path(__file__).resolve().parents[2] / "playground.py"
FREE = 6_000  # texts scored unasked on a model other than the embedded one


def title(words: str, help: str) -> None:
    st.markdown(f"**{words}**", help=help, width="content")


def unscored(study: Study) -> Study:
    """The study without its way to score, which these views go through: another one changes none of their results."""
    set_by_some = {field for combination in by_key().values() for field in combination.changes}
    return study.model_copy(update={field: Study.model_fields[field].default for field in set_by_some})


def by_key() -> dict[str, Combination]:
    """Every combination by its key, in menu order."""
    return _by_key(scorers.names(), calibrations.names())


@lru_cache(maxsize=2)
def _by_key(scorers_: tuple[str, ...], calibrations_: tuple[str, ...]) -> dict[str, Combination]:
    return {combination.key: combination for combination in combinations()}


def take(key: str) -> None:
    """Score the study that way."""
    state.edit(**by_key()[key].changes)


def open_button(label: str, key: str, make: Callable[[], Study], help: str) -> None:
    """A button that makes another study the session's, one step of undo, and goes to the Playground."""
    # The study changes only now: changed in the callback, this view might be another one and its button gone.
    if st.button(label, icon=":material/science:", key=key, help=help, on_click=session.mark, args=(None,)):
        state.replace(make())
        st.switch_page(PLAYGROUND)


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


def cost(texts: int, known: bool) -> str:
    """A sentence on what work costs where it should be asked for, else ""."""
    return f"Up to {texts:,} texts are to be scored." if not known and texts > FREE else ""
