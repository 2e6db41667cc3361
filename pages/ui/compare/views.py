"""The views of a difference: what differs, answers, posteriors, kernels, attention, prompts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.compare import Aligned, Difference, Match, difference
from core.attention import START
from core.figures.colours import BAYES, MODEL, OTHERS
from core.figures.compare.cells import Column, heads_difference_figure, weights_difference_figure
from core.figures.compare.difference import Series, sides_figure
from core.runtime.numbers import fixed
from core.selection import table_of
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.compare import sides as compare
from pages.ui.compare.prompt_difference import prompt_difference_html
from pages.ui.components import menu
from pages.ui.components.card import Card, Values, empty, save_csv, title
from pages.ui.components.charts import chart
from pages.ui.components.text import plain, safe
from pages.ui.jobs.run import outcome
from pages.ui.playground.views import NAMES
from pages.ui.session import session, state

P = "compare_"
ROW = 222  # pixels of a chart
HEIGHT = 218  # pixels of the prompt
# Two columns where there is room; a long list scrolls.
STYLE = """<style>
.icl-changes { columns: 2 340px; margin: 0; padding-left: 1.1rem; font-size: .88rem; line-height: 1.45;
  max-height: 96px; overflow-y: auto; }
.icl-changes li { break-inside: avoid; }
.icl-changes .aside { opacity: .62; }
</style>"""
KIND, LOOK, ONLY_A, LAST = P + "kind", P + "look", P + "only_a", P + "last"
LOOKS = ("Mean", "Heads")
ASIDE = ' class="aside"'

HELP_CHANGES = "Field by field; what neither study reads decides nothing and is grey. Every difference is B − A."
HELP_ANSWER = (
    "Probability of every candidate in A and in B: violet for the model, grey for exact Bayes. B − A: orange is less "
    "in B, blue is more, hatched for exact Bayes. “–” is a label that is no candidate there. TV = ½ Σ|p_A − p_B|, over "
    "the labels that both have, is 0 for equal answers and 1 for answers with nothing in common."
)
HELP_POSTERIOR = (
    "P(task | all demonstrations) in A, in B, and B − A. TV = ½ Σ|P_A − P_B|, 0 to 1. KL(A‖B) = Σ P_A ln(P_A / P_B) in "
    "nats, ∞ where B rules out what A allows. Over the tasks that both have."
)
HELP_KERNELS = (
    "K_i / ΣK of every demonstration in A, in B, and B − A. The same input is the same demonstration; where its number "
    "differs, A's and B's stand at its column, and “–” is one that a side does not show. ŷ is what each side's kernel "
    "regression answers."
)
HELP_ATTENTION = (
    "Attention of the prompt's last token on the same part of both prompts. Mean: over all heads of all layers. Heads: "
    "B − A of every head, a row a head; only where both sides run on the same model. Blank: a side lacks that part."
)
HELP_PROMPT = (
    "The prompts as one text: orange and struck out is only in A, blue and underlined only in B. The channel scorer "
    "reads the demonstrations label first, which is not shown here."
)


@dataclass(frozen=True)
class Sides:
    """Both outcomes and their difference."""

    a: Outcome
    b: Outcome
    difference: Difference

    @property
    def columns(self) -> list[Column]:
        """Every demonstration of either side, with its numbers."""
        numbers = session.numbers(self.a), session.numbers(self.b)
        return [
            Column(
                None if pair.a is None else numbers[0][pair.a],
                None if pair.b is None else numbers[1][pair.b],
                pair.label_a or "",
                pair.label_b or "",
                pair.input,
            )
            for pair in self.difference.demonstrations
        ]


def sides(a: Outcome, b: Outcome) -> Sides:
    """Both outcomes and their difference, which is kept until either is another one."""
    last: Sides | None = st.session_state.get(LAST)
    if last is None or last.a is not a or last.b is not b:
        last = st.session_state[LAST] = Sides(a, b, difference(a, b))
    return last


@dataclass(frozen=True)
class SideView:
    """Both sides for one view, which is drawn anew where what it shows of them has changed.

    Attributes:
        shows: what the view shows.
        sides: all of them.
    """

    shows: tuple[Any, ...]
    sides: Sides = field(compare=False)


def _sides() -> Sides:
    """Both sides.

    Raises:
        Waiting: one of them is not there.
    """
    return sides(compare.outcome_a(), outcome())


def marked_column(sides: Sides) -> int | None:
    """The place among `Difference.demonstrations` of the marked demonstration, if either side shows it."""
    pairs = sides.difference.demonstrations
    number, here = session.marked(), session.marked_in(sides.b)
    if number is None and here is None:
        lonely = st.session_state.get(ONLY_A)
        return next((i for i, pair in enumerate(pairs) if pair.b is None and _number_a(sides, pair) == lonely), None)
    st.session_state.pop(ONLY_A, None)
    if here is not None:
        shown = sides.b.chosen.indices.index(here - 1)
        return next(i for i, pair in enumerate(pairs) if pair.b == shown)
    return next((i for i, pair in enumerate(pairs) if pair.b is None and _row_of_b(sides, pair) == number), None)


def mark(sides: Sides, column: int) -> None:
    """Mark a demonstration in every view: by its row in B's table, or, where only A has it, here."""
    pair = sides.difference.demonstrations[column]
    source = sides.b.chosen.source
    number = _row_of_b(sides, pair) if pair.b is None else session.numbers(sides.b)[pair.b]
    session.mark(number, source)
    if number is None:
        st.session_state[ONLY_A] = _number_a(sides, pair)


def _number_a(sides: Sides, pair: Match) -> int | None:
    return None if pair.a is None else session.numbers(sides.a)[pair.a]


def _row_of_b(sides: Sides, pair: Match) -> int | None:
    """The number of the row of B's table with the text of a demonstration that B does not show (one left out)."""
    rows = table_of(sides.b.study, sides.b.chosen)
    shown = set(sides.b.chosen.indices)
    same = (
        place + 1
        for place, row in enumerate(rows)
        if place not in shown and (row.input.strip(), row.label.strip()) == (pair.input, pair.label_a)
    )
    return next(same, None)


def _changes_reads() -> Values:
    if state.study_a() is None:
        return (state.study(), None)
    both = _sides()
    return (None, SideView((both.difference, both.a.study, both.b.study), both))


def _changes_view(study: Study | None, part: SideView | None) -> None:
    if part is not None:
        _changes(part.sides)
    elif study is not None:
        _nothing_yet(study)


def _nothing_yet(study: Study) -> None:
    """How to get an A."""
    title("Nothing to compare yet", compare.HELP)
    st.markdown(
        "Keep the present study as A, then change anything: what you go on editing is B, and this page shows B − A."
    )
    st.button(
        "Keep this study as A",
        type="primary",
        icon=":material/push_pin:",
        key=P + "keep_first",
        on_click=compare.keep,
    )
    st.markdown("**Or start from a ready-made ablation.** A is the present study, B differs from it in one thing:")
    compare.ablation_buttons(study)


def _changes(sides: Sides) -> None:
    """What differs between the studies, and what the numbers below do not mean."""
    found = sides.difference
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("What differs", HELP_CHANGES)
        st.caption(f"A: {compare.summary(sides.a.study)}\\\nB: {compare.summary(sides.b.study)}", width="stretch")
        compare.ablation_menu()
        save_csv(
            "CSV",
            P + "difference",
            lambda: difference_records(sides),
            help="Every number of this page: view, name, A, B, B − A.",
        )
    lines = [(c.sentence if c.read else f"{c.sentence} Neither study reads it.", c.read) for c in found.changes]
    lines += [(sentence, True) for sentence in found.shown]
    lines = lines or [("Nothing: A and B are the same study. Edit anything and watch B − A.", True)]
    lines += [(note, False) for note in found.notes]
    items = "".join(f"<li{'' if strong else ASIDE}>{safe(text)}</li>" for text, strong in lines)
    st.html(f'{STYLE}<ul class="icl-changes">{items}</ul>')


def _answer_reads() -> Values:
    both = _sides()
    found, outcomes = both.difference, (both.a, both.b)
    shows = (found.answer, found.bayes, *((one.answer, one.bayes, one.study.gold) for one in outcomes))
    return (SideView(shows, both),)


def _answer(part: SideView) -> None:
    """P(label) of both, and by how much it moved."""
    sides = part.sides
    found = sides.difference
    p_a, p_b = (side.probabilities[int(np.argmax(side.scores))] for side in (sides.a.answer, sides.b.answer))
    same = "the same answer" if found.best_a == found.best_b else "another answer"
    st.markdown(
        f"A **{plain(found.best_a, 20)}** {p_a:.2f} → B :violet[**{plain(found.best_b, 20)}**] {p_b:.2f} "
        f":gray[· {same} · {_distance(found.answer)}]"
    )
    names, series = found.answer.names, [Series("model", found.answer.a, found.answer.b, MODEL)]
    bayes = ("", "", "")
    if found.bayes is not None:
        series.append(Series("exact Bayes", *_in_order(found.bayes, names), BAYES, hatched=True))
        sums = [answer.best for answer in (sides.a.bayes, sides.b.bayes) if answer is not None]
        bayes = (f"Bayes {sums[0][:14]}", f"Bayes {sums[1][:14]}", f"Bayes {_distance(found.bayes)}")
    gold = sides.b.study.gold if sides.a.study.gold == sides.b.study.gold else None
    figure = sides_figure(names, series, gold, bayes, "candidates", height=ROW + 22)
    chart(figure, P + "answer", f"A answers {found.best_a}, B {found.best_b}; {_distance(found.answer)}")


def _in_order(aligned: Aligned, names: tuple[str, ...]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Both sides in the order of `names`; NaN for a name that they lack."""
    places = {name: i for i, name in enumerate(aligned.names)}
    order = [places.get(name) for name in names]
    both = (aligned.a, aligned.b)
    one, other = (np.array([np.nan if i is None else side[i] for i in order], dtype=np.float64) for side in both)
    return one, other


def _distance(aligned: Aligned) -> str:
    value = aligned.total_variation
    return "TV unknown" if math.isnan(value) else f"TV {value:.3f}"


def _nats(value: float) -> str:
    return "?" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.3f}"


def _posterior_reads() -> Values:
    both = _sides()
    return (SideView((both.difference.posteriors, both.a.posteriors, both.b.posteriors), both),)


def _posterior_kind(part: SideView) -> None:
    found = part.sides.difference.posteriors
    if len(found) > 1:
        st.session_state[KIND] = menu.held(list(found), KIND)
        words = {"exact": "Exact", "implicit": "Implicit", "instruction": "Hypotheses"}
        st.segmented_control(
            "Kind", list(found), key=KIND, format_func=words.get, required=True, label_visibility="collapsed"
        )


def _posterior(part: SideView) -> None:
    """Posteriors of one kind after all demonstrations of each side."""
    sides = part.sides
    found = sides.difference.posteriors
    if not found:
        empty("There is no posterior that both A and B have.", ROW)
        return
    chosen = found[st.session_state[KIND] if len(found) > 1 else next(iter(found))]
    others = [f"{NAMES[kind]} TV {_nats(p.tasks.total_variation)}" for kind, p in found.items() if p is not chosen]
    nats = f"KL(A‖B) {_nats(chosen.tasks.kl_from_a)} · KL(B‖A) {_nats(chosen.tasks.kl_from_b)} nats"
    st.caption(nats + (f"\\\n{', '.join(others)}" if others else ""))
    tasks = chosen.tasks
    posteriors = {**sides.b.posteriors, **{f"A {kind}": post for kind, post in sides.a.posteriors.items()}}
    colours = session.task_colours(posteriors)
    series = Series(NAMES[chosen.kind], tasks.a, tasks.b, [colours.get(name, OTHERS) for name in tasks.names])
    evidence = [
        f"n = {n}" + ("" if log is None else f", ln P(D) {fixed(log, 1)}")
        for n, log in ((chosen.n_a, chosen.log_evidence_a), (chosen.n_b, chosen.log_evidence_b))
    ]
    notes = (evidence[0], evidence[1], _distance(tasks))
    figure = sides_figure(tasks.names, [series], None, notes, "tasks", height=ROW)
    chart(figure, P + "posterior", f"Posterior over tasks in A and B, {NAMES[chosen.kind]}; {_distance(tasks)}")


def _kernel_reads() -> Values:
    both = _sides()
    return (SideView((both.difference.kernels, tuple(both.columns), marked_column(both)), both),)


def _kernels(part: SideView) -> None:
    """Weights of the same demonstration in both."""
    sides = part.sides
    found = list(sides.difference.kernels.values())
    if not found or not sides.difference.demonstrations:
        empty("Kernels weigh demonstrations, and neither side shows one.", ROW)
        return
    figure = weights_difference_figure(
        [kernel.name for kernel in found],
        np.stack([kernel.a for kernel in found]),
        np.stack([kernel.b for kernel in found]),
        sides.columns,
        [(kernel.best_a, kernel.best_b) for kernel in found],
        marked_column(sides),
        height=max(ROW, 46 + 24 * 3 * len(found)),
    )
    verdicts = ", ".join(f"{kernel.name} answers {kernel.best_a} in A and {kernel.best_b} in B" for kernel in found)
    chart(figure, P + "kernels", f"Kernel weights in A and B; {verdicts}", on_click=lambda data: mark(sides, data[0]))


def _attention_reads() -> Values:
    both = _sides()
    texts = tuple((side.study.instruction, side.study.query) for side in (both.a, both.b))
    return (SideView((both.difference.attention, tuple(both.columns), marked_column(both), texts), both),)


def _attention_look(part: SideView) -> None:
    found = part.sides.difference.attention
    if found is not None and found.heads_a is not None:
        st.session_state[LOOK] = menu.held(LOOKS, LOOK)
        st.segmented_control("Look", LOOKS, key=LOOK, required=True, label_visibility="collapsed")


def _attention(part: SideView) -> None:
    """Attention on the same spans: mean of all heads, or head by head."""
    sides = part.sides
    found = sides.difference.attention
    if found is None:
        empty("Attention is not known on both sides.", ROW)
        return
    heads = found.heads_a is not None
    columns = [_span_column(sides, span) for span in found.spans]
    places = [span if isinstance(span, int) else None for span in found.spans]
    marked = marked_column(sides)
    framed = places.index(marked) if marked is not None else None

    def clicked(data: list[Any]) -> None:
        place = places[int(data[1])]
        if place is not None:
            mark(sides, place)

    if heads and st.session_state[LOOK] == "Heads":
        assert found.heads_a is not None
        assert found.heads_b is not None
        figure = heads_difference_figure(found.heads_a, found.heads_b, columns, framed, height=ROW)
    else:
        means = found.mean_a[None], found.mean_b[None]
        figure = weights_difference_figure(["mean of heads"], *means, columns, (), framed, height=ROW)
    chart(figure, P + "attention", "Attention on each part of the prompt, B minus A", on_click=clicked)


def _span_column(sides: Sides, span: str | int) -> Column:
    if isinstance(span, int):
        return sides.columns[span]
    texts = [_span_text(side, span) for side in (sides.a, sides.b)]
    return Column(None, None, texts[0], texts[1], span, name=span)


def _span_text(side: Outcome, span: str) -> str:
    """What stands in a span that is no demonstration, on one side; "" where that side has no such span."""
    if side.attention is None or span not in side.attention.spans:
        return ""
    return f"{side.attention.tokens[0]} (the first token)" if span == START else str(getattr(side.study, span))


def _prompt_reads() -> Values:
    both = _sides()
    found, numbers = both.difference, (session.numbers(both.a), session.numbers(both.b))
    gaps = (both.a.prompt.gap, both.b.prompt.gap)
    return (SideView((found.prompt, marked_column(both), numbers, found.best_a, found.best_b, gaps), both),)


def _prompt(part: SideView) -> None:
    """Both prompts as one text."""
    sides = part.sides
    found = sides.difference
    column = marked_column(sides)
    marked = (None, None) if column is None else (found.demonstrations[column].a, found.demonstrations[column].b)
    numbers = session.numbers(sides.a), session.numbers(sides.b)
    answers = (found.best_a, found.best_b)
    st.html(
        prompt_difference_html(found.prompt, numbers, marked, answers, (sides.a.prompt.gap, sides.b.prompt.gap), HEIGHT)
    )


def difference_records(sides: Sides) -> list[dict[str, Any]]:
    """Every number as a row: view, part, name, A, B, B − A; what a side lacks is empty."""
    return [
        {"view": view, "part": part, "name": name}
        | {side: "" if math.isnan(value) else value for side, value in (("A", a), ("B", b), ("B - A", b - a))}
        for view, part, name, a, b in _rows(sides)
    ]


def _rows(sides: Sides) -> Iterator[tuple[str, str, str, float, float]]:
    found = sides.difference
    yield "labels", "scored", "", len(sides.a.answer.labels), len(sides.b.answer.labels)
    yield "labels", "found", "", sides.a.labels_found, sides.b.labels_found
    named = [("answer", "model", found.answer), ("answer", "exact Bayes", found.bayes)]
    named += [("posterior", kind, post.tasks) for kind, post in found.posteriors.items()]
    for view, part, aligned in named:
        if aligned is not None:
            for name, a, b in zip(aligned.names, aligned.a, aligned.b, strict=True):
                yield view, part, name, float(a), float(b)
    texts = [pair.input for pair in found.demonstrations]
    for kernel in found.kernels.values():
        for text, a, b in zip(texts, kernel.a, kernel.b, strict=True):
            yield "kernel", kernel.name, text, float(a), float(b)
    if found.attention is not None:
        spans = [span if isinstance(span, str) else texts[span] for span in found.attention.spans]
        for text, a, b in zip(spans, found.attention.mean_a, found.attention.mean_b, strict=True):
            yield "attention", "mean of heads", text, float(a), float(b)
        if found.attention.heads_a is not None and found.attention.heads_b is not None:
            for (layer, head, s), a in np.ndenumerate(found.attention.heads_a):
                yield "attention", f"{layer}.{head}", spans[s], float(a), float(found.attention.heads_b[layer, head, s])


CHANGES = Card(P + "card_changes", "", "", _changes_reads, _changes_view, height=150, stretched=False)
ANSWER = Card(P + "card_answer", "Answer", HELP_ANSWER, _answer_reads, _answer, height=ROW)
POSTERIOR = Card(
    P + "card_posterior",
    "Posterior over tasks",
    HELP_POSTERIOR,
    _posterior_reads,
    _posterior,
    beside=_posterior_kind,
    height=ROW,
)
KERNELS = Card(P + "card_kernels", "Kernel weights", HELP_KERNELS, _kernel_reads, _kernels, height=ROW)
ATTENTION = Card(
    P + "card_attention",
    "Attention",
    HELP_ATTENTION,
    _attention_reads,
    _attention,
    beside=_attention_look,
    height=ROW,
)
PROMPT = Card(P + "card_prompt", "Prompt, A → B", HELP_PROMPT, _prompt_reads, _prompt, height=HEIGHT, stretched=False)
