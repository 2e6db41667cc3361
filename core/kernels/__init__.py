"""The answer read as kernel regression: ŷ(x) = Σ_i e(y_i) K(x, x_i) / Σ_i K(x, x_i) (docs/methods.md §2.1).

One kernel a file; each file registers itself:

    @kernels.register("prediction", title="Prediction", help="one line", symmetric=True)
    def weigh(study: Study, context: KernelContext) -> KernelWeights: ...

and appears in every menu and every property test. What it reads of the model it reads through the context, where it is
kept for the kernels after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

from core.bayes.exact import ExactBayes
from core.errors import Unavailable
from core.kernels.context import KernelContext, KernelWeights
from core.kernels.regression import regress
from core.kernels.similarity import SIMILARITIES, cosine, dot, median_distance, rbf
from core.runtime.registry import Entry, Registry
from core.study.outcome import Attention, Kernel
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Reading

__all__ = [
    "SIMILARITIES",
    "KernelContext",
    "KernelWeights",
    "Weigh",
    "compute_kernels",
    "context_of",
    "cosine",
    "dot",
    "kernel_of",
    "kernels",
    "kernels_of_prior",
    "median_distance",
    "rbf",
    "regress",
]

Weigh = Callable[[Study, KernelContext], KernelWeights]
"""(settings, what is weighed) -> K, (Q, n). The study brings the settings, the context the texts.

Raises:
    Unavailable: the model or the installation has no such kernel.
    StudyError: a setting that the model lacks, such as a head.
"""


def _nothing(study: Study, context: KernelContext) -> None:
    pass


@dataclass(frozen=True)
class KernelStrategy(Entry[Weigh]):
    """A kernel, and what other code asks of it.

    Attributes:
        symmetric: True where K(x, x') is a function of the two texts alone (given which demonstrations there are, in
            whatever order): symmetric and positive semidefinite.
        every_run: True where every run computes it; the others are asked for.
        varies: the field of `Study` whose values are kernels of their own, side by side in tables, explanations and
            the atlas: every head, every layer, every encoder; "" where there is one.
        read_ahead: reads, for all texts of a context in one pass, what it will ask the model about texts alone; what
            it reads of whole prompts has no part in it.
        converges: what it is, one sentence, in the comparison with exact Bayes as demonstrations are added
            (`core.analysis.kernel.convergence`); "" where it takes no part there.
    """

    _: KW_ONLY
    symmetric: bool = False
    every_run: bool = False
    varies: Literal["", "heads", "hidden_layer", "encoder"] = ""
    read_ahead: Callable[[Study, KernelContext], None] = _nothing
    converges: str = ""


kernels = Registry("kernel", KernelStrategy, __name__)


def compute_kernels(
    question: Question,
    model: LanguageModel,
    reading: Reading | None,
    attention: Attention | None,
    bayes: ExactBayes | None = None,
) -> dict[str, Kernel]:
    """The kernels of every run that can be had, by name: attention where the model gives any, hidden states, and the
    exact kernel where the mixture is known.

    Args:
        question: what the model is asked.
        reading, attention: what it did with the prompt; None where it was not looked at.
        bayes: exact Bayes of the question, where the mixture is known.

    Raises:
        StudyError: a head or a layer that the model lacks.
    """
    context = context_of(question, model, bayes)
    context.know(question.query, question.prompt, reading, attention)
    found: dict[str, Kernel] = {}
    for entry in kernels:
        if not entry.every_run:
            continue
        try:
            found[entry.name] = kernel_of(entry.name, question.study, context, question.labels)
        except Unavailable:
            continue
    return found


def kernels_of_prior(question: Question, model: LanguageModel, bayes: ExactBayes) -> dict[str, Kernel]:
    """Those kernels of every run that another prior changes, by name: what they read they read of exact Bayes.

    Raises:
        StudyError: the question's prior rules every task out.
    """
    context = context_of(question, model, bayes)
    names = [entry.name for entry in kernels if entry.every_run and "prior" in entry.reads]
    return {name: kernel_of(name, question.study, context, question.labels) for name in names}


def context_of(question: Question, model: LanguageModel, bayes: ExactBayes | None) -> KernelContext:
    """What kernels weigh of one question: its demonstrations, and its query."""
    context = KernelContext(question.study, model, question.shown, [question.query])
    if bayes is not None:
        context.know_bayes(bayes)
    return context


def kernel_of(name: str, study: Study, context: KernelContext, labels: Sequence[str]) -> Kernel:
    """One kernel's weights and answer on the context's first query.

    Raises:
        Unavailable, StudyError: as the kernel does.
    """
    weighed = kernels.find(name).function(study, context)
    note = weighed.notes[0] if weighed.notes else ""
    return regress(name, weighed.detail, weighed.raw[0], [d.label for d in context.shown], labels, note)
