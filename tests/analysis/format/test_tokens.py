"""Tokens of a prompt, and warnings."""

from __future__ import annotations

import pytest

from core import Study, run
from core.analysis.format.tokens import channel_preview, tokens_of, warnings_on
from core.models import LanguageModel
from core.study.prompts import ARROW, render, render_channel
from tests.analysis.format.conftest import DEMONSTRATIONS, STUDY
from tests.tiny import tiny


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_tokens_are_those_that_are_scored(architecture: str) -> None:
    model = tiny(architecture)
    prompt = render(DEMONSTRATIONS, "a great cast")
    found = tokens_of(model, prompt, ARROW, ("foo", "positive"))
    scored = model.score([(prompt.text, prompt.gap + label) for label in ("foo", "positive")])
    assert [row.tokens for row in found.labels] == [one.tokens for one in scored]
    assert found.texts == model.encode(prompt.text).texts
    for text, start in zip(found.texts, found.starts, strict=True):
        assert start < 0 or prompt.text[start : start + len(text)] == text


def test_words_are_what_is_cut(embedded: LanguageModel) -> None:
    template = ARROW.model_copy(update={"words": (("foo", "positive"),)})
    outcome = run(STUDY.model_copy(update={"template": template}), embedded)
    found = tokens_of(embedded, outcome.prompt, template, outcome.answer.labels)
    assert [(row.label, row.word) for row in found.labels] == [("foo", "positive"), ("bar", "bar")]
    assert [row.tokens for row in found.labels] == [text.tokens for text in outcome.answer.scored]


def said(study: Study, model: LanguageModel, labels: tuple[str, ...] = ("foo", "bar")) -> str:
    return "\n".join(warnings_on(study, model, study.demonstrations, labels))


def changed(**parts: object) -> Study:
    return STUDY.model_copy(update={"template": ARROW.model_copy(update=parts)})


def test_a_clean_study_has_no_warning(embedded: LanguageModel) -> None:
    assert said(STUDY, embedded) == ""


def test_labels_that_begin_alike() -> None:
    model = tiny("gpt2")
    words = ("good dog", "good cat")
    first = {model.score([("x ->", " " + word)])[0].tokens[0] for word in words}
    assert len(first) == 1
    assert "begin with the same token" in said(STUDY, model, words)


def test_a_join_within_a_token() -> None:
    model = tiny("gpt2")
    study = changed(label_prefix="a", end="\n")
    prompt = render((), "x", study.template)
    merged = [row.merged for row in tokens_of(model, prompt, study.template, ("nd", "s", "re", "t")).labels]
    spans = []
    for label in ("nd", "s", "re", "t"):
        whole = model.encode(prompt.text + label)
        spans.append(any(a < len(prompt.text) < b for a, b in zip(whole.starts, whole.ends, strict=True)))
    assert merged == spans


def test_separators_in_texts_and_empty_parts(embedded: LanguageModel) -> None:
    assert "stands in “dull plot”" in said(changed(end="plot"), embedded)
    assert "label prefix “ cast ”" in said(changed(label_prefix=" cast "), embedded)
    assert "stands in the label" in said(changed(end="oo"), embedded)
    empty = said(changed(label_prefix="", end="", channel_input_prefix=""), embedded)
    assert empty.count("is empty") == 3
    assert "cannot read “☃”" in said(changed(end=" ☃ "), embedded)


def test_channel_preview_is_what_the_channel_scores() -> None:
    study = STUDY.model_copy(update={"instruction": "Classify."})
    assert channel_preview(study, DEMONSTRATIONS, "foo") == render_channel(DEMONSTRATIONS, "foo", ARROW, "Classify.")
