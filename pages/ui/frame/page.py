"""A page: bar, strategies, tables and query, as on every page, and its own cards.

    CARDS = (beside(ANSWER, POSTERIOR), beside(KERNELS, ATTENTION))

    page.show("Playground", CARDS, left=(PROMPT,))

is a whole script of `pages/`. A card reads `outcome()` (`pages.ui.jobs.run`) and whatever follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import Cancelled, ICLensError, PromptTooLong
from core.pipeline.run import drop_earliest
from core.reasoning import reasons
from core.scoring.labels import about_cut
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.compare import sides as compare
from pages.ui.components.buttons import hide_labels
from pages.ui.components.card import Card, CardRow, Values
from pages.ui.components.leftovers import watch_leftovers
from pages.ui.components.live_chart import prepare
from pages.ui.components.paste import mend_pastes
from pages.ui.components.text import message, plain
from pages.ui.frame import parts, shell, signing
from pages.ui.jobs import engine, jobs, run, view
from pages.ui.jobs.run import NoModel, NotRun, Working, outcome
from pages.ui.jobs.waiting import Waiting
from pages.ui.session import session, state
from pages.ui.workbench import controls, importing, named, transfer, workbench

if TYPE_CHECKING:
    from core.models import LanguageModel

TITLE, SAID, ANSWERS = "page_title", "page_said", "page_answers"
# Not in the bar.
BELOW = {
    "demonstrations",
    "pool",
    "questions",
    "query",
    "gold",
    "labels",
    "hypotheses",
    "token_head",
    "prior",
    "input_pattern",
}
# Over everything and fixed: a notice moves nothing. What a card waits for stands over its view.
STYLE = """<style>
:root { --page: light-dark(%s, %s); }
[class*="st-key-card_"] { position: relative; }
[class*="st-key-dimmed_"] { opacity: .4; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-over_"]) { position: absolute; left: 1rem; right: 1rem;
  width: auto; z-index: 5; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-over_view_"]) { top: 3.2rem; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-over_all_"]) { top: .5rem; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-over_foot_"]) { bottom: 1rem; }
[class*="st-key-over_"] { background: var(--page); border-radius: .5rem; padding: .25rem .5rem; }
.st-key-page_said { position: fixed; bottom: 1rem; left: 25%%; width: 50%%; z-index: 90; border-radius: .5rem;
  padding: .75rem 1rem; background: var(--page); box-shadow: 0 2px 14px rgba(0,0,0,.3); }
.st-key-page_said:not(:has([data-testid=stAlert], [data-testid=stProgress], button)) { display: none; }
.st-key-page_said [data-testid=stElementContainer]:has(> .stEmpty) { display: none; }
[class*="st-key-frame_named_open_"] button, [class*="st-key-frame_named_open_"] button div {
  justify-content: flex-start; text-align: left; }
@media (max-width: 1400px) { /* the bar and the tools of the table stay one line */
  [class*="st-key-frame_undo"] kbd, [class*="st-key-frame_redo"] kbd { display: none; }
  [class*="st-key-frame_family"] { max-width: 190px; }
  [class*="st-key-frame_mark-"] { max-width: 86px; }
}
</style>"""


def show(
    title: str,
    cards: Sequence[Card | CardRow],
    left: Sequence[Card] = (),
    *,
    above: Callable[[], None] | None = None,
    hidden: Sequence[Card] = (),
    where_possible: Sequence[tuple[Card, Callable[[LanguageModel], bool]]] = (),
    study: Callable[[], Study] = state.study,
    answers: bool = True,
) -> None:
    """The only call of a page's script.

    Args:
        title: of the page, as the menu has it.
        cards: its views, from top to bottom.
        left: cards below the tables and the query.
        above: draws what stands above the cards and decides which there are: a run of it is one of the whole page.
        hidden: parts that take no room: dialogs.
        where_possible: views below the others that some models cannot have, each with whether this one can; another
            model is another run of the whole page.
        study: what the page asks of the session's study, where that is another one.
        answers: whether it shows what the study answers; where not, the study is not run, and nothing is said of a
            query that is missing.
    """
    shell.guard()
    state.start()
    state.arrive(title)
    st.session_state[TITLE] = title
    st.session_state.pop(SAID, None)
    st.session_state[ANSWERS] = answers
    run.ask_of(study)
    hide_labels()
    st.html(_style())
    prepare()
    parts.begin()
    parts.part(BAR)
    parts.part(STRATEGIES)
    here, views = st.columns([0.3, 0.7], gap="small")
    with here:
        parts.part(TABLES)
        parts.part(QUERY)
        parts.part(LEFT_OUT)
    with views:
        if above is not None:
            above()
        _wait_for_the_embedded_model()  # before any card: the first that asks for the outcome would load it
    with here:
        for card in left:
            parts.framed(card)
    with views:
        for row in cards:
            _row(row)
        for card in _possible(where_possible):
            parts.framed(card)
    with st.container(key="page_said"):
        parts.part(NOTICES)
    for card in (*hidden, DIALOGS, LEFTOVERS):
        parts.part(card)
    parts.end()


def _possible(cards: Sequence[tuple[Card, Callable[[LanguageModel], bool]]]) -> list[Card]:
    """Those that the model on screen can have, none while it is not loaded."""
    known = engine.loaded(run.asked().model) if cards else None
    return [] if known is None else [card for card, possible in cards if possible(known)]


def show_alone(
    title: str, about: str, left: Sequence[Card], right: Sequence[Card], *, widths: tuple[float, float]
) -> None:
    """The only call of a page that shows nothing of the session's study: a title, a sentence, two columns of cards."""
    shell.guard()
    st.markdown(f"### {title}")
    st.caption(about)
    st.html(_style())
    parts.begin()
    for column, cards in zip(st.columns(list(widths), gap="medium"), (left, right), strict=True):
        with column:
            for card in cards:
                parts.framed(card)


def _style() -> str:
    """`STYLE` in the page's own colours, which Streamlit tells its components alone."""
    colours = (st.get_option(f"theme.{scheme}.backgroundColor") for scheme in ("light", "dark"))
    return STYLE % tuple(colour or otherwise for colour, otherwise in zip(colours, ("#fff", "#0e1117"), strict=True))


def _row(row: Card | CardRow) -> None:
    if isinstance(row, Card):
        parts.framed(row)
        return
    for column, card in zip(st.columns(list(row.widths) or len(row.cards), gap="small"), row.cards, strict=True):
        with column:
            parts.framed(card)


def _wait_for_the_embedded_model() -> None:
    """While it loads, which imports torch, a skeleton keeps the place of the views."""
    choice = run.asked().model
    if not engine.at_hand(choice):
        with st.skeleton(height=600):
            engine.loaded(choice)


def _outcome_or_none() -> Outcome | None:
    if not st.session_state.get(ANSWERS, True):
        return None
    try:
        return outcome()
    except Waiting:
        return None


def _bar_reads() -> Values:
    study, a = state.study(), state.study_a()
    taken_away = (study, _outcome_or_none()) if transfer.is_open() else None
    family = st.session_state.get("frame_family")
    steps = (state.can_undo(), state.can_redo())
    return (st.session_state[TITLE], study.model, a, a == study, *steps, family, taken_away, named.reads())


def _draw_bar(title: str, *_: Any) -> None:
    study = state.study()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"### {title}", width="content")
        workbench.source_bar()
        compare.badge(study, title)
        st.space("stretch")
        controls.model_popover(study)
        with st.container(width="content"):
            transfer.export_popover(study, _outcome_or_none() if transfer.is_open() else None)
        signing.draw()


def _strategies_reads() -> Values:
    study = state.study()
    return tuple(getattr(study, name) for name in Study.model_fields if name not in BELOW)


def _tables_reads() -> Values:
    study = state.study()
    front = (st.session_state.get(session.TABLE), session.marked(), session.table_read(study))
    return (study.demonstrations, study.pool, study.questions, study.hypotheses, reasons(study), *front)


def _query_reads() -> Values:
    study = state.study()
    labels = tuple(dict.fromkeys(row.label for row in (*study.demonstrations, *study.pool[:500])))
    return (study.query, study.gold, study.labels, labels)


def _left_out_reads() -> Values:
    """How many labels there were, and how many of them are scored; nothing where there is no outcome."""
    found = _outcome_or_none()
    return (0, 0) if found is None else (found.labels_found, len(found.answer.labels))


def _draw_left_out(found: int, scored: int) -> None:
    if sentence := about_cut(found, scored):
        st.caption(f":orange[{sentence}]")


def _notices_reads() -> Values:
    """The sentence to show until the study changes or the whole page is drawn next, and why there is no outcome."""
    study = state.study()
    sentence = state.notice()
    if sentence:
        st.session_state[SAID] = (sentence, study)
    said, about = st.session_state.get(SAID, ("", study))
    try:
        _asked()
    except Waiting as waiting:
        return (said if about == study else "", waiting.token)
    return (said if about == study else "", None)


def _asked() -> None:
    """What stands in the way of what the page shows: of the outcome, or of the model alone.

    Raises:
        Waiting: something does.
    """
    if st.session_state.get(ANSWERS, True):
        outcome()
    else:
        run.model()


def _draw_notices(said: str, _: Any) -> None:
    """Always three elements, empty ones where there is less to say: a browser keeps what nothing takes the place of,
    where it does not hear of a run's end, and buttons and a bar of before would stand there for good."""
    if said:
        st.info(message(said))
    else:
        st.empty()
    try:
        _asked()
    except NoModel as waiting:
        _offer_model(waiting.study)
    except NotRun as waiting:
        _offer_help(waiting.error)
    except Working:
        _two(lambda: view.progress("run", "Running", parts.done))
    except Waiting:
        _two(st.empty)
    else:
        _two(st.empty)


def _two(draw: Callable[[], Any]) -> None:
    """One element, and an empty one."""
    draw()
    st.empty()


def _offer_model(study: Study) -> None:
    """A study from a link may name a model that is not in memory; loading it is the visitor's choice."""
    if jobs.current("load") is not None:
        _two(controls.loading)
        return
    st.info(f"This study runs on {plain(study.model.name, 60)}, which is not loaded.")
    with st.container(horizontal=True):
        load = controls.request_load
        st.button("Load it", type="primary", key="frame_load_linked", on_click=load, args=(study.model,))
        st.button("Use the embedded model", key="frame_use_embedded", on_click=controls.use, args=(engine.EMBEDDED,))


def _offer_help(error: ICLensError) -> None:
    """Why the study does not run, and what helps."""
    if isinstance(error, Cancelled):
        st.info("Stopped; change something or run again.")
        st.button("Run again", key="frame_run_again", on_click=jobs.replace, args=("run", None))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(message(error))
        if isinstance(error, PromptTooLong) and error.fits:
            st.button("Drop the earliest", key="frame_drop", on_click=_drop, args=(error.fits,))
    st.empty()


def _drop(fits: int) -> None:
    state.replace(drop_earliest(state.study(), fits))


def _draw_leftovers() -> None:
    watch_leftovers("page_left", parts.draw_again)
    mend_pastes("page_paste")


def _import_dialog(wanted: bool) -> None:
    if wanted:
        importing.import_dialog()


def _part(key: str, reads: Callable[[], Values], draw: Callable[..., None], *, edits: bool = False) -> Card:
    return Card(f"page_{key}", "", "", reads, draw, framed=False, edits=edits)


BAR = _part("bar", _bar_reads, _draw_bar)
STRATEGIES = _part("strategies", _strategies_reads, lambda *_: controls.strategy_row(state.study()))
TABLES = _part("tables", _tables_reads, lambda *_: workbench.tables_card(state.study()), edits=True)
QUERY = _part("query", _query_reads, lambda *_: workbench.query_card(state.study()))
LEFT_OUT = _part("left_out", _left_out_reads, _draw_left_out)
NOTICES = _part("notices", _notices_reads, _draw_notices)
DIALOGS = _part("dialogs", lambda: (st.session_state.get(session.DIALOG) == "import",), _import_dialog)
LEFTOVERS = _part("leftovers", lambda: (), _draw_leftovers)
