"""Haste and company: many edits in a row, and two people at once."""

from __future__ import annotations

from collections.abc import Callable

from core.mixture.mixture import load_mixture
from tests.browser.app import App
from tests.browser.playground import VIEWS, Playground

EDITS = 30


def words(count: int) -> list[str]:
    return list(dict.fromkeys(x for x, _ in load_mixture().sample("copy", 8 * count, seed=1)))[:count]


def test_of_thirty_quick_edits_the_last_one_wins(playground: Playground) -> None:
    queries = words(EDITS)
    for query in queries:
        playground.type_query(query)  # while the page still works on the one before
    playground.app.settle(quiet=1.0)
    assert playground.study().query == queries[-1]
    assert playground.app.page.get_by_label("Query x", exact=True).input_value() == queries[-1]
    playground.check()


def test_thirty_edits_of_different_controls(playground: Playground) -> None:
    """Edits that arrive while another control's are under way are not lost."""
    page = playground.app.page
    queries = words(EDITS // 2)
    field = page.get_by_label("Instruction", exact=True)
    for number, query in enumerate(queries):
        playground.type_query(query)
        field.fill(f"Rule {number}.")
        field.press("Enter")
    playground.app.settle(quiet=1.0)
    study = playground.study()
    assert (study.query, study.instruction) == (queries[-1], f"Rule {len(queries) - 1}.")
    playground.check()


def test_two_people_at_once(playground: Playground, visitor: Callable[[], App]) -> None:
    """Neither sees the other's study, mark, or table, however their edits interleave."""
    other = Playground(visitor(), playground.server, playground.model).open()
    other.family("plural")
    mine, theirs = words(10)[:5], words(10)[5:]
    for one, two in zip(mine, theirs, strict=True):
        playground.type_query(one)
        other.type_query(two)
    playground.app.settle(quiet=1.0)
    other.app.settle(quiet=1.0)
    assert (playground.study().query, other.study().query) == (mine[-1], theirs[-1])
    assert playground.study().demonstrations != other.study().demonstrations
    for person in (playground, other):
        person.check()


def test_a_study_that_cannot_run_leaves_no_chart_of_the_one_before(playground: Playground) -> None:
    playground.ask("")
    assert "There is no query" in playground.app.text()
    assert not any(playground.app.key(f"playground_{view}").count() for view in VIEWS)
    playground.ask("dog")
    playground.check()
