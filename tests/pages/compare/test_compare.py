"""Compare shows `difference` of two runs, whatever is chosen; A is kept, exchanged, dropped, and undone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core import Demonstration, run
from core.analysis.compare import Difference, difference
from core.analysis.compare.ablations import ABLATIONS
from core.files.csv_records import as_csv
from core.models import LanguageModel
from pages.ui.components.text import safe
from pages.ui.session.examples import default_study, examples
from tests.pages.compare.comparing import PAGE, Compare
from tests.pages.conftest import Start

VIEWS = ("answer", "posterior", "kernels", "attention")


@pytest.fixture
def page(start: Start) -> Compare:
    return Compare(start(PAGE).at)


def check(page: Compare, model: LanguageModel) -> Difference:
    """Every figure holds the difference of the two studies of the session, computed here anew."""
    assert page.a is not None
    a, b = run(page.a, model), run(page.study, model)
    found = difference(a, b)
    traces = {trace["name"]: trace for trace in page.drawn("answer")["data"]}
    for side, outcome in (("A", a), ("B", b)):
        values = dict(zip(outcome.answer.labels, outcome.answer.probabilities, strict=True))
        _bars(traces[f"model, {side}"], values)
        if found.bayes is not None:
            assert outcome.bayes is not None
            _bars(
                traces[f"exact Bayes, {side}"],
                dict(zip(outcome.bayes.labels, outcome.bayes.probabilities, strict=True)),
            )
    _bars(traces["model, B − A"], dict(zip(found.answer.names, found.answer.change, strict=True)))
    kernels = np.array(page.drawn("kernels")["data"][0]["z"], dtype=float)
    for place, one in enumerate(found.kernels.values()):
        np.testing.assert_allclose(kernels[3 * place], one.a, atol=1e-4)
        np.testing.assert_allclose(kernels[3 * place + 1], one.b, atol=1e-4)
    assert found.attention is not None
    attention = np.array(page.drawn("attention")["data"][0]["z"], dtype=float)
    np.testing.assert_allclose(attention[:2], [found.attention.mean_a, found.attention.mean_b], atol=1e-4)
    posterior = page.drawn("posterior")["data"]
    for trace, outcome in zip(posterior, (a, b), strict=False):
        kind = next(iter(found.posteriors))
        last = outcome.posteriors[kind]
        _bars(trace, dict(zip(last.tasks, last.weights[-1], strict=True)))
    for change in found.changes[:3]:
        assert safe(change.sentence) in page.html
    return found


def _bars(trace: dict[str, Any], values: dict[str, float]) -> None:
    named = {text.split("<br>")[0]: x for text, x in zip(trace["customdata"], trace["x"], strict=True)}
    drawn = {name: x for name, x in named.items() if name in values}
    assert drawn
    for name, x in drawn.items():
        assert x == pytest.approx(0 if np.isnan(values[name]) else values[name], abs=1e-4)


def test_nothing_kept_yet(page: Compare) -> None:
    assert page.a is None
    assert not any(page.draws(view) for view in VIEWS)
    assert any("what you go on editing is B" in str(element.value) for element in page.at.markdown)
    for place, ablation in enumerate(ABLATIONS):
        assert page.at.button(key=f"compare_ablation_{place}").label == ablation.name
    page.click("keep_first")
    assert page.a == page.study == default_study()
    assert "Nothing: A and B are the same study." in page.html
    assert page.at.button(key="compare_swap").disabled


@pytest.mark.parametrize("place", range(len(ABLATIONS)), ids=lambda place: ABLATIONS[place].name)
def test_every_contrast(page: Compare, model: LanguageModel, place: int) -> None:
    before = page.study
    page.click(f"ablation_{place}")
    assert page.a == before
    assert page.study == ABLATIONS[place].change(before)
    assert check(page, model).changes
    page.at.button(key="frame_undo").click()  # one step back to no A and the study as it was
    page.run()
    assert (page.a, page.study) == (None, before)


def test_a_contrast_that_cannot_be_had_says_why(page: Compare) -> None:
    page.edit(demonstrations=(Demonstration(input="cat", label="chat"),))
    flipped = page.at.button(key="compare_ablation_0")
    assert flipped.disabled
    assert "There are no two labels to flip." in page.said.replace("\\", "")


@pytest.mark.parametrize("example", examples()[1:4], ids=lambda example: example.name)
def test_two_quite_different_studies(page: Compare, model: LanguageModel, example) -> None:
    page.put(default_study(), **dict(example.study))
    found = check(page, model)
    assert "The queries differ" in page.html
    assert found.notes


def test_keep_edit_swap_undo_drop(page: Compare, model: LanguageModel) -> None:
    first = page.study
    page.click("keep")
    page.edit(query="cat")
    second = page.study
    check(page, model)
    page.click("swap")
    assert (page.a, page.study) == (second, first)
    check(page, model)
    page.at.button(key="frame_undo").click()
    page.run()
    page.ready()
    assert (page.a, page.study) == (first, second)
    page.at.button(key="frame_redo").click()
    page.run()
    page.ready()
    assert (page.a, page.study) == (second, first)
    page.click("keep")  # this one as A instead
    assert page.a == page.study == first
    page.click("drop")
    assert (page.a, page.study) == (None, first)
    assert not page.draws("answer")
    page.at.button(key="frame_undo").click()
    page.run()
    assert page.a == first


def test_typing_goes_on_as_one_step_beside_an_a(page: Compare) -> None:
    page.click("keep")
    first = page.study
    for query in ("c", "ca", "cat"):
        page.at.text_input(key="frame_query").set_value(query)
        page.run()
    page.at.button(key="frame_undo").click()
    page.run()
    assert (page.a, page.study) == (first, first)


def test_the_badge_is_in_every_page_with_a_bar(start: Start) -> None:
    playground = Compare(start().at)
    assert "compare_keep" in playground.buttons
    assert not {"compare_open", "compare_swap", "compare_drop"} & playground.buttons
    playground.at.button(key="compare_keep").click()
    playground.run()
    assert playground.a == playground.study
    assert {"compare_open", "compare_swap", "compare_drop"} <= playground.buttons
    playground.edit(query="cat")
    playground.at.button(key="compare_swap").click()
    playground.run()
    assert playground.a is not None
    assert playground.a.query == "cat"
    assert playground.study == default_study()


def test_a_link_brings_both(page: Compare, start: Start) -> None:
    page.click("ablation_1")
    ids = {name: page.at.query_params[name] for name in ("study", "a")}
    assert ids["study"] != ids["a"]
    other = Compare(
        start(PAGE, **{name: value[0] if isinstance(value, list) else value for name, value in ids.items()}).at
    )
    assert (other.a, other.study) == (page.a, page.study)
    other.ready()
    assert other.draws("answer")
    page.click("drop")
    assert "a" not in page.at.query_params


def test_a_link_to_an_a_that_is_not_kept(start: Start) -> None:
    page = Compare(start(a="0123456789abcdef").at)
    assert "there is no A to compare with" in page.said.replace("\\", "")
    assert (page.a, page.study) == (None, default_study())


def test_back_brings_back_both(page: Compare) -> None:
    page.click("ablation_1")
    first = {name: page.at.query_params[name] for name in ("study", "a")}
    a, b = page.a, page.study
    page.click("swap")
    page.run()  # the browser has taken over the address
    for name, value in first.items():
        page.at.query_params[name] = value
    page.run()
    assert (page.a, page.study) == (a, b)


def test_looks_and_kinds(page: Compare, model: LanguageModel) -> None:
    page.click("ablation_3")
    found = check(page, model)
    for kind, post in found.posteriors.items():
        page.at.session_state["compare_kind"] = kind
        page.run()
        _bars(page.drawn("posterior")["data"][2], dict(zip(post.tasks.names, post.tasks.change, strict=True)))
    page.at.session_state["compare_look"] = "Heads"
    page.run()
    assert found.attention is not None
    assert found.attention.heads_a is not None
    assert found.attention.heads_b is not None
    change = found.attention.heads_b - found.attention.heads_a
    drawn = np.array(page.drawn("attention")["data"][0]["z"], dtype=float)
    np.testing.assert_allclose(drawn, change.reshape(-1, change.shape[-1]), atol=1e-4)


def framed(page: Compare) -> dict[str, list[float]]:
    marks = {}
    for name in ("kernels", "attention"):
        shapes = page.drawn(name)["layout"].get("shapes", [])
        marks[name] = [shape["x0"] + 0.5 for shape in shapes if shape["type"] == "rect"]
    return marks


def test_a_mark_is_the_same_demonstration_on_both_sides(page: Compare, model: LanguageModel) -> None:
    page.click("ablation_1")  # the order reversed: number 6 of A is number 1 of B
    page.at.number_input(key="frame_mark").set_value(1)
    page.run()
    found = check(page, model)
    column = next(i for i, pair in enumerate(found.demonstrations) if pair.b == 0)
    assert found.demonstrations[column].a == 5
    assert framed(page) == {"kernels": [column], "attention": [column]}
    assert page.html.count('class="marked"') >= 1
    page.at.button(key="frame_unmark").click()
    page.run()
    assert framed(page) == {"kernels": [], "attention": []}


def test_one_left_out_in_b_can_be_marked(page: Compare, model: LanguageModel) -> None:
    page.click("ablation_3")
    page.at.number_input(key="frame_mark").set_value(6)  # in B's table, not in B's prompt
    page.run()
    found = check(page, model)
    column = next(i for i, pair in enumerate(found.demonstrations) if pair.b is None)
    assert framed(page)["kernels"] == [column]


def test_the_table_of_every_number(page: Compare, model: LanguageModel) -> None:
    from pages.ui.compare.views import Sides, difference_records

    page.click("ablation_3")
    assert page.a is not None
    a, b = run(page.a, model), run(page.study, model)
    lines = as_csv(difference_records(Sides(a, b, difference(a, b)))).decode().splitlines()
    assert lines[0] == "view,part,name,A,B,B - A"
    table = {tuple(line.split(",")[:3]): line.split(",")[3:] for line in lines[1:]}
    place = a.answer.labels.index("cheval")
    one, other, change = (float(text) for text in table["answer", "model", "cheval"])
    assert one == a.answer.probabilities[place]
    assert change == pytest.approx(other - one)
    assert table["kernel", "hidden", "bread"][1:] == ["", ""]  # not in B
    assert a.attention is not None
    assert len([key for key in table if key[0] == "attention" and key[1] == "0.0"]) == 7


def test_an_error_of_a_is_told_as_a_s(page: Compare) -> None:
    page.put(default_study().model_copy(update={"query": " "}), query="cat")
    assert any("A: There is no query" in str(error.value).replace("\\", "") for error in page.at.error)
    assert not any(page.draws(view) for view in VIEWS)
    page.click("swap")  # now it is B's, and B is mended as ever
    assert any(str(error.value).startswith("There is no query") for error in page.at.error)
    page.edit(query="dog")
    page.ready()
    assert page.draws("answer")


def test_text_stays_text(page: Compare) -> None:
    evil = "<b onmouseover=alert(1)>cat</b><script>x</script> **bold** %{x}"
    rows = (*page.study.demonstrations[:2], Demonstration(input=evil, label=evil))
    page.put(default_study(), demonstrations=rows, query=evil, gold=evil, instruction=evil)
    assert not page.at.error
    assert "<script>" not in page.html
    assert "<b onmouseover" not in page.html
    for view in VIEWS:
        assert "<script>" not in str(page.drawn(view))
        assert "<b onmouseover" not in str(page.drawn(view))
    for markdown in (*page.at.markdown, *page.at.caption):
        assert "**bold**" not in markdown.value
