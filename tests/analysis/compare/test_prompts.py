"""Two prompts as one text: both can be read off it again, and every stretch knows its demonstration."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from core import TEMPLATES, Demonstration
from core.analysis.compare import prompt_difference
from core.study.prompts import Prompt, render
from tests.analysis.compare.outcomes import rows

words = st.text("ab \n<ü", max_size=5)
prompts = st.builds(
    render,
    st.lists(st.builds(Demonstration, input=words, label=words), max_size=5),
    words,
    st.sampled_from(list(TEMPLATES.values())),
    words,
)


def owner(prompt: Prompt, place: int) -> int | None:
    return next(part.demonstration for part in prompt.parts if part.start <= place < part.end)


@settings(deadline=None)
@given(prompts, prompts)
def test_both_prompts_can_be_read_off(a: Prompt, b: Prompt) -> None:
    pieces = prompt_difference(a, b)
    assert "".join(piece.text for piece in pieces if piece.kind != "only B") == a.text
    assert "".join(piece.text for piece in pieces if piece.kind != "only A") == b.text
    at_a = at_b = 0
    for piece in pieces:
        assert piece.text
        if piece.kind != "only B":
            assert {owner(a, at_a + i) for i in range(len(piece.text))} == {piece.a}
            at_a += len(piece.text)
        if piece.kind != "only A":
            assert {owner(b, at_b + i) for i in range(len(piece.text))} == {piece.b}
            at_b += len(piece.text)


@settings(deadline=None)
@given(prompts, prompts)
def test_every_demonstration_of_b_begins_once(a: Prompt, b: Prompt) -> None:
    pieces = prompt_difference(a, b)
    shown = {part.demonstration for part in b.parts if part.demonstration is not None and part.end > part.start}
    begun = [piece.b for piece in pieces if piece.begins and piece.kind != "only A"]
    assert begun == sorted(shown)


def test_the_same_prompt_is_all_the_same() -> None:
    prompt = render(rows(("cat", "chat"), ("dog", "chien")), "sun")
    assert {piece.kind for piece in prompt_difference(prompt, prompt)} == {"same"}


def test_a_changed_word_is_all_that_changes() -> None:
    a, b = (render(rows(("the cat is here", y), ("dog", "chien")), "sun") for y in ("chat", "lion"))
    assert [(p.kind, p.text, p.a, p.b) for p in prompt_difference(a, b) if p.kind != "same"] == [
        ("only A", "chat", 0, None),
        ("only B", "lion", None, 0),
    ]


def test_a_line_that_goes_is_one_piece() -> None:
    demonstrations = rows(("cat", "chat"), ("dog", "chien"), ("sea", "mer"))
    a, b = render(demonstrations, "sun"), render(demonstrations[::2], "sun")
    assert [(p.kind, p.text) for p in prompt_difference(a, b) if p.kind != "same"] == [("only A", "dog -> chien\n")]


def test_long_prompts_take_no_time() -> None:
    a, b = (render(rows(*((f"input {i} {side}" * 8, "y") for i in range(1500))), "q") for side in "ab")
    start = time.perf_counter()
    assert prompt_difference(a, b)
    assert time.perf_counter() - start < 10  # 75,000 words; taking every line apart would be many times that
