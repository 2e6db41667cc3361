"""The duplicate probe: say something twice, and see whether the model takes it for more evidence.

A kernel's normalised weights do not change when the whole set of demonstrations is doubled, so kernel regression
answers as before. A posterior takes the copies for further draws and sharpens: log P(T|D,D) has each demonstration's
evidence twice. Which of the two does the model do?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.ordering import as_they_stand
from core.pipeline.run import run
from core.posterior.comparing import FLOORS
from core.runtime.progress import Stop, check, part
from core.statistics.distributions import softmax
from core.statistics.divergences import divergence, total_variation
from core.study.demonstrations import Demonstration
from core.study.outcome import Outcome
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
COUNTS = np.linspace(0.0, 4.0, 401)  # how often the set may count
TELLING = 0.02  # total variation between two predictions below which no answer can tell them apart


@dataclass(frozen=True)
class KernelTwice:
    """A kernel before and after.

    Attributes:
        name: of the kernel.
        before: (n,) K_i / ΣK of the demonstrations as shown.
        after: (n,) the same in the doubled prompt, the copies of a demonstration added up.
        answer: (L,) ŷ as shown.
        predicted: (L,) what kernel regression with unchanged K says of the doubled prompt,
            Σ_i c_i K_i e(y_i) / Σ_i c_i K_i with c_i how often i is shown: ŷ again where the whole set is doubled.
        measured: (L,) ŷ with the weights that the doubled prompt really has.
    """

    name: str
    before: Floats
    after: Floats
    answer: Floats
    predicted: Floats
    measured: Floats


@dataclass(frozen=True)
class PosteriorTwice:
    """A posterior before and after.

    Attributes:
        kind: "exact", "implicit" or "instruction".
        tasks: (T,).
        before, after: (T,) with the set as shown, and with the doubled one.
        counts: how often what was doubled counts in `after`, by `effective_count`: 1 as in a kernel, 2 as in Bayes's
            rule; NaN where that cannot be said.
    """

    kind: str
    tasks: tuple[str, ...]
    before: Floats
    after: Floats
    counts: float


@dataclass(frozen=True)
class DuplicateProbe:
    """What came of saying it twice.

    Attributes:
        which: place of the demonstration that was doubled, or None for the whole set.
        times: (n,) how often each demonstration is shown in the doubled prompt.
        labels: (L,).
        before, after: (L,) the model's answers.
        bayes_before, bayes_after: (L,) the posterior predictive, normalised over the labels: exact Bayes, or of the
            written hypotheses where the mixture is unknown; None where there is neither.
        kernels, posteriors: by name.
    """

    which: int | None
    times: tuple[int, ...]
    labels: tuple[str, ...]
    before: Floats
    after: Floats
    bayes_before: Floats | None
    bayes_after: Floats | None
    kernels: dict[str, KernelTwice]
    posteriors: dict[str, PosteriorTwice]

    @property
    def moved(self) -> float:
        """Total variation between the model's two answers."""
        return float(total_variation(self.before, self.after))

    def kernel_change(self, name: str) -> Floats:
        """(L,) by how much this kernel says that the answer moves; zero where the whole set is doubled."""
        change: Floats = self.kernels[name].predicted - self.kernels[name].answer
        return change

    def bayes_change(self) -> Floats | None:
        """(L,) by how much Bayes's rule says that the answer moves."""
        if self.bayes_before is None or self.bayes_after is None:
            return None
        change: Floats = self.bayes_after - self.bayes_before
        return change

    def distance(self, change: Floats) -> float:
        """½ Σ |(after − before) − change|: how far the model is from moving as an explanation says.

        Changes are compared, not answers: a kernel can only answer with labels that it was shown, so that its ŷ may be
        far from the model's answer before anything is doubled.
        """
        return float(0.5 * np.abs(self.after - self.before - change).sum())

    def follows(self, name: str) -> str:
        """ "kernel" or "posterior", whichever the model's change is nearer to; "neither can be told" where both say
        nearly the same, and "" without a posterior."""
        kernel, bayes = self.kernel_change(name), self.bayes_change()
        if bayes is None:
            return ""
        if 0.5 * np.abs(kernel - bayes).sum() < TELLING:
            return "neither can be told"
        return "kernel" if self.distance(kernel) < self.distance(bayes) else "posterior"


def duplicate_probe(
    study: Study,
    model: LanguageModel,
    outcome: Outcome,
    which: int | None = None,
    *,
    stop: Stop | None = None,
) -> DuplicateProbe:
    """Run the study again with one demonstration, or all of them, shown twice.

    A copy of one demonstration stands right behind it; copies of the whole set stand behind the set, in the same
    order. Candidates, strategies' choice and everything else stay as they were.

    Args:
        outcome: what `run(study, model)` gave.
        which: place among the demonstrations shown, or None for all of them.

    Raises:
        StudyError: no demonstration is shown, or none has this place.
        PromptTooLong: the doubled prompt does not fit the model's context.
        Cancelled: `stop` said so.
    """
    shown = outcome.demonstrations
    if not shown:
        raise StudyError("There is no demonstration to double.")
    if which is not None and not 0 <= which < len(shown):
        raise StudyError(f"There is no demonstration in place {which + 1}: {len(shown)} are shown.")
    check(stop)
    places = doubled(len(shown), which)
    with part(0.0, 1.0):
        again = run(frozen(study, [shown[i] for i in places], outcome.answer.labels), model, stop=stop)
    times = np.bincount(places, minlength=len(shown))
    return DuplicateProbe(
        which,
        tuple(int(c) for c in times),
        outcome.answer.labels,
        outcome.answer.probabilities,
        again.answer.probabilities,
        *_bayes(outcome, again),
        _kernels(outcome, again, places, times),
        _posteriors(outcome, again, which),
    )


def doubled(n: int, which: int | None) -> list[int]:
    """Places of the doubled prompt's demonstrations among the n shown."""
    if which is None:
        return [*range(n), *range(n)]
    return [*range(which + 1), *range(which, n)]


def frozen(study: Study, shown: Sequence[Demonstration], labels: Sequence[str]) -> Study:
    """The study with just these demonstrations in just this order, and these candidates."""
    return as_they_stand(study, shown).model_copy(update={"labels": tuple(labels), "token_head": None})


def effective_count(before: Floats, after: Floats, log_evidence: Floats) -> float:
    """The c in [0, 4] for which w_c(T) ∝ before(T) · exp((c − 1) · log_evidence(T)) is nearest to `after` in KL.

    With log_evidence(T) what was doubled says of T, c = 1 is `before` and c = 2 is Bayes's rule. NaN where those two
    differ by less than .02 in total variation: nothing can be read off then.

    Args:
        before, after: (T,) distributions.
        log_evidence: (T,) nats, up to a constant.
    """
    with np.errstate(divide="ignore"):
        candidates = softmax(np.log(before) + (COUNTS[:, None] - 1) * log_evidence)
    once, twice = (candidates[int(np.argmin(np.abs(COUNTS - c)))] for c in (1.0, 2.0))
    if total_variation(once, twice) < TELLING:
        return float("nan")
    # The usual smoothing of 1e-6 would decide between candidates where one task holds all but a few millionths.
    return float(COUNTS[int(np.argmin(divergence(after[None], candidates, smoothing=1e-15)))])


def _bayes(outcome: Outcome, again: Outcome) -> tuple[Floats | None, Floats | None]:
    """The posterior predictive over the labels before and after."""
    if outcome.bayes is not None and again.bayes is not None:
        return outcome.bayes.probabilities, again.bayes.probabilities
    rows = []
    for one in (outcome, again):
        written = one.posteriors.get("instruction")
        if written is None or written.predictive is None or not written.predictive[-1].sum() > 0:
            return None, None
        rows.append(written.predictive[-1] / written.predictive[-1].sum())
    return rows[0], rows[1]


def _kernels(
    outcome: Outcome, again: Outcome, places: Sequence[int], times: NDArray[np.intp]
) -> dict[str, KernelTwice]:
    labels = outcome.answer.labels
    given = [[row.label.strip() == label.strip() for label in labels] for row in outcome.demonstrations]
    onehot = np.array(given, dtype=np.float64).reshape(len(given), len(labels))
    found = {}
    for name, kernel in outcome.kernels.items():
        other = again.kernels.get(name)
        if other is None:
            continue
        total = float(times @ kernel.raw)
        after = np.bincount(places, other.normalised, minlength=len(times)).astype(np.float64)
        predicted = (times * kernel.raw) @ onehot / total if kernel.normalised.any() and total else kernel.predictive
        found[name] = KernelTwice(name, kernel.normalised, after, kernel.predictive, predicted, other.predictive)
    return found


def _posteriors(outcome: Outcome, again: Outcome, which: int | None) -> dict[str, PosteriorTwice]:
    found = {}
    for kind, posterior in outcome.posteriors.items():
        after = again.posteriors[kind].weights[-1]
        logs = np.log(np.maximum(posterior.weights, FLOORS[kind]))
        said = logs[-1] - logs[0] if which is None else logs[which + 1] - logs[which]
        before = posterior.weights[-1]
        counts = effective_count(before, after, said)
        found[kind] = PosteriorTwice(kind, posterior.tasks, before, after, counts)
    return found
