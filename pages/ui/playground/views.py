"""The views of an outcome. Each takes numbers as they are and draws; a view without an outcome is a placeholder."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.figures import (
    Panel,
    answer_figure,
    bars_figure,
    demonstration_figure,
    head_figure,
    kernel_figure,
    path_figure,
    token_figure,
)
from core.study.outcome import Attention, Outcome, Posterior
from pages.ui.components.charts import chart
from pages.ui.components.live_chart import live_chart
from pages.ui.components.prompt import prompt_html
from pages.ui.components.prompt_box import prompt_box
from pages.ui.components.text import plain
from pages.ui.components.written import HEIGHT, written_line
from pages.ui.session import session, state

ROW = 270  # pixels of a chart on the smallest screen; two rows of them grow with the window
SCREEN = 900  # its height
N, STYLE, LOOK, HEAD = "playground_n", "playground_posterior_style", "playground_attention_look", "playground_head"
DESK = "playground_desk"  # the fragment around tables and views
N_OF = "playground_n_of"  # the number of demonstrations that n belongs to
LOOKS, STYLES = ("Parts", "Heads", "Tokens"), ("Bars", "Path")
NAMES = {"exact": "exact Bayes", "implicit": "implicit in the model", "instruction": "by your hypotheses"}

HELP_ANSWER = (
    "Probability of every candidate label by the scorer above, beside exact Bayes: "
    "p(y|x,D) = Σ_T P(T|D) p(y|x,T), over the same candidates."
)
HELP_POSTERIOR = (
    "P(T | first n demonstrations). Exact: P(T) Π p(x_i,y_i|T) / P(D), summed over what a task family may hide. "
    "Implicit: the mixture of tasks w whose answers Pw come nearest to the model's own, min KL(q‖Pw). "
    "Hypotheses: P(T) Π p(y_i | I_T, x_i) by the model itself."
)
HELP_KERNELS = (
    "The answer read as kernel regression: ŷ = Σ_i e(y_i) K(x,x_i) / Σ_i K(x,x_i). A cell is K_i / ΣK; ŷ stands at the "
    "end of its row, with ✓ where it is the model's answer. Kernels know no order of demonstrations, the model does."
)
HELP_ATTENTION = (
    "Attention of the last token of the prompt, summed over each part of it; a demonstration reaches up to the next "
    "input. A row that sums to less than 1 attends to "
    "tokens outside all parts, such as the beginning of the text. In the embedded model the heads 0 and 1 of layer L0, "
    "which look one and two tokens back, were planted before training and did not emerge."
)


def tall(pixels: int) -> str:
    """A chart's height: so many pixels on the smallest screen, and half of what a taller one has more."""
    return f"max({pixels}px, calc(50vh - {SCREEN // 2 - pixels}px))"


def title(words: str, help: str) -> None:
    st.markdown(f"**{words}**", help=help, width="content")


def placeholder(words: str, help: str, why: str = "Nothing to show until the study runs.") -> None:
    """A view without an outcome."""
    title(words, help)
    st.container(height=ROW, border=False).caption(why)


def answer_view(outcome: Outcome) -> None:
    """P(label), the model beside exact Bayes, and the sentences that a reader needs."""
    model, bayes = outcome.answer, outcome.bayes
    title("Answer", HELP_ANSWER)
    best = f":violet[**{plain(model.best, 24)}**] {model.probabilities[int(np.argmax(model.scores))]:.2f}"
    if bayes is not None:
        best += f" :gray[· Bayes {plain(bayes.best, 24)} {bayes.probabilities[int(np.argmax(bayes.scores))]:.2f}]"
    st.markdown(best)
    by_bayes = _aligned(outcome) if bayes is not None else None
    height = ROW - (88 if outcome.notes else 34)
    if outcome.written is not None:
        written_line(outcome.written)
        height -= HEIGHT
    spec = answer_figure.spec(model.labels, model.probabilities, by_bayes, outcome.study.gold)
    live_chart(spec, "playground_answer", f"Probability of each label; the model answers {model.best}", tall(height))
    if outcome.notes:
        rest = f" (+{len(outcome.notes) - 1})" if len(outcome.notes) > 1 else ""
        st.caption(plain(outcome.notes[0], 84) + rest, help="\n\n".join(plain(note, 400) for note in outcome.notes))


def _aligned(outcome: Outcome) -> np.ndarray[Any, Any]:
    """Bayes's probabilities in the order of the model's labels."""
    assert outcome.bayes is not None
    by_label = dict(zip(outcome.bayes.labels, outcome.bayes.probabilities, strict=True))
    return np.array([by_label.get(label, 0.0) for label in outcome.answer.labels])


@st.fragment
def posterior_view(outcome: Outcome) -> None:
    """Posteriors side by side, stepping through n."""
    k = len(outcome.demonstrations)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Posterior over tasks", HELP_POSTERIOR)
        style = session.hold(STYLE, STYLES[0], "default")
        look = st.segmented_control("Style", STYLES, required=True, label_visibility="collapsed", **style)
        if st.session_state.get(N_OF) != k:  # another number of demonstrations: show all of them
            st.session_state[N_OF] = st.session_state[N] = k
        place = session.hold(N, k, shape=k)
        n = st.slider("n", 0, k, label_visibility="collapsed", format="n = %d", **place) if k else 0
    if not outcome.posteriors:
        st.container(height=ROW, border=False).caption(
            "This model's mixture is not known: write hypotheses (left) to compare tasks by their instructions."
        )
        return
    colours = session.task_colours(outcome.posteriors)
    panels = [
        Panel(NAMES[name], post.tasks, post.weights, _figures(post, n)) for name, post in outcome.posteriors.items()
    ]
    spec = (path_figure if look == "Path" else bars_figure).spec(panels, n, colours)
    alt = "; ".join(f"{NAMES[name]}: {_leader(post, n)}" for name, post in outcome.posteriors.items())
    live_chart(spec, "playground_posterior", f"Posterior after {n} demonstrations. {alt}", tall(ROW))


def _leader(post: Posterior, n: int) -> str:
    row = post.weights[min(n, len(post.weights) - 1)]
    return f"{post.tasks[int(np.argmax(row))]} {row.max():.2f}"


def _figures(post: Posterior, n: int) -> str:
    """The numbers that say how far to trust a posterior."""
    row = min(n, len(post.weights) - 1)
    parts = []
    if post.log_evidence is not None:
        parts.append(f"log P(D) {post.log_evidence[row]:.2f}")
    if post.residual is not None:
        parts.append(f"residual {post.residual[row]:.3f} nats")
    if post.condition is not None:
        parts.append(f"condition {post.condition[row]:.3g}")
    return ", ".join(parts)


def kernel_view(outcome: Outcome) -> None:
    """Kernel weights, a row a kernel, a column a demonstration."""
    kernels = list(outcome.kernels.values())
    details = "\n\n".join(f"**{kernel.name}**: {plain(kernel.detail, 200)}" for kernel in kernels)
    title("Kernel weights", f"{HELP_KERNELS}\n\n{details}")
    if not outcome.demonstrations or not kernels:
        st.container(height=ROW, border=False).caption("Kernels weigh demonstrations, and none is shown.")
        return
    source = outcome.chosen.source
    spec = kernel_figure.spec(
        [kernel.name for kernel in kernels],
        np.stack([kernel.normalised for kernel in kernels]),
        np.stack([kernel.raw for kernel in kernels]),
        [kernel.best for kernel in kernels],
        outcome.answer.best,
        [row.input for row in outcome.demonstrations],
        [row.label for row in outcome.demonstrations],
        session.numbers(outcome),
        session.marked_in(outcome),
    )
    verdicts = ", ".join(f"{kernel.name} answers {kernel.best}" for kernel in kernels)
    alt = f"Weight of each demonstration; {verdicts}; the model answers {outcome.answer.best}"
    live_chart(spec, "playground_kernels", alt, tall(ROW), on_click=lambda data: _mark(data[0], source))


def _mark(number: int, source: str) -> None:
    """Mark a demonstration in every view and in the tables, which are beyond what a view's click redraws."""
    session.mark(number, source)
    st.rerun(DESK)


def attention_view(outcome: Outcome) -> None:
    """Attention of the last token by demonstration, by head, or token by token for one head."""
    attention = outcome.attention
    if attention is None:
        title("Attention", HELP_ATTENTION)
        st.container(height=ROW, border=False).caption("This model gives no attention weights.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Attention", HELP_ATTENTION)
        held = session.hold(LOOK, LOOKS[0], "default")
        kind = st.segmented_control("Look", LOOKS, required=True, label_visibility="collapsed", **held)
    if kind == "Tokens":
        _tokens(outcome, attention)
    elif kind == "Heads":
        _heads(outcome, attention)
    else:
        _by_demonstration(outcome, attention)


def _head_choice(attention: Attention) -> None:
    layers, heads = attention.pooled.shape[:2]
    options = [(layer, head) for layer in range(layers) for head in range(heads)]
    st.selectbox(
        "Head",
        options,
        format_func=lambda pair: f"layer {pair[0]} head {pair[1]}",
        label_visibility="collapsed",
        placeholder="Head",
        width=150,
        **state.bind(HEAD, state.study().token_head, "token_head", "index", options),
    )


def _by_demonstration(outcome: Outcome, attention: Attention) -> None:
    numbers = session.numbers(outcome)
    owners: list[int | None] = [numbers[int(name) - 1] if name.isdigit() else None for name in attention.spans]
    by_span = {str(i + 1): f"{d.input} → {d.label}" for i, d in enumerate(outcome.demonstrations)}
    texts = [
        by_span.get(name, outcome.study.instruction if name == "instruction" else outcome.study.query)
        for name in attention.spans
    ]
    source = outcome.chosen.source
    spec = demonstration_figure.spec(attention.pooled, attention.spans, owners, texts, session.marked_in(outcome))

    def clicked(data: list[Any]) -> None:
        if data[0] is not None:
            _mark(data[0], source)

    alt = "Attention on each part of the prompt, a row a head"
    live_chart(spec, "playground_attention", alt, tall(ROW), on_click=clicked)


def _heads(outcome: Outcome, attention: Attention) -> None:
    number = session.marked_in(outcome)
    numbers = session.numbers(outcome)
    if number is None and numbers:
        number = numbers[-1]
    name = str(numbers.index(number) + 1) if number is not None else "query"
    place = attention.spans.index(name)
    what = f"demonstration {number}" if number is not None else "the query"
    spec = head_figure.spec(attention.pooled[:, :, place], what)

    def clicked(data: list[Any]) -> None:
        state.edit(token_head=(int(data[2]), int(data[1])))
        st.session_state[LOOK] = "Tokens"

    live_chart(spec, "playground_heads", f"Attention of every head on {what}", tall(ROW - 34), on_click=clicked)
    st.caption(f"On {what}. Click a head for its tokens.")


def _tokens(outcome: Outcome, attention: Attention) -> None:
    with st.container(horizontal=True, gap="small"):
        _head_choice(attention)
        st.button(
            "Enlarge",
            icon=":material/open_in_full:",
            key="playground_enlarge",
            disabled=attention.map is None,
            on_click=_open_tokens,
        )
    if attention.head is None or attention.map is None:
        st.container(height=ROW, border=False).caption("Choose a head to see which token attends to which.")
        return
    figure = _token_figure(outcome, attention, ROW - 49)
    chart(figure, "playground_tokens", f"Attention between tokens, layer {attention.head[0]} head {attention.head[1]}")


def _token_figure(outcome: Outcome, attention: Attention, height: int) -> Any:
    numbers = session.numbers(outcome)
    starts = np.asarray(attention.token_starts)
    owners: list[int | None] = [None] * len(starts)
    for part in outcome.prompt.parts:
        if part.demonstration is not None:
            for place in np.flatnonzero((starts >= part.start) & (starts < part.end)):
                owners[int(place)] = numbers[part.demonstration]
    assert attention.map is not None
    assert attention.head is not None
    return token_figure(
        attention.map, attention.tokens, owners, attention.head, session.marked_in(outcome), height=height
    )


def _open_tokens() -> None:
    st.session_state[session.DIALOG] = "tokens"


def tokens_dialog(outcome: Outcome) -> None:
    """The token view at full size."""

    @st.dialog("Attention, token by token", width="large", on_dismiss=close_dialog)
    def show() -> None:
        if outcome.attention is not None and outcome.attention.map is not None:
            chart(_token_figure(outcome, outcome.attention, 640), "playground_tokens_large", "Attention between tokens")

    show()


def close_dialog() -> None:
    st.session_state[session.DIALOG] = None


def prompt_view(outcome: Outcome, key: str, height: int, grows: bool = False) -> None:
    """The prompt as the model reads it, `height` pixels of it or, where it `grows`, what the screen has left.

    A click on a demonstration marks it, a click on the marked one unmarks it.
    """
    tallest = f"max({height}px, calc(100vh - {SCREEN - height}px))" if grows else f"{height}px"
    answer = outcome.answer.best
    marked, source = session.marked_in(outcome), outcome.chosen.source

    def clicked(number: int) -> None:
        session.mark(None if number == marked else number, source)

    prompt_box(prompt_html(outcome.prompt, session.numbers(outcome), marked, answer, tallest), key, clicked)


TITLES = {
    "Answer": HELP_ANSWER,
    "Posterior over tasks": HELP_POSTERIOR,
    "Kernel weights": HELP_KERNELS,
    "Attention": HELP_ATTENTION,
}
VIEWS = (answer_view, posterior_view, kernel_view, attention_view)
