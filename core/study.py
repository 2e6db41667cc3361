"""A study: everything that decides a result, as one small frozen value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.demonstrations import Demonstration
from core.prompts import ARROW, Template

Dtype = Literal["float32", "bfloat16", "float16"]
Normalisation = Literal["sum", "token", "character", "byte"]
Similarity = Literal["cosine", "dot", "rbf"]
Span = Literal["demonstration", "label"]
Head = tuple[int, int]


class ModelChoice(BaseModel):
    """Which model to load, and how.

    Attributes:
        name: "embedded", a hub id, or a local folder.
        dtype: number format of the weights in memory.
        device: "cpu", "cuda", "cuda:1", "mps".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "embedded"
    dtype: Dtype = "float32"
    device: str = "cpu"


class Hypothesis(BaseModel):
    """A task that the user thinks the model may be doing, for the instruction posterior.

    Attributes:
        name: short name for the legend.
        instruction: I_T, put before x when p(y | I_T, x) is scored.
        prior: unnormalised P(T).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    instruction: str
    prior: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class Study(BaseModel):
    """What to do. Frozen and hashable; `model_dump_json` / `model_validate_json` round-trip it.

    Attributes:
        model: the language model.
        demonstrations: the hand-picked set, in the order given.
        pool: labelled examples that a selection strategy picks from.
        query: x, the input to be answered.
        gold: the right answer, where known.
        labels: candidate answers; empty means the distinct labels of the demonstrations and the pool, and on the
            embedded model also what each of its tasks would answer to the query.
        template, instruction: how the prompt is written.
        selection, k, selection_seed, encoder: which demonstrations are shown. `k` is not read when hand-picked.
        ordering, ordering_seed, probes: in which order. `probes` pool inputs are used by GlobalE and LocalE.
        scoring, normalisation: how an answer is scored.
        hypotheses, chained: for the instruction posterior.
        posteriors: which posteriors to compute ("exact", "implicit", "instruction").
        decoding: how the implicit posterior is found, "em" (least KL) or "least-squares".
        heads: heads whose mean attention is the attention kernel; empty means all heads of all layers.
        hidden_layer, similarity: the hidden-state kernel. Layer 0 is the embedding; negative counts from the last.
        span: which tokens of a demonstration the attention kernel reads.
        token_head: the head whose token-to-token attention is wanted, or None for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelChoice = ModelChoice()
    demonstrations: tuple[Demonstration, ...] = ()
    pool: tuple[Demonstration, ...] = ()
    query: str = ""
    gold: str | None = None
    labels: tuple[str, ...] = ()
    template: Template = ARROW
    instruction: str = ""

    selection: str = "hand-picked"
    k: Annotated[int, Field(ge=0, le=10_000)] = 4
    selection_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    encoder: str = "hidden"

    ordering: str = "given"
    ordering_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    probes: Annotated[int, Field(ge=1, le=1_000)] = 16

    scoring: str = "direct"
    normalisation: Normalisation = "sum"

    hypotheses: tuple[Hypothesis, ...] = ()
    chained: bool = False
    posteriors: tuple[Literal["exact", "implicit", "instruction"], ...] = ("exact", "implicit")
    decoding: Literal["em", "least-squares"] = "em"

    heads: tuple[Head, ...] = ()
    hidden_layer: int = -1
    similarity: Similarity = "cosine"
    span: Span = "demonstration"
    token_head: Head | None = None
