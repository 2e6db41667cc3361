"""Buttons that show an icon alone and still have a name, for screen readers and for whoever hovers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import streamlit as st

# The label stays where a screen reader finds it and takes no room: what an empty label cannot do.
HIDDEN = (
    "<style>[class*='st-key-icon_'] [data-testid='stMarkdownContainer'] { position: absolute; width: 1px; "
    "height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }</style>"
)


def hide_labels() -> None:
    """Called once a page, before its first icon button."""
    st.html(HIDDEN)


def icon_button(
    name: str,
    icon: str,
    key: str,
    on_click: Callable[..., None],
    args: tuple[Any, ...] = (),
    *,
    help: str = "",
    disabled: bool = False,
    shortcut: str | None = None,
    boxed: bool = False,
) -> None:
    """A button with an icon in place of its name.

    Args:
        name: what it does, in a word or two.
        icon: name of a Material symbol.
        key: the button's key.
        on_click, args: callback.
        help: when the mouse is over it; the name where nothing is said.
        disabled, shortcut: as Streamlit's.
        boxed: whether it stands in a container of such buttons, whose key begins with "icon_".
    """
    with nullcontext() if boxed else st.container(key=f"icon_{key}", width="content"):
        st.button(
            name,
            icon=f":material/{icon}:",
            key=key,
            help=help or name,
            disabled=disabled,
            on_click=on_click,
            args=args,
            shortcut=shortcut,
        )
