"""The posterior that a model's own answers imply, decoded from them by the tasks of a mixture that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.demonstrations import Demonstration
from core.errors import PromptTooLong
from core.outcome import Posterior
from core.posterior.decoding import DECODERS, condition, mixed, residual
from core.prompts import render
from core.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.pretraining.mixture import Mixture

Floats = NDArray[np.float64]
PROBES = 8
ILL_CONDITIONED = 1e3


def implicit_posterior(
    study: Study,
    model: LanguageModel,
    mixture: Mixture,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    *,
    stop: Callable[[], bool] | None = None,
) -> Posterior:
    """Find w_n on the simplex with q_n = P w_n, q_n the model's answers to probe inputs after n demonstrations.

    The probes are inputs on which the tasks still alive disagree, and the query where some task knows it; their
    candidate answers are the words that some task of the mixture could answer. `core.posterior.decoding` solves for w
    (METHODS §1: EM/KL, or least squares), with columns p(x_j, a | T, D_n) of the mixture, so that seeing x_j counts as
    evidence here as it does in exact Bayes. Decoding starts at what Bayes believes before it reads a label, P(T | the
    instruction and the inputs x_1 … x_n): groups of tasks that share no probe are not compared by any answer, and
    keep their total weight from there.

    `predictive` is Pw at the query, over the words that the tasks could answer. `residual` is the mean over probes of
    KL(q‖Pw); `condition` is that of P over the tasks that the inputs have not ruled out.

    Raises:
        PromptTooLong: not one probe fits after the demonstrations.
        Cancelled: `stop` said so.
    """
    pairs = [(d.input, d.label) for d in shown]
    probes = list(dict.fromkeys([*mixture.probes(pairs, PROBES), study.query]))
    prompts, probes = _prompts_that_fit(study, model, shown, probes)
    parts = mixture.components(pairs, probes, study.instruction)
    joint = np.asarray(parts.joint, dtype=np.float64)  # (k + 1, Q, F, A)
    q = answers_of(model, prompts, parts.answers, joint.shape[3], stop=stop)
    start = before_labels(mixture, [d.input for d in shown], study.instruction)
    weights = DECODERS[study.decoding](q, joint, start)
    conditions = condition(joint, start > 0)
    misfit = residual(q, joint, weights)
    return Posterior(
        kind="implicit",
        tasks=tuple(mixture.families),
        weights=weights,
        predictive=_at_query(study, joint, weights, probes, parts.answers, labels),
        residual=misfit,
        condition=conditions,
        note=_note(conditions, misfit),
    )


def answers_of(
    model: LanguageModel,
    prompts: Sequence[Sequence[tuple[str, str]]],
    answers: Sequence[Sequence[str]],
    width: int,
    *,
    stop: Callable[[], bool] | None = None,
) -> Floats:
    """q, (N, Q, width): the model's probability of each probe's candidate answers, summing to one over them.

    A word that the tokenizer writes as one token is read off p(next token | prompt); a longer one is scored as a
    whole, Π p(token | what came before), so both are probabilities of the word's text.

    Args:
        prompts: N rows of Q (text, gap) as `core.prompts.render` gives them.
        answers: for each probe its candidate words, at most `width`; the rest of the row is zero.
    """
    words = sorted({word for candidates in answers for word in candidates})
    single = _single_tokens(model, words)
    texts = [text for row in prompts for text, _ in row]
    logs = model.next_logprobs(texts, stop=stop).reshape(len(prompts), len(answers), -1)
    q = np.zeros((len(prompts), len(answers), width))
    long: list[tuple[int, int, int]] = []
    for j, candidates in enumerate(answers):
        short = [a for a, word in enumerate(candidates) if word in single]
        ids = [single[candidates[a]] for a in short]
        q[:, j, short] = np.exp(logs[:, j, ids].astype(np.float64))
        long += [(n, j, a) for n in range(len(prompts)) for a, word in enumerate(candidates) if word not in single]
    if long:
        scored = model.score([(prompts[n][j][0], prompts[n][j][1] + answers[j][a]) for n, j, a in long], stop=stop)
        for place, score in zip(long, scored, strict=True):
            q[place] = np.exp(float(score.logprobs.sum()))
    total = q.sum(2, keepdims=True)
    q = np.divide(q, total, out=np.zeros_like(q), where=total > 0)
    return q


def before_labels(mixture: Mixture, inputs: Sequence[str], instruction: str = "") -> Floats:
    """P(T | instruction, x_1 … x_n) for n = 0 … k, (k + 1, F): ∝ P(T | instruction) Π_{i ≤ n} p(x_i | T).

    Where no task could have written the inputs so far, the last row that was possible stands.
    """
    prior = np.asarray(mixture.posterior((), instruction)[0][0], dtype=np.float64)
    rows = [prior / prior.sum()]
    seen = list(dict.fromkeys(inputs))
    chance = mixture.components((), seen, instruction).joint[0].sum(2) if seen else np.zeros((0, prior.size))
    for text in inputs:
        row = rows[-1] * chance[seen.index(text)]
        rows.append(row / row.sum() if row.sum() > 0 else rows[-1])
    return np.stack(rows)


def _prompts_that_fit(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], probes: list[str]
) -> tuple[list[list[tuple[str, str]]], list[str]]:
    """(text, gap) for n = 0 … k and every probe whose longest prompt the model can read, and those probes."""
    longest = [render(tuple(shown), probe, study.template, study.instruction) for probe in probes]
    tokens = [len(model.encode(prompt.text + prompt.gap).ids) + 1 for prompt in longest]
    fitting = [probe for probe, count in zip(probes, tokens, strict=True) if count <= model.context_length]
    if not fitting:
        raise PromptTooLong(min(tokens, default=0), model.context_length, 0)
    prompts = []
    for n in range(len(shown) + 1):
        row = [render(tuple(shown[:n]), probe, study.template, study.instruction) for probe in fitting]
        prompts.append([(prompt.text, prompt.gap) for prompt in row])
    return prompts, fitting


def _single_tokens(model: LanguageModel, words: Sequence[str]) -> dict[str, int]:
    """The words that are one token wherever white space stands before them, with that token's id.

    The words are read in one go, "w1 w2 …"; a word counts when exactly one token ends inside it and spans it whole.
    """
    text = " ".join(words)
    encoding = model.encode(text)
    spans: dict[int, list[tuple[int, int]]] = {}
    starts = np.cumsum([0] + [len(word) + 1 for word in words])
    for token, start, end in zip(encoding.ids, encoding.starts, encoding.ends, strict=True):
        if end > start:
            spans.setdefault(int(np.searchsorted(starts, end - 1, side="right")) - 1, []).append((token, end - start))
    found = {}
    for place, pieces in spans.items():
        # byte-level tokenizers count the space before a word as part of its first token
        if len(pieces) == 1 and len(words[place]) <= pieces[0][1] <= len(words[place]) + 1:
            found[words[place]] = pieces[0][0]
    return found


def _at_query(
    study: Study,
    joint: Floats,
    weights: Floats,
    probes: Sequence[str],
    answers: Sequence[Sequence[str]],
    labels: Sequence[str],
) -> Floats | None:
    """Pw at the query over the labels, (k + 1, L); a label that no task gives has 0; None where no task knows it."""
    if study.query not in probes:
        return None
    j = probes.index(study.query)
    if not joint[:, j].any():
        return None
    fitted = mixed(joint[:, j : j + 1], weights)[:, 0]  # (k + 1, A)
    place = {word: a for a, word in enumerate(answers[j])}
    columns = [fitted[:, place[label]] if label in place else np.zeros(fitted.shape[0]) for label in labels]
    return np.stack(columns, axis=1) if columns else np.zeros((fitted.shape[0], 0))


def _note(conditions: Floats, misfit: Floats) -> str:
    said = []
    if (conditions > ILL_CONDITIONED).any():
        said.append(
            "Some tasks agree on every probe, so the answers cannot tell them apart and they share weight as the "
            "prior has it"
        )
    if misfit.max() > 0.5:
        said.append("a residual above 0.5 nats means that the answers are not a mixture of these tasks")
    return f"{'; '.join(said)}." if said else ""
