"""Tokenizer and documents: what is written is what the tokenizer reads back, for any word."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mixture.documents import draw_document
from core.mixture.domain import NOISE
from core.mixture.mixture import load_mixture
from core.pretraining.first_token import FirstToken
from core.pretraining.tokenizer import CONTEXT, build_tokenizer
from core.pretraining.writer import Writer
from core.study.prompts import INSTRUCTION_END, TEMPLATES

TOKENIZER = build_tokenizer()
MIXTURE = load_mixture()
UNKNOWN = TOKENIZER.unk_token_id


@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=20))
def test_any_word_of_letters_and_digits_is_representable(word: str) -> None:
    ids = TOKENIZER.encode(word, add_special_tokens=False)
    assert UNKNOWN not in ids
    assert TOKENIZER.decode(ids) == word


def test_vocabulary_words_are_one_token() -> None:
    first = FirstToken(MIXTURE)
    for word in MIXTURE.vocabulary:
        ids = TOKENIZER.encode(word, add_special_tokens=False)
        assert len(ids) == 1
        assert first.first(word) == ids[0]


@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=12))
def test_tokens_of_equals_the_tokenizer(word: str) -> None:
    ours = FirstToken(MIXTURE).tokens_of(word) if word else []
    assert ours == TOKENIZER.convert_ids_to_tokens(TOKENIZER.encode(word, add_special_tokens=False))


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_pieces_equal_the_whole_text(template: object) -> None:
    """Ids joined piece by piece are the tokenizer's ids of the text, in both directions."""
    rng, writer = random.Random(3), Writer(TOKENIZER)
    for _ in range(60):
        d = draw_document(MIXTURE, rng, template=template)  # type: ignore[arg-type]
        ids, spans = writer.write(d)
        t = d.template
        text = d.instruction + INSTRUCTION_END if d.instruction else ""
        for x, y in d.pairs[: len(spans)]:
            if d.reversed:
                text += t.channel_label_prefix + y + t.channel_input_prefix + x + t.end
            else:
                text += t.input_prefix + x + t.label_prefix + y + t.end
        assert TOKENIZER(text)["input_ids"] == ids
        assert len(ids) <= CONTEXT
        for (start, end), (x, y) in zip(spans, d.pairs, strict=False):
            assert ids[start:end] == TOKENIZER.encode(x if d.reversed else y, add_special_tokens=False)


def test_separators_are_one_token_in_every_template() -> None:
    for template in TEMPLATES.values():
        for piece in (template.label_prefix, template.channel_input_prefix, template.end):
            assert len(TOKENIZER.encode(piece, add_special_tokens=False)) == 1


def test_label_noise_is_as_stated() -> None:
    """Of French labels, NOISE are drawn from the noise, which hits the right word one time in hundreds."""
    rng = random.Random(5)
    answers = dict(MIXTURE.sample("French", 5000, seed=1))
    wrong = total = 0
    for _ in range(600):
        d = draw_document(MIXTURE, rng, family="French", reversed_share=0.0)
        for x, y in d.pairs:
            if x in answers:
                total += 1
                wrong += answers[x] != y
    assert wrong / total == pytest.approx(NOISE, abs=3.5 * (NOISE / total) ** 0.5)
