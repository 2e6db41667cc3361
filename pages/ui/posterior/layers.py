"""The belief over tasks by layer: what a linear probe reads off the residual stream, beside exact Bayes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.figures.posterior.layers import layers_figure
from core.posterior.openness import NAMES
from core.posterior.residual_probe import LayerBeliefs, layer_beliefs, probe_of
from core.runtime.progress import Stop
from core.study.outcome import Posterior
from core.study.question import Question
from core.study.study import Study
from pages.ui.components.card import Card, Values, empty
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS
from pages.ui.jobs.run import model
from pages.ui.posterior.under_prior import P, step, with_posteriors
from pages.ui.session import session

if TYPE_CHECKING:
    from core.models import LanguageModel

HEIGHT = 240
SHOWN = 0.02  # weight at some layer, or by exact Bayes, from which a task is drawn
HELP = (
    "What a linear probe reads off the residual stream at the place of the answer, after every layer: "
    "softmax(h_l W_l + b_l), fitted on exact posteriors P(T | D_n, x_{n+1}) of documents apart. Diamonds are exact "
    "Bayes's, under the mixture's own prior. x_{n+1} is the next demonstration's input, or the query after all.\n\n"
    "The probe shows what a layer holds in linear form, not that the model uses it, and it errs: held-out total "
    "variation by entropy of the exact belief stands below. Shai et al. 2024, belief states in the residual stream."
)


def possible(known: LanguageModel) -> bool:
    """Whether there is a probe of this very model."""
    return probe_of(known) is not None


def _reads() -> Values:
    found, known = with_posteriors(), model()
    shown, labels = found.demonstrations, found.answer.labels

    def work(study: Study, stop: Stop) -> LayerBeliefs | None:
        return layer_beliefs(Question.of(study, shown, labels), known)

    beliefs = analysis.value(P + "layers", found.study, known, {}, work, "the belief by layer", reads=ANSWERS)
    return beliefs, step(len(shown)), found.posteriors


def layers_view(beliefs: LayerBeliefs | None, n: int, posteriors: dict[str, Posterior]) -> None:
    """Lines by layer, and how far the probe is off where exact Bayes leaves as much open."""
    if beliefs is None:
        empty("No probe of this model's residual stream is at hand.", HEIGHT)
        return
    layers, exact = beliefs.layers[n], beliefs.exact[n]
    weights = np.vstack([layers[1:], exact])
    colours = session.task_colours(
        {**posteriors, "layers": Posterior("implicit", beliefs.tasks, weights)},
    )
    seen = [task for task, most in zip(beliefs.tasks, weights.max(0), strict=True) if most >= SHOWN]
    drawn = {task: colours[task] for task in seen if task in colours}
    said = ", ".join(f"layer {i} {distance:.2f}" for i, distance in enumerate(beliefs.apart(n)) if i)
    figure = layers_figure(beliefs.tasks, layers, exact, drawn, height=HEIGHT)
    chart(
        figure, P + "layers", f"Belief by layer after {n} demonstrations and an input; distance to exact Bayes: {said}"
    )
    st.caption(f"Total variation to exact Bayes here: {said}. {_own_error(beliefs, n)}")


def _own_error(beliefs: LayerBeliefs, n: int) -> str:
    """The probe's held-out error by layer, where the exact belief leaves as much open as this one, and elsewhere."""
    rows = [
        f"{name} nats: {' → '.join(f'{error:.2f}' for error in beliefs.errors[1:, row])}"
        + (" (as here)" if row == beliefs.row(n) else "")
        for row, name in enumerate(NAMES)
        if beliefs.states[row]
    ]
    return (
        "The probe's own error, layers 1 to the last, on documents apart, by entropy of the exact belief: "
        f"{'; '.join(rows)}."
    )


LAYERS = Card(P + "card_layers", "Belief by layer", HELP, _reads, layers_view, height=HEIGHT + 60)
