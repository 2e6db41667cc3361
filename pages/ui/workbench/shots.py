"""Zero-, one- and few-shot: how many of the demonstrations chosen are shown."""

from __future__ import annotations

import streamlit as st

from pages.ui.session import state

HELP = (
    "The first so many of the demonstrations, in the order in which all would be shown: 0 is zero-shot, 1 one-shot. It "
    "acts last: a selection still picks its k and an ordering orders all of them, and the candidate labels stay those "
    "of all, so that only the prompt changes."
)


def slider(most: int, shots: int | None, key: str) -> None:
    """From 0 to all of the `most` demonstrations chosen; at the right end none is left out, however many there come to
    be."""
    if not most:
        st.caption("No demonstration is chosen: this is zero-shot.")
        return
    st.slider(
        "Shots",
        0,
        most,
        step=1,
        help=HELP,
        **state.bind(
            key,
            most if shots is None else min(shots, most),
            lambda n: {"shots": None if n >= most else n},
            "value",
            shape=most,
        ),
    )


def field(shots: int | None, key: str) -> None:
    """The same as a number to type; empty is all."""
    st.number_input(
        "Shots",
        0,
        10_000,
        step=1,
        placeholder="all",
        help=f"{HELP} Empty shows all.",
        **state.bind(key, shots, "shots", "value"),
    )
