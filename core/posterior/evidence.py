"""What a model answers to probe inputs, beside what each task of a known mixture would answer."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.exact import ExactBayes
from core.bayes.probing import components
from core.errors import PromptTooLong
from core.posterior.decoding import mixed
from core.posterior.domains import domain_of_tokens, domain_table
from core.posterior.next_token_cache import next_logprobs
from core.scoring.shared import model_of
from core.study.question import Question

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
RARE = 1e-3  # candidates of several tokens below this are not scored


@dataclass(frozen=True)
class Evidence:
    """What the model answered and what each task would have, for N prompts: n = 0 … k, or orders of all k.

    The last of the Q rows is the question which domain the next input comes from (`core.posterior.domains`).
    Tasks that no probe can show are told apart by their domain alone: those of one domain are one group.

    Attributes:
        q: (N, Q, A) the model's answers.
        columns: (N, Q, G, A) the mixture's p(x_j, a | T, D_n) by group; (1, Q, G, A) where all N share them.
        group: (F,) the group of every task.
        probes: (Q − 1,) inputs.
        answers: for each probe, what its first columns are; the last of the A columns is any other text.
    """

    q: Floats
    columns: Floats
    group: Places
    probes: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]

    @property
    def joint(self) -> Floats:
        """(N, Q, F, A) the columns of every task."""
        return self.columns[:, :, self.group]

    def by_group(self, weights: Floats) -> Floats:
        """(k + 1, F) weights of tasks as weights of groups, (k + 1, G)."""
        into = (self.group[:, None] == np.arange(self.columns.shape[2])).astype(np.float64)
        sums: Floats = weights @ into
        return sums

    def by_task(self, weights: Floats, before: Floats) -> Floats:
        """(k + 1, G) weights of groups, which tasks of one group share as `before` (k + 1, F) has it: (k + 1, F)."""
        whole = self.by_group(before)
        factor = np.divide(weights, whole, out=np.zeros_like(weights), where=whole > 0)
        shares: Floats = before * factor[:, self.group]
        return shares


def gather(
    bayes: ExactBayes,
    model: LanguageModel,
    asked: ProbePrompts,
    before: Floats,
    *,
    stop: Callable[[], bool] | None = None,
) -> Evidence:
    """The evidence at these prompts.

    Candidates of several tokens cost a pass of their own, so those that the tasks alive hardly ever answer go with
    "any other text".

    Args:
        bayes: exact Bayes of the question.
        asked: N prompts a probe.
        before: weights of the tasks before labels: (k + 1, F) where the prompts are those of n = 0 … k demonstrations,
            or (1, F) after all of them, where the N prompts are orders of them and share their columns.

    Raises:
        Cancelled: `stop` said so.
    """
    mixture, pairs, instruction = bayes.mixture, bayes.question.pairs, bayes.question.study.instruction
    rows = slice(len(pairs) + 1 - len(before), None)
    parts = components(mixture, pairs, asked.probes, instruction)
    # A task that can show no probe at first, nor at the end, never could.
    some = np.flatnonzero(parts.joint[[0, -1]].any((0, 1, 3)))
    live = parts.families[some]
    joint = np.array(parts.joint[:, :, some], dtype=np.float64)  # (k + 1, Q − 1, live, A)
    single = single_tokens(model, sorted({word for words in parts.answers for word in words}))
    rare = mixed(joint[rows], before[:, live]).max(0, initial=0.0) < RARE  # (Q − 1, A)
    left_out = {
        (j, a) for j, words in enumerate(parts.answers) for a, y in enumerate(words) if y not in single and rare[j, a]
    }
    for j, a in left_out:
        joint[:, j, :, a] = 0.0
    known = np.zeros((*joint.shape[:2], before.shape[1]))
    known[:, :, live] = joint.sum(3)
    rest = leftover(mixture, pairs, asked.probes, known, instruction)[:, :, live]

    logs = next_logprobs(model, [*asked.openings, *asked.texts()], stop=stop)
    opening, answered = np.split(logs, [len(asked.openings)])
    answered = answered.reshape(len(asked.openings), len(asked.probes), -1)
    q = answers_of(model, answered, asked, parts.answers, single, joint.shape[3], left_out, stop=stop)
    shown_inputs = {x for x, _ in pairs}
    new = np.array([x not in shown_inputs for x in asked.probes])
    other = np.where(new, np.maximum(1 - q.sum(2), 0.0), 0.0)  # (k + 1, Q − 1)

    domains = domain_table(model_of(model), mixture)
    said = domain_of_tokens(domains, np.exp(opening.astype(np.float64)))  # (k + 1, D)
    domain = np.array([domains.names.index(mixture.domains[name]) for name in mixture.families])
    group = len(live) + domain
    group[live] = np.arange(len(live))
    return Evidence(
        _with_domain(np.concatenate([q, other[..., None]], axis=2), said),
        _columns(joint[rows], rest[rows], domains.confusion[domain[live]], domains.confusion),
        group,
        asked.probes,
        tuple(parts.answers),
    )


def _with_domain(answers: Floats, domains: Floats) -> Floats:
    """Put (k + 1, D) behind (k + 1, Q, A) as one more question, the narrower of A and D padded with zeros."""
    rows, probes, size = answers.shape
    whole = np.zeros((rows, probes + 1, max(size, domains.shape[1])))
    whole[:, :-1, : size - 1], whole[:, :-1, -1] = answers[..., :-1], answers[..., -1]  # "any other text" stays last
    whole[:, -1, : domains.shape[1]] = domains
    return whole


def _columns(joint: Floats, rest: Floats, live: Floats, others: Floats) -> Floats:
    """(k + 1, Q, G, A): joint (k + 1, Q − 1, live, A − 1) and what it leaves, then what each group says of domains.

    Args:
        rest: (k + 1, Q − 1, live).
        live: (live, D) what every live task says of the next input's domain.
        others: (D, D) the same of the groups behind them, to which no probe belongs.
    """
    rows, probes, tasks, size = joint.shape
    whole = np.zeros((rows, probes + 1, tasks + len(others), max(size + 1, others.shape[1])))
    whole[:, :-1, :tasks, :size], whole[:, :-1, :tasks, -1] = joint, rest
    whole[:, -1, :, : others.shape[1]] = np.concatenate([live, others])
    return whole


def leftover(
    mixture: Mixture, pairs: Sequence[tuple[str, str]], probes: Sequence[str], known: Floats, instruction: str = ""
) -> Floats:
    """p(x_j, any answer but the candidates | T, D_n) = p(x_j | T, D_n) − what the candidates hold, (k + 1, Q, F).

    For a family of several tasks p(x_j | T, D_n) is their mean under P(task | family, D_n). A family of one (a map, or
    a codebook, whose labels for an input not yet shown never change) moves with n as its candidates do. Zero at a
    probe that was shown, and for families that cannot show the probe.

    Args:
        known: (k + 1, Q, F) Σ_a p(x_j, a | T, D_n) over the candidates.
    """
    log_joint = mixture.log_joint(pairs, instruction)  # (k + 1, T)
    first = np.flatnonzero(np.diff(mixture.family_of, prepend=-1))
    best = np.maximum.reduceat(log_joint, first, axis=1)[:, mixture.family_of]
    within = np.exp(log_joint - best)  # (k + 1, T)
    chance = np.exp([log_inputs(mixture, x) for x in probes])  # (Q, T)
    marginal = mixture.by_family(within[:, None] * chance) / mixture.by_family(within)[:, None]
    moved = np.divide(known, known[:1], out=np.ones_like(known), where=known[:1] > 0)
    alone = np.bincount(mixture.family_of) == 1
    marginal[:, :, alone] = (mixture.by_family(chance)[None] * moved)[:, :, alone]
    seen = {x for x, _ in pairs}
    open_probe = np.array([x not in seen for x in probes])[None, :, None]
    rest: Floats = np.where((known > 0) & open_probe, np.maximum(marginal - known, 0.0), 0.0)
    return rest


def answers_of(
    model: LanguageModel,
    logs: NDArray[np.float32],
    asked: ProbePrompts,
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
        logs: (N, Q, V) log p(next token | prompt).
        asked: the prompts.
        answers: for each probe its candidate words, at most `width`; the rest of the row is zero.
        single: the words of one token, and that token, as `single_tokens` gives them.
        left_out: (probe, answer) places that stay zero.
    """
    q = np.zeros((len(logs), len(answers), width))
    long: list[tuple[int, int, int]] = []
    for j, candidates in enumerate(answers):
        short = [a for a, word in enumerate(candidates) if word in single]
        ids = [single[candidates[a]] for a in short]
        q[:, j, short] = np.exp(logs[:, j, ids].astype(np.float64))
        others = [a for a, word in enumerate(candidates) if word not in single and (j, a) not in left_out]
        long += [(n, j, a) for n in range(len(logs)) for a in others]
    if long:
        scored = model.score([(asked.text(n, j), asked.gap + answers[j][a]) for n, j, a in long], stop=stop)
        for place, score in zip(long, scored, strict=True):
            q[place] = np.exp(float(score.logprobs.sum()))
    # a candidate that begins another is counted with it: shares of more than everything are scaled back
    shares: Floats = q / np.maximum(q.sum(2, keepdims=True), 1.0)
    return shares


@lru_cache(maxsize=256)
def log_inputs(mixture: Mixture, x: str) -> Floats:
    """`mixture.log_inputs` of an input not seen before, (T,), read only: an edit leaves most inputs as they were."""
    found = mixture.log_inputs(x)
    found.setflags(write=False)
    return found


def before_labels(mixture: Mixture, inputs: Sequence[str], instruction: str = "") -> Floats:
    """P(T | instruction, x_1 … x_n) for n = 0 … k, (k + 1, F): ∝ P(T) p(instruction | T) Π_{i ≤ n} p(x_i | T)."""
    first = mixture.log_prior + mixture.log_instruction(instruction)
    rows = np.cumsum([first, *mixture.fresh_inputs(inputs)], axis=0)
    mass = np.exp(rows - rows.max(1, keepdims=True))
    families: Floats = mixture.by_family(mass / mass.sum(1, keepdims=True))
    return families


@dataclass(frozen=True)
class ProbePrompts:
    """Prompts for n = 0 … k, or for N orders of the same demonstrations.

    Attributes:
        probes: (Q,) inputs.
        openings: (N,) each prompt up to where the next input would begin.
        tail: what a prompt goes on with after the input; an answer follows `gap`.
    """

    probes: tuple[str, ...]
    openings: tuple[str, ...]
    tail: str
    gap: str

    @classmethod
    def of(cls, question: Question) -> ProbePrompts:
        """Those of the question's own query after n = 0 … k demonstrations."""
        prompt = question.bare
        # the prompt of fewer demonstrations is this one up to where the next input begins
        begins = [part.start for part in prompt.parts if part.kind in ("input", "query")]
        end = next(part.end for part in prompt.parts if part.kind == "query")
        return cls((question.query,), tuple(prompt.text[:begin] for begin in begins), prompt.text[end:], prompt.gap)

    def text(self, n: int, j: int) -> str:
        """The prompt for probe j after n demonstrations, as `core.study.prompts.render` writes it."""
        return self.openings[n] + self.probes[j] + self.tail

    def texts(self) -> list[str]:
        """All of them, N · Q, the probes of one n together."""
        return [self.text(n, j) for n in range(len(self.openings)) for j in range(len(self.probes))]


def ask(question: Question, model: LanguageModel, probes: Sequence[str]) -> ProbePrompts:
    """The prompts of those probes whose longest prompt the model can read.

    Raises:
        PromptTooLong: not one can be read.
    """
    asked = replace(ProbePrompts.of(question), probes=tuple(probes))
    fitting, tokens = [], []
    for j, probe in enumerate(probes):
        text = asked.text(len(question.shown), j)
        # a token holds a byte at least, so most prompts need not be read to know that they fit
        tokens.append(len(text.encode()) + 2)
        if tokens[-1] > model.context_length:
            tokens[-1] = len(model.encode(text).ids) + 1
        if tokens[-1] <= model.context_length:
            fitting.append(probe)
    if not fitting:
        raise PromptTooLong(min(tokens, default=0), model.context_length, 0)
    return replace(asked, probes=tuple(fitting))


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
