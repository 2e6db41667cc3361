"""What role each head plays, scored live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.attention.head_roles import HeadRoles, LabelAttending, head_roles, label_attending, planted
from core.figures.attention.heads import Role, roles_figure
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Head, Study
from pages.ui.attention.controls import P, choose_head, download
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis

if TYPE_CHECKING:
    from core.models import LanguageModel

MARK_FROM = P + "mark_from"
HEIGHT = 250  # pixels

HELP_ROLES = (
    "**Previous token**: mean A[i,i−1]; **two back**: mean A[i,i−2]. **Induction** (prefix matching): attention "
    "from a token to what followed its earlier occurrences, over later repeats only. **Copying**: of what a head "
    "writes straight into the logits when it attends to a token alone, the share that raises that very token: 1 "
    "raises it alone, −1 lowers it alone, 0 does not care. All four on random tokens repeated, so that no word's "
    "meaning can make them (Olsson et al. 2022). **Label attending**: share of the answer position's attention on"
    " the demonstrations' labels, on this prompt."
)


def heading() -> None:
    """Title, and from which score on a head carries a role's letter."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Head roles**", help=HELP_ROLES, width="content")
        st.session_state.setdefault(MARK_FROM, 0.5)
        st.slider(
            "Letter from",
            0.1,
            1.0,
            step=0.05,
            key=MARK_FROM,
            format="letter from %.2f",
            label_visibility="collapsed",
            width=240,
            persist_state="session",
        )


def scored(outcome: Outcome, model: LanguageModel) -> list[Role]:
    """Every role's scores; none while they are computed."""

    def work(stop: Stop) -> HeadRoles:
        return head_roles(model, stop=stop)

    def on_labels(_stop: Stop) -> LabelAttending:
        return label_attending(model, outcome.prompt)

    # random tokens know nothing of the study: one score for all studies on a model
    found = analysis.result(P + "roles", Study(model=outcome.study.model), model, {}, work, "Head roles")
    if found is None:
        return []
    roles = [
        Role("previous token", "P", found.previous),
        Role("two back", "2", found.second_previous),
        Role("induction", "I", found.induction),
    ]
    if found.copying is not None:
        roles.append(Role("copying", "C", found.copying, low=-1.0))
    labels = analysis.result(P + "labels", outcome.study, model, {}, on_labels, "Label attending")
    if labels is not None and outcome.demonstrations:
        roles.append(Role(f"labels (even: {labels.even:.2f})", "L", labels.share))
    return roles


def letters(roles: list[Role]) -> dict[Head, str]:
    """For each head the letters of the roles whose score reaches the threshold."""
    threshold = float(st.session_state.get(MARK_FROM, 0.5))
    found: dict[Head, str] = {}
    for role in roles:
        for layer, head in np.argwhere(role.scores >= threshold).tolist():
            found[layer, head] = found.get((layer, head), "") + role.letter
    return found


def planted_in_words(model: LanguageModel) -> dict[Head, str]:
    """Heads that were given their role before training, and what they do."""
    count = {1: "one token", 2: "two tokens"}
    return {head: f"looks {count.get(by, f'{by} tokens')} back" for head, by in planted(model).items()}


def roles_view(model: LanguageModel, roles: list[Role]) -> None:
    """A panel a role, and what a reader must know about them."""
    if not roles:
        return
    given = planted_in_words(model)
    threshold = float(st.session_state[MARK_FROM])
    figure = roles_figure(roles, threshold, given, height=HEIGHT)
    best = "; ".join(f"{role.name} most in {_place(role)}" for role in roles)
    chart(figure, P + "roles", f"Scores of every head. {best}", on_click=choose_head)
    sentences = []
    if given:
        heads = " and ".join(f"head {head} ({words})" for (_, head), words in given.items())
        sentences.append(f"Planted before training in layer 0, so no finding: {heads}, in dotted frames.")
    if not any(role.letter == "C" for role in roles):
        sentences.append("Copying is not scored: this architecture does not show its heads’ outputs.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(" ".join(sentences) or "On random tokens repeated; labels on this prompt.")
        download("roles", ["layer", "head", *(role.name for role in roles)], lambda: _table(roles))


def _place(role: Role) -> str:
    layer, head = np.unravel_index(int(role.scores.argmax()), role.scores.shape)
    return f"layer {layer} head {head}"


def _table(roles: list[Role]) -> list[list[float]]:
    layers, heads = roles[0].scores.shape
    return [
        [layer, head, *(float(role.scores[layer, head]) for role in roles)]
        for layer in range(layers)
        for head in range(heads)
    ]
