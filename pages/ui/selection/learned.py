"""What selections have learned and this machine keeps: a list, and forgetting."""

from __future__ import annotations

import streamlit as st

from core.runtime import artifacts
from core.runtime.memo import forget
from pages.ui.components.text import plain

P = "selection_"
MOST = 12  # entries that are listed
BOX = P + "kept"


def learned_popover() -> None:
    """Opened on request: reading the folder takes a moment."""
    box = st.popover(
        "What was learned",
        icon=":material/inventory_2:",
        on_change="rerun",
        key=BOX,
        help="What trained selections keep on this machine, and forgetting it.",
    )
    if not box.open:
        return
    with box:
        entries = artifacts.listing()
        if not entries:
            st.caption("Nothing is kept. What a selection learns comes here, so that it is learned once.")
            return
        size = sum(entry.size for entry in entries)
        st.caption(
            f"{len(entries)} kept in {plain(str(artifacts.folder()), 120)}, {_bytes(size)} of at most "
            f"{_bytes(artifacts.ROOM)}, for everyone who uses this server; what was used longest ago makes room."
        )
        for entry in entries[:MOST]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":small[{plain(entry.about, 80)}: {entry.cost}, {_bytes(entry.size)}]", width="stretch")
                st.button(
                    "Forget",
                    key=f"{P}forget_{entry.key[:12]}",
                    on_click=forget,
                    args=(entry.key,),
                    help="It is learned anew when it is next needed.",
                )
        if len(entries) > MOST:
            st.caption(f"{len(entries) - MOST} more are not listed.")
        st.button("Forget all", key=P + "forget_all", icon=":material/delete:", on_click=forget)


def _bytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 2**10)):,} kB"
