"""The template editor: every part of a template, words for labels, and what comes of it, live beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.analysis.format.tokens import channel_preview, tokens_of, warnings_on
from core.errors import InvalidValue, StudyError
from core.scoring.labels import distinct, pool_labels
from core.study.cleaning import tidied, usable
from core.study.input_patterns import rewritten
from core.study.prompts import ARROW, TEMPLATES, Prompt, Template, in_place_of, ready_made
from core.study.study import Study
from core.study.verbalisers import check_words
from pages.ui.components import menu
from pages.ui.components.card import Card, Values, beside, title
from pages.ui.components.prompt import prompt_html
from pages.ui.components.prompt_box import prompt_box
from pages.ui.components.text import plain
from pages.ui.format.shared import START, P, named, take_template, template_fields, title_of
from pages.ui.format.tokens import labels_html, tokens_html
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import model, outcome
from pages.ui.session import session, state
from pages.ui.workbench import tables

if TYPE_CHECKING:
    from core.models import LanguageModel

HEIGHT = 300
MOST_LABELS = 200  # rows of the table of words
REFUSED = P + "words_refused"
FORWARD, CHANNEL = "x then y", "y then x"
HELP_TEMPLATE = (
    "How demonstrations and query are written. Forward, read by direct scoring, perplexity and PMI: before x · x · "
    "between · y · after. Channel, read by the channel scorer: before y · y · between · x · after. A space at the end "
    "of the last prefix goes with the answer, since tokenizers join it to the word."
)
HELP_PATTERN = (
    "How the input of a demonstration is written from its columns, in braces, with what stands between them. Rows that "
    "were typed keep their input, and so does a query that is none of the rows'. Columns:"
)
HELP_WORDS = (
    "What is written for a label, in demonstrations and as the answer that is scored (a verbaliser); empty is the "
    "label itself. Everything that reads the prompt reads the word: the model, every scorer and calibration, and exact "
    "Bayes and the other posteriors, since they are about the text as written. Results are named by your own labels."
)
HELP_PROMPT = (
    "The prompt as the model reads it, and the likeliest answer where it would go. Pink instruction, blue inputs, "
    "green labels, orange query. A click marks a demonstration."
)
HELP_TOKENS = (
    "The same text cut as this model's tokenizer cuts it: · a space, ↵ a line break. The embedded model's tokenizer "
    "knows words and signs, and drops single spaces."
)
HELP_WARNINGS = "Looked for in the template, the demonstrations shown, the query and the candidates."
HELP_LABELS = (
    "The tokens whose log-probabilities are summed for each candidate, read after the prompt as one text with it. "
    "Framed in orange: a token that begins inside the prompt."
)


def _template_reads() -> Values:
    study = tidied(state.study())
    labels = (*study.labels, *(row.label for row in study.demonstrations if usable(row)), *pool_labels(study))
    start, refused = st.session_state.get(START, ARROW.name), st.session_state.get(REFUSED, 0)
    rows = (*study.demonstrations, *study.pool)
    fields = next((tuple(name for name, _ in row.fields) for row in rows if row.fields), ())
    return state.study().template, distinct(labels), start, study.input_pattern, fields, refused


def _template(
    template: Template, labels: tuple[str, ...], start: str, pattern: str, fields: tuple[str, ...], _: int
) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        title("Template", HELP_TEMPLATE)
        st.space("stretch")
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            key=P + "reset",
            on_click=_reset,
            disabled=template == TEMPLATES[start],
            help="Back to the ready-made template last chosen here, without words for labels.",
        )
    st.selectbox(
        "Start from",
        list(TEMPLATES),
        format_func=lambda name: title_of(TEMPLATES[name]),
        placeholder=f"own: {title_of(template)}",
        help="A ready-made template, to use or to change. The embedded model was trained on these five and no others.",
        **state.bind(P + "ready", ready_made(template), _begin, "index", list(TEMPLATES)),
    )
    if template.chat is not None and template.chat.style == "turns":
        st.caption("Asked through the model's chat template, a turn each: the pieces below are not written.")
    template_fields(P + "own_", lambda: state.study().template, take_template)
    _pattern(pattern, fields)
    _words(template, labels)


def _pattern(pattern: str, fields: tuple[str, ...]) -> None:
    """How inputs are written from the columns that were imported, where rows have any."""
    if fields:
        st.text_area(
            "Pattern of the input",
            height=70,
            help=HELP_PATTERN + " " + plain(", ".join(f"{{{name}}}" for name in fields), 300),
            **state.bind(P + "pattern", pattern, _rewrite, "value"),
        )


def _rewrite(pattern: str) -> dict[str, Any]:
    study = rewritten(state.study(), pattern)
    return {name: getattr(study, name) for name in ("demonstrations", "pool", "questions", "query", "input_pattern")}


def _begin(name: str | None) -> dict[str, Template]:
    if name is None:
        return {}
    st.session_state[START] = name
    return {"template": in_place_of(state.study().template, TEMPLATES[name])}


def _reset() -> None:
    state.edit(template=TEMPLATES[st.session_state.get(START, ARROW.name)])


def _words(template: Template, own: tuple[str, ...]) -> None:
    """A table of labels and what is written for each."""
    title("Words for labels", HELP_WORDS)
    words = dict(template.words)
    rows = tuple((label, words.get(label, "")) for label in dict.fromkeys((*own[:MOST_LABELS], *words)))
    if not rows:
        st.caption("There is no label yet: type demonstrations, or name candidate labels.")
        return
    if len(own) > MOST_LABELS:
        st.caption(f"The first {MOST_LABELS} of {len(own)} labels; the others are written as they are.")
    sheet, key = tables.sheet_of(P + "words", rows)
    edited = st.data_editor(
        pd.DataFrame(
            {
                "label": pd.Series([label for label, _ in sheet.base], dtype="str"),
                "word": pd.Series([word for _, word in sheet.base], dtype="str"),
            }
        ),
        key=key,
        hide_index=True,
        height=min(35 + 29 * len(rows), 184),
        row_height=29,
        alt="What is written for each label",
        column_config={
            "label": st.column_config.TextColumn("Label y", disabled=True),
            "word": st.column_config.TextColumn("Written as", help="Empty: the label itself."),
        },
    )
    typed = tuple((str(label), "" if pd.isna(word) else str(word).strip()) for label, word in edited.itertuples(False))
    tables.settle(sheet, key, typed)
    if typed != rows:
        _write_words(typed, own)


def _write_words(rows: tuple[tuple[str, str], ...], labels: tuple[str, ...]) -> None:
    """Put the words into the study; say why where that cannot be, and the table goes back."""
    template = state.study().template
    words = tuple((label, word) for label, word in rows if word and word != label)
    try:
        changed = Template.model_validate({**dict(template), "words": words})
        check_words(changed, labels)
    except InvalidValue:
        _refuse("Two labels cannot be written alike; give each a word of its own.")
        return
    except StudyError as error:
        _refuse(str(error))
        return
    with state.typing(P + "words"):
        state.edit(template=named(changed))


def _refuse(why: str) -> None:
    """Say why; the table, which reads how often that was, is drawn anew with the words as they are."""
    state.say(why)
    st.session_state[REFUSED] = st.session_state.get(REFUSED, 0) + 1


def _preview_reads() -> Values:
    found = outcome()
    rows = (found.demonstrations, tuple(session.numbers(found)), session.marked_in(found), found.chosen.source)
    return tidied(cut(found.study, ANSWERS)), found.prompt, found.answer.best, rows, model()


def _preview(study: Study, written: Prompt, best: str, rows: Any, known: LanguageModel) -> None:
    demonstrations, numbers, marked, source = rows
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title("Prompt", HELP_PROMPT)
        direction = menu.switch("Direction", [FORWARD, CHANNEL], P + "direction")
        st.space("stretch")
        title("Tokens", HELP_TOKENS)
        slot = st.container(width="content")
    if direction == FORWARD:
        prompt, answer = written, study.template.word(best)
    else:
        prompt, answer = channel_preview(study, demonstrations, best), study.query
    tokens = tokens_of(known, prompt, study.template, ())
    with slot:
        st.markdown(f":small[:gray[{len(tokens.texts):,} of {known.context_length:,}]]", width="content")
    text, cut = st.columns(2, gap="small")
    with text:
        prompt_box(
            prompt_html(prompt, numbers, marked, answer, f"{HEIGHT}px"),
            P + "prompt",
            lambda number: session.mark(None if number == marked else number, source),
        )
    with cut:
        st.html(tokens_html(prompt, tokens.texts, tokens.starts, HEIGHT))
    if direction == CHANNEL:
        st.caption(f"The channel scores p(query | …) under each label; here under {plain(best, 30)}, the likeliest.")


def _candidates_reads() -> Values:
    found = outcome()
    return found.prompt, tidied(found.study).template, found.answer.labels, model()


def _candidates(prompt: Prompt, template: Template, labels: tuple[str, ...], known: LanguageModel) -> None:
    st.html(labels_html(tokens_of(known, prompt, template, labels).labels, 190))


def _warnings_reads() -> Values:
    found = outcome()
    study = tidied(cut(found.study, ANSWERS))
    return (tuple(warnings_on(study, model(), found.demonstrations, found.answer.labels)),)


def _warnings(said: tuple[str, ...]) -> None:
    for sentence in said[:6]:
        st.warning(plain(sentence, 300), icon=":material/warning:")
    if not said:
        st.caption(
            "Nothing: candidates differ at their first token, no token straddles prompt and answer, and no "
            "separator stands in an input."
        )


TEMPLATE = Card(P + "card_template", "", "", _template_reads, _template, height=HEIGHT)
PREVIEW = Card(P + "card_preview", "", "", _preview_reads, _preview, height=HEIGHT + 40)
CANDIDATES = Card(
    P + "card_candidates", "Tokens of the candidates", HELP_LABELS, _candidates_reads, _candidates, height=190
)
WARNINGS = Card(P + "card_warnings", "What to beware of", HELP_WARNINGS, _warnings_reads, _warnings, height=190)
CARDS = (beside(TEMPLATE, PREVIEW, widths=(0.4, 0.6)), beside(CANDIDATES, WARNINGS))
