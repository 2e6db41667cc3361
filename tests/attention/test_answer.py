"""Attention by span against plain loops over the model's own eager attentions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.attention import check_heads, label_tokens, part_of_tokens, pool, read_attention
from core.errors import StudyError
from core.models import LanguageModel, Reading, load_model
from core.study.demonstrations import Demonstration
from core.study.prompts import TEMPLATES, Part, Prompt, Template, render
from core.study.study import ModelChoice, Study
from tests.models.checkpoints import write_tiny

SHOWN = (
    Demonstration(input="cat", label="chat"),
    Demonstration(input="very good film", label="positive"),
    Demonstration(input="dog 🐕", label="¡perro!"),
)


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load_model(ModelChoice(name=str(folder)))


def eager(folder: Path, text: str) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """(layers, heads, t, t) as transformers' eager attention gives it, and the tokens' character spans."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    reference = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    with torch.no_grad():
        maps = reference(input_ids=encoded["input_ids"], output_attentions=True).attentions
    spans = [(int(a), int(b)) for a, b in encoded["offset_mapping"][0]]
    return torch.stack(maps)[:, 0].double().numpy(), spans


def owner_by_characters(prompt: Prompt, end: int) -> Part | None:
    """The part that holds the character before `end`, by walking the text."""
    for part in prompt.parts:
        if end - 1 in range(part.start, part.end):
            return part
    return None


@pytest.mark.parametrize("template", list(TEMPLATES.values()), ids=list(TEMPLATES))
@pytest.mark.parametrize("instruction", ["", "Name the feeling of each film."])
def test_spans_hold_what_plain_loops_find(
    folder: Path, model: LanguageModel, template: Template, instruction: str
) -> None:
    prompt = render(SHOWN, "bird", template, instruction)
    study = Study(token_head=(1, 2), template=template, instruction=instruction)
    reading, attention = read_attention(study, model, prompt)
    assert attention is not None
    maps, spans = eager(folder, prompt.text)
    assert len(attention.tokens) == len(spans) == len(reading.ids)
    bare = spans[0][1] > 0  # no start token in front: the first token stands apart
    names = [*(["start"] if bare else []), *(["instruction"] if instruction else []), "1", "2", "3", "query"]
    assert attention.spans == tuple(names)

    def place(end: int) -> str | None:
        part = owner_by_characters(prompt, end)
        if part is None:
            return None
        if part.kind == "prefix":  # what stands before an input is read before it: it counts to the one that ended
            ended = len(SHOWN) if part.demonstration is None else part.demonstration
            return str(ended) if ended else None
        if part.demonstration is not None:
            return str(part.demonstration + 1)
        before_all = prompt.text[: part.end].rstrip() == instruction
        return "instruction" if instruction and before_all else "query"

    for layer in range(model.layers):
        for head in range(model.heads):
            row = maps[layer, head, -1]
            for s, name in enumerate(names):
                inside = [t for t, (_, end) in enumerate(spans) if place(end) == name and not (bare and t == 0)]
                inside = [0] if name == "start" else inside
                assert [t for t, span in enumerate(attention.token_spans) if span == s] == inside
                assert attention.pooled[layer, head, s] == pytest.approx(sum(row[t] for t in inside), abs=1e-5)
                if name.isdigit():
                    i = int(name) - 1
                    assert attention.maxima[layer, head, i] == pytest.approx(max(row[t] for t in inside), abs=1e-5)
                    label = [
                        t for t in inside if getattr(owner_by_characters(prompt, spans[t][1]), "kind", "") == "label"
                    ]
                    assert attention.label_maxima[layer, head, i] == pytest.approx(max(row[t] for t in label), abs=1e-5)
            outside = sum(row[t] for t, (_, end) in enumerate(spans) if place(end) is None and not (bare and t == 0))
            assert attention.pooled[layer, head].sum() + outside == pytest.approx(1.0, abs=1e-5)
    assert attention.head == (1, 2)
    assert attention.map is not None
    np.testing.assert_allclose(attention.map, maps[1, 2], atol=1e-5)
    assert attention.token_starts == tuple(start for start, _ in spans)


def test_no_demonstrations_and_no_head(model: LanguageModel) -> None:
    prompt = render((), "bird")
    _, attention = read_attention(Study(), model, prompt)
    assert attention is not None
    bare = model.encode(prompt.text).ends[0] > 0
    assert attention.spans == (("start", "query") if bare else ("query",))
    assert attention.maxima.shape == attention.label_maxima.shape == (model.layers, model.heads, 0)
    assert attention.map is None
    assert attention.head is None


@pytest.mark.parametrize("head", [(3, 0), (0, 4), (-1, 0)])
def test_a_head_that_is_not_there_is_a_sentence(model: LanguageModel, head: tuple[int, int]) -> None:
    with pytest.raises(StudyError, match=r"There is no head .* layers 0 to 2 and heads 0 to 3"):
        read_attention(Study(token_head=head), model, render(SHOWN, "bird"))


PARTS = (
    Part("input", 0, 0, 3),
    Part("separator", 0, 3, 7),
    Part("label", 0, 7, 11),
    Part("end", 0, 11, 12),
    Part("label", 1, 12, 12),
    Part("query", None, 12, 15),
)


def test_a_token_belongs_to_the_part_of_its_last_character() -> None:
    ends = (0, 3, 4, 6, 11, 12, 15)
    #       BOS, "cat", " ", "->", " chat" over the join of separator and label, line break, query
    assert part_of_tokens(PARTS, ends).tolist() == [-1, 0, 1, 1, 2, 3, 5]
    assert part_of_tokens(PARTS, (0, 8, 16)).tolist() == [-1, 2, -1]
    assert part_of_tokens((), (1, 2)).tolist() == [-1, -1]


def test_without_a_start_token_the_first_token_stands_apart() -> None:
    assert part_of_tokens(PARTS, (3, 4, 6, 11)).tolist() == [-1, 1, 1, 2]
    assert part_of_tokens(PARTS, (3,)).tolist() == [0], "a text of one token keeps it"
    assert part_of_tokens(PARTS, (0,)).tolist() == [-1]
    assert part_of_tokens(PARTS, ()).tolist() == []


def test_a_label_swallowed_by_the_line_break_still_counts() -> None:
    starts, ends = (0, 3, 6, 12), (3, 6, 12, 15)  # " chat\n" is one token, and ends outside the label
    owner = part_of_tokens(PARTS, ends)
    masks = label_tokens(PARTS, owner, starts, ends, 2)
    assert masks[0].tolist() == [False, False, True, False]
    assert not masks[1].any(), "an empty label has no token"


def test_rows_of_a_made_reading_add_up() -> None:
    prompt = Prompt("cat -> chat\nxyz", " ", PARTS)
    rows = np.array([[[[0.5, 0.1, 0.1, 0.2, 0.1]]]], dtype=np.float32)
    reading = Reading(
        ids=(0, 1, 2, 3, 4),
        starts=(0, 0, 3, 6, 12),
        ends=(0, 3, 6, 11, 15),
        texts=("<s>", "cat", " ->", " chat", "xyz"),
        attention=rows,
        hidden=None,
        map=None,
        logprobs=np.zeros(5, dtype=np.float32),
    )
    attention = pool(prompt, reading)
    assert attention.spans == ("1", "2", "query")
    np.testing.assert_allclose(attention.pooled[0, 0], [0.4, 0.0, 0.1], atol=1e-7)
    np.testing.assert_allclose(attention.maxima[0, 0], [0.2, 0.0], atol=1e-7)
    np.testing.assert_allclose(attention.label_maxima[0, 0], [0.2, 0.0], atol=1e-7)
    bare = Reading(reading.ids, reading.starts, reading.ends, reading.texts, None, None, None, reading.logprobs)
    with pytest.raises(ValueError, match="no attention"):
        pool(prompt, bare)


def test_heads_are_checked_against_the_model() -> None:
    check_heads([(0, 0), (1, 3)], 2, 4)
    with pytest.raises(StudyError):
        check_heads([(0, 0), (2, 0)], 2, 4)
