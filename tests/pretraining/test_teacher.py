"""Aims of taught training against exact Bayes computed another way."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from core.mixture.documents import Document, draw_document
from core.mixture.mixture import load_mixture
from core.mixture.reviews import ReviewDomain
from core.pretraining.batches import END, Emphasis, Menu, collate, draw_example
from core.pretraining.data_loader import ERA, READINGS, Feed, make_examples
from core.pretraining.review_tokens import ReviewTokens
from core.pretraining.teacher import Aim, Teacher
from core.pretraining.tokenizer import build_tokenizer
from core.pretraining.writer import Writer
from core.study.prompts import TEMPLATES

MIXTURE = load_mixture()
TEACHER = Teacher(MIXTURE)
REVIEWS = Menu(emphasis=(Emphasis("reviews", 0.4, 0.5), Emphasis("word pairs", 0.1)))


def dense(aim: Aim) -> np.ndarray:
    out = aim.rest * TEACHER.anything
    out[aim.ids] += aim.probabilities
    return out


def documents(count: int, seed: int, family: str | None = None) -> list[Document]:
    rng = random.Random(seed)
    return [draw_document(MIXTURE, rng, family=family, count=6, reversed_share=0.0) for _ in range(count)]


@pytest.mark.parametrize("family", [None, "sentiment (arbitrary)", "nouns: codebook", "spelled: copy", "addition"])
def test_forward_aims_are_the_first_token_predictive(family: str | None) -> None:
    for document in documents(8, 1, family):
        inputs = [x for x, _ in document.pairs]
        exact = TEACHER.first.predictive(document.pairs[:-1], inputs, document.instruction)
        aims = list(TEACHER.forward(document.pairs, document.instruction))
        for row, aim in zip(exact, aims, strict=True):
            assert 0.5 * np.abs(dense(aim) - row).sum() < 0.02
            assert dense(aim).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("family", ["French", "living (arbitrary)", "addition", "letters: codebook"])
def test_backward_aims_sum_the_channel_by_first_token(family: str) -> None:
    """p(first token of x | y, D) = Σ of the channel's p(x | y, D) over the inputs that begin with it."""
    document = documents(1, 5, family)[0]
    block = MIXTURE.block_of(document.latent)
    aims = list(TEACHER.backward(document.pairs, document.instruction, END))
    n = 4
    (_, y), found = document.pairs[n], aims[n]
    assert found is not None
    expected = np.zeros(len(TEACHER.anything))
    for text in block.domain.inputs:  # type: ignore[attr-defined]
        log_p = MIXTURE.channel(document.pairs[:n], text, [y], document.instruction)[0]
        expected[TEACHER.first.first(text)] += math.exp(log_p)
    assert expected.sum() > 0.9
    assert 0.5 * np.abs(dense(found[0]) - expected / expected.sum()).sum() < 0.05


def test_review_tokens_equal_an_enumeration_of_the_grammar() -> None:
    """Every review of a tiny grammar is written out, with its probability under each hypothesis."""
    domain = next(block.domain for block in MIXTURE.blocks if isinstance(block.domain, ReviewDomain))
    tokens = ReviewTokens(domain, TEACHER.first.ids)
    grammar, ids = domain.grammar, TEACHER.first.ids
    classes, even = np.array([[0.5, 0.2], [0.1, 0.0], [0.0, 0.05], [0.02, 0.03]]), 0.1
    review = ["the", *(grammar.lexicon[f][1][0] for f in ("topic", "tense", "formality", "sentiment"))]
    found = tokens.distributions(classes, even, [], [ids[w] for w in review], END)
    assert found is not None

    def written(words: list[str]) -> float:
        """Probability that a review begins with these words, by sums over patterns, hypotheses and values."""
        total = 0.0
        hypotheses = [(classes[f, s], f, s) for f in range(4) for s in (0, 1)] + [(even, -1, 0)]
        for pattern in grammar.patterns:
            if len(pattern) < len(words):
                continue
            for weight, fixed, value in hypotheses:
                for values in np.ndindex(2, 2, 2, 2):
                    if fixed >= 0 and values[fixed] != value:
                        continue
                    p = weight / len(grammar.patterns) * 0.5 ** (4 if fixed < 0 else 3)
                    for item, word in zip(pattern, words, strict=False):
                        if not item.startswith("<"):
                            p *= item == word
                            continue
                        f = grammar.factors.index(item[1:-1])
                        own, other = (grammar.lexicon[item[1:-1]][v] for v in (values[f], 1 - values[f]))
                        p *= domain.clear * (word in own) / len(own) + (1 - domain.clear) * (word in other) / len(other)
                    total += p
        return total

    for j, distribution in enumerate(found):
        expected = written(review[: j + 1]) / written(review[:j])
        assert distribution[ids[review[j]]] == pytest.approx(expected, rel=1e-9)
        assert distribution.sum() == pytest.approx(1.0)


def test_a_review_that_the_grammar_cannot_write_has_no_aims() -> None:
    document = documents(1, 3, "sentiment")[0]
    pairs = [*document.pairs[:-1], ("bread and butter", document.pairs[-1][1])]
    assert list(TEACHER.backward(pairs, document.instruction, END))[-1] is None


def test_a_batch_scores_every_answer_and_ends_as_its_template_does() -> None:
    writer, rng = Writer(build_tokenizer()), random.Random(2)
    examples = [draw_example(MIXTURE, TEACHER, rng, REVIEWS) for _ in range(12)]
    groups = collate(examples, writer, rng, 3)
    assert sum(len(group.tokens) for group in groups) == 12
    ends = {writer.ids(template.end)[0] for template in TEMPLATES.values()}
    for group in groups:
        assert len(group.scored) == len(group.targets) == len(group.weights) == len(group.aims)
        assert (group.tokens.ravel()[group.scored + 1] == group.targets).all()
        for aim in group.aims:
            assert aim is None or END not in aim.ids or END in ends
    aimed = sum(aim is not None for group in groups for aim in group.aims)
    answers = sum(len(aims) for example in examples for aims in example.aims)
    assert aimed == answers


def test_examples_depend_on_seed_and_number_alone() -> None:
    together = make_examples(3, 0, 4, REVIEWS)
    apart = [make_examples(3, number, 1, REVIEWS)[0] for number in range(4)]
    assert [one.document for one in together] == [one.document for one in apart]
    assert together[0].document != make_examples(4, 0, 1, REVIEWS)[0].document


def test_an_era_is_read_twice_in_other_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.pretraining.data_loader.ERA", 4)
    feed = Feed(seed=0, documents=3, groups=1, menu=REVIEWS, writer=Writer(build_tokenizer()))
    try:
        lengths = [sum(int((group.tokens > 0).sum()) for group in feed.batch(step)) for step in range(4)]
        again = [sum(int((group.tokens > 0).sum()) for group in feed.batch(step)) for step in range(4)]
    finally:
        feed.close()
    assert lengths == again
    assert ERA % READINGS == 0
