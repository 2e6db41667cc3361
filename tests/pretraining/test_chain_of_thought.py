"""Reasoned documents: their text, their arithmetic, and where they carry a loss."""

from __future__ import annotations

import random
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mixture.documents import Document
from core.mixture.mixture import load_mixture
from core.mixture.vocabulary import vocabulary
from core.pretraining.batches import GROWING_WEIGHT, STEP_WEIGHT, Menu, collate, draw_example
from core.pretraining.chain_of_thought import (
    FORMS,
    Form,
    chain_of_thought,
    draw_reasoned,
    prefixes,
    scored_places,
    self_ask,
    written,
)
from core.pretraining.tokenizer import CONTEXT, REASONING, build_tokenizer, token_list
from core.pretraining.writer import Writer
from core.study.prompts import ARROW, TEMPLATES

MIXTURE = load_mixture()
ADDENDS = st.lists(st.integers(1, 9), min_size=3, max_size=6).map(tuple)


def drawn(count: int) -> list[tuple[Document, Form, int]]:
    rng = random.Random(1)
    return [draw_reasoned(MIXTURE, rng) for _ in range(count)]


def test_the_sources_example() -> None:
    assert written((2, 3, 4)) == "2 + 3 + 4"
    assert chain_of_thought((2, 3, 4)) == "2 + 3 = 5, 5 + 4 = 9. So the answer is 9"
    assert self_ask((2, 3, 4)) == (
        "Follow up: 2 + 3 Intermediate answer: 5 Follow up: 5 + 4 Intermediate answer: 9 So the final answer is 9"
    )
    assert prefixes((2, 3, 4)) == ("2 + 3", "2 + 3 + 4")


@given(ADDENDS)
def test_every_step_is_true(addends: tuple[int, ...]) -> None:
    chain, asked = chain_of_thought(addends), self_ask(addends)
    steps = re.findall(r"(\d+) \+ (\d+) = (\d+)", chain)
    assert steps == re.findall(r"Follow up: (\d+) \+ (\d+) Intermediate answer: (\d+)", asked)
    assert len(steps) == len(addends) - 1
    for (a, b, c), next_step in zip(steps, [*steps[1:], None], strict=True):
        assert int(a) + int(b) == int(c)
        assert next_step is None or next_step[0] == c
    assert chain.split()[-1] == asked.split()[-1] == steps[-1][2] == str(sum(addends))
    assert [sum(map(int, part.split(" + "))) for part in prefixes(addends)] == [
        sum(addends[:n]) for n in range(2, len(addends) + 1)
    ]


def test_documents_are_of_every_form_and_template() -> None:
    documents = drawn(400)
    counts = Counter(form for _, form, _ in documents)
    for form, share in FORMS.items():
        assert counts[form] / 400 == pytest.approx(share, abs=0.1)
    assert {document.template.name for document, _, _ in documents} == set(TEMPLATES)
    lengths = {len(document.pairs) for document, form, _ in documents if form != "growing"}
    assert lengths == set(range(2, 11))
    assert not any(document.reversed for document, _, _ in documents)
    assert {MIXTURE.families[MIXTURE.family_of[document.latent]] for document, _, _ in documents} == {"total"}


def test_growing_documents_grow_after_the_plain_ones() -> None:
    for document, form, plain in drawn(200):
        if form != "growing":
            continue
        for n, (x, y) in enumerate(document.pairs):
            assert sum(map(int, x.split(" + "))) == int(y)
            if n >= plain and x.count("+") > 1:
                assert x.startswith(document.pairs[n - 1][0] + " + ")
        assert document.pairs[plain][0].count("+") == 1


def test_documents_are_what_the_tokenizer_reads() -> None:
    tokenizer = build_tokenizer()
    writer = Writer(tokenizer)
    for document, _, _ in drawn(60):
        ids, spans = writer.write(document)
        t = document.template
        text = document.instruction + "\n\n" if document.instruction else ""
        text += "".join(t.input_prefix + x + t.label_prefix + y + t.end for x, y in document.pairs[: len(spans)])
        assert tokenizer(text)["input_ids"] == ids
        assert len(ids) <= CONTEXT


def test_words_of_reasoning_are_single_tokens_that_stand_last() -> None:
    tokenizer = build_tokenizer()
    assert token_list()[-len(REASONING) :] == REASONING
    assert not set(REASONING) & set(vocabulary())
    for word in (*chain_of_thought((1, 2, 3)).split(), *self_ask((1, 2, 3)).split()):
        assert len(tokenizer.encode(word.rstrip(",.:"), add_special_tokens=False)) == 1


def test_where_the_loss_is() -> None:
    """All of an answer and its end, but for what no demonstration before it announces."""
    writer = Writer(build_tokenizer())
    names = build_tokenizer().convert_ids_to_tokens

    def scored(form: Form, plain: int, pairs: list[tuple[str, str]]) -> list[str]:
        ids, spans = writer.write(Document(0, tuple(pairs), ARROW, False, ""))
        return [names(ids[place + 1]) for place in scored_places(form, plain, spans)]

    chains = [("2 + 3 + 4", chain_of_thought((2, 3, 4))), ("1 + 1 + 1", chain_of_thought((1, 1, 1)))]
    first = ["3", "=", "5", ",", "5", "+", "4", "=", "9", ".", "So", "the", "answer", "is", "9", "\n"]
    second = ["1", "+", "1", "=", "2", ",", "2", "+", "1", "=", "3", ".", "So", "the", "answer", "is", "3", "\n"]
    assert scored("chain", 0, chains) == [*first, *second]
    growing = [("7 + 1 + 1", "9"), ("2 + 3", "5"), ("2 + 3 + 4", "9")]
    assert scored("growing", 1, growing) == ["5", "\n", "9", "\n"]
    assert scored("growing", 0, growing[1:]) == ["9", "\n"]


def test_reasoned_documents_join_a_batch() -> None:
    rng, writer = random.Random(3), Writer(build_tokenizer())
    examples = [draw_example(MIXTURE, None, rng, Menu(reasoned=0.5)) for _ in range(40)]
    assert 8 < sum(example.form is not None for example in examples) < 32
    assert not any(example.natural for example in examples if example.form is not None)
    for example in examples:
        group = collate([example], writer, rng, 1)[0]
        if example.form is not None:
            weight = np.float32(GROWING_WEIGHT if example.form == "growing" else STEP_WEIGHT)
            assert (group.weights == weight).all()
            assert not any(group.aims)
