"""The head atlas: how often the label that a head's attention votes for is the model's answer, and the right one.

For an item (D, x) and a head with weights a_i on the demonstrations (docs/methods.md §2.9; Han et al. 2023, section 5):

    ŷ = argmax_y Σ_i a_i [y_i = y] / Σ_i a_i

Agreement is the share of items with ŷ equal to the model's answer, or to gold. A head is chosen on the first part of
the items and reported on the rest: the best of many heads looks better on the items it was chosen on than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.kernel.weight_table import weigh_all
from core.errors import StudyError
from core.evaluation.items import Item
from core.kernels import kernels as kernel_strategies
from core.kernels.attention import head_weights
from core.kernels.context import KernelContext
from core.kernels.regression import one_hot, where_given
from core.kernels.variants import KernelVariant
from core.runtime.progress import Stop, check, counting, part
from core.scoring.together import score_together
from core.statistics.intervals import wilson
from core.study.study import Pooling, Span, Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Against = Literal["model", "gold"]
CHUNK = 12  # items whose texts are scored in one call
READINGS: tuple[tuple[Span, Pooling], ...] = (
    ("demonstration", "max"),
    ("demonstration", "sum"),
    ("label", "max"),
    ("label", "sum"),
)


@dataclass(frozen=True)
class Share:
    """A share of items with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class ChosenHead:
    """A head, and how its attention is read."""

    reading: int
    layer: int
    head: int


@dataclass(frozen=True)
class Atlas:
    """Hits item by item, so that any part and any reading can be looked at.

    Attributes:
        model: (R, layers, heads, N) whether ŷ is the model's answer; R runs over `READINGS`.
        gold: (R, layers, heads, N) whether ŷ is the right answer.
        kernels: (V,) names of the other kernels measured on the same items.
        kernels_model, kernels_gold: (V, N) the same of these.
        missing: (name, why) of kernels that could not be had.
        right: (N,) whether the model's answer is the right one.
        common_model, common_gold: (N,) whether always answering the commonest label shown would agree.
        common_share: (N,) share of that label among the demonstrations.
        known: (N,) whether the model's answer is the label of some demonstration: no kernel can answer another.
        sources: (N,) where each item comes from.
        split: items before this place choose the head, the others report.
    """

    model: Bools
    gold: Bools
    kernels: tuple[str, ...]
    kernels_model: Bools
    kernels_gold: Bools
    missing: tuple[tuple[str, str], ...]
    right: Bools
    common_model: Bools
    common_gold: Bools
    common_share: Floats
    known: Bools
    sources: tuple[str, ...]
    split: int

    @property
    def count(self) -> int:
        return len(self.right)

    def hits(self, against: Against) -> Bools:
        """(R, layers, heads, N)."""
        return self.model if against == "model" else self.gold

    def choose(self, reading: int | None = None, against: Against = "model") -> ChosenHead:
        """The head with the highest agreement on the choosing part, of one reading or of all; ties to the first."""
        rates = self.hits(against)[..., : self.split].mean(-1)
        if reading is not None:
            rates = np.where(np.arange(len(rates))[:, None, None] == reading, rates, -1.0)
        best = np.unravel_index(int(rates.argmax()), rates.shape)
        return ChosenHead(*(int(place) for place in best))

    def agreement(self, against: Against = "model", part: Literal["choosing", "reporting"] = "reporting") -> Floats:
        """(R, layers, heads) share of hits on one part of the items."""
        kept = self.hits(against)[..., self.part(part)]
        shares: Floats = kept.mean(-1, dtype=np.float64)
        return shares

    def part(self, part: Literal["choosing", "reporting"]) -> slice:
        """The places of its items."""
        return slice(0, self.split) if part == "choosing" else slice(self.split, None)


def share(hits: Bools) -> Share:
    """Mean of some hits, with its interval."""
    low, high = wilson(int(hits.sum()), len(hits))
    return Share(float(hits.mean()) if len(hits) else float("nan"), low, high, len(hits))


def head_atlas(
    study: Study,
    model: LanguageModel,
    items: Sequence[Item],
    kernels: Sequence[KernelVariant] = (),
    *,
    stop: Stop | None = None,
) -> Atlas:
    """Read every item once and let every head vote; the model's answer is by the study's scorer over the same labels.

    Args:
        study: template, instruction, scorer, and the settings of `kernels`.
        items: N of them; the first half chooses, the second reports.
        kernels: others to measure beside the heads.

    Raises:
        StudyError: fewer than two items, or a setting that the model lacks.
        Unavailable: the architecture gives no attention.
        PromptTooLong, Cancelled: as for any pass.
    """
    if len(items) < 2:
        raise StudyError("The head atlas needs two items at least: one part chooses a head, the other reports it.")
    answers: list[str] = []
    rows: list[_Row] = []
    missing: tuple[tuple[str, str], ...] = ()
    with counting(len(items), "items", at_once=CHUNK) as advance:
        for begin in range(0, len(items), CHUNK):
            chunk = items[begin : begin + CHUNK]
            studies = [_study_of(study, item) for item in chunk]
            requests = [(own, item.demonstrations, item.labels) for own, item in zip(studies, chunk, strict=True)]
            with part(0.0, 0.5):
                answers += [answer.best for answer in score_together(requests, model, stop)]
            memory = _read_texts(study, model, chunk, kernels, stop)
            with part(0.5, 1.0), counting(len(chunk), "items") as read:
                for own, item in zip(studies, chunk, strict=True):
                    check(stop)
                    context = KernelContext(own, model, item.demonstrations, [item.query], stop, memory)
                    row, missing = _measure(own, context, item, answers[len(rows)], kernels)
                    rows.append(row)
                    read(len(rows) - begin)
            advance(len(rows))
    gone = {name for name, _ in missing}
    names = tuple(variant.name for variant in kernels if variant.name not in gone)
    return Atlas(
        model=np.stack([row.heads_model for row in rows], axis=-1),
        gold=np.stack([row.heads_gold for row in rows], axis=-1),
        kernels=names,
        kernels_model=np.array([row.kernels_model for row in rows], dtype=bool).reshape(len(rows), len(names)).T,
        kernels_gold=np.array([row.kernels_gold for row in rows], dtype=bool).reshape(len(rows), len(names)).T,
        missing=missing,
        right=np.array([row.answer == item.gold for row, item in zip(rows, items, strict=True)]),
        common_model=np.array([row.common == row.answer for row in rows]),
        common_gold=np.array([row.common == item.gold for row, item in zip(rows, items, strict=True)]),
        common_share=np.array([row.common_share for row in rows]),
        known=np.array([row.known for row in rows]),
        sources=tuple(item.source for item in items),
        split=len(items) // 2,
    )


@dataclass(frozen=True)
class _Row:
    """One item's part of an atlas."""

    heads_model: Bools  # (R, layers, heads)
    heads_gold: Bools
    kernels_model: list[bool]
    kernels_gold: list[bool]
    answer: str
    common: str
    common_share: float
    known: bool


def _study_of(study: Study, item: Item) -> Study:
    return study.model_copy(update={"query": item.query, "gold": None, "labels": item.labels})


def _read_texts(
    study: Study, model: LanguageModel, items: Sequence[Item], kernels: Sequence[KernelVariant], stop: Stop | None
) -> dict[Any, Any]:
    """What kernels of the texts alone will ask of the model, in one pass a layer for all items together."""
    texts = list(
        dict.fromkeys(text for item in items for text in (item.query, *(d.input for d in item.demonstrations)))
    )
    context = KernelContext(study.model_copy(update={"query": texts[0]}), model, (), texts, stop)
    for variant in kernels:
        kernel_strategies.find(variant.kernel).read_ahead(variant.of(study), context)
    return context.memory


def _measure(
    own: Study, context: KernelContext, item: Item, answer: str, kernels: Sequence[KernelVariant]
) -> tuple[_Row, tuple[tuple[str, str], ...]]:
    onehot = one_hot([d.label for d in item.demonstrations], item.labels)
    read = context.read(item.query)
    weights = np.stack([head_weights(read, span, pooling) for span, pooling in READINGS])  # (R, layers, heads, n)
    votes = where_given(weights @ onehot, onehot).argmax(-1)  # (R, layers, heads) places in labels
    found, missing = weigh_all(own, context, kernels)
    others = [item.labels[int(where_given(weighed.raw[0] @ onehot, onehot).argmax())] for _, weighed in found]
    counts = onehot.sum(0)
    row = _Row(
        heads_model=votes == item.labels.index(answer),
        heads_gold=votes == item.labels.index(item.gold),
        kernels_model=[vote == answer for vote in others],
        kernels_gold=[vote == item.gold for vote in others],
        answer=answer,
        common=item.labels[int(counts.argmax())],
        common_share=float(counts.max() / counts.sum()),
        known=bool(counts[item.labels.index(answer)]),
    )
    return row, missing
