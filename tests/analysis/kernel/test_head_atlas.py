"""The head atlas against a naive loop over the model's own eager attention."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from core import Study, StudyError
from core.analysis.kernel.head_atlas import READINGS, Atlas, ChosenHead, head_atlas, share
from core.analysis.kernel.records import atlas_records
from core.errors import Cancelled
from core.evaluation.items import Item, items_from_pool
from core.files.csv_records import as_csv
from core.kernels.variants import KernelVariant, variants
from core.study.prompts import render
from tests.listening import listening
from tests.models import plain
from tests.tiny import REVIEWS, folder, plain_logprobs, rows, tiny

POOL = (*REVIEWS, *rows([("the dog was good", "positive"), ("a bad house", "negative"), ("bad film", "negative")]))
WORDS = KernelVariant("Words", "encoder", (("encoder", "tfidf"),))


@pytest.fixture(scope="module")
def items() -> tuple[Item, ...]:
    return items_from_pool(Study(pool=POOL), 4, 6, 0)


@pytest.fixture(scope="module")
def atlas(items: tuple[Item, ...]) -> Atlas:
    return head_atlas(Study(pool=POOL), tiny(), items, [WORDS, KernelVariant("Exact", "exact")])


def vote(weights: list[float], item: Item) -> str:
    """The label that a plain loop finds; ties go to the first candidate."""
    totals = {label: 0.0 for label in item.labels if label in [row.label for row in item.demonstrations]}
    for weight, row in zip(weights, item.demonstrations, strict=True):
        totals[row.label] += weight
    return max(totals, key=lambda label: (totals[label], -item.labels.index(label)))


def answer(item: Item) -> str:
    prompt = render(item.demonstrations, item.query)
    scores = [float(plain_logprobs("llama", prompt.text, prompt.gap + label).sum()) for label in item.labels]
    return item.labels[int(np.argmax(scores))]


def test_every_head_votes_as_a_plain_loop_says(items: tuple[Item, ...], atlas: Atlas) -> None:
    _, tokenizer = plain.load(folder("llama"))
    for n, item in enumerate(items):
        prompt = render(item.demonstrations, item.query)
        maps = plain.read(folder("llama"), prompt.text).attentions
        offsets = tokenizer(prompt.text, return_offsets_mapping=True)["offset_mapping"]
        said = answer(item)
        assert atlas.right[n] == (said == item.gold)
        for r, (span, pooling) in enumerate(READINGS):
            for layer, head in np.ndindex(tiny().layers, tiny().heads):
                weights = []
                for i in range(len(item.demonstrations)):
                    parts = [p for p in prompt.parts if p.demonstration == i and (span != "label" or p.kind == "label")]
                    row = [
                        float(maps[layer][0, head, -1, t])
                        for t, (_, end) in enumerate(offsets)
                        if any(p.start < end <= p.end for p in parts)
                    ]
                    weights.append(max(row) if pooling == "max" else sum(row))
                found = vote(weights, item)
                assert atlas.model[r, layer, head, n] == (found == said)
                assert atlas.gold[r, layer, head, n] == (found == item.gold)


def test_the_baseline_is_the_commonest_label(items: tuple[Item, ...], atlas: Atlas) -> None:
    for n, item in enumerate(items):
        counts = Counter(row.label for row in item.demonstrations)
        most = max(item.labels, key=lambda label: (counts[label], -item.labels.index(label)))
        assert atlas.common_share[n] == counts[most] / 4
        assert atlas.common_gold[n] == (most == item.gold)
        assert atlas.common_model[n] == (most == answer(item))
    assert atlas.known.all()


def test_other_kernels_on_the_same_items(items: tuple[Item, ...], atlas: Atlas) -> None:
    from core.analysis.kernel.weight_table import kernel_table

    assert atlas.kernels == ("Words",)
    assert [name for name, _ in atlas.missing] == ["Exact"]
    for n, item in enumerate(items):
        study = Study(pool=POOL, query=item.query, labels=item.labels)
        best = kernel_table(study, tiny(), item.demonstrations, [WORDS], [item.query]).kernels[0][0].best
        assert atlas.kernels_gold[0, n] == (best == item.gold)
        assert atlas.kernels_model[0, n] == (best == answer(item))


def test_texts_read_in_advance_change_nothing(items: tuple[Item, ...]) -> None:
    """Hidden states and predictions of all items are read together; one item alone must give the same."""
    some = [v for v in variants(tiny().layers, tiny().heads) if v.kernel in ("hidden", "prediction")]
    together = head_atlas(Study(pool=POOL), tiny(), items, some)
    pair = head_atlas(Study(pool=POOL), tiny(), items[:2], some)
    np.testing.assert_array_equal(together.kernels_gold[:, :2], pair.kernels_gold)


def made(model: np.ndarray) -> Atlas:
    """An atlas with these hits (R, layers, heads, N) and nothing else of interest."""
    count = model.shape[-1]
    nothing = np.zeros(count, dtype=bool)
    empty = np.zeros((0, count), dtype=bool)
    return Atlas(
        model, ~model, (), empty, empty, (), nothing, nothing, nothing, np.ones(count), nothing, (), count // 2
    )


def test_a_head_is_chosen_on_one_part_and_reported_on_the_other() -> None:
    hits = np.zeros((4, 2, 3, 8), dtype=bool)
    hits[2, 1, 2, :3] = True  # three of four on the choosing part, none on the other
    hits[0, 0, 1, 4:] = True  # all of the reporting part
    hits[1, 1, 0, :2] = True
    atlas = made(hits)
    assert atlas.choose() == ChosenHead(2, 1, 2)
    assert atlas.choose(reading=1) == ChosenHead(1, 1, 0)
    assert atlas.choose(reading=3) == ChosenHead(3, 0, 0), "ties go to the first"
    assert atlas.agreement("model", "choosing")[2, 1, 2] == 0.75
    assert atlas.agreement("model", "reporting")[2, 1, 2] == 0.0
    assert atlas.agreement("gold", "reporting")[0, 0, 1] == 0.0


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (17, 30), (268, 300)])
def test_intervals_are_wilsons(hits: int, count: int) -> None:
    found = share(np.arange(count) < hits)
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    assert (found.value, found.count) == (hits / count, count)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_progress_stop_and_too_few(items: tuple[Item, ...]) -> None:
    with listening() as said:
        head_atlas(Study(), tiny(), items[:3])
    assert said == pytest.approx([1 / 2, 2 / 3, 5 / 6, 1])
    with pytest.raises(Cancelled):
        head_atlas(Study(), tiny(), items, stop=lambda: True)
    with pytest.raises(StudyError, match="two items"):
        head_atlas(Study(), tiny(), items[:1])


def test_records_hold_every_head(atlas: Atlas) -> None:
    records = atlas_records(atlas)
    assert len(records) == 4 * tiny().layers * tiny().heads
    row = next(r for r in records if (r["span"], r["pooling"], r["layer"], r["head"]) == ("label", "sum", 2, 1))
    assert row["reporting_model"] == atlas.model[3, 2, 1, 3:].mean()
    assert row["choosing_gold"] == atlas.gold[3, 2, 1, :3].mean()
    assert as_csv(records).decode().startswith("span,pooling,layer,head,choosing_model")
