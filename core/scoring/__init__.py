"""From a prompt to a distribution over labels: one scorer a file; each file registers itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop
from core.runtime.registry import Entry, Registry
from core.statistics.distributions import log_softmax, softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.prompts import Prompt
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair

Floats = NDArray[np.float64]
Score = Callable[[Study, "LanguageModel", Sequence[Demonstration], Sequence[str], Stop | None], Answer]

Direction = Literal["forward", "channel"]
"""What is scored given what: "forward" is p(y | x, D), "channel" p(x | y, D)."""
Pairs = Callable[[Study, Prompt, Sequence[Demonstration], Sequence[str]], "Sequence[Pair]"]
"""(study, prompt, shown, labels) -> what `LanguageModel.score` is asked first: (text before, text scored). Where a
token joins the two, `score_alike` asks again."""
Length = Callable[[Study, ScoredText], tuple[int, str]]
"""(study, text scored) -> what its Σ log p is divided by, and the unit counted: "tokens", …; (1, "") for nothing."""


def undivided(study: Study, text: ScoredText) -> tuple[int, str]:
    """A sum over the text's tokens."""
    return 1, ""


def per_token(study: Study, text: ScoredText) -> tuple[int, str]:
    """A mean over the text's tokens."""
    return max(1, len(text.logprobs)), "tokens"


def _never(study: Study) -> bool:
    return False


def _no_notes(study: Study, answer: Answer) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Scorer(Entry[Score]):
    """A scorer, and what other code asks of it. score = (Σ log p of its first text − Σ of the others) / length.

    Attributes:
        pairs: all that it asks the model for before it has seen an answer: the first text of every label, in the order
            of the labels, then every label's second, …. So a prompt's length is known, and what follows the study's
            own prompt shares the pass of those who ask for more of it.
        direction: what is scored given what; exact Bayes answers in the same direction.
        texts: in words, what each text of a label is and what it is scored after.
        length: what the sum is divided by.
        logprob: whether exp(score) is a probability, which is then what a calibration averages and divides; elsewhere
            it takes the probability over the candidates. A study's settings may decide it.
        sharpened: True where probabilities are softmax(N̄ · score), N̄ the mean number of tokens over the candidates
            (`posterior_of_means`), False where they are softmax(score).
        adds: in words, what it adds after the division; "" where nothing is.
        notes: what a reader must know of an answer of it, one sentence each.
    """

    _: KW_ONLY
    pairs: Pairs
    direction: Direction = "forward"
    texts: tuple[str, ...] = ()
    length: Length = undivided
    logprob: Callable[[Study], bool] = _never
    sharpened: bool = False
    adds: str = ""
    notes: Callable[[Study, Answer], Iterable[str]] = _no_notes


scorers = Registry("scoring", Scorer, __name__, plain="direct")


def scorer_of(direction: Direction) -> str:
    """The first scorer of the menu in this direction."""
    return next(entry.name for entry in scorers if entry.direction == direction)


def posterior_of_means(means: Floats, counts: Floats) -> Floats:
    """softmax(N̄ · mean), N̄ the average number of scored tokens over the candidates.

    A mean log-probability per token is a tempered score: its own softmax is almost flat on a long text. Times one
    common N̄ it keeps the ranking, and where every candidate has the same number of tokens it is the softmax of joint
    log-probabilities, which is what Bayes's rule with a uniform prior asks for.

    Args:
        means: (L,) log-probability per token, nats.
        counts: (L,) tokens behind each.
    """
    return softmax(means * float(np.mean(counts)))


def sharpness(study: Study, answer: Answer) -> float:
    """What scores are multiplied with before the softmax: N̄ of `posterior_of_means`, 1 for a scorer without it."""
    if answer.bias is not None or not scorers.find(study.scoring).sharpened:
        return 1.0
    return float(np.mean([max(1, len(text.logprobs)) for text in answer.scored]))


def log_shares(study: Study, answer: Answer) -> Floats:
    """log of the answer's probabilities over the candidates, (L,) nats, where these themselves are too small to hold.

    Twenty tokens of one nat each are e⁻²⁰, and forty of twenty nats are zero in float64: what is divided, averaged or
    taken the logarithm of is kept as a logarithm.
    """
    return log_softmax(sharpness(study, answer) * answer.scores)
