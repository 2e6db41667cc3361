"""Instructions ranked by likelihood (APE, Zhou et al. 2023): candidates, and what each does to the right answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError, Unavailable
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import EvaluationQuestion
from core.runtime.progress import Stop, check, counting, part
from core.statistics.curves import curve_of
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.study import Study
from core.study.verbalisers import as_words

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
EXAMPLES, LONGEST = 5, 40  # demonstrations in a proposal prompt, and tokens of what is proposed
TEMPERATURE = 0.9  # as APE's forward mode samples
EVALUATED = 0.6  # share of the work that accuracy takes; likelihood takes the rest


@dataclass(frozen=True)
class Ranking:
    """C instructions on the same N questions, likeliest first.

    Attributes:
        instructions: (C,), "" for none.
        sources: (C,) where each came from.
        logprob: (C, N) log p(gold | instruction, D, x) in nats, summed over the answer's tokens.
        right: (C, N) whether the study's own scorer answers gold.
        accuracy: (C,), interval: (C, 2) Wilson's 95 %.
        questions: (N,).
        shots: how many demonstrations stood in the prompts, at most.
    """

    instructions: tuple[str, ...]
    sources: tuple[str, ...]
    logprob: Floats
    right: NDArray[np.bool_]
    accuracy: Floats
    interval: Floats
    questions: tuple[EvaluationQuestion, ...]
    shots: int

    @property
    def mean(self) -> Floats:
        """(C,) mean log-likelihood of the right answers, nats per question: what ranks."""
        means: Floats = self.logprob.mean(axis=1)
        return means

    @property
    def mean_interval(self) -> Floats:
        """(C, 2) mean ± t_{N−1} s/√N, 95 % for the mean over all such questions; NaN for one question, and where all
        are alike: of nats there is no most."""
        return _interval(self.logprob)

    @property
    def gain_interval(self) -> Floats:
        """(C, 2) the same of the difference from no instruction, question by question; NaN where none was tried."""
        if "" not in self.instructions:
            return np.full((len(self.instructions), 2), np.nan)
        return _interval(self.logprob - self.logprob[self.instructions.index("")])


def _interval(values: Floats) -> Floats:
    """(C, N) -> (C, 2) of every row's mean."""
    found = curve_of("", values.T)
    return np.stack([found.low, found.high], axis=1)


def rank_instructions(
    study: Study,
    model: LanguageModel,
    candidates: Sequence[tuple[str, str]],
    questions: Sequence[EvaluationQuestion],
    *,
    shots: int | None = None,
    stop: Stop | None = None,
) -> Ranking:
    """Score every instruction by mean log p(gold | instruction, D, x) over the questions (Zhou et al. 2023, §2.2).

    The likelihood is that of the right answer's word after the forward prompt, whatever the study's scorer; accuracy is
    by the study's scorer and calibration. Ties go to the one given first.

    Args:
        candidates: (instruction, source) pairs; of equal instructions the first counts. "" is no instruction.
        questions: N.
        shots: demonstrations in the prompts, 0 for the instruction alone as in the paper; None for the study's own.

    Raises:
        StudyError: no candidate, or what `evaluate` raises.
        PromptTooLong, Cancelled: as `evaluate`.
    """
    tried: dict[str, str] = {}
    for instruction, source in candidates:
        tried.setdefault(" ".join(instruction.split()), source)
    if not tried:
        raise StudyError("There is no instruction to rank; type one a line, or choose another source.")
    changes = {} if shots is None else {"shots": shots}
    base = tidied(study).model_copy(update=changes)
    studies = [base.model_copy(update={"instruction": text}) for text in tried]
    with part(0.0, EVALUATED):
        found = evaluate(studies, model, questions, stop=stop)
    logprob = np.empty((len(studies), len(questions)))
    with part(EVALUATED, 1.0), counting(len(studies), "instructions") as advance:
        for place, (one, shown) in enumerate(zip(studies, found.shown, strict=True)):
            check(stop)
            logprob[place] = likelihoods(one, model, shown, questions, stop)
            advance(place + 1)
    order = np.argsort(-np.round(logprob.mean(axis=1), 9), kind="stable")
    texts, sources = tuple(tried), tuple(tried.values())
    return Ranking(
        instructions=tuple(texts[i] for i in order),
        sources=tuple(sources[i] for i in order),
        logprob=logprob[order],
        right=found.right[order],
        accuracy=found.accuracy[order],
        interval=found.interval[order],
        questions=tuple(questions),
        shots=max((len(rows) for row in found.shown for rows in row), default=0),
    )


def likelihoods(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Sequence[Demonstration]],
    questions: Sequence[EvaluationQuestion],
    stop: Stop | None = None,
) -> Floats:
    """log p(gold | instruction, D, x) of every question in nats, (N,), all in one call."""
    pairs = []
    for rows, question in zip(shown, questions, strict=True):
        prompt = render(rows, question.input, study.template, study.instruction)
        pairs.append((prompt.text, prompt.gap + study.template.word(question.gold)))
    return np.array([float(np.sum(one.logprobs)) for one in model.score(pairs, stop=stop)], dtype=np.float64)


def mixture_instructions(model: LanguageModel) -> tuple[str, ...]:
    """Every instruction that the embedded model's pretraining documents open with; none for another model."""
    return () if model.mixture is None else tuple(text for text in model.mixture.distinct_instructions if text.strip())


def proposal_prompt(rows: Sequence[Demonstration]) -> str:
    """APE's forward prompt: pairs, and a sentence that breaks off where the instruction should come."""
    pairs = "\n\n".join(f"Input: {row.input}\nOutput: {row.label}" for row in rows)
    return (
        "I gave a friend an instruction and some inputs. The friend read the instruction and wrote an output for every "
        f"one of the inputs. Here are the input-output pairs:\n\n{pairs}\n\nThe instruction was to"
    )


def generated(
    study: Study, model: LanguageModel, count: int, *, seed: int = 0, stop: Stop | None = None
) -> tuple[str, ...]:
    """Up to `count` distinct instructions that the model writes after up to five demonstrations, drawn for each anew.

    Drawn at temperature 0.9 from APE's forward prompt; the demonstrations are the table's, else the pool's, labels as
    the template writes them. What comes out blank, or repeats, is left out.

    Raises:
        Unavailable: the embedded model, whose vocabulary has no such sentences.
        StudyError: there is no demonstration to show.
        PromptTooLong, Cancelled: as `generate`.
    """
    from core.models.generation import generate  # late: loads torch

    if model.mixture is not None:
        raise Unavailable(
            "The embedded model cannot write instructions: it was trained on its mixture's documents alone. Load a "
            "model from disk, or rank the mixture's own instructions."
        )
    rows = [row for row in study.demonstrations if usable(row)] or [row for row in study.pool if usable(row)]
    if not rows:
        raise StudyError("There is no demonstration to propose an instruction from; add some, or type instructions.")
    rng = np.random.default_rng([seed, 3])
    prompts = []
    for _ in range(count):
        drawn = rng.permutation(len(rows))[:EXAMPLES]
        prompts.append(proposal_prompt(as_words(study.template, (rows[i] for i in drawn))))
    written = generate(model, prompts, until=("\n", "."), most=LONGEST, temperature=TEMPERATURE, seed=seed, stop=stop)
    return tuple(dict.fromkeys(text for one in written if (text := _sentence(one.text))))


def _sentence(text: str) -> str:
    """What stands after "The instruction was to", as an instruction of its own."""
    line = " ".join(text.split()).strip(" \"'“”.:,")
    return line[:1].upper() + line[1:] + "." if line else ""


def ranking_records(found: Ranking) -> list[dict[str, Any]]:
    """A row an instruction, likeliest first."""
    gains = found.gain_interval
    return [
        {
            "instruction": text,
            "source": found.sources[i],
            "mean_log_likelihood": float(found.mean[i]),
            "low": float(found.mean_interval[i, 0]),
            "high": float(found.mean_interval[i, 1]),
            "gain_low": float(gains[i, 0]),
            "gain_high": float(gains[i, 1]),
            "accuracy": float(found.accuracy[i]),
            "accuracy_low": float(found.interval[i, 0]),
            "accuracy_high": float(found.interval[i, 1]),
            "questions": len(found.questions),
            "shots": found.shots,
        }
        for i, text in enumerate(found.instructions)
    ]
