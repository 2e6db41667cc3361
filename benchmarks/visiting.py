"""A visitor of the dashboard without a browser: Streamlit's own messages over a websocket, as its page sends them."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 300  # seconds for one run
ENDED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class Field:
    """A widget as the page knows it."""

    id: str
    fragment: str


@dataclass
class Shown:
    """What a run has left on the page.

    Attributes:
        seconds: from what was sent to the word that the run has ended.
        views: of every view that was drawn, all that was sent for it, by its key.
        said: words of errors and warnings.
    """

    seconds: float
    views: dict[str, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


class Visitor:
    """A tab of one browser.

    Attributes:
        query: what stands behind the question mark of the address.
        fields: text fields on the page by label.
    """

    def __init__(self, url: str, query: str = "") -> None:
        self._url, self.query = url, query
        self._script, self._widgets = "", dict[str, str]()
        self._socket: ClientConnection | None = None
        self.fields: dict[str, Field] = {}

    async def enter(self) -> Shown:
        """Open the page, and wait until it is drawn."""
        cookie = await asyncio.to_thread(_cookie, self._url)
        address = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(
            address, subprotocols=["streamlit"], additional_headers={"Cookie": cookie}, max_size=None, compression=None
        )
        return await self._run()

    async def leave(self) -> None:
        """Close the tab."""
        if self._socket is not None:
            await self._socket.close()

    async def type(self, label: str, text: str) -> Shown:
        """Type into a field and press Enter; wait until all that follows is drawn."""
        found = self.fields[label]
        self._widgets[found.id] = text
        return await self._run(found.fragment)

    async def _run(self, fragment: str = "") -> Shown:
        assert self._socket is not None
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_script_hash = self._script
        message.rerun_script.fragment_id = fragment
        for widget, text in self._widgets.items():
            message.rerun_script.widget_states.widgets.add(id=widget, string_value=text)
        start = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        shown = Shown(0.0)
        async with asyncio.timeout(PATIENCE):
            while True:
                found = ForwardMsg.FromString(await self._socket.recv())
                kind = found.WhichOneof("type")
                if kind == "script_finished" and found.script_finished in ENDED:
                    shown.seconds = time.perf_counter() - start
                    return shown
                self._hear(kind, found, shown)

    def _hear(self, kind: str | None, found: ForwardMsg, shown: Shown) -> None:
        if kind == "new_session":
            self._script = found.new_session.page_script_hash
        elif kind == "page_info_changed":
            self.query = found.page_info_changed.query_string
        elif kind == "script_finished" and found.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            raise AssertionError("the script could not be run")
        elif kind == "delta" and found.delta.WhichOneof("type") == "new_element":
            self._see(found.delta.new_element, found.delta.fragment_id, shown)

    def _see(self, element: Any, fragment: str, shown: Shown) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise AssertionError(element.exception.message)
        if kind == "alert":
            shown.said.append(element.alert.body)
        if kind == "text_input":
            self.fields[element.text_input.label] = Field(element.text_input.id, fragment)
        if kind == "bidi_component":
            sent = element.bidi_component
            shown.views[sent.id.rsplit("-", 1)[-1]] = _without_place(sent)


def _without_place(sent: Any) -> bytes:
    """What is sent for a view, wherever on the page it stands."""
    copy = type(sent)()
    copy.CopyFrom(sent)
    copy.ClearField("id")
    found: bytes = copy.SerializeToString(deterministic=True)
    return found


def _cookie(url: str) -> str:
    """The token that the server gives a browser that it does not know."""
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=PATIENCE) as answer:
        found = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(one.split(";", 1)[0] for one in found)
