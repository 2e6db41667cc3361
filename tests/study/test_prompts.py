"""Prompts: what is written, and the span of every part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import TEMPLATES, Demonstration, Template
from core.study.prompts import ARROW, INPUT_LABEL, INSTRUCTION_END, Prompt, render, render_channel
from tests.tiny import rows

TEXTS = st.text(max_size=12)
DEMONSTRATIONS = st.lists(st.builds(Demonstration, input=TEXTS, label=TEXTS), max_size=4)
TEMPLATE = st.builds(
    Template,
    input_prefix=TEXTS,
    label_prefix=TEXTS,
    end=TEXTS,
    channel_label_prefix=TEXTS,
    channel_input_prefix=TEXTS,
)

PAIRS = rows([("cat", "chat"), ("dog", "chien")])


def test_arrow_template() -> None:
    prompt = render(PAIRS, "house", ARROW, "Translate.")
    assert prompt.text == "Translate.\n\ncat -> chat\ndog -> chien\nhouse ->"
    assert prompt.gap == " "
    assert [(p.kind, prompt.text[p.start : p.end]) for p in prompt.parts if p.demonstration == 1] == [
        ("input", "dog"),
        ("separator", " -> "),
        ("label", "chien"),
        ("end", "\n"),
    ]
    assert [p.kind for p in prompt.parts if p.demonstration is None] == ["instruction", "end", "query", "answer-prefix"]


def test_input_label_template_keeps_line_breaks_in_the_prompt() -> None:
    prompt = render(PAIRS[:1], "dog", INPUT_LABEL)
    assert prompt.text == "Input: cat\nLabel: chat\n\nInput: dog\nLabel:"
    line = render((), "dog", Template(label_prefix="\n"))
    assert (line.text, line.gap) == ("dog\n", "")


def test_channel_puts_the_label_first() -> None:
    prompt = render_channel(PAIRS[:1], "chien", ARROW)
    assert prompt.text + prompt.gap + "dog" == "chat <- cat\nchien <- dog"
    tested = next(p for p in prompt.parts if p.kind == "label" and p.demonstration is None)
    assert prompt.text[tested.start : tested.end] == "chien"


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_differ_between_directions(name: str) -> None:
    template = TEMPLATES[name]
    assert template.name == name
    assert render(PAIRS, "x", template).text != render_channel(PAIRS, "x", template).text


def covers(prompt: Prompt) -> bool:
    ends = [0, *(part.end for part in prompt.parts)]
    return all(p.start == end <= p.end for p, end in zip(prompt.parts, ends, strict=False)) and ends[-1] == len(
        prompt.text
    )


@given(DEMONSTRATIONS, TEXTS, TEMPLATE, TEXTS)
def test_parts_cover_every_character_once(
    demonstrations: list[Demonstration], query: str, template: Template, instruction: str
) -> None:
    forward = render(demonstrations, query, template, instruction)
    channel = render_channel(demonstrations, query, template, instruction)
    assert covers(forward)
    assert covers(channel)
    assert forward.text + forward.gap == "".join(
        [
            instruction + INSTRUCTION_END if instruction else "",
            *(template.input_prefix + d.input + template.label_prefix + d.label + template.end for d in demonstrations),
            template.input_prefix + query + template.label_prefix,
        ]
    )
    for prompt in (forward, channel):
        for i, d in enumerate(demonstrations):
            spans = {p.kind: prompt.text[p.start : p.end] for p in prompt.parts if p.demonstration == i}
            assert (spans["input"], spans["label"]) == (d.input, d.label)


def test_typed_markup_is_left_as_it_is() -> None:
    text = "<b>*x*</b> $y$ {z} %s"
    assert text in render(rows([(text, text)]), text).text
