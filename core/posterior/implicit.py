"""The posterior that a model's own answers imply, decoded from them by the tasks of a mixture that is known."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
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
EARLY = 2  # for n up to this, the inputs shown are probes too: they tell domains apart that share them
RARE = 1e-3  # candidates of several tokens below this are not scored
HELD = 0.01  # weight from which a task counts for the condition number
ILL_CONDITIONED = 1e3


@dataclass(frozen=True)
class Evidence:
    """What the model answered and what each task would have, for some numbers of demonstrations.

    Attributes:
        q: (N, Q, A) the model's, `joint`: (N, Q, F, A) the mixture's p(x_j, a | T, D_n).
        probes: (Q,) inputs; `answers`: what the columns of each probe are. A column after those is any other text.
    """

    q: Floats
    joint: Floats
    probes: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]


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

    The probes are inputs on which the tasks still alive disagree, and the query; for the first few n also the first
    inputs shown, which the domains that are still possible have in common. Their candidate answers are the words that
    some task of the mixture could answer, and "anything else". `core.posterior.decoding` solves for w (METHODS §1:
    EM/KL, or least squares), with columns p(x_j, a | T, D_n) of the mixture, so that seeing x_j counts as evidence here
    as it does in exact Bayes. Its prior is what Bayes believes before it reads a label, P(T | the instruction and the
    inputs x_1 … x_n): tasks that share no probe are not compared by any answer, and keep their weight from there.

    `predictive` is Pw at the query. `residual` is the mean over probes of KL(q‖Pw); `condition` is that of P over the
    tasks that hold a hundredth of the weight or more: those that the probes confuse share weight, and so are among
    them.

    Raises:
        PromptTooLong: not one probe fits after the demonstrations.
        Cancelled: `stop` said so.
    """
    inputs = [d.input for d in shown]
    pairs = [(d.input, d.label) for d in shown]
    probes = dict.fromkeys([*mixture.probes(pairs, PROBES), study.query])
    first = dict.fromkeys([*probes, *inputs[:EARLY]])
    split = min(EARLY + 1, len(shown) + 1)
    before = before_labels(mixture, inputs, study.instruction)
    parts = [gather(study, model, mixture, shown[: split - 1], tuple(first), before[:split], stop)]
    if split <= len(shown):
        parts.append(gather(study, model, mixture, shown, tuple(probes), before[split:], stop))
    decode = DECODERS[study.decoding]
    starts = np.split(before, [split])
    weights = [decode(part.q, part.joint, start) for part, start in zip(parts, starts, strict=False)]
    misfit = np.concatenate([residual(part.q, part.joint, w) for part, w in zip(parts, weights, strict=True)])
    conditions = np.concatenate([condition(part.joint, w >= HELD) for part, w in zip(parts, weights, strict=True)])
    said = [_at_query(study.query, part, w, labels) for part, w in zip(parts, weights, strict=True)]
    return Posterior(
        kind="implicit",
        tasks=tuple(mixture.families),
        weights=np.concatenate(weights),
        predictive=_stacked(said),
        residual=misfit,
        condition=conditions,
        note=_note(conditions, misfit),
    )


def gather(
    study: Study,
    model: LanguageModel,
    mixture: Mixture,
    shown: Sequence[Demonstration],
    probes: Sequence[str],
    before: Floats,
    stop: Callable[[], bool] | None = None,
) -> Evidence:
    """The evidence after the last N numbers of demonstrations, at the probes whose prompts the model can read.

    Candidates of several tokens cost a pass of their own, so those that the tasks alive hardly ever answer go with
    "anything else".

    Args:
        before: (N, F) weights of the tasks before labels, for n = k + 1 − N … k.

    Raises:
        PromptTooLong: not one prompt can be read.
    """
    since = len(shown) + 1 - len(before)
    prompts, probes = _prompts_that_fit(study, model, shown, probes, since)
    pairs = [(d.input, d.label) for d in shown]
    parts = mixture.components(pairs, probes, study.instruction)
    joint = np.array(parts.joint, dtype=np.float64)  # (k + 1, Q, F, A)
    single = single_tokens(model, sorted({word for words in parts.answers for word in words}))
    rare = mixed(joint[since:], before).max(0, initial=0.0) < RARE  # (Q, A)
    left_out = {
        (j, a) for j, words in enumerate(parts.answers) for a, y in enumerate(words) if y not in single and rare[j, a]
    }
    for j, a in left_out:
        joint[:, j, :, a] = 0.0
    rest = leftover(mixture, pairs, probes, joint, study.instruction)
    q = answers_of(model, prompts, parts.answers, single, joint.shape[3], left_out, stop=stop)
    seen = {x for x, _ in pairs}
    other = np.array([0.0 if x in seen else 1.0 for x in probes]) * np.maximum(1 - q.sum(2), 0.0)
    return Evidence(
        np.concatenate([q, other[:, :, None]], axis=2),
        np.concatenate([joint, rest[..., None]], axis=3)[since:],
        tuple(probes),
        tuple(parts.answers),
    )


def leftover(
    mixture: Mixture,
    pairs: Sequence[tuple[str, str]],
    probes: Sequence[str],
    joint: Floats,
    instruction: str = "",
) -> Floats:
    """p(x_j, any answer but the candidates | T, D_n) = p(x_j | T, D_n) − Σ_a joint, (k + 1, Q, F).

    For a family of several tasks p(x_j | T, D_n) is their mean under P(task | family, D_n). A family of one (a map, or
    a codebook, whose labels for an input not yet shown never change) moves with n as its candidates do. Zero at a
    probe that was shown, and for families that cannot show the probe.
    """
    log_joint = mixture.log_joint(pairs, instruction)  # (k + 1, T)
    first = np.flatnonzero(np.diff(mixture.family_of, prepend=-1))
    best = np.maximum.reduceat(log_joint, first, axis=1)[:, mixture.family_of]
    within = np.exp(log_joint - best)  # (k + 1, T)
    chance = np.exp([mixture.log_inputs(x) for x in probes])  # (Q, T)
    marginal = mixture.by_family(within[:, None] * chance) / mixture.by_family(within)[:, None]
    known = joint.sum(3)
    moved = np.divide(known, known[:1], out=np.ones_like(known), where=known[:1] > 0)
    alone = np.bincount(mixture.family_of) == 1
    marginal[:, :, alone] = (mixture.by_family(chance)[None] * moved)[:, :, alone]
    seen = {x for x, _ in pairs}
    open_probe = np.array([x not in seen for x in probes])[None, :, None]
    rest: Floats = np.where((known > 0) & open_probe, np.maximum(marginal - known, 0.0), 0.0)
    return rest


def answers_of(
    model: LanguageModel,
    prompts: Sequence[Sequence[tuple[str, str]]],
    answers: Sequence[Sequence[str]],
    single: dict[str, int],
    width: int,
    left_out: Container[tuple[int, int]] = (),
    *,
    stop: Callable[[], bool] | None = None,
) -> Floats:
    """q, (N, Q, width): the model's probability of each probe's candidate answers; a row sums to at most one.

    A word that the tokenizer writes as one token is read off p(next token | prompt); a longer one is scored as a
    whole, Π p(token | what came before), so both are probabilities of the word's text.

    Args:
        prompts: N rows of Q (text, gap) as `core.prompts.render` gives them.
        answers: for each probe its candidate words, at most `width`; the rest of the row is zero.
        single: the words of one token, and that token, as `single_tokens` gives them.
        left_out: (probe, answer) places that stay zero.
    """
    texts = [text for row in prompts for text, _ in row]
    logs = model.next_logprobs(texts, stop=stop).reshape(len(prompts), len(answers), -1)
    q = np.zeros((len(prompts), len(answers), width))
    long: list[tuple[int, int, int]] = []
    for j, candidates in enumerate(answers):
        short = [a for a, word in enumerate(candidates) if word in single]
        ids = [single[candidates[a]] for a in short]
        q[:, j, short] = np.exp(logs[:, j, ids].astype(np.float64))
        others = [a for a, word in enumerate(candidates) if word not in single and (j, a) not in left_out]
        long += [(n, j, a) for n in range(len(prompts)) for a in others]
    if long:
        scored = model.score([(prompts[n][j][0], prompts[n][j][1] + answers[j][a]) for n, j, a in long], stop=stop)
        for place, score in zip(long, scored, strict=True):
            q[place] = np.exp(float(score.logprobs.sum()))
    # a candidate that begins another is counted with it: shares of more than everything are scaled back
    shares: Floats = q / np.maximum(q.sum(2, keepdims=True), 1.0)
    return shares


def before_labels(mixture: Mixture, inputs: Sequence[str], instruction: str = "") -> Floats:
    """P(T | instruction, x_1 … x_n) for n = 0 … k, (k + 1, F): ∝ P(T) p(instruction | T) Π_{i ≤ n} p(x_i | T)."""
    rows = [mixture.log_prior + mixture.log_instruction(instruction)]
    for text in inputs:
        rows.append(rows[-1] + mixture.log_inputs(text))
    mass = np.stack([np.exp(row - row.max()) for row in rows])
    families: Floats = mixture.by_family(mass / mass.sum(1, keepdims=True))
    return families


def _prompts_that_fit(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], probes: Sequence[str], since: int
) -> tuple[list[list[tuple[str, str]]], list[str]]:
    """(text, gap) for n = `since` … k and every probe whose longest prompt the model can read, and those probes."""

    def prompt(n: int, probe: str) -> tuple[str, str]:
        written = render(tuple(shown[:n]), probe, study.template, study.instruction)
        return written.text, written.gap

    fitting, tokens = [], []
    for probe in probes:
        text = prompt(len(shown), probe)[0]
        # a token holds a byte at least, so most prompts need not be read to know that they fit
        tokens.append(len(text.encode()) + 2)
        if tokens[-1] > model.context_length:
            tokens[-1] = len(model.encode(text).ids) + 1
        if tokens[-1] <= model.context_length:
            fitting.append(probe)
    if not fitting:
        raise PromptTooLong(min(tokens, default=0), model.context_length, 0)
    return [[prompt(n, probe) for probe in fitting] for n in range(since, len(shown) + 1)], fitting


def single_tokens(model: LanguageModel, words: Sequence[str]) -> dict[str, int]:
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


def _at_query(query: str, evidence: Evidence, weights: Floats, labels: Sequence[str]) -> Floats | None:
    """Pw at the query over the labels, (N, L); a label that no task gives has 0; None where no task knows it."""
    if query not in evidence.probes:
        return None
    j = evidence.probes.index(query)
    if not evidence.joint[:, j].any():
        return None
    fitted = mixed(evidence.joint[:, j : j + 1], weights)[:, 0]  # (N, A)
    place = {word: a for a, word in enumerate(evidence.answers[j])}
    nothing = np.zeros(fitted.shape[0])
    columns = [fitted[:, place[label]] if label in place else nothing for label in labels]
    return np.stack(columns, axis=1) if columns else np.zeros((fitted.shape[0], 0))


def _stacked(parts: Sequence[Floats | None]) -> Floats | None:
    whole = [part for part in parts if part is not None]
    return np.concatenate(whole) if len(whole) == len(parts) else None


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
