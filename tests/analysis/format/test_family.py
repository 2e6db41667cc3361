"""Families of templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.format.escapes import read_typed, show_typed
from core.analysis.format.family import describe, family, grammar
from core.errors import StudyError
from core.study.prompts import AFFIXES, ARROW, INPUT_LABEL, TEMPLATES, Template, ready_made
from tests.analysis.format.conftest import STUDY


def affixes(template: Template) -> tuple[str, ...]:
    return tuple(getattr(template, name) for name in AFFIXES)


def test_the_grammar_writes_each_template_once_and_none_that_is_ready_made() -> None:
    found = [affixes(template) for template in grammar()]
    assert len(found) == len(set(found)) > 500
    assert not set(found) & {affixes(template) for template in TEMPLATES.values()}
    assert all(label_prefix and end for _, label_prefix, end, _, _ in found)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_family_begins_with_the_ready_made_ones_and_grows(seed: int) -> None:
    small, large = family(STUDY, 8, seed), family(STUDY, 20, seed)
    assert [template.name for template in large[:5]] == list(TEMPLATES)
    assert large[:8] == small
    assert len({affixes(template) for template in large}) == 20


def test_families_differ_by_seed() -> None:
    assert family(STUDY, 20, 0)[:5] == family(STUDY, 20, 1)[:5]
    assert family(STUDY, 20, 0) != family(STUDY, 20, 1)


def test_an_own_template_is_a_member_and_its_words_are_all_members() -> None:
    own = ARROW.model_copy(update={"name": "mine", "end": " ## ", "words": (("foo", "yes"),)})
    found = family(STUDY.model_copy(update={"template": own}), 10, 3)
    assert found[0] == own
    assert all(template.words == own.words for template in found)
    with pytest.raises(StudyError, match="at least 6"):
        family(STUDY.model_copy(update={"template": own}), 5, 0)
    assert len(family(STUDY, 5, 0)) == 5


def test_names_tell_the_pattern() -> None:
    assert describe(INPUT_LABEL) == "Input: x↵Label: y↵↵"
    assert ready_made(INPUT_LABEL.model_copy(update={"name": "other", "words": (("a", "b"),)})) == "input-label"
    assert ready_made(ARROW.model_copy(update={"end": ";"})) is None


@given(st.text(alphabet="a \n\t\\↵⇥nt", max_size=12) | st.text(max_size=12))
def test_what_is_shown_is_read_back(text: str) -> None:
    shown = show_typed(text)
    assert read_typed(shown) == text
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("\\n", "\n"),
        ("↵", "\n"),
        ("\\t", "\t"),
        ("⇥", "\t"),
        ("\\\\n", "\\n"),
        ("\\↵", "↵"),
        ("\\x", "\\x"),
        ("a\\", "a\\"),
    ],
)
def test_what_is_typed(typed: str, meant: str) -> None:
    assert read_typed(typed) == meant
