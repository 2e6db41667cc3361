"""The answer read as kernel regression: ŷ(x) = Σ_i e(y_i) K(x, x_i) / Σ_i K(x, x_i) (METHODS §2, Han et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.attention import check_heads
from core.demonstrations import Demonstration
from core.errors import StudyError
from core.outcome import Attention, Kernel
from core.prompts import Prompt
from core.study import Head, Span, Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Reading

Floats = NDArray[np.float64]


def compute_kernels(
    study: Study,
    model: LanguageModel,
    prompt: Prompt,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    reading: Reading | None,
    attention: Attention | None,
) -> dict[str, Kernel]:
    """Every kernel that can be had: "attention" (where the model gives attention), "hidden", and "exact" (where the
    mixture is known), by name.

    Raises:
        StudyError: a head or a layer that the model lacks.
    """
    kernels: dict[str, Kernel] = {}
    given = [d.label for d in shown]
    if attention is not None:
        check_heads(study.heads, model.layers, model.heads)
        raw = attention_weights(attention, study.heads, study.span)
        kernels["attention"] = regress("attention", _heads_in_words(study.heads, study.span), raw, given, labels)
    layer = _layer(study.hidden_layer, model.layers)
    texts = [study.query, *(d.input for d in shown)]
    states = np.asarray(model.embed(texts, layer), dtype=np.float64) if shown else np.zeros((1, 1))
    detail = f"{study.similarity} of inputs read alone, layer {layer} of {model.layers}"
    kernels["hidden"] = regress("hidden", detail, SIMILARITIES[study.similarity](states), given, labels)
    if model.mixture is not None:
        pairs = [(d.input, d.label) for d in shown]
        raw = np.asarray(model.mixture.kernel(pairs, study.query, study.instruction), dtype=np.float64)
        kernels["exact"] = regress("exact", "chance that both inputs share a label", raw, given, labels)
    return kernels


def regress(name: str, detail: str, raw: Floats, given: Sequence[str], labels: Sequence[str]) -> Kernel:
    """Kernel regression of the demonstrations' labels, white space at their ends aside.

    `predictive` is ŷ over `labels`; a demonstration whose label is not among them takes part in the sum below the line
    only. `best` is the label with the largest Σ_i e(y_i) K_i, which is argmax ŷ wherever Σ_i K_i > 0 (a cosine or dot
    kernel may have a negative sum, and dividing by it would turn the order round); ties go to the lowest index. It is
    None where no demonstration carries a candidate label.

    Args:
        raw: (n,) K(x, x_i).
        given: (n,) the demonstrations' labels.
        labels: (L,) the candidates.
    """
    total = float(raw.sum())
    # a sum that is rounding error next to its terms counts as zero
    usable = abs(total) > 1e-12 * float(np.abs(raw).sum()) if raw.size else False
    normalised = raw / total if usable else np.zeros_like(raw)
    onehot = np.array([[y.strip() == label.strip() for label in labels] for y in given], dtype=np.float64)
    onehot = onehot.reshape(len(given), len(labels))
    best = labels[int(np.argmax(_where_given(raw @ onehot, onehot)))] if onehot.any() else None
    return Kernel(name, detail, raw, normalised, normalised @ onehot, best)


def attention_weights(attention: Attention, heads: Sequence[Head] = (), span: Span = "demonstration") -> Floats:
    """K(x, x_i) = the largest attention weight from the prompt's last token to a token of demonstration i, averaged
    over `heads`, or over all heads of all layers where none is named: (n,). With span "label", to a label's token."""
    maxima = attention.maxima if span == "demonstration" else attention.label_maxima
    mean: Floats = np.mean([maxima[layer, head] for layer, head in heads], axis=0) if heads else maxima.mean((0, 1))
    return mean


def cosine(states: Floats) -> Floats:
    """K(x, x_i) = h·h_i / (‖h‖ ‖h_i‖), 0 where a state is zero. `states` (n + 1, d): x first. Returns (n,)."""
    norms = np.linalg.norm(states, axis=1, keepdims=True)
    unit = np.divide(states, norms, out=np.zeros_like(states), where=norms > 0)
    return dot(unit)


def dot(states: Floats) -> Floats:
    """K(x, x_i) = h·h_i. `states` (n + 1, d): x first. Returns (n,)."""
    product: Floats = states[1:] @ states[0]
    return product


def rbf(states: Floats) -> Floats:
    """K(x, x_i) = exp(−‖h − h_i‖² / 2σ²), σ the median of the distances between all pairs of x, x_1 … x_n.

    Where that median is 0 (most inputs equal), σ is the mean distance; where all are equal, K is 1.
    `states` (n + 1, d): x first. Returns (n,).
    """
    squares = ((states[:, None] - states[None]) ** 2).sum(2)
    distances = np.sqrt(squares[np.triu_indices(len(states), 1)])
    sigma = float(np.median(distances)) if distances.size else 0.0
    sigma = sigma or (float(distances.mean()) if distances.size else 0.0)
    return np.exp(-squares[0, 1:] / (2 * sigma**2)) if sigma > 0 else np.ones(len(states) - 1)


SIMILARITIES: dict[str, Callable[[Floats], Floats]] = {"cosine": cosine, "dot": dot, "rbf": rbf}


def _where_given(mass: Floats, onehot: Floats) -> Floats:
    """Labels that no demonstration carries cannot win, also where every other mass is negative."""
    return np.where(onehot.any(0), mass, -np.inf)


def _layer(layer: int, layers: int) -> int:
    """0 … layers, from a number that may count from the last; 0 is the embedding."""
    if not -(layers + 1) <= layer <= layers:
        raise StudyError(f"There is no layer {layer}: this model has layers 0 (the embedding) to {layers}.")
    return layer % (layers + 1)


def _heads_in_words(heads: Sequence[Head], span: Span) -> str:
    to = "largest weight in each demonstration" if span == "demonstration" else "largest weight in each label"
    if not heads:
        return f"{to}, mean of all heads"
    return f"{to}, " + ", ".join(f"layer {layer} head {head}" for layer, head in heads)
