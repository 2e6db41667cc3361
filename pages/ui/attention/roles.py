"""What role each head plays, scored live."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.attention.head_roles import HeadRoles, LabelAttending, head_roles, label_attending, planted
from core.figures.attention.heads import Role, height_for, roles_figure
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Head, Study
from pages.ui.attention.controls import P, attended, choose_head
from pages.ui.components.card import Card, Values, save_csv
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model
from pages.ui.jobs.waiting import Waiting

if TYPE_CHECKING:
    from core.models import LanguageModel

MARK_FROM = P + "mark_from"
FIRST_THRESHOLD = 0.5
HEIGHT = 250  # pixels

HELP_ROLES = (
    "**Previous token**: mean A[i,i−1]; **two back**: mean A[i,i−2]. **Induction** (prefix matching): attention "
    "from a token to what followed its earlier occurrences, over later repeats only. **Copying**: of what a head "
    "writes straight into the logits when it attends to a token alone, the share that raises that very token: 1 "
    "raises it alone, −1 lowers it alone, 0 does not care. All four on random tokens repeated, so that no word's "
    "meaning can make them (Olsson et al. 2022). **Label attending**: share of the answer position's attention on"
    " the demonstrations' labels, on this prompt. A head whose score reaches the slider's carries "
    "the role's letter, or a dot where its cell is too narrow for one."
)


def _threshold_control(*_: Any) -> None:
    """From which score on a head carries a role's letter."""
    st.session_state.setdefault(MARK_FROM, FIRST_THRESHOLD)
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


def threshold() -> float:
    """From which score on a head carries a role's letter."""
    return float(st.session_state.get(MARK_FROM, FIRST_THRESHOLD))


def scored(found: Outcome) -> tuple[Role, ...]:
    """Every role's scores.

    Raises:
        Waiting: they are computed.
    """
    known, prompt = model(), found.prompt

    def on_random(_: Study, stop: Stop) -> HeadRoles:
        return head_roles(known, stop=stop)

    def on_labels(_: Study, __: Stop) -> LabelAttending:
        return label_attending(known, prompt)

    # random tokens know nothing of the study: one score for all studies on a model
    random = analysis.value(P + "roles", found.study, known, {}, on_random, "Head roles", reads={"model"})
    what = "Label attending"
    labels = analysis.value(P + "labels", found.study, known, {}, on_labels, what, reads=analysis.ANSWERS)
    roles = [
        Role("previous token", "P", random.previous),
        Role("two back", "2", random.second_previous),
        Role("induction", "I", random.induction),
    ]
    if random.copying is not None:
        roles.append(Role("copying", "C", random.copying, low=-1.0))
    if found.demonstrations:
        roles.append(Role(f"labels (even: {labels.even:.2f})", "L", labels.share))
    return tuple(roles)


def letters(found: Outcome) -> dict[Head, str]:
    """For each head the letters of the roles whose score reaches the threshold; none while scores are computed, which
    the card of roles says."""
    by_head: dict[Head, str] = {}
    with suppress(Waiting):
        for role in scored(found):
            for layer, head in np.argwhere(role.scores >= threshold()).tolist():
                by_head[layer, head] = by_head.get((layer, head), "") + role.letter
    st.session_state[analysis.LOOKED_AT] -= {P + "roles", P + "labels"}
    return by_head


def planted_in_words(model: LanguageModel) -> dict[Head, str]:
    """Heads that were given their role before training, and what they do."""
    count = {1: "one token", 2: "two tokens"}
    return {head: f"looks {count.get(by, f'{by} tokens')} back" for head, by in planted(model).items()}


def _reads() -> Values:
    return scored(attended()), planted_in_words(model()), threshold()


def roles_view(roles: tuple[Role, ...], given: dict[Head, str], least: float) -> None:
    """A panel a role, and what a reader must know about them."""
    figure = roles_figure(roles, least, given, height=height_for(len(roles[0].scores), HEIGHT))
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
        save_csv("CSV", P + "roles", lambda: _records(roles), help="The numbers of this view.")


def _place(role: Role) -> str:
    layer, head = np.unravel_index(int(role.scores.argmax()), role.scores.shape)
    return f"layer {layer} head {head}"


def _records(roles: tuple[Role, ...]) -> list[dict[str, Any]]:
    layers, heads = roles[0].scores.shape
    return [
        {"layer": layer, "head": head} | {role.name: float(role.scores[layer, head]) for role in roles}
        for layer in range(layers)
        for head in range(heads)
    ]


CARD = Card(
    P + "card_roles",
    "Head roles",
    HELP_ROLES,
    _reads,
    roles_view,
    beside=_threshold_control,
    height=HEIGHT + 34,
    stretched=False,
)
