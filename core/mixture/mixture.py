"""The mixture of tasks that the embedded model was pretrained on, and exact Bayes under it.

A document draws a domain, a task T of that domain, and pairs (x_i, y_i) ~ p(x|T) p(y|x,T). So

    log P(T|D) = log P(T) + Σ_i log p(x_i|T) + Σ_i log p(y_i|x_i,T) − log P(D)
    p(y|x,D)   = Σ_T P(T|D,x) p(y|x,T),   P(T|D,x) ∝ P(T|D) p(x|T)

which is the posterior of docs/methods.md §1.2; p(x|T) is constant within a domain but for tasks with class balances,
and it
is what tells domains apart. The joint is the same whichever of x and y is written first. Codebooks are integrated out
(`core.mixture.codebook`), so their likelihood depends on the demonstrations before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.mixture.anyword import AnyText
from core.mixture.catalogue import domain_specs
from core.mixture.codebook import Codebook, CodebookState
from core.mixture.domain import IN_RANGE, NOISE, STRAY, Domain, EnumeratedDomain, Floats
from core.mixture.families import CLASS_BALANCES, EARLY_BALANCES, EARLY_CLEAR, KIND_PRIOR, Balances, Family
from core.mixture.lexicon import label_pairs, table
from core.mixture.reviews import CLEAR, ReviewDomain
from core.mixture.spelled import SpelledDomain
from core.mixture.vocabulary import vocabulary

INSTRUCTED = 0.25  # share of documents that open with an instruction
INSTRUCTED_RIGHT = 0.9  # of those, how many name their own task

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Block:
    """Where a domain's latents stand in the vector of all latents: tasks first, then its codebooks."""

    domain: Domain
    codebooks: tuple[Codebook, ...]
    start: int

    @property
    def first_codebook(self) -> int:
        return self.start + len(self.domain.log_prior)

    @property
    def tasks(self) -> slice:
        return slice(self.start, self.first_codebook)

    def codebook(self, i: int) -> int:
        return self.first_codebook + i

    def log_inputs(self, x: str, states: Sequence[CodebookState], log_any: float) -> Floats:
        """log p(x|T, history) of the block's latents; `log_any` is log p_any(x)."""
        out = np.full(self.end - self.start, math.log(STRAY) + log_any)
        if self.domain.knows(x):
            tasks = slice(0, self.first_codebook - self.start)
            out[tasks] = np.logaddexp(math.log(1 - STRAY) + self.domain.log_input(x), out[tasks])
        for i, state in enumerate(states):
            out[self.codebook(i) - self.start] = math.log(state.input_probability(x))
        return out

    def label_probabilities(
        self, x: str, labels: Sequence[str], states: Sequence[CodebookState], anything: Floats
    ) -> Floats:
        """p(y|x, T, history) of the block's latents, (T, L); `anything` is p_any(y), (L,)."""
        shares = self.domain.range_shares(labels)
        noise = IN_RANGE * shares + (1 - IN_RANGE) * anything
        tasks = noise  # a stray that no task of the domain can read is answered by noise alone
        if self.domain.knows(x):
            answers = self.domain.answers(x)
            clean = np.zeros_like(shares)
            for j, y in enumerate(labels):
                if y in answers.words:
                    clean[:, j] = ((answers.index == answers.words.index(y)) * answers.share).sum(axis=1)
            tasks = (1 - NOISE) * clean + NOISE * noise
        return np.vstack([tasks, *([state.label_probabilities(x, labels)] for state in states)])

    def log_pairs(self, pairs: Pairs, inputs: Floats, anything: Floats) -> Floats:
        """log p(x_i, y_i|T) of the domain's tasks, (k, tasks).

        Args:
            inputs: (k, tasks) log p(x_i|T).
            anything: (k,) p_any(y_i).
        """
        shares = np.ascontiguousarray(self.domain.range_shares([y for _, y in pairs]).T)
        noise = IN_RANGE * shares + (1 - IN_RANGE) * anything[:, None]
        for i, (x, y) in enumerate(pairs):
            if self.domain.knows(x):
                answers = self.domain.answers(x)
                noise[i] *= NOISE
                if y in answers.words:
                    clean = ((answers.index == answers.words.index(y)) * answers.share).sum(axis=1)
                    noise[i] += (1 - NOISE) * clean
        found: Floats = inputs + np.log(noise)
        return found

    @property
    def end(self) -> int:
        return self.codebook(len(self.codebooks))


class Mixture:
    """The known mixture.

    Attributes:
        families: (F,) names; `prior` (F,) is P(family); `domains` and `instructions` are by family name.
        vocabulary: every word that is one token.
        blocks: domains in order, with their place in the vector of latents.
        family_of: (T,) family of every latent; the latents of a family are contiguous.
        log_prior: (T,) log P(T).
        codebook_latents: which latents are codebooks, in the order of their states.
    """

    def __init__(self, balances: Balances = CLASS_BALANCES, clear: float = CLEAR) -> None:
        self.vocabulary = vocabulary()
        self.anything = AnyText(self.vocabulary)
        enumerated: list[Domain] = [EnumeratedDomain(spec, balances) for spec in domain_specs()]
        domains = [*enumerated, ReviewDomain(self.anything, balances, clear), SpelledDomain(self.anything)]
        families: list[Family] = []
        blocks: list[Block] = []
        family_of: list[int] = []
        log_prior: list[float] = []
        for domain in domains:
            books = self._codebooks(domain)
            blocks.append(Block(domain, books, len(family_of)))
            family_of += [len(families) + int(f) for f in domain.family_of]
            log_prior += (math.log(domain.prior * (1 - KIND_PRIOR["codebook"])) + domain.log_prior).tolist()
            families += domain.families
            for book in books:
                family_of.append(len(families))
                log_prior.append(math.log(book.family.prior))
                families.append(book.family)
        self.blocks = tuple(blocks)
        self.details = tuple(families)
        self.families = tuple(family.name for family in families)
        self.prior = np.array([family.prior for family in families])
        self.domains = {family.name: family.domain for family in families}
        self.instructions = {family.name: family.instruction for family in families}
        self.family_of = np.array(family_of)
        self.log_prior = np.array(log_prior)
        self.codebook_latents = np.array([block.codebook(i) for block in blocks for i in range(len(block.codebooks))])
        self._starts = np.flatnonzero(np.diff(self.family_of, prepend=-1))
        self.distinct_instructions = tuple(dict.fromkeys(family.instruction for family in families))
        self._known = frozenset(self.vocabulary)
        self._cumulative_prior = np.cumsum(np.exp(self.log_prior))
        self._cumulative_prior /= self._cumulative_prior[-1]

    def _codebooks(self, domain: Domain) -> tuple[Codebook, ...]:
        labels = tuple(word for pair in label_pairs() for word in pair)
        nouns = tuple(row["word"] for row in table("nouns"))
        books = [("codebook", labels, 1.0)]
        if domain.name in ("nouns", "spelled words"):
            books = [("codebook", labels, 0.6), ("glossary", nouns, 0.4)]
        return tuple(Codebook(f"{domain.name}: {n}", domain, words, s, self.anything) for n, words, s in books)

    def knows(self, word: str) -> bool:
        """Whether the word is in the mixture's vocabulary (one token)."""
        return word in self._known

    def log_instruction(self, instruction: str) -> Floats:
        """log p(I|T), (T,), up to a constant; a sentence that no document opens with tells nothing."""
        line = instruction.strip()
        if line not in self.distinct_instructions:
            return np.zeros(len(self.family_of))
        right = np.array([family.instruction == line for family in self.details])
        by_family = np.log(INSTRUCTED_RIGHT * right + (1 - INSTRUCTED_RIGHT) / len(self.distinct_instructions))
        spread: Floats = by_family[self.family_of]
        return spread

    def log_inputs(self, x: str, states: Sequence[CodebookState] | None = None) -> Floats:
        """log p(x|T, history), (T,). Without states, codebooks are taken as fresh."""
        log_any = self.anything.log_text(x)
        parts = [block.log_inputs(x, some, log_any) for block, some in self._with_states(states)]
        return np.concatenate(parts)

    def fresh_inputs(self, inputs: Sequence[str]) -> Floats:
        """log p(x_i|T) of each input by itself, codebooks taken as fresh, (k, T), read only."""
        return _fresh_inputs(self, tuple(inputs))

    def label_probabilities(
        self, x: str, labels: Sequence[str], states: Sequence[CodebookState] | None = None
    ) -> Floats:
        """p(y|x, T, history) for each label, (T, L)."""
        anything = np.exp([self.anything.log_text(y) for y in labels])
        parts = [block.label_probabilities(x, labels, some, anything) for block, some in self._with_states(states)]
        return np.concatenate(parts)

    def _with_states(self, states: Sequence[CodebookState] | None) -> Iterator[tuple[Block, Sequence[CodebookState]]]:
        """Every block with its codebooks' states; fresh ones where none are given."""
        states = states or self.fresh_states()
        place = 0
        for block in self.blocks:
            yield block, states[place : place + len(block.codebooks)]
            place += len(block.codebooks)

    def fresh_states(self) -> list[CodebookState]:
        """States of all codebooks before any demonstration, in the order of the latents."""
        return [CodebookState(book) for block in self.blocks for book in block.codebooks]

    def states_after(self, demonstrations: Pairs, instruction: str = "") -> tuple[CodebookState, ...]:
        """States of all codebooks after the last demonstration."""
        return accumulate(self, demonstrations, instruction)[1][-1]

    def log_joint(self, demonstrations: Pairs, instruction: str = "") -> Floats:
        """log P(T) p(I|T) Π_{i≤n} p(x_i, y_i|T), shape (k + 1, T)."""
        return accumulate(self, demonstrations, instruction)[0]

    def posterior(self, demonstrations: Pairs, instruction: str = "") -> tuple[Floats, Floats]:
        """P(family | first n demonstrations), (k + 1, F), and log P(D_n) in nats, (k + 1,)."""
        joint = self.log_joint(demonstrations, instruction)
        weights, evidence = normalise(joint)
        return np.add.reduceat(weights, self._starts, axis=1), evidence - evidence[0]

    def predictive(self, demonstrations: Pairs, query: str, labels: Sequence[str], instruction: str = "") -> Floats:
        """p(y|x, D_n) over all texts, read at the labels, (k + 1, L); a row sums to at most one."""
        joint, states = accumulate(self, demonstrations, instruction)
        inputs, answers = self.log_inputs(query), self.label_probabilities(query, labels)
        rows = []
        for n, row in enumerate(joint):
            self._move_codebooks(query, labels, states[n], row, inputs, answers)
            rows.append(normalise((row + inputs)[None])[0][0] @ answers)
        return np.array(rows)

    def _move_codebooks(
        self,
        query: str,
        labels: Sequence[str],
        states: Sequence[CodebookState],
        log_joint: Floats,
        inputs: Floats,
        answers: Floats,
    ) -> None:
        """Set the codebooks' rows of log p(x|T) and p(y|x,T) to what they have seen; tasks never move."""
        top = float(log_joint.max())
        place = 0
        for block in self.blocks:
            for i in range(len(block.codebooks)):
                latent = block.codebook(i)
                inputs[latent] = math.log(states[place].input_probability(query))
                # A codebook that holds no weight decides nothing, and its codes are slow to sum.
                if log_joint[latent] - top > -30:
                    answers[latent] = states[place].label_probabilities(query, labels)
                place += 1

    def channel(self, demonstrations: Pairs, query: str, labels: Sequence[str], instruction: str = "") -> Floats:
        """log p(x|y, D) = log Σ_T P(T|D) p(x,y|T) − log Σ_T P(T|D) p(y|T), (L,)."""
        joint, states = accumulate(self, demonstrations, instruction)
        weights = normalise(joint[-1:])[0][0]
        inputs = np.exp(self.log_inputs(query, states[-1]))
        both = (weights * inputs) @ self.label_probabilities(query, labels, states[-1])
        marginal = weights @ self.label_marginals(labels, states[-1])
        ratio: Floats = np.log(both) - np.log(marginal)
        return ratio

    def label_marginals(self, labels: Sequence[str], states: Sequence[CodebookState]) -> Floats:
        """p(y|T, history), (T, L)."""
        out = np.zeros((len(self.family_of), len(labels)))
        place = 0
        for block in self.blocks:
            for j, y in enumerate(labels):
                noise = IN_RANGE * block.domain.range_share(y) + (1 - IN_RANGE) * math.exp(self.anything.log_text(y))
                clean = (1 - NOISE) * block.domain.label_mass(y) + NOISE * noise
                out[block.tasks, j] = (1 - STRAY) * clean + STRAY * noise
            for i in range(len(block.codebooks)):
                out[block.codebook(i)] = [states[place].label_marginal(y) for y in labels]
                place += 1
        return out

    def latent_posterior(
        self, demonstrations: Pairs, instruction: str = "", log_factors: Floats | None = None
    ) -> Floats:
        """P(T|D) over all latents after the last demonstration, (T,); with (F,) log π'_T/π_T under another prior."""
        joint = self.log_joint(demonstrations, instruction)[-1:]
        weights: Floats = normalise(joint if log_factors is None else joint + log_factors[self.family_of])[0][0]
        return weights

    def answers(self, query: str, limit: int = 12) -> tuple[str, ...]:
        """What the mixture's tasks would answer to the query, most probable a priori first."""
        weights = normalise((self.log_prior + self.log_inputs(query))[None])[0][0]
        mass: dict[str, float] = {}
        for block in self.blocks:
            # Spelling reads any word; for a word that a table holds, its letters are not what a user asks for.
            if not block.domain.knows(query) or (block.domain.name == "spelled words" and self.knows(query)):
                continue
            answers = block.domain.answers(query)
            shares = weights[block.tasks, None] * answers.share
            for i, word in enumerate(answers.words):
                mass[word] = mass.get(word, 0.0) + float(shares[answers.index == i].sum())
        ranked = sorted(mass, key=lambda word: (-mass[word], word))
        return tuple(ranked[:limit])

    def sample(self, family: str, count: int, seed: int = 0) -> list[tuple[str, str]]:
        """Noise-free i.i.d. examples of one family: its latent is drawn first, by its prior."""
        rng = random.Random(f"{family}/{seed}")
        return self.draw_pairs(self.draw_latent(family, rng), count, rng)

    def draw_latent(self, family: str | None, rng: random.Random) -> int:
        """A latent of the family by its prior, or of the whole mixture."""
        if family is None:
            return int(np.searchsorted(self._cumulative_prior, rng.random()))
        inside = np.flatnonzero(self.family_of == self.families.index(family))
        return int(rng.choices(inside.tolist(), np.exp(self.log_prior[inside]).tolist())[0])

    def block_of(self, latent: int) -> Block:
        """The block that holds a latent."""
        return next(block for block in self.blocks if latent < block.end)

    def draw_pairs(self, latent: int, count: int, rng: random.Random) -> list[tuple[str, str]]:
        """`count` pairs of the latent, without label noise or strays."""
        block = self.block_of(latent)
        if latent >= block.first_codebook:
            return block.codebooks[latent - block.first_codebook].draw(count, rng)
        return [block.domain.draw(latent - block.start, rng) for _ in range(count)]

    def by_family(self, values: Floats) -> Floats:
        """Sum over the latents of each family, last axis (T,) → (F,)."""
        return np.add.reduceat(values, self._starts, axis=-1)


def normalise(log_joint: Floats) -> tuple[Floats, Floats]:
    """Softmax over the last axis and its log normaliser: (rows, T) → (rows, T), (rows,)."""
    top = log_joint.max(axis=-1, keepdims=True)
    weights = np.exp(log_joint - top)
    total = weights.sum(axis=-1, keepdims=True)
    return weights / total, (top + np.log(total))[..., 0]


def accumulate(
    mixture: Mixture, demonstrations: Pairs, instruction: str
) -> tuple[Floats, tuple[tuple[CodebookState, ...], ...]]:
    """log joint (k + 1, T), read only, and the codebooks' states before each demonstration and after the last.

    One study asks for it in every view, so the last few are kept.
    """
    return _accumulate(mixture, tuple(demonstrations), instruction)


@lru_cache(maxsize=16)
def _accumulate(
    mixture: Mixture, demonstrations: tuple[tuple[str, str], ...], instruction: str
) -> tuple[Floats, tuple[tuple[CodebookState, ...], ...]]:
    rows = np.empty((len(demonstrations) + 1, len(mixture.log_prior)))
    rows[0] = mixture.log_prior + mixture.log_instruction(instruction)
    if demonstrations:
        inputs = mixture.fresh_inputs([x for x, _ in demonstrations])
        anything = np.exp([mixture.anything.log_text(y) for _, y in demonstrations])
        for block in mixture.blocks:
            rows[1:, block.tasks] = block.log_pairs(demonstrations, inputs[:, block.tasks], anything)
    snapshots = [tuple(mixture.fresh_states())]
    for n, (x, y) in enumerate(demonstrations, start=1):
        states = snapshots[-1]
        rows[n, mixture.codebook_latents] = [
            math.log(state.input_probability(x)) + math.log(state.label_probability(x, y)) for state in states
        ]
        snapshots.append(tuple(state.after(x, y) for state in states))
    joint = np.cumsum(rows, axis=0)
    joint.setflags(write=False)
    return joint, tuple(snapshots)


@lru_cache(maxsize=16)
def _fresh_inputs(mixture: Mixture, inputs: tuple[str, ...]) -> Floats:
    states = mixture.fresh_states()
    out = np.empty((len(inputs), len(mixture.log_prior)))
    out[:] = math.log(STRAY) + np.array([mixture.anything.log_text(x) for x in inputs])[:, None]
    for block in mixture.blocks:
        for i, x in enumerate(inputs):
            if block.domain.knows(x):
                own = out[i, block.tasks]
                np.logaddexp(math.log(1 - STRAY) + block.domain.log_input(x), own, out=own)
    of_codebooks = [math.log(state.input_probability(x)) for x in inputs for state in states]
    out[:, mixture.codebook_latents] = np.reshape(of_codebooks, (len(inputs), len(states)))
    out.setflags(write=False)
    return out


@lru_cache(maxsize=1)
def load_mixture() -> Mixture:
    """The one mixture of this package."""
    return Mixture()


@lru_cache(maxsize=1)
def early_mixture() -> Mixture:
    """The milder mixture that training begins with; the same latents, in the same order."""
    return Mixture(EARLY_BALANCES, EARLY_CLEAR)
