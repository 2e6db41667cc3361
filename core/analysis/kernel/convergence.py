"""How near kernel regression comes to exact Bayes, and to the model, as demonstrations are added: the embedded mixture.

The same question as `core.hidden_markov.convergence`, asked of a language model whose mixture is known. Documents are
drawn from the mixture as in pretraining, label noise and strays included, so that exact Bayes is well specified; the
last pair is the query. After each n, four answers over the same candidates are held against each other:

    Bayes:   p(y | x, D_n) of the mixture           kernels: ŷ = Σ_i e(y_i) K(x, x_i) / Σ_i K(x, x_i)
    model:   by the study's scorer                  equal:   ŷ with K = 1, the labels' frequencies

Kernel regression can only answer labels that were shown, so it cannot come near Bayes on tasks whose every input has
an answer of its own (maps): no theorem says that it should, since their inputs do not repeat.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.bayes.answer import bayes_answer
from core.errors import StudyError, Unavailable
from core.kernels import KernelStrategy, kernels
from core.kernels.context import KernelContext
from core.kernels.regression import one_hot
from core.mixture.documents import draw_document
from core.runtime.progress import Stop, check, counting
from core.scoring.labels import every_label
from core.scoring.together import score
from core.statistics.curves import Curve, curve_of
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]
NUMBERS = (1, 2, 4, 8, 16)  # pretraining documents hold at most 20 demonstrations
KINDS: dict[str, tuple[str, ...]] = {
    "labels": ("natural", "flipped", "arbitrary"),
    "codebooks": ("codebook",),
    "maps": ("map",),
}
BAYES, MODEL, FLAT = "exact Bayes", "model", "all weights equal"
READS = (
    "model",
    "template",
    "scoring",
    "normalisation",
    "label_prior",
    "calibration",
    "calibration_seed",
    "heads",
    "span",
    "pooling",
)
TRIES = 10_000


@dataclass(frozen=True)
class ModelConvergence:
    """Distances and agreement between every two ways to answer, document by document.

    Attributes:
        numbers: (N,) values of n.
        ways: (W,) names; the first is exact Bayes.
        gaps: (documents, N, W, W) Σ_y |p(y) − q(y)| over the candidates, 0 to 2.
        same: (documents, N, W, W) 1 where both have the same likeliest answer.
        right: (documents, N, W) 1 where that is the answer in the document.
        families: (documents,) the task of each.
    """

    numbers: tuple[int, ...]
    ways: tuple[str, ...]
    gaps: Floats
    same: Floats
    right: Floats
    families: tuple[str, ...]

    def distances(self, to: str = BAYES) -> tuple[Curve, ...]:
        """Mean distance of every other way to one, with intervals over documents."""
        return self._curves(self.gaps[..., self.ways.index(to)], (0.0, 2.0), leave_out=to)

    def agreement(self, to: str = BAYES) -> tuple[Curve, ...]:
        """Share of documents on which another way answers the same."""
        return self._curves(self.same[..., self.ways.index(to)], (0.0, 1.0), leave_out=to)

    def accuracy(self) -> tuple[Curve, ...]:
        """Share of documents on which each way gives the document's own answer."""
        return self._curves(self.right, (0.0, 1.0))

    def _curves(self, values: Floats, span: tuple[float, float], leave_out: str = "") -> tuple[Curve, ...]:
        """Of documents, so that where all are alike others may still differ, as far as the span goes."""
        return tuple(curve_of(way, values[:, :, i], span=span) for i, way in enumerate(self.ways) if way != leave_out)

    def as_dict(self) -> dict[str, Any]:
        """Means and intervals as JSON values."""

        def rows(curves: tuple[Curve, ...]) -> dict[str, Any]:
            return {c.name: {"mean": c.mean.tolist(), "low": c.low.tolist(), "high": c.high.tolist()} for c in curves}

        return {
            "n": list(self.numbers),
            "documents": len(self.families),
            "distance to exact Bayes": rows(self.distances()),
            "distance to the model": rows(self.distances(MODEL)),
            "agreement with exact Bayes": rows(self.agreement()),
            "accuracy": rows(self.accuracy()),
        }


def model_convergence(
    study: Study,
    model: LanguageModel,
    *,
    kind: str = "labels",
    documents: int = 24,
    numbers: Sequence[int] = NUMBERS,
    seed: int = 0,
    stop: Stop | None = None,
) -> ModelConvergence:
    """Draw documents, and hold the ways to answer against each other after their first n demonstrations.

    Args:
        study: template, scorer, calibration, and what the attention kernel reads; its texts are not read.
        model: one whose mixture is known.
        kind: of tasks: "labels" (two classes under natural, flipped or arbitrary names), "codebooks" or "maps".
        documents: how many; intervals are over them.
        numbers: values of n, rising.
        seed: of the draws.

    Raises:
        StudyError: no mixture is known, no such kind, no document, or no n.
        PromptTooLong: the template makes that many demonstrations longer than the context.
        Cancelled: `stop` said so.
    """
    if model.mixture is None:
        raise StudyError("This needs a model whose mixture of tasks is known; choose the embedded model.")
    if documents < 1 or not numbers or min(numbers) < 1:
        raise StudyError("At least one document and one demonstration are needed.")
    study = bare(study)
    drawn = draw_documents(model.mixture, kind, max(numbers) + 1, documents, seed)
    rows: list[list[Floats]] = []
    ways: tuple[str, ...] = ()
    with counting(documents, "documents") as advance:
        for _, pairs in drawn:
            ways, answers, gold = _one_document(study, model, pairs, numbers, stop)
            rows.append([_gaps(answers), _same(answers), (answers.argmax(axis=2) == gold).astype(np.float64)])
            advance(len(rows))
    gaps, same, right = (np.stack(part) for part in zip(*rows, strict=True))
    return ModelConvergence(tuple(numbers), ways, gaps, same, right, tuple(family for family, _ in drawn))


def bare(study: Study) -> Study:
    """The study with nothing left but what this analysis reads of it."""
    return Study().model_copy(update={name: getattr(study, name) for name in READS})


def draw_documents(
    mixture: Mixture, kind: str, count: int, documents: int, seed: int
) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Families and pairs of documents of one kind of task, drawn as in pretraining.

    Raises:
        StudyError: there is no such kind.
    """
    if kind not in KINDS:
        raise StudyError(f"There is no kind of task called “{kind}”; choose one of {', '.join(KINDS)}.")
    rng = random.Random(f"convergence/{seed}")
    found: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for _ in range(TRIES * documents):
        family = mixture.details[int(mixture.family_of[mixture.draw_latent(None, rng)])]
        if family.kind in KINDS[kind]:
            drawn = draw_document(mixture, rng, family=family.name, count=count, reversed_share=0.0, instructed=0.0)
            found.append((family.name, drawn.pairs))
        if len(found) == documents:
            return found
    raise StudyError("The mixture hardly ever draws such a task.")


def _one_document(
    study: Study, model: LanguageModel, pairs: Sequence[tuple[str, str]], numbers: Sequence[int], stop: Stop | None
) -> tuple[tuple[str, ...], Floats, int]:
    """Names of the ways, their answers (N, W, L), and the place of the document's own answer among the candidates."""
    shown = tuple(Demonstration(input=x, label=y) for x, y in pairs[:-1])
    query, gold = pairs[-1]
    study = study.model_copy(update={"query": query, "gold": gold, "labels": ()})
    labels = every_label(study, model, shown)
    study = study.model_copy(update={"labels": labels})
    table: list[list[Floats]] = []
    ways: tuple[str, ...] = ()
    for n in numbers:
        check(stop)
        answers = _ways(study, model, shown[:n], labels, stop)
        ways = tuple(answers)
        table.append(list(answers.values()))
    return ways, np.array(table), labels.index(gold.strip())


def compared_kernels() -> tuple[KernelStrategy, ...]:
    """Kernels held against exact Bayes here: those of the texts alone first."""
    return tuple(sorted((entry for entry in kernels if entry.converges), key=lambda entry: not entry.symmetric))


def name_of(kernel: KernelStrategy) -> str:
    """What the kernel is called among the ways to answer."""
    return f"{kernel.title.lower()} kernel"


def _ways(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], stop: Stop | None
) -> dict[str, Floats]:
    """Every way's distribution over the candidates, (L,), by name."""
    exact = bayes_answer(study, model, shown, labels)
    if exact is None:
        raise StudyError("Exact Bayes gives no candidate any probability here.")
    found = {BAYES: _over(exact, labels), MODEL: _over(score(study, model, shown, labels, stop), labels)}
    onehot = one_hot([row.label for row in shown], labels)
    frequencies = onehot.mean(axis=0)
    context = KernelContext(study, model, shown, [study.query], stop)
    for entry in compared_kernels():
        try:
            raw = entry.function(study, context).raw[0]
        except Unavailable:
            continue
        total = float(raw.sum())
        found[name_of(entry)] = raw @ onehot / total if total > 0 else frequencies
    return found | {FLAT: frequencies}


def _over(answer: Answer, labels: Sequence[str]) -> Floats:
    """An answer's probabilities in the order of the candidates."""
    by_label = dict(zip(answer.labels, answer.probabilities, strict=True))
    return np.array([by_label.get(label, 0.0) for label in labels])


def _gaps(answers: Floats) -> Floats:
    """(N, W, L) → (N, W, W)."""
    gaps: Floats = np.abs(answers[:, :, None] - answers[:, None]).sum(axis=3)
    return gaps


def _same(answers: Floats) -> Floats:
    """(N, W, L) → (N, W, W)."""
    best = answers.argmax(axis=2)
    same: Floats = (best[:, :, None] == best[:, None]).astype(np.float64)
    return same
