"""What each token of a prompt is, and the groups that it is put into."""

from __future__ import annotations

import pytest

from core.attention import KINDS, Groups, Tokens, group, tokens_of
from core.models.encoding import Encoding
from core.study.demonstrations import Demonstration
from core.study.prompts import Prompt, render
from tests.attention.conftest import SHOWN, tokens
from tests.models.conftest import Model


def encoded(text: str, cuts: list[int], bos: bool = True) -> Encoding:
    """An encoding whose tokens are cut at the places given."""
    ends = [*cuts, len(text)]
    starts = [0, *cuts]
    texts = [text[a:b] for a, b in zip(starts, ends, strict=True)]
    front = [0] if bos else []
    return Encoding(
        tuple(range(len(texts) + bos)),
        (*front, *starts),
        (*front, *ends),
        (*(["<s>"] if bos else []), *texts),
        (),
    )


def kinds(tokens: Tokens) -> list[str]:
    return [KINDS[kind] for kind in tokens.kinds]


def test_each_token_has_its_kind_and_demonstration() -> None:
    prompt = render((Demonstration(input="cat", label="chat"),), "dog", instruction="Go")
    assert prompt.text == "Go\n\ncat -> chat\ndog ->"
    known = tokens_of(prompt, encoded(prompt.text, [2, 4, 7, 10, 15, 16, 19]))
    assert known.texts == ("<s>", "Go", "\n\n", "cat", " ->", " chat", "\n", "dog", " ->")
    assert kinds(known) == [
        *("start", "instruction", "instruction", "input", "separator", "label", "end", "query", "answer-prefix")
    ]
    assert known.demonstrations.tolist() == [-1, -1, -1, 0, 0, 0, 0, -1, -1]
    assert known.count == 1
    assert known.after_demonstrations().tolist() == [False] * 7 + [True] * 2
    assert known.in_demonstration(0).tolist() == [False] * 3 + [True] * 4 + [False] * 2
    assert known.between(1, 2).tolist() == [False, True, True] + [False] * 6


def test_a_label_swallowed_by_the_line_break_is_still_a_label() -> None:
    prompt = render((Demonstration(input="cat", label="chat"),), "dog")
    known = tokens_of(prompt, encoded(prompt.text, [3, 6, 12], bos=False))  # "cat", " ->", " chat\n", "dog ->"
    assert kinds(known) == ["start", "separator", "label", "answer-prefix"]  # no start token: the first stands apart
    assert known.demonstrations.tolist() == [-1, 0, 0, -1]
    assert group(known).names == ("start", "1", "query")


def by_walking(known: Tokens, name: str) -> list[int]:
    """Places of the tokens that a group of this name should hold."""
    number, _, kind = name.partition(" ")
    if number.isdigit():
        return [
            i
            for i in range(len(known))
            if known.demonstrations[i] == int(number) - 1 and (not kind or kinds(known)[i] == kind)
        ]
    outside = [i for i in range(len(known)) if known.demonstrations[i] < 0]
    return [i for i in outside if kinds(known)[i] == name]


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_groups_hold_what_they_say(architecture: str, model: Model, prompt: Prompt) -> None:
    known = tokens(model(architecture), prompt)
    front = ["start"]  # the start token; the first token of the text where there is none
    whole = group(known)
    assert whole.names == (*front, "instruction", "1", "2", "3", "query")
    assert whole.demonstrations == (*(None for _ in front), None, 0, 1, 2, None)
    check(whole, known)
    for name in ("1", "2", "3", "instruction"):
        assert [i for i in range(len(known)) if whole.of[i] == whole.names.index(name)] == by_walking(known, name)
    both = group(known, "both")
    check(both, known)
    for place, name in enumerate(both.names):
        assert [i for i in range(len(known)) if both.of[i] == place] == by_walking(known, name)
    alone = group(known, "kinds")
    check(alone, known)
    assert list(alone.names) == [kind for kind in KINDS if kind in kinds(known)]
    for place, name in enumerate(alone.names):
        assert [i for i in range(len(known)) if alone.of[i] == place] == [
            i for i in range(len(known)) if kinds(known)[i] == name
        ]


def check(groups: Groups, known: Tokens) -> None:
    assert sum(groups.sizes) == len(known)
    assert [int((groups.of == g).sum()) for g in range(len(groups.names))] == groups.sizes.tolist()
    assert min(groups.sizes) > 0


def test_only_the_kinds_that_were_chosen(model: Model, prompt: Prompt) -> None:
    known = tokens(model("llama"), prompt)
    labels = group(known, "demonstrations", ["label"])
    assert labels.names == ("1", "2", "3")
    for place in range(3):
        assert [i for i in range(len(known)) if labels.of[i] == place] == by_walking(known, f"{place + 1} label")
    assert group(known, "kinds", ["label", "input"]).names == ("input", "label")


def test_very_many_demonstrations_are_put_together(model: Model) -> None:
    prompt = render(SHOWN * 7, "bird")  # 21
    known = tokens(model("gpt2"), prompt)
    found = group(known, most=6)
    assert found.names == ("start", "1–4", "5–8", "9–12", "13–16", "17–20", "21", "query")
    assert found.demonstrations == (None, None, None, None, None, None, 20, None)
    for place, name in list(enumerate(found.names))[1:6]:
        first, last = map(int, name.split("–"))
        inside = [i for i in range(len(known)) if first - 1 <= known.demonstrations[i] <= last - 1]
        assert [i for i in range(len(known)) if found.of[i] == place] == inside
    assert len(group(known, "both", most=40).names) < 60
