"""Everything that claims to say how much a demonstration weighs in the answer, on one prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from core.analysis.influence.value import InfluenceQuestion
from core.embeddings.encoders import encoders
from core.errors import Unavailable
from core.kernels import KernelContext, kernels
from core.kernels.attention import head_weights
from core.runtime.progress import Stop, check
from core.study.study import Pooling, Span, Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Reading = tuple[Span, Pooling]
READINGS: tuple[Reading, ...] = tuple((span, pooling) for pooling in get_args(Pooling) for span in get_args(Span))


@dataclass(frozen=True)
class Explanations:
    """Weights of the demonstrations shown.

    Attributes:
        names, details: (E,) kernels, and one short line on each.
        weights: (E, n) K(x, x_i).
        heads: by what is read of a row of attention, (layers, heads, n); empty where the model gives no attention.
    """

    names: tuple[str, ...]
    details: tuple[str, ...]
    weights: Floats
    heads: dict[Reading, Floats]


def explanations(question: InfluenceQuestion, model: LanguageModel, stop: Stop | None = None) -> Explanations:
    """Every kernel of the registry with the study's settings, hidden states of every layer, every encoder, and every
    head, on the question's prompt. What this model or this installation does not have is left out.

    Raises:
        StudyError: a head or a layer of the study that the model lacks.
        PromptTooLong, Cancelled: as for any pass.
    """
    study, shown = question.study, question.shown
    context = KernelContext(study, model, shown, [study.query], stop)
    names, details, weights = [], [], []
    for name, kernel, settings in _kernels(study, model.layers):
        check(stop)
        try:
            weighed = kernels.find(kernel).function(settings, context)
        except Unavailable:
            continue
        names.append(name)
        details.append(weighed.detail)
        weights.append(weighed.raw[0])
    found: dict[Reading, Floats] = {}
    for span, pooling in READINGS:
        try:
            found[span, pooling] = head_weights(context.read(study.query), span, pooling)
        except Unavailable:
            break
    return Explanations(tuple(names), tuple(details), np.array(weights).reshape(-1, len(shown)), found)


def _kernels(study: Study, layers: int) -> Iterator[tuple[str, str, Study]]:
    """Name on screen, name in the registry, and the study with its settings."""
    for strategy in kernels:
        if strategy.varies == "hidden_layer":
            for layer in range(layers + 1):
                yield f"{strategy.name}, layer {layer}", strategy.name, study.model_copy(update={"hidden_layer": layer})
        elif strategy.varies == "encoder":
            # an encoder of hidden states is the cosine of the last layer, which stands among the layers already
            for name in dict.fromkeys([*encoders.names(), study.encoder]):
                if name not in encoders or not encoders.find(name).hidden_states:
                    short = name.rstrip("/").split("/")[-1].removeprefix("sentence:")
                    yield f"{strategy.name}, {short}", strategy.name, study.model_copy(update={"encoder": name})
        else:
            yield strategy.name, strategy.name, study
