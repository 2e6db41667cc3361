"""The cards of the Playground: what the model infers from the demonstrations, each from its part of an outcome."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.attention import many_heads
from core.figures import (
    Panel,
    answer_figure,
    bars_figure,
    demonstration_figure,
    head_figure,
    kernel_figure,
    path_figure,
    rows_at_most,
    rows_figure,
    token_figure,
)
from core.kernels.exact import DECISIVE
from core.posterior.fitting import sign
from core.runtime.numbers import cell, fixed
from core.study.outcome import Answer, Attention, Kernel, MixtureFit, Outcome, Posterior
from core.study.reasoned import Written
from core.study.study import Head
from pages.ui.components.card import Card, Values, empty
from pages.ui.components.charts import chart
from pages.ui.components.live_chart import live_chart
from pages.ui.components.text import plain
from pages.ui.components.written import HEIGHT, written_line
from pages.ui.jobs.run import outcome
from pages.ui.session import session, state
from pages.ui.workbench.shown import SCREEN, ShownRows, rows_of

ROW = 270  # pixels of a chart on the smallest screen; two rows of them grow with the window
N, STYLE, LOOK, HEAD = "playground_n", "playground_posterior_style", "playground_attention_look", "playground_head"
N_OF = "playground_n_of"  # the number of demonstrations that n belongs to
ROWS, TOP = "playground_rows", 12  # which rows the parts of the prompt have, and how many heads lead at most
LOOKS, STYLES = ("Parts", "Heads", "Tokens"), ("Bars", "Path")
NAMES = {"exact": "exact Bayes", "implicit": "implicit in the model", "instruction": "by your hypotheses"}

HELP_ANSWER = (
    "Probability of every candidate label by the scorer above, beside exact Bayes: "
    "p(y|x,D) = Σ_T P(T|D) p(y|x,T), over the same candidates."
)
HELP_POSTERIOR = (
    "P(T | first n demonstrations). Exact: P(T) Π p(x_i,y_i|T) / P(D), summed over what a task family may hide. "
    "Implicit: the mixture of tasks w whose answers Pw come nearest to the model's own, min KL(q‖Pw). "
    "Hypotheses: P(T) Π p(y_i | I_T, x_i) by the model itself.\n\n"
    "Above the bars stands what fits. **Exact**: the *prompt does not fit* where so much of it is explained by no task "
    "that at most one document of the mixture in a hundred is as odd. **Implicit**: the *answers do not fit* where the "
    "residual KL(q‖Pw) is above .3 nats, as for about one document in a hundred: no mixture of these tasks gives such "
    "answers. Answers that fit say nothing of the prompt: a model may answer as some task does where no task writes "
    "what it reads. *Ambiguous* where the condition number is above 100: tasks that hold weight agree on every probe, "
    "so they share it as the prior has it.\n\n"
    "The line under an implicit bar is its interval: on fresh documents of the embedded model's mixture all of them "
    "together hold exact Bayes's bars in about 94 of 100 cases, however open the task is. It counts the model's own "
    "error, which is most of it, not only that of the reading; it is wide where a mistaken model answers like this. "
    "It is learned from documents of one to six demonstrations, so elsewhere (inputs of a kind that documents seldom "
    "show, longer prompts, another language) it promises less. Other models and the least-squares solver have none."
)
HELP_KERNELS = (
    "The answer read as kernel regression: ŷ = Σ_i e(y_i) K(x,x_i) / Σ_i K(x,x_i). A cell is K_i / ΣK; ŷ stands at the "
    "end of its row, with ✓ where it is the model's answer. Kernels know no order of demonstrations, the model does. "
    + DECISIVE
)
HELP_ATTENTION = (
    "Attention of the last token of the prompt, summed over each part of it; a demonstration reaches up to the next "
    "input. A row that sums to less than 1 attends to tokens outside all parts, such as the beginning of the text. On "
    "a model that puts no token there, attention rests on the prompt's first token whatever it is: that token is the "
    "part “start”, and of no demonstration. In the embedded model the heads 0 and 1 of layer L0, which look one and "
    "two tokens back, were planted before training and did not emerge.\n\n"
    "Of many heads, **Parts** shows the mean of each layer, the heads of one, or those that lead by a score: attention "
    "on the demonstrations, on the marked one (the last where none is), or their vote for the model's answer, "
    "Σ a_i [y_i = ŷ] / Σ a_i with a_i the largest weight in demonstration i. They lead on this query; the head atlas "
    "(Kernel) finds heads that do on many. **Heads** has all of them as a map, **Tokens** one that you name: type "
    "L12H3."
)


def tall(pixels: int) -> str:
    """A chart's height: so many pixels on the smallest screen, and half of what a taller one has more."""
    return f"max({pixels}px, calc(50vh - {SCREEN // 2 - pixels}px))"


def _answer_reads() -> Values:
    found = outcome()
    return found.answer, found.bayes, (found.study.gold or "").strip() or None, found.notes, found.written


def answer_view(
    model: Answer, bayes: Answer | None, gold: str | None, notes: tuple[str, ...], written: Written | None
) -> None:
    """P(label), the model beside exact Bayes, and the sentences that a reader needs."""
    best = f":violet[**{plain(model.best, 24)}**] {model.probabilities[int(np.argmax(model.scores))]:.2f}"
    if bayes is not None:
        best += f" :gray[· Bayes {plain(bayes.best, 24)} {bayes.probabilities[int(np.argmax(bayes.scores))]:.2f}]"
    st.markdown(best)
    by_bayes = None if bayes is None else _aligned(bayes, model.labels)
    height = ROW - (88 if notes else 34)
    if written is not None:
        written_line(written)
        height -= HEIGHT
    spec = answer_figure.spec(model.labels, model.probabilities, by_bayes, gold)
    live_chart(spec, "playground_answer", f"Probability of each label; the model answers {model.best}", tall(height))
    if notes:
        rest = f" (+{len(notes) - 1})" if len(notes) > 1 else ""
        first = textwrap.shorten(notes[0], 84, placeholder="…")  # no number is cut in two
        st.caption(plain(first, 84) + rest, help="\n\n".join(plain(note, 400) for note in notes))


def _aligned(bayes: Answer, labels: Sequence[str]) -> np.ndarray[Any, Any]:
    """Bayes's probabilities in the order of the model's labels."""
    by_label = dict(zip(bayes.labels, bayes.probabilities, strict=True))
    return np.array([by_label.get(label, 0.0) for label in labels])


def _posterior_reads() -> Values:
    found = outcome()
    return found.posteriors, len(found.demonstrations), found.fit


def posterior_controls(posteriors: dict[str, Posterior], k: int, _: MixtureFit | None) -> None:
    """Bars or paths, and after how many demonstrations; nothing where there is no posterior."""
    if not posteriors:
        return
    style = session.hold(STYLE, STYLES[0], "default")
    st.segmented_control("Style", STYLES, required=True, label_visibility="collapsed", **style)
    if st.session_state.get(N_OF) != k:  # another number of demonstrations: show all of them
        st.session_state[N_OF] = st.session_state[N] = k
    place = session.hold(N, k, shape=k)
    if k:
        st.slider("n", 0, k, label_visibility="collapsed", format="n = %d", **place)


def posterior_view(posteriors: dict[str, Posterior], k: int, fit: MixtureFit | None) -> None:
    """Posteriors side by side after n demonstrations."""
    if not posteriors:
        empty("This model's mixture is not known: write hypotheses (left) to compare tasks by their instructions.", ROW)
        return
    n, look = (st.session_state[N] if k else 0), st.session_state[STYLE]
    colours = session.task_colours(posteriors)
    panels = [
        Panel(NAMES[name], post.tasks, post.weights, _figures(post, n, fit), post.reach)
        for name, post in posteriors.items()
    ]
    spec = (path_figure if look == "Path" else bars_figure).spec(panels, n, colours)
    alt = "; ".join(f"{NAMES[name]}: {_leader(post, n)}" for name, post in posteriors.items())
    live_chart(spec, "playground_posterior", f"Posterior after {n} demonstrations. {alt}", tall(ROW))


def _leader(post: Posterior, n: int) -> str:
    row = post.weights[min(n, len(post.weights) - 1)]
    return f"{post.tasks[int(np.argmax(row))]} {row.max():.2f}"


def _figures(post: Posterior, n: int, fit: MixtureFit | None) -> str:
    """How far to trust a posterior: in words, and the numbers behind them."""
    row = min(n, len(post.weights) - 1)
    said = sign(post, row, fit)
    parts = [said] if said else []
    if post.log_evidence is not None:
        parts.append(f"log P(D) {fixed(post.log_evidence[row], 2)}")
    if post.residual is not None:
        parts.append(f"residual {post.residual[row]:.3f} nats")
    if post.condition is not None:
        parts.append(f"condition {post.condition[row]:.3g}")
    return ", ".join(parts)


def _kernel_reads() -> Values:
    found = outcome()
    return tuple(found.kernels.values()), found.answer.best, rows_of(found)


def _kernel_help(kernels: tuple[Kernel, ...], *_: Any) -> str:
    details = "\n\n".join(f"**{kernel.name}**: {plain(kernel.detail, 200)}" for kernel in kernels)
    return f"{HELP_KERNELS}\n\n{details}"


def kernel_view(kernels: tuple[Kernel, ...], best: str, rows: ShownRows) -> None:
    """Kernel weights, a row a kernel, a column a demonstration."""
    if not rows.texts or not kernels:
        empty("Kernels weigh demonstrations, and none is shown.", ROW)
        return
    spec = kernel_figure.spec(
        [kernel.name for kernel in kernels],
        np.stack([kernel.normalised for kernel in kernels]),
        np.stack([kernel.raw for kernel in kernels]),
        [kernel.best for kernel in kernels],
        best,
        [x for x, _ in rows.texts],
        [y for _, y in rows.texts],
        list(rows.numbers),
        rows.marked,
    )
    verdicts = ", ".join(f"{kernel.name} answers {kernel.best}" for kernel in kernels)
    alt = f"Weight of each demonstration; {verdicts}; the model answers {best}"
    live_chart(spec, "playground_kernels", alt, tall(ROW), on_click=lambda data: session.mark(data[0], rows.source))


def _attention_reads() -> Values:
    found = outcome()
    study = found.study
    return found.attention, rows_of(found), study.instruction, study.query, found.answer.best


def attention_controls(attention: Attention | None, *_: Any) -> None:
    """By part of the prompt, by head, or token by token."""
    if attention is not None:
        look = session.hold(LOOK, LOOKS[0], "default")
        st.segmented_control("Look", LOOKS, required=True, label_visibility="collapsed", **look)


def attention_view(attention: Attention | None, rows: ShownRows, instruction: str, query: str, best: str) -> None:
    """Attention of the last token by demonstration, by head, or token by token for one head."""
    if attention is None:
        empty("This model gives no attention weights.", ROW)
    elif st.session_state[LOOK] == "Tokens":
        _tokens(attention, rows)
    elif st.session_state[LOOK] == "Heads":
        _heads(attention, rows)
    else:
        _by_demonstration(attention, rows, instruction, query, best)


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


def _by_demonstration(attention: Attention, rows: ShownRows, instruction: str, query: str, best: str) -> None:
    owners: list[int | None] = [rows.numbers[int(name) - 1] if name.isdigit() else None for name in attention.spans]
    by_span = {str(i + 1): f"{x} → {y}" for i, (x, y) in enumerate(rows.texts)}
    first = f"{attention.tokens[0]} (the first token)"
    others = {"start": first, "instruction": instruction, "query": query}
    texts = [by_span.get(name) or others[name] for name in attention.spans]
    layers, heads = attention.pooled.shape[:2]
    if layers * heads <= rows_at_most():
        spec, height = demonstration_figure.spec(attention.pooled, attention.spans, owners, texts, rows.marked), ROW
        alt = "Attention on each part of the prompt, a row a head"
    else:
        chosen = _rows_choice(layers, rows)
        names, cells = _chosen_rows(attention, rows, best, chosen)
        spec, height = rows_figure.spec(cells, names, attention.spans, owners, texts, rows.marked), ROW - 49
        alt = f"Attention on each part of the prompt, {_rows_in_words(chosen, rows)}: {names[0]} first"

    def clicked(data: list[Any]) -> None:
        if data[0] is not None:
            session.mark(data[0], rows.source)

    live_chart(spec, "playground_attention", alt, tall(height), on_click=clicked)


def _rows_choice(layers: int, rows: ShownRows) -> str | int:
    """Which rows of a model of many heads: a mean a layer, those that lead by a score, or a layer's own heads."""
    leading = ["demonstrations", "marked", "answer"] if rows.numbers else []
    options: list[str | int] = ["layers", *leading, *range(layers)]
    if st.session_state.get(ROWS) not in options:
        st.session_state[ROWS] = "layers"
    chosen: str | int = st.selectbox(
        "Rows",
        options,
        format_func=lambda option: _rows_in_words(option, rows),
        label_visibility="collapsed",
        **session.hold(ROWS, "layers", "index", options),
    )
    return chosen


def _rows_in_words(chosen: str | int, rows: ShownRows) -> str:
    if isinstance(chosen, int):
        return f"heads of layer {chosen}"
    return {
        "layers": "every layer, mean of its heads",
        "demonstrations": "heads that look most at the demonstrations",
        "marked": f"heads that look most at demonstration {_pointed(rows)}",
        "answer": "heads whose vote is most for the answer",
    }[chosen]


def _pointed(rows: ShownRows) -> int | None:
    """Number of the marked demonstration, or of the last one where none is marked."""
    return rows.numbers[-1] if rows.marked is None and rows.numbers else rows.marked


def _chosen_rows(
    attention: Attention, rows: ShownRows, best: str, chosen: str | int
) -> tuple[tuple[str, ...], np.ndarray[Any, Any]]:
    """Names and attention of the rows chosen."""
    pooled = attention.pooled
    if chosen == "layers":
        return many_heads.layer_means(pooled, rows_at_most(ROW - 49))
    if isinstance(chosen, int):
        heads: Sequence[Head] = [(chosen, head) for head in range(pooled.shape[1])]
        return tuple(map(many_heads.named, heads)), pooled[chosen]
    if chosen == "answer":
        scores = many_heads.vote(attention.maxima, [y for _, y in rows.texts], best)
    else:
        number = _pointed(rows)
        wanted = {str(rows.numbers.index(number) + 1)} if chosen == "marked" and number is not None else None
        of = [name.isdigit() if wanted is None else name in wanted for name in attention.spans]
        scores = pooled[:, :, of].sum(-1)
    heads = many_heads.leading(scores, TOP)
    names = tuple(f"{many_heads.named(head)} {cell(scores[head])}" for head in heads)
    return names, np.array([pooled[head] for head in heads])


def _heads(attention: Attention, rows: ShownRows) -> None:
    number = _pointed(rows)
    name = str(rows.numbers.index(number) + 1) if number is not None else "query"
    place = attention.spans.index(name)
    what = f"demonstration {number}" if number is not None else "the query"
    spec = head_figure.spec(attention.pooled[:, :, place], what)

    def clicked(data: list[Any]) -> None:
        state.edit(token_head=(int(data[2]), int(data[1])))
        st.session_state[LOOK] = "Tokens"

    live_chart(spec, "playground_heads", f"Attention of every head on {what}", tall(ROW - 34), on_click=clicked)
    st.caption(f"On {what}. Click a head for its tokens.")


def _tokens(attention: Attention, rows: ShownRows) -> None:
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
        empty("Choose a head to see which token attends to which.", ROW)
        return
    figure = _token_figure(attention, rows, ROW - 49)
    chart(figure, "playground_tokens", f"Attention between tokens, layer {attention.head[0]} head {attention.head[1]}")


def _token_figure(attention: Attention, rows: ShownRows, height: int) -> Any:
    shown = [rows.numbers[int(name) - 1] if name.isdigit() else None for name in attention.spans]
    owners = [None if span < 0 else shown[span] for span in attention.token_spans]
    assert attention.map is not None
    assert attention.head is not None
    return token_figure(attention.map, attention.tokens, owners, attention.head, rows.marked, height=height)


def _open_tokens() -> None:
    st.session_state[session.DIALOG] = "tokens"


def tokens_dialog(found: Outcome) -> None:
    """The token view at full size."""

    @st.dialog("Attention, token by token", width="large", on_dismiss=close_dialog)
    def show() -> None:
        if found.attention is not None and found.attention.map is not None:
            figure = _token_figure(found.attention, rows_of(found), 640)
            chart(figure, "playground_tokens_large", "Attention between tokens")

    show()


def close_dialog() -> None:
    st.session_state[session.DIALOG] = None


def _dialog_reads() -> Values:
    wanted = st.session_state.get(session.DIALOG) == "tokens"
    return (outcome() if wanted else None,)


def _dialog(found: Outcome | None) -> None:
    if found is not None:
        tokens_dialog(found)


P = "playground_card_"
ANSWER = Card(P + "answer", "Answer", HELP_ANSWER, _answer_reads, answer_view, height=ROW)
POSTERIOR = Card(
    P + "posterior",
    "Posterior over tasks",
    HELP_POSTERIOR,
    _posterior_reads,
    posterior_view,
    beside=posterior_controls,
    height=ROW,
)
KERNELS = Card(P + "kernels", "Kernel weights", _kernel_help, _kernel_reads, kernel_view, height=ROW)
ATTENTION = Card(
    P + "attention",
    "Attention",
    HELP_ATTENTION,
    _attention_reads,
    attention_view,
    beside=attention_controls,
    height=ROW,
)
DIALOG = Card(P + "dialog", "", "", _dialog_reads, _dialog, framed=False)
