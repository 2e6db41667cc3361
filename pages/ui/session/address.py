"""The study in the browser's address: put there after every edit, and followed when the user goes Back or Forward.

An address may be older than the study, as what we give it takes its way to the browser. Whether it is, or the user
went back, needs no clock. Messages keep their order, so an address that reads what was given at some time proves that
the browser has passed all that was given before. What it was given since may still be on its way, and is no wish of
the user's; whatever else it reads is one. Streamlit says too which message is due to Back or Forward.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.study.study import Study
from pages.ui.session import store
from pages.ui.session.examples import default_study
from pages.ui.session.history import HISTORY, NOWHERE, Address, History, HistoryStep, Pair, history

TRAIL, NOTICE, STORE_ERROR = "state_trail", "state_notice", "state_store_error"
PARAMETERS = ("study", "a")  # ids of the study and of A
LONGEST = 200  # addresses on their way


@dataclass
class Trail:
    """What is known of the browser's address.

    Attributes:
        given: what it may read without the user's doing, oldest first; the last is what it is to become.
        bare: what an address without ids stands for, by page: what was shown when the page was reached.
        resend: whether the last is to be sent even where the address reads so: others may be on their way.
        page: the one on screen.
        unknown: an address that leads nowhere.
        kept: what was last written down of the history.
        made: ids that no one had kept before this session did, at its last edit.
        file: the number of the store's file that the study was kept in.
    """

    given: list[Address]
    bare: dict[str, Pair] = field(default_factory=dict)
    resend: bool = False
    page: str = ""
    unknown: Address = NOWHERE
    kept: tuple[object, ...] = ()
    made: AbstractSet[str] = frozenset()
    file: int = 0


def trail() -> Trail:
    """The session's."""
    found: Trail = st.session_state[TRAIL]
    return found


def begin() -> None:
    """A session's first run: the study of the link if there is one, with the steps that this visitor took to it; else
    who is signed in goes on where he was. Where the server died before the browser was given the address of what
    was typed last, that is the next step."""
    linked = _linked()
    now = History(default_study())
    path = Trail([linked])
    path.file = store.file()
    if linked != NOWHERE:
        found = _look_up(linked, now)
        if found is None:
            path.unknown = linked
        else:
            _stand(now, found, linked)
            for key in filter(None, linked):
                store.stay(key)
    elif (place := store.come_back()) is not None and (pair := load(place)) is not None:
        _stand(now, (pair, place), place)
    if path.unknown == NOWHERE and (further := store.expected(store.visitor(), linked)) is not None:
        found = load(further)
        if found is not None:
            now.advance(*found)
            now.address = further
            st.session_state[NOTICE] = "The server had stopped; this is what was typed last."
    st.session_state[TRAIL] = path
    st.session_state[HISTORY] = now


def _stand(now: History, found: tuple[Pair, Address], place: Address) -> None:
    """Begin there, with the steps that this visitor took to the place."""
    (now.study, now.a), now.address = found
    behind, ahead = store.load_steps(store.visitor(), place)
    now.undo = tuple(HistoryStep(None, address) for address in behind)
    now.redo = tuple(HistoryStep(None, address) for address in ahead)


def follow() -> None:
    """Go where the user went with Back or Forward, if anywhere: one step of undo. Before every edit, and every run."""
    linked, path, now = _linked(), trail(), history()
    page, asked = _message()
    reached, path.page = page != path.page, page
    if linked == NOWHERE:
        if asked and page in path.bare and path.given[-1] != NOWHERE:
            _arrived(path, linked)
            now.advance(*path.bare[page])
        elif reached:
            path.bare[page] = (now.study, now.a)
        return
    if linked in path.given and not (asked and linked != path.given[-1]):
        del path.given[: path.given.index(linked)]
        return
    _arrived(path, linked)
    found = _look_up(linked, now)
    if found is None:
        path.unknown = linked
        return
    now.advance(*found[0])
    now.address = found[1]


def _message() -> tuple[str, bool]:
    """The page of this run, and whether Back or Forward asked for the run."""
    context = get_script_run_ctx()
    return ("", False) if context is None else (context.page_script_hash, context.is_history_navigation)


def _arrived(path: Trail, linked: Address) -> None:
    """The browser reads this now; what was on its way will still come, and then this, sent again."""
    path.given = [linked, *path.given[1:], linked]
    path.resend = True


def _linked() -> Address:
    """The ids in the address, "" where there is none."""
    study_id, a_id = (st.query_params.get(name) or "" for name in PARAMETERS)
    return study_id, a_id


def _look_up(linked: Address, now: History) -> tuple[Pair, Address] | None:
    """What an address names, and its address if that is all of it; None where nothing is kept. What is not is said."""
    said: list[str] = []
    found = _load(linked[0], said, "No study is kept under “{}”; this is the one shown before.")
    a = _load(linked[1], said, "No study is kept under “{}”, so there is no A to compare with.")
    if said:
        st.session_state[NOTICE] = " ".join(said)
    if found is None and a is None:
        return None
    return (found or now.study, a), NOWHERE if said or found is None else linked


def _load(key: str, said: list[str], otherwise: str) -> Study | None:
    """The study of an id; None, with a sentence in `said`, where there is none."""
    if not key:
        return None
    try:
        found, sentence = store.load(key)
    except store.StoreError as error:
        said.append(str(error))
        return None
    if found is None:
        said.append(otherwise.format(key[:16]))
    elif sentence:
        said.append(sentence)
    return found


def load(address: Address) -> Pair | None:
    """A step of the history that is not at hand; None where it is kept no more."""
    try:
        found, _ = store.load(address[0])
        a, _ = store.load(address[1]) if address[1] else (None, "")
    except store.StoreError:
        return None
    return None if found is None or (address[1] and a is None) else (found, a)


def secure() -> None:
    """Called after every edit, before anything is computed of it: from here on a server that dies loses nothing.

    The browser is given the address at the run's end (`keep`), since what it is given within a run cannot be told from
    what it reads itself. Until then the store knows where this visitor has got to.
    """
    now, path = history(), trail()
    if now.address != NOWHERE or _is_bare(now, path):
        return
    _put(now, path, says=False)


def _is_bare(now: History, path: Trail) -> bool:
    """Whether an address without ids brings back just this."""
    return path.given[-1] in (NOWHERE, path.unknown) and now.study == default_study() and now.a is None


def keep() -> None:
    """Keep the study and A, put their ids into the address, and write down the steps that led there."""
    now, path = history(), trail()
    if _is_bare(now, path):
        if path.resend:
            _send(NOWHERE)
        return
    if path.file != store.file():  # what was kept may be gone with the file before
        path.file, now.address = store.file(), NOWHERE
        now.undo, now.redo = _forgotten(now.undo), _forgotten(now.redo)
    if now.address == NOWHERE:
        _put(now, path)
    if now.address == NOWHERE:
        return
    if now.address != path.given[-1]:
        path.given = [*path.given, now.address][-LONGEST:]
    if path.resend or _linked() != now.address:
        _send(now.address)
    _keep_steps(now, path)


def _send(wanted: Address) -> None:
    """Put ids into the address, in one message, which is one step of the browser's history."""
    trail().resend = False
    others = {name: st.query_params.get_all(name) for name in st.query_params if name not in PARAMETERS}
    ids = {name: value for name, value in zip(PARAMETERS, wanted, strict=True) if value}
    if set(PARAMETERS) & set(st.query_params) - set(ids):
        st.query_params.from_dict({**others, **ids})
    else:
        st.query_params.update(ids)


def _put(now: History, path: Trail, says: bool = True) -> None:
    """Keep where the session stands. A study that it made, and that typing has gone on from, is no step of undo: it may
    go before others."""
    stands = {key for step in (*now.undo, *now.redo) for key in step.address}
    now.address, made = _kept((now.study, now.a), path.made - stands, path.given[-1], says)
    path.made = path.made if now.address == NOWHERE else made


def _kept(
    pair: Pair, passed: AbstractSet[str] = frozenset(), given: Address | None = None, says: bool = True
) -> tuple[Address, AbstractSet[str]]:
    """The ids of a study and its A, now in the store, and those that nobody had kept; NOWHERE where that cannot be,
    which is said."""
    try:
        address, made = store.save(*pair, passed, given)
    except store.StoreError as error:
        if says and st.session_state.get(STORE_ERROR) != str(error):  # once is enough
            st.session_state[STORE_ERROR] = str(error)
            st.warning(str(error))
        return NOWHERE, frozenset()
    st.session_state.pop(STORE_ERROR, None)
    for sentence in store.said() if says else ():
        st.warning(sentence)
    return address, made


def _forgotten(steps: tuple[HistoryStep, ...]) -> tuple[HistoryStep, ...]:
    """Steps to be kept anew where they are at hand."""
    return tuple(step if step.pair is None else HistoryStep(step.pair) for step in steps)


def _keep_steps(now: History, path: Trail) -> None:
    """Write down the steps around the study, for the same browser after a refresh."""
    visitor = store.visitor()
    if not visitor:
        return
    now.undo, now.redo = (tuple(map(_addressed, steps)) for steps in (now.undo, now.redo))
    behind, ahead = ([step.address for step in steps if step.address != NOWHERE] for steps in (now.undo, now.redo))
    wanted = (now.address, tuple(behind), tuple(ahead))
    if wanted != path.kept:
        store.save_steps(visitor, now.address, behind, ahead)
        path.kept = wanted


def _addressed(step: HistoryStep) -> HistoryStep:
    """The step with its address."""
    if step.address != NOWHERE or step.pair is None:
        return step
    address, _ = _kept(step.pair)
    return HistoryStep(step.pair, address)
