"""Reading on from what was read before gives the numbers of reading all anew, within a bound of memory."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core import Study, run
from core.models import LanguageModel, load_model
from core.models.prefix_cache import KeysValues, PrefixCache
from core.scoring import scorers
from core.study.demonstrations import Demonstration
from core.study.outcome import Outcome
from tests.models.checkpoints import ARCHITECTURES
from tests.tiny import REVIEWS

Folder = Callable[[str], Path]
LABELS = (" positive", " negative", " good film")


def states(tokens: np.ndarray[Any, Any]) -> KeysValues:
    """Keys and values that tell the tokens before them: running sums, in two layers of different widths."""
    sums = torch.from_numpy(np.cumsum(tokens)).float()[None, None, :, None]
    return [(sums.expand(1, 2, -1, 3), -sums.expand(1, 2, -1, 3)), (2 * sums, sums.expand(1, 1, -1, 4))]


def nbytes(tokens: int) -> int:
    return tokens * (2 * 3 + 2 * 3 + 1 + 4) * 4


def test_what_was_kept_comes_back_over_500_edits_and_the_bound_holds() -> None:
    most = nbytes(120)
    cache, draw = PrefixCache(most), random.Random(0)
    text = [draw.randrange(5) for _ in range(40)]
    held = 0
    for _ in range(500):
        at = draw.randrange(len(text))
        text = [*text[:at], *(draw.randrange(5) for _ in range(draw.randrange(30))), *text[at + draw.randrange(8) :]]
        text = text[:60] or [1]
        tokens = np.array(text, dtype=np.int64)
        known = cache.known(tokens)
        found = cache.take(tokens)
        assert (found[0][0].shape[2] if found else 0) == known
        for (keys, values), (own_keys, own_values) in zip(found, states(tokens[:known]), strict=bool(known)):
            torch.testing.assert_close(keys, own_keys)
            torch.testing.assert_close(values, own_values)
        cache.keep(tokens, np.arange(len(tokens)), states(tokens))
        assert cache.known(tokens) == len(tokens)
        assert cache.nbytes <= most
        assert cache.nbytes == sum(node.nbytes for node in cache._nodes())
        held = max(held, cache.nbytes)
    assert held > 0.8 * most  # the bound was met
    cache.clear()
    assert cache.nbytes == cache.known(tokens) == 0


def test_a_text_larger_than_the_bound_is_not_kept() -> None:
    cache = PrefixCache(nbytes(10))
    small, large = np.arange(5), np.arange(20) + 7
    cache.keep(small, np.arange(5), states(small))
    cache.keep(large, np.arange(20), states(large))
    assert cache.known(large) == 0
    assert cache.nbytes <= nbytes(10)


def edits() -> list[Study]:
    """A study and what a user does to it: the query, a demonstration, one more, one less, back again."""
    start = Study(demonstrations=REVIEWS, query="a very good plot")
    rows = start.demonstrations
    changed = (*rows[:3], Demonstration(input="the dog was odd", label="negative"), *rows[4:])
    return [
        start,
        start.model_copy(update={"query": "what a bad house"}),
        start.model_copy(update={"demonstrations": changed}),
        start.model_copy(update={"demonstrations": (*rows, Demonstration(input="the bird", label="positive"))}),
        start.model_copy(update={"demonstrations": rows[:4]}),
        start.model_copy(update={"instruction": "Say what it is."}),
        start,
    ]


def assert_same(found: Outcome, expected: Outcome, atol: float = 1e-5) -> None:
    """Answer, attention and every kernel."""
    assert found.attention is not None
    assert expected.attention is not None
    assert found.answer.labels == expected.answer.labels
    np.testing.assert_allclose(found.answer.scores, expected.answer.scores, rtol=0, atol=atol)
    np.testing.assert_allclose(found.answer.probabilities, expected.answer.probabilities, rtol=0, atol=atol)
    np.testing.assert_allclose(found.attention.pooled, expected.attention.pooled, rtol=0, atol=atol)
    assert found.kernels.keys() == expected.kernels.keys()
    for name, kernel in found.kernels.items():
        np.testing.assert_allclose(kernel.raw, expected.kernels[name].raw, rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_edit_gives_what_a_cold_run_gives(architecture: str, folder: Folder) -> None:
    warm, cold = (load_model(str(folder(architecture))) for _ in range(2))
    assert cold.prefixes is None  # small: the same digits each time
    if not warm._abilities.continuing:
        pytest.skip("this architecture keeps no keys and values of a text's beginning")
    warm.keep_prefixes()
    texts = ["", *(row.input for row in REVIEWS)]
    for study in edits():
        prompt = run(study, cold).prompt.text
        pairs = [(prompt, label) for label in LABELS]
        found = warm.answer(pairs, [prompt], look=prompt, along=texts)
        expected = cold.answer(pairs, [prompt], look=prompt)
        for one, other in zip(found.scores, expected.scores, strict=True):
            assert one.tokens == other.tokens
            np.testing.assert_allclose(one.logprobs, other.logprobs, rtol=0, atol=1e-4)
        np.testing.assert_allclose(found.rows, expected.rows, rtol=0, atol=1e-4)
        if found.reading is not None:
            seen = cold.read(prompt).attention
            assert found.reading.attention is not None
            assert seen is not None
            np.testing.assert_allclose(found.reading.attention, seen, rtol=0, atol=1e-5)
        for text, vector in found.vectors.items():
            np.testing.assert_allclose(vector, cold.embed([text])[0], rtol=0, atol=1e-4)
    assert warm.prefixes is not None
    assert 0 < warm.prefixes.nbytes <= warm.prefixes.most


@pytest.mark.parametrize("scoring", scorers.names())
def test_every_scorer_of_a_real_model_after_edits(scoring: str, smollm2: LanguageModel) -> None:
    """As cold, on a model that keeps what it reads by itself."""
    cache = smollm2.prefixes
    assert cache is not None
    for study in edits()[:3]:
        study = study.model_copy(update={"scoring": scoring})
        warm = run(study, smollm2)
        cache.clear()
        assert_same(warm, run(study, smollm2))


def read_by(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens of every pass from here on."""
    sizes: list[int] = []
    forward = model._model.forward

    def counted(*args: Any, **options: Any) -> Any:
        sizes.append(int(options["input_ids"].numel()))
        return forward(*args, **options)

    monkeypatch.setattr(model._model, "forward", counted)
    return sizes


def test_every_token_is_read_once(smollm2: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = smollm2.prefixes
    assert cache is not None
    cache.clear()
    shown = tuple(row.model_copy(update={"input": f"{row.input} once"}) for row in REVIEWS)
    start = Study(demonstrations=shown, query="a dull one")
    sizes = read_by(smollm2, monkeypatch)
    prompt = run(start, smollm2).prompt.text
    size = len(smollm2.encode(prompt))
    alone = [len(smollm2.encode(text)) for text in (start.query, *(row.input for row in start.demonstrations))]
    assert sum(sizes) == size + sum(alone)
    assert len(sizes) == 1
    sizes.clear()

    edited = start.model_copy(update={"query": "what a sharp and lovely one"})
    ids = smollm2.encode(run(edited, smollm2).prompt.text).ids
    before = smollm2.encode(prompt).ids
    new = len(ids) - next(i for i, (a, b) in enumerate(zip(ids, before, strict=False)) if a != b)
    assert sizes == [new + len(smollm2.encode(edited.query))]
    sizes.clear()

    run(edited, smollm2)  # the last token alone is asked again
    assert sizes == [1]


def test_two_people_on_one_model_get_their_own_answers(folder: Folder) -> None:
    warm, cold = (load_model(str(folder("llama"))) for _ in range(2))
    warm.keep_prefixes(200_000)  # so little that they throw out each other's
    one, other = (edits() for _ in range(2))
    other = [study.model_copy(update={"demonstrations": study.demonstrations[::-1]}) for study in other]
    expected = {study: run(study, cold) for study in {*one, *other}}

    def work(studies: list[Study]) -> None:
        for study in studies * 4:
            assert_same(run(study, warm), expected[study], 1e-4)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [one, other]))
    assert warm.prefixes is not None
    assert 0 < warm.prefixes.nbytes <= 200_000


def test_many_orders_are_read_as_their_distinct_tokens(smollm2: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """In rows as large as a pass holds, each node against its own ancestors; and as each text by itself."""
    cache = smollm2.prefixes
    assert cache is not None
    cache.clear()
    texts = [
        "\n".join(f"{row.input} -> {row.label}" for row in rows) + "\nwell ->" for rows in permutations(REVIEWS[:4])
    ]
    sizes = read_by(smollm2, monkeypatch)
    found = smollm2.next_logprobs(texts)
    assert sum(sizes) <= 1.01 * smollm2.distinct_tokens(texts)  # a first word alone is not worth a shared row
    for place in (0, 7, 23):
        np.testing.assert_allclose(found[place], smollm2.read(texts[place]).logprobs, rtol=0, atol=1e-4)


def test_many_queries_behind_one_trunk(smollm2: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a pass holds: the trunk is read once, and what stands behind it goes in one row."""
    cache = smollm2.prefixes
    assert cache is not None
    cache.clear()
    front = "\n".join(f"{row.input} is {word} -> {row.label}" for row in REVIEWS for word in ("good", "odd", "bad"))
    texts = [f"{front}\nfilm number {n} of {n * 7} was what we saw there on the day ->" for n in range(70)]
    sizes = read_by(smollm2, monkeypatch)
    pairs = [(text, label) for text in texts for label in (" positive", " negative")]
    found = smollm2.score(pairs)
    assert len(sizes) > 2
    assert sum(sizes) == smollm2.distinct_tokens(texts)
    for place in (0, 77, 139):
        cache.clear()
        (alone,) = smollm2.score([pairs[place]])
        np.testing.assert_allclose(found[place].logprobs, alone.logprobs, rtol=0, atol=1e-4)
