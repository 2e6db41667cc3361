"""The answer read as kernel regression: ŷ(x) = Σ_i e(y_i) K(x, x_i) / Σ_i K(x, x_i) (docs/methods.md §2.1).

One kernel a file; each file registers itself:

    @kernels.register("prediction", title="Prediction", help="one line", symmetric=True)
    def weigh(study: Study, scene: Scene) -> Weighed: ...

and appears in every menu and every property test. What it reads of the model it reads through the scene, where it is
kept for the kernels after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.bayes.exact import ExactBayes
from core.errors import Unavailable
from core.kernels.regression import regress
from core.kernels.scene import Scene, Weighed
from core.kernels.similarity import SIMILARITIES, cosine, dot, median_distance, rbf
from core.runtime.registry import Registry
from core.study.outcome import Attention, Kernel
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Reading

__all__ = [
    "SIMILARITIES",
    "Scene",
    "Weigh",
    "Weighed",
    "compute_kernels",
    "cosine",
    "dot",
    "kernel_of",
    "kernels",
    "median_distance",
    "rbf",
    "regress",
    "scene_of",
]

Weigh = Callable[[Study, Scene], Weighed]
"""(settings, what is weighed) -> K, (Q, n). The study brings the settings, the scene the texts.

Raises:
    Unavailable: the model or the installation has no such kernel.
    StudyError: a setting that the model lacks, such as a head.
"""

kernels: Registry[Weigh] = Registry("kernel", __name__)

AT_ONCE = ("attention", "hidden", "exact")  # what every run computes; the others are asked for


def compute_kernels(
    question: Question,
    model: LanguageModel,
    reading: Reading | None,
    attention: Attention | None,
    bayes: ExactBayes | None = None,
) -> dict[str, Kernel]:
    """The kernels of every run that can be had: "attention" (where the model gives attention), "hidden", and "exact"
    (where the mixture is known), by name.

    Args:
        question: what the model is asked.
        reading, attention: what it did with the prompt; None where it was not looked at.
        bayes: exact Bayes of the question, where the mixture is known.

    Raises:
        StudyError: a head or a layer that the model lacks.
    """
    scene = scene_of(question, model, bayes)
    scene.know(question.query, question.prompt, reading, attention)
    found: dict[str, Kernel] = {}
    for name in AT_ONCE:
        try:
            found[name] = kernel_of(name, question.study, scene, question.labels)
        except Unavailable:
            continue
    return found


def scene_of(question: Question, model: LanguageModel, bayes: ExactBayes | None) -> Scene:
    """What kernels weigh of one question: its demonstrations, and its query."""
    scene = Scene(question.study, model, question.shown, [question.query])
    if bayes is not None:
        scene.know_bayes(bayes)
    return scene


def kernel_of(name: str, study: Study, scene: Scene, labels: Sequence[str]) -> Kernel:
    """One kernel's weights and answer on the scene's first query.

    Raises:
        Unavailable, StudyError: as the kernel does.
    """
    weighed = kernels.find(name).function(study, scene)
    kernel = regress(name, weighed.detail, weighed.raw[0], [d.label for d in scene.shown], labels)
    return replace(kernel, note=weighed.notes[0] if weighed.notes else "")
