"""Every strategy and every scorer, chosen once on screen; the views then show what that study comes to."""

from __future__ import annotations

import pytest

from core.ordering import orderings
from core.scoring import scorers
from core.selection import selections
from core.study.prompts import TEMPLATES
from tests.browser.playground import Playground


@pytest.mark.parametrize(("label", "registry"), [("Selection", selections), ("Ordering", orderings)])
def test_every_strategy(playground: Playground, label: str, registry: object) -> None:
    playground.family("plural")
    titles = {strategy.title: strategy.name for strategy in registry}  # type: ignore[attr-defined]
    assert playground.app.options(label) == list(titles)
    for title, name in titles.items():
        playground.app.choose(label, title)
        assert getattr(playground.study(), label.lower()) == name
        playground.check()


def test_every_scorer(playground: Playground) -> None:
    titles = {strategy.title: strategy.name for strategy in scorers}
    assert playground.app.options("Scorer") == list(titles)
    for title, name in titles.items():
        playground.app.choose("Scorer", title)
        assert playground.study().scoring == name
        playground.check()


def test_every_template(playground: Playground) -> None:
    for name in TEMPLATES:
        playground.app.choose("Template", name)
        assert playground.study().template == TEMPLATES[name]
        playground.check()


def test_every_normalisation(playground: Playground) -> None:
    for option in playground.app.options("Normalisation"):
        playground.app.choose("Normalisation", option)
        playground.check()


def test_an_instruction_is_part_of_the_prompt(playground: Playground) -> None:
    playground.app.fill("Instruction", "Translate to French.")
    assert playground.check().prompt.text.startswith("Translate to French.\n")
