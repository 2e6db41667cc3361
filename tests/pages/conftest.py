"""The dashboard without a browser: Streamlit's AppTest, one per test."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from core import Study, load_model
from core.models import LanguageModel
from pages.ui.session.history import NOWHERE

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds for a job on a busy machine
Start = Callable[..., "Page"]
ESCAPED = re.compile(r"\\([^\w\s])")
GENERATION = re.compile(r"-[0-9a-f]{6}$")


class Page:
    """A session of the dashboard."""

    def __init__(self, at: AppTest) -> None:
        self.at = at

    def run(self) -> Page:
        self.at.run()
        return self.check()

    def check(self) -> Page:
        """No traceback on the page."""
        assert not self.at.exception, self.at.exception[0].message
        return self

    def settle(self, patience: float = PATIENCE) -> Page:
        """Run until no job is under way: until then cards go on showing what came before, dimmed."""
        deadline = time.monotonic() + patience
        while any(button.label in ("Cancel", "Cancelling…") for button in self.at.button):
            assert time.monotonic() < deadline, "a job did not come to its end"
            time.sleep(0.2)
            self.run()
        return self

    @property
    def study(self) -> Study:
        study: Study = self.at.session_state["state_history"].study
        return study

    @study.setter
    def study(self, new: Study) -> None:
        now = self.at.session_state["state_history"]
        now.study, now.address = new, NOWHERE

    @property
    def a(self) -> Study | None:
        """What the study is compared with."""
        found: Study | None = self.at.session_state["state_history"].a
        return found

    @a.setter
    def a(self, new: Study | None) -> None:
        now = self.at.session_state["state_history"]
        now.a, now.address = new, NOWHERE

    def edit(self, **changes: Any) -> Page:
        """Give the session another study, no step of undo, and run."""
        self.study = self.study.model_copy(update=changes)
        return self.run()

    def press(self, key: str) -> Page:
        self.at.button(key=f"frame_{key}").click()
        return self.run()

    def choose(self, key: str, value: Any) -> Page:
        self.at.selectbox(key=f"frame_{key}").set_value(value)
        return self.run()

    def front(self, table: str) -> Page:
        self.at.session_state["frame_table"] = table
        return self.run()

    def type_into(self, table: str, **edits: Any) -> Page:
        """Edits of the table in front, in the editor's own terms."""
        sheet = self.at.session_state[f"frame_{table}_sheet"]
        state = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **edits}
        self.at.session_state[f"frame_{table}_{sheet.generation}"] = state
        return self.run()

    @property
    def charts(self) -> dict[str, Any]:
        """What was sent of every component, the charts among them, by its key."""
        return {chart.proto.id.rsplit("-", 1)[-1]: chart.proto for chart in self.at.get("bidi_component")}

    @property
    def plots(self) -> dict[str, dict[str, Any]]:
        """The charts that plotly draws, by their keys: their figures and what goes with them."""
        return plots_of(self.at)

    def has_chart(self, name: str) -> bool:
        return any(key.startswith(f"playground_{name}") for key in self.charts)

    def chart(self, name: str) -> dict[str, Any]:
        """A figure as it was sent, arrays unpacked."""
        proto = self.charts[f"playground_{name}"]
        spec: dict[str, Any] = unpack(json.loads(proto.bytes))
        return spec

    @property
    def dimmed(self) -> set[str]:
        """Keys of the cards that show what came before, dimmed."""
        found: set[str] = set()
        waiting: list[Any] = [self.at._tree]
        while waiting:
            node = waiting.pop()
            waiting += getattr(node, "children", {}).values()
            _, dimmed, key = str(getattr(getattr(node, "proto", None), "id", "")).rpartition("dimmed_")
            if dimmed:
                found.add(key)
        return found

    @property
    def prompt(self) -> str:
        sent = next(proto for key, proto in self.charts.items() if key.endswith("_prompt"))
        return str(json.loads(sent.json)["html"])

    @property
    def said(self) -> str:
        """Every sentence on the page that is not a label, as it reads: signs that are kept from being Markdown are
        themselves."""
        kinds = (self.at.error, self.at.warning, self.at.info, self.at.caption)
        return ESCAPED.sub(r"\1", "\n".join(str(element.value) for kind in kinds for element in kind))


class Dashboard(AppTest):
    """An AppTest in which widgets go by their names: a widget's key has a number behind it, by turns another one."""

    def _run(self, *arguments: Any, **named: Any) -> AppTest:
        found = super()._run(*arguments, **named)
        for element in self._tree:
            if isinstance(element, Element) and element.key:
                element.key = GENERATION.sub("", element.key)
        return found


def plots_of(at: AppTest) -> dict[str, dict[str, Any]]:
    """What was sent of the charts that plotly draws, arrays unpacked, by their keys."""
    sent = [chart.proto for chart in at.get("bidi_component") if chart.proto.component_name == "iclens_plot"]
    return {proto.id.rsplit("-", 1)[-1]: unpack(json.loads(proto.bytes)) for proto in sent}


def unpack(value: Any) -> Any:
    """What plotly packs into text, as arrays again."""
    if isinstance(value, dict) and "bdata" in value:
        flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        return flat.reshape([int(n) for n in value["shape"].split(",")]) if "shape" in value else flat
    if isinstance(value, dict):
        return {key: unpack(inner) for key, inner in value.items()}
    return [unpack(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def model() -> LanguageModel:
    return load_model("embedded")


@pytest.fixture
def start() -> Start:
    """Open the dashboard, with query parameters if any."""

    def begin(page: str = "", **query: str) -> Page:
        at = Dashboard(str(ROOT / "dashboard.py"), default_timeout=120)
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        if page:
            at.switch_page(page).run()
        return Page(at).check()

    return begin


@pytest.fixture
def playground(start: Start) -> Page:
    return start()
