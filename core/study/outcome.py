"""An outcome: what came out of a study, as named arrays with stated shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from core.runtime.cost import NOTHING, Cost
from core.study.demonstrations import Demonstration
from core.study.prompts import Prompt
from core.study.study import Study

if TYPE_CHECKING:
    from core.study.reasoned import Reasoned, Written

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """Which demonstrations are shown, in order.

    Attributes:
        source: where the indices point.
        indices: (n,) places in `study.demonstrations`, `study.pool` or `generated`, in the order shown.
        scores: what the selection strategy gave every candidate of the source, (N,), or None where it ranks nothing.
        order_scores: for entropy orders, (permutations tried,) their entropies in nats; else None.
        generated: demonstrations that the model wrote itself, where the strategy is one that has it write them.
        notes: what a reader must know of the choice, one sentence each.
        cost: what the choice cost this time; inputs that were embedded before cost nothing.
        learned: what went into learning what the choice rests on, this time or before; kept since.
        left_out: places chosen and ordered as well, but not shown, since `study.shots` is fewer; in order.
        taken: all places chosen, in the order in which the strategy took them; as they stand where it takes a set.
    """

    source: Literal["demonstrations", "pool", "generated"]
    indices: tuple[int, ...]
    scores: Floats | None = None
    order_scores: Floats | None = None
    generated: tuple[Demonstration, ...] = ()
    notes: tuple[str, ...] = ()
    cost: Cost = NOTHING
    learned: Cost = NOTHING
    left_out: tuple[int, ...] = ()
    taken: tuple[int, ...] = ()


@dataclass(frozen=True)
class ScoredText:
    """The tokens that were scored for one label, and the log-probability of each, in nats."""

    text: str
    tokens: tuple[str, ...]
    logprobs: Floats  # (tokens,)


@dataclass(frozen=True)
class Answer:
    """A distribution over the candidate labels.

    Attributes:
        labels: (L,) candidates.
        scores: (L,) what the scorer gave each, higher is better.
        probabilities: (L,) softmax of scores for log-probability scorers; they sum to one over the candidates.
        outside: probability mass on anything but the candidates where that is known, else None.
        scored: the tokens behind each score; empty for exact Bayes.
        bias: (L,) what a calibration divided by, else None.
    """

    labels: tuple[str, ...]
    scores: Floats
    probabilities: Floats
    outside: float | None = None
    scored: tuple[ScoredText, ...] = ()
    bias: Floats | None = None

    @property
    def best(self) -> str:
        """The label with the highest score; ties go to the lowest index."""
        return self.labels[int(np.argmax(self.scores))]


@dataclass(frozen=True)
class Posterior:
    """P(T | first n demonstrations) for n = 0 … k.

    Attributes:
        kind: how it came about.
        tasks: (T,) names, in an order that does not depend on the data.
        weights: (k + 1, T), every row sums to one; row 0 is the prior.
        log_evidence: (k + 1,) log P(D_n) in nats, where it is defined.
        predictive: (k + 1, L) p(y | x, D_n) of this posterior over the outcome's labels, where it is defined.
        residual: (k + 1,) KL(q‖Pw) in nats that no mixture explains; implicit only.
        condition: (k + 1,) condition number of P; implicit only.
        reach: (k + 1,) how sure it is, in radians: exact Bayes's value of a bar is held by
            `core.statistics.intervals.around` (`core.posterior.interval`); implicit only, where it is calibrated.
        note: one sentence on what the reader must know, or "".
    """

    kind: Literal["exact", "implicit", "instruction"]
    tasks: tuple[str, ...]
    weights: Floats
    log_evidence: Floats | None = None
    predictive: Floats | None = None
    residual: Floats | None = None
    condition: Floats | None = None
    reach: Floats | None = None
    note: str = ""


@dataclass(frozen=True)
class MixtureFit:
    """Which parts of a prompt no task of a known mixture explains.

    Attributes:
        k: how many demonstrations are shown.
        labels: 0-based places of demonstrations whose label no task gives, in order.
        inputs: 0-based places of demonstrations whose input no task writes, in order; none of them is in `labels`.
        query: whether no task writes the query.
        chance: probability that a document of the mixture has as much or more that no task explains, in (0, 1].
    """

    k: int
    labels: tuple[int, ...]
    inputs: tuple[int, ...]
    query: bool
    chance: float

    ODD: ClassVar[float] = 0.01  # chance from which on a prompt is said not to fit

    @property
    def fits(self) -> bool:
        """Whether the mixture writes such prompts more often than once in a hundred."""
        return self.chance > self.ODD


@dataclass(frozen=True)
class Kernel:
    """Weights of the demonstrations in the answer, read as kernel regression.

    Attributes:
        name: "attention", "hidden", "exact".
        detail: which heads, layer, similarity: one short line for the axis.
        raw: (n,) K(x, x_i).
        normalised: (n,) raw / Σ raw, or zeros where that sum is zero.
        predictive: (L,) ŷ = Σ_i e(y_i) K_i / Σ_i K_i over the outcome's labels.
        best: argmax ŷ, or None where there is no demonstration.
        note: one sentence where the weights mean less than they seem to, or "".
    """

    name: str
    detail: str
    raw: Floats
    normalised: Floats
    predictive: Floats
    best: str | None
    note: str = ""


@dataclass(frozen=True)
class Attention:
    """Attention from the last prompt token, pooled by span, and one head's tokens.

    Attributes:
        spans: (S,) names: "start" (the first token, on a model that puts no start token in front: whatever stands
            there draws attention), "instruction" (when there is one), "1" … "n", "query".
        pooled: (layers, heads, S) summed attention; a row sums to one minus what falls outside every span. A
            demonstration reaches from its input up to the next one.
        maxima: (layers, heads, n) largest weight inside each demonstration (Han et al. 2023).
        label_maxima: (layers, heads, n) the same over the label's tokens alone.
        tokens: (t,) the prompt's tokens as text.
        token_starts: (t,) character offset of each token in the prompt.
        token_spans: (t,) place in `spans` of the span that each token counts to, −1 for none.
        head: the head of `map`, or None.
        map: (t, t) float32 attention of that head, rows are "from", or None.
    """

    spans: tuple[str, ...]
    pooled: Floats
    maxima: Floats
    label_maxima: Floats
    tokens: tuple[str, ...]
    token_starts: tuple[int, ...]
    token_spans: tuple[int, ...]
    head: tuple[int, int] | None = None
    map: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Outcome:
    """What came out of `run(study, model)`.

    Attributes:
        study: what went in.
        model: name of the model; `fingerprint` is a SHA-256 over its weights' file, first 12 hex digits.
        chosen: the stages' choice of demonstrations.
        demonstrations: (n,) as shown, in order.
        prompt: the rendered prompt with spans.
        answer: the model's, by the study's scorer.
        bayes: exact Bayes's, where the mixture is known, else None.
        fit: what no task of the mixture explains, where the mixture is known, else None.
        posteriors, kernels: by name.
        attention: None where the model gives none.
        reasoning: what the model wrote before its answer; None where it wrote nothing. `prompt` then holds its
            rationale, and answer, attention and kernels are read after it.
        written: the answer in the model's own words, where the study reasons or is open-ended.
        labels_found: how many labels there were for the answer to be one of; more than it has where the study names
            none and some were left out.
        notes: one sentence each, things the reader must know (misspecified posterior, unknown words, …).
        timings: seconds by stage.
    """

    study: Study
    model: str
    fingerprint: str
    chosen: Chosen
    demonstrations: tuple[Demonstration, ...]
    prompt: Prompt
    answer: Answer
    bayes: Answer | None
    posteriors: dict[str, Posterior]
    kernels: dict[str, Kernel]
    attention: Attention | None
    reasoning: Reasoned | None = None
    written: Written | None = None
    fit: MixtureFit | None = None
    labels_found: int = 0
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
