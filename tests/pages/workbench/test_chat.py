"""The control of the chat template: there where the model has one, and the prompt on the page is what it writes."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from core import ModelChoice, load_model
from core.study.chat import Chat
from pages.ui.jobs import engine
from tests.models.chats import write_chat
from tests.pages.conftest import Page
from tests.tiny import folder


@pytest.fixture(scope="module")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chat("ChatML", tmp_path_factory.mktemp("chat") / "model")


def on(page: Page, name: str) -> Page:
    """The page on a model in memory, settled."""
    choice = ModelChoice(name=name)
    if engine.models().get(choice.model_dump_json()) is None:
        engine.models().put(choice.model_dump_json(), load_model(choice))
    return page.edit(model=choice, instruction="Name it.", labels=("x", "y")).settle()


def shown(page: Page) -> str:
    """The text of the prompt on the page, numbers of demonstrations and the answer left out."""
    text = re.sub(r'<span class="n">.*?</span>|<span class="answer".*?</span>', "", page.prompt, flags=re.S)
    return html.unescape(re.sub(r"<style>.*?</style>|<[^<>]*>", "", text, flags=re.S))


def has_menu(page: Page) -> bool:
    return any(box.label == "Chat" for box in page.at.selectbox)


def test_only_where_the_model_has_one(playground: Page) -> None:
    assert not has_menu(playground)
    assert not has_menu(on(playground, str(folder("gpt2"))))


@pytest.mark.parametrize("style", ["turns", "one turn"])
def test_the_prompt_is_what_the_tokenizer_writes(style: str, playground: Page, chat_folder: Path) -> None:
    page = on(playground, str(chat_folder))
    assert "<|im_start|>" not in shown(page)
    page.choose("chat", style).settle()
    study = page.study
    assert study.template.chat is not None
    assert study.template.chat.style == style
    rows = [row for row in study.demonstrations if not row.excluded]
    said = [text for row in rows for text in (row.input, row.label)] + [study.query]
    if style == "one turn":
        said = ["".join(f"{row.input} -> {row.label}\n" for row in rows) + f"{study.query} ->"]
    messages = [{"role": "system", "content": "Name it."}]
    messages += [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
    tokenizer = AutoTokenizer.from_pretrained(chat_folder)
    expected = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert shown(page).strip() == expected.strip()
    assert page.has_chart("answer")
    page.choose("template", "equals").settle()
    assert page.study.template.chat == study.template.chat
    page.choose("chat", "off").settle()
    assert "<|im_start|>" not in shown(page)


def test_of_another_model(playground: Page, chat_folder: Path) -> None:
    """A study that names another model's template says so, and a choice of this model's, or none, mends it."""
    page = on(playground, str(chat_folder))
    strange = page.study.template.model_copy(update={"chat": Chat(key="0" * 12)})
    page.edit(template=strange).settle()
    assert "chat template" in page.said
    page.choose("chat", "turns").settle()
    assert "<|im_start|>" in shown(page)
    page.edit(template=strange, model=ModelChoice()).settle()
    assert has_menu(page)
    page.choose("chat", "off").settle()
    assert not has_menu(page)


def test_another_model_is_asked_through_its_own(playground: Page, chat_folder: Path) -> None:
    page = on(playground, str(chat_folder)).choose("chat", "turns").settle()
    page.at.session_state["frame_model_box"] = True
    page.run().press("model_embedded").settle()
    assert page.study.template.chat is None
    assert page.has_chart("answer")
