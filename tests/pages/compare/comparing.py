"""A session of the dashboard on the page Compare."""

from __future__ import annotations

from typing import Any

from core import Study
from tests.pages.conftest import Page
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
        found = self.plots[f"compare_{name}"]
        return {"data": found["data"], "layout": found["layout"]}

    def draws(self, name: str) -> bool:
        return f"compare_{name}" in self.plots

    @property
    def html(self) -> str:
        return "\n".join(str(element.value) for element in self.at.html)

    @property
    def buttons(self) -> set[str]:
        return {button.key for button in self.at.button if button.key}
