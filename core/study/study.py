"""A study: everything that decides a result, as one small frozen value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from core.study.demonstrations import Demonstration
from core.study.label_words import Words, one_word_each
from core.study.prompts import ARROW, Template
from core.study.value import Text, Value

Dtype = Literal["float32", "bfloat16", "float16"]
Normalisation = Literal["sum", "token", "character", "byte"]
Similarity = Literal["cosine", "dot", "rbf"]
Span = Literal["demonstration", "label"]
Pooling = Literal["max", "sum"]
Head = tuple[int, int]

FORMER_NAMES = {"candidates": "shortlist", "decoding": "posterior_solver"}
"""Fields as studies that were saved before called them, and what they are called now."""


class ModelChoice(Value):
    """Which model to load, and how.

    Attributes:
        name: "embedded", a hub id, or a local folder.
        dtype: number format of the weights in memory.
        device: "cpu", "cuda", "cuda:1", "mps".
    """

    name: Text = "embedded"
    dtype: Dtype = "float32"
    device: Text = "cpu"


class Hypothesis(Value):
    """A task that the user thinks the model may be doing, for the instruction posterior.

    Attributes:
        name: short name for the legend.
        instruction: I_T, put before x when p(y | I_T, x) is scored.
        prior: unnormalised P(T).
        words: (label, word) pairs: under this hypothesis p(word | I_T, x) is what p(label | x, T) means. A label that
            is not named is its own word. No two labels may share a word, or one would be counted as the other.
    """

    name: Text
    instruction: Text
    prior: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    words: Words = ()

    @field_validator("words")
    @classmethod
    def _one_word_each(cls, words: Words) -> Words:
        return one_word_each(words)

    def word(self, label: str) -> str:
        """What is scored for a label under this hypothesis."""
        return dict(self.words).get(label, label)


class TaskPrior(Value):
    """What the user holds of one task of the embedded mixture before any demonstration.

    Attributes:
        task: name of a family of the mixture.
        weight: unnormalised P'(T), on the scale of the mixture's own P(T), which tasks not named keep; 0 rules it out.
    """

    task: Text
    weight: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class Study(Value):
    """What to do. Frozen and hashable; `model_dump_json` / `model_validate_json` round-trip it.

    Attributes:
        model: the language model.
        demonstrations: the hand-picked set, in the order given.
        pool: labelled examples that a selection strategy picks from.
        questions: labelled examples held out to be asked, a set's test part. No run reads them; evaluations ask them.
        query: x, the input to be answered.
        gold: the right answer, where known.
        labels: candidate answers; empty means the distinct labels of the demonstrations and the pool, and on the
            embedded model also what each of its tasks would answer to the query.
        template, instruction: how the prompt is written.
        input_pattern: how inputs were written from their rows' fields, such as "{premise}\\nquestion: {hypothesis}";
            changed by `core.study.input_patterns.rewritten`, which writes the inputs anew. No run reads it.
        selection, k, selection_seed, encoder: which demonstrations are shown. `k` is not read when hand-picked.
        shortlist: rows of the pool that a selection looks at closely, where it cannot afford them all.
        mmr_lambda: what nearness to the query counts in MMR; the rest is for being unlike those chosen.
        neighbours: inputs that each input votes for in vote-k.
        organisations, selection_probes: sets that MDL and mutual information try, and the inputs they try them on.
        validation: labelled rows of the pool that influence and active selection hold out to measure on.
        concept_tokens: tokens that stand for the task in latent concept.
        shots: the first so many of the demonstrations are shown, in the order in which all would be: 0 is zero-shot.
            None shows all. It acts last: a selection picks its k and an ordering orders them as ever, and candidate
            labels are those of all.
        ordering, ordering_seed, probes: in which order. `probes` pool inputs are used by GlobalE and LocalE, or with
            `probe_source` "model" inputs that the model itself writes.
        scoring, normalisation: how an answer is scored. `premise` is what PMI compares with, empty for the template's
            label prefix; `label_prior` is the channel's P(y), even or as frequent as among the demonstrations shown.
        calibration, calibration_seed: what the answer is divided by (`core.scoring.calibration`).
        reasoning: what the model writes before it answers (`core.reasoning`).
        open_ended: whether the model also writes an answer of its own, the likeliest token at each step, besides what
            it gives the candidates.
        matching: when what was written counts as the right answer (`core.reasoning.matching`).
        longest: tokens at most that the model writes at a stage.
        hypotheses, chained: for the instruction posterior.
        prior: the user's own prior for exact Bayes; tasks not named keep the mixture's. Empty is the mixture's.
        posteriors: which posteriors to compute ("exact", "implicit", "instruction").
        posterior_solver: how the implicit posterior is found, "em" (least KL) or "least-squares".
        heads: heads whose mean attention is the attention kernel; empty means all heads of all layers.
        hidden_layer, similarity: the hidden-state kernel. Layer 0 is the embedding; negative counts from the last.
        bandwidth: width of an RBF kernel as a multiple of the median distance.
        span, pooling: which tokens of a demonstration the attention kernel reads, and whether it takes the largest
            weight on them or the sum.
        token_head: the head whose token-to-token attention is wanted, or None for none.
    """

    model: ModelChoice = ModelChoice()
    demonstrations: tuple[Demonstration, ...] = ()
    pool: tuple[Demonstration, ...] = ()
    questions: tuple[Demonstration, ...] = ()
    query: Text = ""
    gold: Text | None = None
    labels: tuple[Text, ...] = ()
    template: Template = ARROW
    instruction: Text = ""
    input_pattern: Text = ""

    selection: Text = "hand-picked"
    k: Annotated[int, Field(ge=0, le=10_000)] = 4
    selection_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    encoder: Text = "hidden"
    shortlist: Annotated[int, Field(ge=1, le=10_000)] = 100
    mmr_lambda: Annotated[float, Field(ge=0, le=1)] = 0.5
    neighbours: Annotated[int, Field(ge=1, le=10_000)] = 150
    organisations: Annotated[int, Field(ge=1, le=1_000)] = 10
    selection_probes: Annotated[int, Field(ge=1, le=1_000)] = 64
    validation: Annotated[int, Field(ge=1, le=1_000)] = 16
    concept_tokens: Annotated[int, Field(ge=1, le=100)] = 10

    shots: Annotated[int, Field(ge=0, le=10_000)] | None = None
    ordering: Text = "given"
    ordering_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    probes: Annotated[int, Field(ge=1, le=1_000)] = 16
    probe_source: Literal["pool", "model"] = "pool"

    scoring: Text = "direct"
    normalisation: Normalisation = "sum"
    premise: Text = ""
    label_prior: Literal["even", "shown"] = "even"
    calibration: Text = "none"
    calibration_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    reasoning: Text = "none"
    open_ended: bool = False
    matching: Literal["exact", "squad"] = "exact"
    longest: Annotated[int, Field(ge=1, le=2_000)] = 64

    hypotheses: tuple[Hypothesis, ...] = ()
    chained: bool = False
    prior: tuple[TaskPrior, ...] = ()
    posteriors: tuple[Literal["exact", "implicit", "instruction"], ...] = ("exact", "implicit")
    posterior_solver: Literal["em", "least-squares"] = "em"

    heads: tuple[Head, ...] = ()
    hidden_layer: int = -1
    similarity: Similarity = "cosine"
    bandwidth: Annotated[float, Field(gt=0, le=100)] = 1.0
    span: Span = "demonstration"
    pooling: Pooling = "max"
    token_head: Head | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_present_names(cls, given: Any) -> Any:
        """A study saved under former names of its fields; one that gives both names is refused."""
        if not isinstance(given, dict):
            return given
        names = {former: name for former, name in FORMER_NAMES.items() if name not in given}
        return {names.get(field, field): value for field, value in given.items()}

    @field_validator("prior")
    @classmethod
    def _each_task_once(cls, prior: tuple[TaskPrior, ...]) -> tuple[TaskPrior, ...]:
        if len({entry.task for entry in prior}) < len(prior):
            raise ValueError("each task can have one prior")
        return prior
