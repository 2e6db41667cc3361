"""Whether and how a model is asked through its own chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.study.chat import Chat
from core.study.prompts import Template
from core.study.study import ModelChoice, Study
from pages.ui.jobs import engine
from pages.ui.session import state

if TYPE_CHECKING:
    from core.study.chat import ChatTemplate

STYLES = {"off": "Off", "turns": "A turn each", "one turn": "In one turn"}
OTHER = "other"
HELP = (
    "Through the model's own chat template: the instruction is the system's text, and the model answers as the "
    "assistant.\n\n**A turn each**: every demonstration is a turn of the user, its input, and one of the assistant, "
    "its label; the template beside is not written.\n\n**In one turn**: demonstrations and query stand in one turn of "
    "the user, as the template beside writes them."
)


def _own(choice: ModelChoice) -> ChatTemplate | None:
    """The chat template of a model in memory."""
    model = None if choice.name == engine.EMBEDDED.name else engine.loaded(choice)
    return None if model is None else model.chat


def offered(study: Study) -> bool:
    """Whether the menu is shown: the model has a template, or the study asks for one."""
    return _own(study.model) is not None or study.template.chat is not None


def menu(study: Study, key: str) -> None:
    """Off, a turn each, in one turn; and what a study says that is asked through another model's."""
    own, chat = _own(study.model), study.template.chat
    strange = chat is not None and (own is None or own.key != chat.key)
    names = {**({} if own is None else STYLES), "off": STYLES["off"], **({OTHER: "Another model's"} if strange else {})}
    now = OTHER if strange else chat.style if chat is not None else "off"
    st.selectbox(
        "Chat", list(names), format_func=names.get, help=HELP, **state.bind(key, now, _choose, "index", list(names))
    )


def _choose(style: Any) -> dict[str, Template]:
    if style == OTHER:
        return {}
    study = state.study()
    own = _own(study.model)
    chat = Chat(key=own.key, style=style) if own is not None and style != "off" else None
    return {"template": study.template.model_copy(update={"chat": chat})}


def on(choice: ModelChoice, template: Template) -> Template:
    """A template as it is on another model: through that one's chat where it has one."""
    if template.chat is None:
        return template
    own = _own(choice)
    return template.model_copy(update={"chat": template.chat.model_copy(update={"key": own.key}) if own else None})
