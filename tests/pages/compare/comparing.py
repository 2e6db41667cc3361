"""A session of the dashboard on the page Compare."""

from __future__ import annotations

import json
from typing import Any

from core import Study
from tests.pages.conftest import Page, unpack
from tests.pages.workbench.test_models import wait

PAGE = "pages/compare.py"


class Compare(Page):
    """A session on the page."""

    def put(self, a: Study | None, **b: Any) -> Compare:
        """Give the session an A, and change B."""
        self.a = a
        self.edit(**b)
        return self.ready()

    def ready(self) -> Compare:
        """A runs in a job of its own: run the page, as its timer does, until it is there."""
        wait(self, lambda: not self.at.get("progress"))
        return self

    def click(self, key: str) -> Compare:
        self.at.button(key=f"compare_{key}").click()
        self.run()
        return self.ready()

    def drawn(self, name: str) -> dict[str, Any]:
        (found,) = [c for c in self.at.get("plotly_chart") if c.proto.id.endswith(f"-compare_{name}")]
        spec: dict[str, Any] = unpack(json.loads(found.proto.spec))
        return spec

    def draws(self, name: str) -> bool:
        return any(c.proto.id.endswith(f"-compare_{name}") for c in self.at.get("plotly_chart"))

    @property
    def html(self) -> str:
        return "\n".join(str(element.value) for element in self.at.html)

    @property
    def buttons(self) -> set[str]:
        return {button.key for button in self.at.button if button.key}
