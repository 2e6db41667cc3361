"""Studies through a model's chat template: what is read is what transformers writes, token for token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from core import Demonstration, Outcome, Study, StudyError, Template, load_model, run
from core.models import LanguageModel
from core.study.chat import Chat, Style
from core.study.prompts import ARROW, INPUT_LABEL, render, render_channel
from tests.models import plain
from tests.models.chats import CHATML, FAMILIES, write_chat
from tests.tiny import rows

SHOWN = rows([("the film was good", "positive"), ("user", "assistant"), ("the plot\nwas bad", "negative")])
QUERY, INSTRUCTION = "the house of the dog", "Name the feeling of each film."
STYLES: tuple[Style, ...] = ("turns", "one turn")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a family's checkpoint, written when first asked for."""
    root = tmp_path_factory.mktemp("chats")

    @cache
    def get(family: str) -> Path:
        return write_chat(family, root / family)

    return get


@pytest.fixture(scope="module")
def model(place: Any) -> Any:
    return cache(lambda family: load_model(str(place(family))))


def through(model: LanguageModel, style: Style = "turns", template: Template = ARROW) -> Template:
    assert model.chat is not None
    return template.model_copy(update={"chat": Chat(key=model.chat.key, style=style)})


def turns(family: str, style: Style, instruction: str, shown: Sequence[Demonstration], query: str) -> list[Any]:
    """The messages by hand."""
    if style == "turns":
        said = [text for row in shown for text in (row.input, row.label)] + [query]
    else:
        said = ["".join(f"{row.input} -> {row.label}\n" for row in shown) + f"{query} ->"]
    messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
    if instruction and family == "Gemma":
        messages[0]["content"] = f"{instruction}\n\n{messages[0]['content']}"
    elif instruction:
        messages.insert(0, {"role": "system", "content": instruction})
    return messages


def given(folder: Path, messages: list[Any]) -> list[int]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return list(tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))


@pytest.mark.parametrize("instruction", ["", INSTRUCTION], ids=["plain", "instructed"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", FAMILIES)
def test_token_for_token(family: str, style: Style, instruction: str, place: Any, model: Any) -> None:
    for count in (0, 1, 3):
        prompt = render(SHOWN[:count], QUERY, through(model(family), style), instruction)
        expected = given(place(family), turns(family, style, instruction, SHOWN[:count], QUERY))
        assert list(model(family).encode(prompt.text).ids) == expected


@pytest.mark.parametrize("instruction", ["", INSTRUCTION], ids=["plain", "instructed"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_is_found(family: str, style: Style, instruction: str, model: Any) -> None:
    """Also of a demonstration that says "user" and "assistant", which templates write themselves."""
    prompt = render(SHOWN, QUERY, through(model(family), style), instruction)
    place = 0
    for part in prompt.parts:
        assert part.start == place
        place = part.end
    assert place == len(prompt.text)
    said = {
        (part.kind, part.demonstration): prompt.text[part.start : part.end]
        for part in prompt.parts
        if part.kind in ("input", "label", "query")
    }
    for i, row in enumerate(SHOWN):
        assert (said["input", i], said["label", i]) == (row.input, row.label)
    assert said["query", None] == QUERY
    told = "".join(prompt.text[part.start : part.end] for part in prompt.parts if part.kind == "instruction")
    assert instruction in told


def test_what_a_template_writes_itself(model: Any) -> None:
    """Around a label, and where the answer begins."""
    known = {family: model(family).chat for family in FAMILIES}
    assert (known["ChatML"].opening, known["ChatML"].closing) == ("<|im_start|>user\n", "<|im_end|>\n")
    assert (known["Phi"].opening, known["Phi"].closing) == ("<|user|>\n", "<|end|>\n")
    assert (known["Mistral"].opening, known["Mistral"].closing, known["Mistral"].gap) == ("[INST] ", "</s>", " ")
    assert known["Llama 3"].between == "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    assert [family for family in FAMILIES if not known[family].system] == ["Gemma"]


def test_channel_with_the_speakers_changed(place: Any, model: Any) -> None:
    """The user says the label and the assistant the input that it should explain."""
    prompt = render_channel(SHOWN, "negative", through(model("ChatML")))
    swapped = tuple(Demonstration(input=row.label, label=row.input) for row in SHOWN)
    expected = given(place("ChatML"), turns("ChatML", "turns", "", swapped, "negative"))
    assert list(model("ChatML").encode(prompt.text).ids) == expected
    tested = next(part for part in prompt.parts if part.kind == "label" and part.demonstration is None)
    assert prompt.text[tested.start : tested.end] == "negative"


def asked(model: LanguageModel, style: Style, **changes: Any) -> Outcome:
    study = Study(
        demonstrations=SHOWN,
        query=QUERY,
        labels=("positive", "negative"),
        instruction=INSTRUCTION,
        template=through(model, style),
        **changes,
    )
    return run(study, model)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", FAMILIES)
def test_answer_and_attention_are_transformers_own(family: str, style: Style, place: Any, model: Any) -> None:
    """Log-probabilities of the labels' tokens after `apply_chat_template`'s, and attention to each demonstration."""
    outcome = asked(model(family), style)
    module, tokenizer = plain.load(place(family))
    ids = given(place(family), turns(family, style, INSTRUCTION, SHOWN, QUERY))
    for label, score in zip(outcome.answer.labels, outcome.answer.scores, strict=True):
        own = tokenizer(outcome.prompt.gap + label, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logs = torch.log_softmax(module(torch.tensor([ids + own])).logits[0].double(), -1)
        by_hand = sum(float(logs[len(ids) - 1 + i, token]) for i, token in enumerate(own))
        assert score == pytest.approx(by_hand, abs=1e-4)
    assert outcome.attention is not None
    with torch.no_grad():
        rows_ = torch.stack(module(torch.tensor([ids]), output_attentions=True).attentions)[:, 0, :, -1].numpy()
    ends = np.array(model(family).encode(outcome.prompt.text).ends)
    for i in range(len(SHOWN)):
        (label,) = (p for p in outcome.prompt.parts if p.kind == "label" and p.demonstration == i)
        mask = (ends > label.start) & (ends <= label.end)
        assert mask.any()
        np.testing.assert_allclose(outcome.attention.label_maxima[:, :, i], rows_[:, :, mask].max(-1), atol=1e-5)
    total = outcome.attention.pooled.sum(-1)
    assert (total <= 1 + 1e-5).all()
    for kernel in outcome.kernels.values():
        assert len(kernel.raw) == len(SHOWN)
        assert np.isfinite(kernel.raw).all()


@pytest.mark.parametrize("scoring", ["direct", "perplexity", "channel", "pmi"])
@pytest.mark.parametrize("style", STYLES)
def test_every_scorer(scoring: str, style: Style, model: Any) -> None:
    outcome = asked(model("ChatML"), style, scoring=scoring, calibration="contextual")
    assert outcome.answer.probabilities.sum() == pytest.approx(1)
    assert not any("control token" in note for note in outcome.notes)


def test_a_control_token_that_is_typed_is_said(model: Any) -> None:
    study = Study(demonstrations=SHOWN, query="a <|im_end|> b", labels=("x", "y"), template=through(model("ChatML")))
    assert any("control token" in note for note in run(study, model("ChatML")).notes)


def test_affixes_decide_one_turn_and_not_turns(model: Any) -> None:
    chat = model("ChatML")
    arrow, other = (render(SHOWN, QUERY, through(chat, "turns", t)).text for t in (ARROW, INPUT_LABEL))
    assert arrow == other
    text = render(SHOWN, QUERY, through(chat, "one turn", INPUT_LABEL)).text
    assert text.endswith(f"Input: {QUERY}\nLabel:<|im_end|>\n<|im_start|>assistant\n")


def test_words_for_labels(model: Any) -> None:
    template = through(model("ChatML")).model_copy(update={"words": (("positive", "yes"),)})
    assert "assistant\nyes<|im_end|>" in render(SHOWN, QUERY, template).text


def test_saved_studies_open_as_before(model: Any) -> None:
    study = Study(query="x", template=ARROW)
    saved = study.model_dump(mode="json")
    del saved["template"]["chat"]
    assert Study.model_validate(saved) == study
    asked_so = study.model_copy(update={"template": through(model("Phi"))})
    assert Study.model_validate_json(asked_so.model_dump_json()) == asked_so


def test_of_a_model_that_is_not_there(model: Any) -> None:
    """No template comes with a study: it is named by its hash."""
    unknown = ARROW.model_copy(update={"chat": Chat(key="0" * 12)})
    with pytest.raises(StudyError, match="a model that is not loaded"):
        render(SHOWN, QUERY, unknown)
    for other in ("Phi", "Gemma"):
        study = Study(demonstrations=SHOWN, query=QUERY, template=through(model(other)))
        with pytest.raises(StudyError, match="another model's chat template"):
            run(study, model("ChatML"))


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (CHATML.replace("m['content']", "m['content'] | upper"), "changes what it is given"),
        (
            CHATML.replace("{% for m in messages %}", "{% for m in messages[:1] %}"),
            "does not write all that it is given",
        ),
        ("{{ raise_exception('never') }}", "refuses this conversation (never)"),
        ("{{ messages", "cannot be used here"),
    ],
)
def test_a_template_that_cannot_be_used(template: str, sentence: str, tmp_path: Path) -> None:
    """Never silently another prompt: the model is loaded without it, or the study is refused."""
    loaded = load_model(str(write_chat("ChatML", tmp_path / "odd", template)))
    if loaded.chat is None:
        assert any(sentence in note for note in loaded.notes), loaded.notes
    else:
        with pytest.raises(StudyError, match=sentence):
            render(SHOWN, QUERY, through(loaded))


def test_a_start_token_that_the_template_does_not_write(tmp_path: Path) -> None:
    """Where the tokenizer puts one in front and the template none, tokens would differ: it is not offered."""
    loaded = load_model(str(write_chat("Llama 3", tmp_path / "odd", CHATML)))
    assert loaded.chat is None
    assert any("puts a start token in front" in note for note in loaded.notes)


def test_a_date_is_said(tmp_path: Path) -> None:
    dated = "{{ strftime_now('%d %b %Y') }}\n" + CHATML
    loaded = load_model(str(write_chat("ChatML", tmp_path / "dated", dated)))
    assert any("today's date" in note for note in loaded.notes)


def test_the_real_one(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    """SmolLM2 writes a system turn of its own where there is no instruction."""
    for instruction in ("", INSTRUCTION):
        prompt = render(SHOWN, QUERY, through(smollm2), instruction)
        expected = given(smollm2_folder, turns("ChatML", "turns", instruction, SHOWN, QUERY))
        assert list(smollm2.encode(prompt.text).ids) == expected
        assert prompt.parts[0].kind == "instruction"
