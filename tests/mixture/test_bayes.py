"""Exact Bayes against brute force: plain dictionaries over every task of the catalogue, one product at a time."""

from __future__ import annotations

import math
import random
from collections import defaultdict

import numpy as np
import pytest

from core.bayes.kernel import exact_kernel
from core.bayes.probing import choose_probes, components
from core.mixture.codebook import ALPHA, ODD
from core.mixture.documents import draw_document
from core.mixture.domain import IN_RANGE, NOISE, STRAY
from core.mixture.families import CLASS_BALANCES, KIND_PRIOR
from core.mixture.lexicon import label_pairs, review_grammar
from core.mixture.mixture import load_mixture
from core.mixture.reviews import CLEAR
from core.pretraining.first_token import FirstToken

MIXTURE = load_mixture()
ANY = MIXTURE.anything


def likelihood(x: str, y: str, answers: dict[str, str], p_x: dict[str, float]) -> float:
    """p(x, y | T) of an enumerated task, straight from the definition."""
    p_any_y = math.exp(ANY.log_text(y))
    reached = set(answers.values())
    noise = IN_RANGE * (y in reached) / len(reached) + (1 - IN_RANGE) * p_any_y
    p_y = (1 - NOISE) * (answers[x] == y) + NOISE * noise if x in answers else noise
    return ((1 - STRAY) * p_x.get(x, 0.0) + STRAY * math.exp(ANY.log_text(x))) * p_y


def letters_by_hand() -> list[tuple[str, float, dict[str, str], dict[str, float]]]:
    """Every task of the letters domain, written out here: (family, P(T), answers, p(x|T))."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    share = KIND_PRIOR["map"] + KIND_PRIOR["natural"] + KIND_PRIOR["flipped"] + KIND_PRIOR["arbitrary"]
    uniform = dict.fromkeys(alphabet, 1 / 26)
    maps = {
        "next letter": ({c: alphabet[(i + 1) % 26] for i, c in enumerate(alphabet)}, 1.5),
        "previous letter": ({c: alphabet[i - 1] for i, c in enumerate(alphabet)}, 1.0),
        "capital letter": ({c: c.upper() for c in alphabet}, 1.0),
        "letters: copy": ({c: c for c in alphabet}, 0.6),
        "letter to number": ({c: str(i + 1) for i, c in enumerate(alphabet)}, 0.8),
    }
    domain = 0.04 * (1 - KIND_PRIOR["codebook"])
    total = sum(weight for _, weight in maps.values())
    tasks = [
        (name, domain * KIND_PRIOR["map"] / share * weight / total, answers, uniform)
        for name, (answers, weight) in maps.items()
    ]
    vowels = set("aeiou")
    ordered = [p for a, b in label_pairs() for p in ((a, b), (b, a))]
    kinds = [
        ("natural", "letter vowel", [("vowel", "consonant")]),
        ("flipped", "letter vowel (flipped)", [("consonant", "vowel")]),
        ("arbitrary", "letter vowel (arbitrary)", ordered),
    ]
    for kind, family, pairs in kinds:
        for first, second in pairs:
            for balance, weight in CLASS_BALANCES:
                answers = {c: first if c in vowels else second for c in alphabet}
                p_x = {c: balance / 5 if c in vowels else (1 - balance) / 21 for c in alphabet}
                prior = domain * KIND_PRIOR[kind] / share * weight / len(pairs)  # type: ignore[index]
                tasks.append((family, prior, answers, p_x))
    return tasks


@pytest.mark.parametrize(
    "demonstrations",
    [
        [("a", "b"), ("c", "d")],
        [("a", "foo"), ("b", "bar"), ("e", "foo"), ("z", "bar"), ("i", "bar")],
        [("a", "A"), ("b", "blick"), ("q", "Q")],
        [("dog", "c"), ("b", "c")],
    ],
)
def test_letters_equal_brute_force(demonstrations: list[tuple[str, str]]) -> None:
    tasks = letters_by_hand()
    weights, _ = MIXTURE.posterior(demonstrations)
    for n in range(len(demonstrations) + 1):
        by_family: dict[str, float] = defaultdict(float)
        for family, prior, answers, p_x in tasks:
            joint = prior * math.prod(likelihood(x, y, answers, p_x) for x, y in demonstrations[:n])
            by_family[family] += joint
        # The domain alone is written out here, so shares within it are what is compared.
        ours = {family: weights[n, MIXTURE.families.index(family)] for family in by_family}
        total, mine = sum(by_family.values()), sum(ours.values())
        for family, value in by_family.items():
            assert ours[family] / mine == pytest.approx(value / total, rel=1e-9), (n, family)
    assert weights.sum(axis=1) == pytest.approx(1)


def test_predictive_of_letters_equals_brute_force() -> None:
    demonstrations, query = [("a", "foo"), ("b", "bar"), ("e", "foo")], "o"
    labels = ["foo", "bar", "p", "O", "15", "vowel"]
    joint = np.zeros(len(labels))
    for _, prior, answers, p_x in letters_by_hand():
        before = prior * math.prod(likelihood(x, y, answers, p_x) for x, y in demonstrations)
        joint += [before * likelihood(query, y, answers, p_x) for y in labels]
    ours = MIXTURE.predictive(demonstrations, query, labels)[-1]
    # Codebooks and other domains hold a little of the mass; the letters' tasks decide the ratios.
    assert ours / ours.sum() == pytest.approx(joint / joint.sum(), abs=2e-3)
    assert ours.sum() < 1


def test_codebook_equals_a_sum_over_codes() -> None:
    book = next(b for block in MIXTURE.blocks for b in block.codebooks if b.family.name == "letters: codebook")
    pairs = [("a", "foo"), ("b", "bar"), ("a", "foo"), ("a", "zig"), ("b", "blicket")]
    state = book.fresh()
    log_joint = 0.0
    for x, y in pairs:
        log_joint += math.log(state.input_probability(x) * state.label_probability(x, y))
        state = state.after(x, y)

    def noise(y: str) -> float:
        return IN_RANGE * (y in book.labels) / len(book.labels) + (1 - IN_RANGE) * math.exp(ANY.log_text(y))

    def code(v: str) -> float:
        return (1 - ODD) * (v in book.labels) / len(book.labels) + ODD * math.exp(ANY.log_text(v))

    urn, seen = 1.0, defaultdict(int)
    for n, (x, _) in enumerate(pairs):
        urn *= (ALPHA * book.base(x) + seen[x]) / (ALPHA + n)
        seen[x] += 1
    labels = 1.0
    for x in seen:
        ys = [y for other, y in pairs if other == x]
        named = dict.fromkeys([*book.labels, *ys])
        total = sum(code(v) * math.prod((1 - NOISE) * (y == v) + NOISE * noise(y) for y in ys) for v in named)
        total += (1 - sum(code(v) for v in named)) * math.prod(NOISE * noise(y) for y in ys)
        labels *= total
    assert log_joint == pytest.approx(math.log(urn * labels), rel=1e-9)


def test_codebook_remembers_after_hundreds_of_repeats() -> None:
    book = MIXTURE.blocks[0].codebooks[0]
    state = book.fresh()
    for i in range(400):
        state = state.after("dog", "foo" if i % 2 else "bar")
    assert state.label_probability("dog", "foo") == pytest.approx(0.5, abs=0.5)
    assert math.isfinite(state.label_probability("dog", "zig"))


def test_reviews_equal_the_naive_product() -> None:
    grammar = review_grammar()
    rng = random.Random(4)
    domain = next(block.domain for block in MIXTURE.blocks if block.domain.name == "reviews")
    for _ in range(20):
        text = domain.draw_input(rng)
        answers = domain.answers(text)
        for t in range(0, len(domain.log_prior), 17):
            family = domain.families[domain.family_of[t]]
            factor = family.name.split(" (")[0]
            clear = np.ones(2)
            for word in text.split():
                for value in (0, 1):
                    if word in grammar.lexicon[factor][value]:
                        clear[value] *= CLEAR / len(grammar.lexicon[factor][value])
                        clear[1 - value] *= (1 - CLEAR) / len(grammar.lexicon[factor][value])
            balance = answers_balance(t)
            expected = np.array([balance, 1 - balance]) * clear
            assert answers.share[t] == pytest.approx(expected / expected.sum(), rel=1e-9)


def answers_balance(t: int) -> float:
    """P(class 0) of the t-th review latent: balances cycle fastest."""
    return CLASS_BALANCES[t % 3][0]


@pytest.mark.parametrize(
    "family", ["French", "living (arbitrary)", "sentiment", "addition", "nouns: codebook", "spelled: copy"]
)
def test_evidence_is_the_chain_of_predictives(family: str) -> None:
    """P(D_n) / P(D_{n−1}) = p(x_n | D_{n−1}) p(y_n | x_n, D_{n−1}), whichever way it is computed."""
    pairs = MIXTURE.sample(family, 6, seed=3)
    _, evidence = MIXTURE.posterior(pairs)
    joint = MIXTURE.log_joint(pairs)
    for n, (x, y) in enumerate(pairs):
        weights = np.exp(joint[n] - joint[n].max())
        weights /= weights.sum()
        states = MIXTURE.states_after(pairs[:n])
        p_x = weights @ np.exp(MIXTURE.log_inputs(x, states))
        p_y = MIXTURE.predictive(pairs[:n], x, [y])[-1, 0]
        assert evidence[n + 1] - evidence[n] == pytest.approx(math.log(p_x * p_y), abs=1e-9)


def test_channel_equals_bayes_rule() -> None:
    """p(x|y,D) ∝ p(y|x,D) p(x|D) over x: ratios between two inputs for one label."""
    pairs = MIXTURE.sample("living (arbitrary)", 8, seed=5)
    labels = sorted({y for _, y in pairs})
    first, second = "dog", "table"
    states, joint = MIXTURE.states_after(pairs), MIXTURE.log_joint(pairs)[-1]
    weights = np.exp(joint - joint.max())
    weights /= weights.sum()
    p_x = [weights @ np.exp(MIXTURE.log_inputs(x, states)) for x in (first, second)]
    p_y = [MIXTURE.predictive(pairs, x, labels)[-1] for x in (first, second)]
    channel = [MIXTURE.channel(pairs, x, labels) for x in (first, second)]
    expected = np.log(p_y[0] * p_x[0]) - np.log(p_y[1] * p_x[1])
    assert channel[0] - channel[1] == pytest.approx(expected, abs=1e-9)


def test_label_marginals_sum_over_inputs() -> None:
    """p(y|T) summed over the domain's inputs one by one."""
    block = next(block for block in MIXTURE.blocks if block.domain.name == "sequences")
    words = MIXTURE.answers("Monday", 20)
    inputs = block.domain.inputs  # type: ignore[attr-defined]
    total = np.zeros((len(block.domain.log_prior), len(words)))
    for x in inputs:
        p_x = np.exp(block.domain.log_input(x))
        total += p_x[:, None] * MIXTURE.label_probabilities(x, words)[block.tasks]
    ours = MIXTURE.label_marginals(words, MIXTURE.fresh_states())[block.tasks]
    noise = np.stack(
        [IN_RANGE * block.domain.range_share(y) + (1 - IN_RANGE) * math.exp(ANY.log_text(y)) for y in words], axis=1
    )
    assert ours == pytest.approx((1 - STRAY) * total + STRAY * noise, rel=1e-9)


def test_instruction_multiplies_the_prior() -> None:
    weights, _ = MIXTURE.posterior([], "Give the plural.")
    odds = weights[0] / MIXTURE.prior
    right = [i for i, name in enumerate(MIXTURE.families) if MIXTURE.instructions[name] == "Give the plural."]
    other = [i for i in range(len(odds)) if i not in right]
    count = len(MIXTURE.distinct_instructions)
    assert odds[right[0]] / odds[other[0]] == pytest.approx((0.9 + 0.1 / count) / (0.1 / count))
    assert MIXTURE.posterior([], "Do as you like.")[0][0] == pytest.approx(MIXTURE.prior)


def test_kernel_equals_a_sum_over_labels() -> None:
    pairs, query = [("Monday", "Tuesday"), ("March", "April"), ("Friday", "zig")], "June"
    weights = MIXTURE.latent_posterior(pairs)
    # Every word that any task of the domain, its codebook or the noise can say, and one for all other texts.
    words = list(MIXTURE.vocabulary)
    states = MIXTURE.states_after(pairs)
    mine = MIXTURE.label_probabilities(query, words, states)
    for (x, _), ours in zip(pairs, exact_kernel(MIXTURE, pairs, query), strict=True):
        theirs = MIXTURE.label_probabilities(x, words, states)
        assert ours == pytest.approx(weights @ (mine * theirs).sum(axis=1), abs=1e-4)


def test_kernel_is_positive_semidefinite() -> None:
    pairs = MIXTURE.sample("category", 8, seed=2)
    inputs = list(dict.fromkeys(x for x, _ in pairs))
    gram = np.array([exact_kernel(MIXTURE, pairs, x) for x in inputs])
    gram = gram[:, [next(i for i, (x, _) in enumerate(pairs) if x == y) for y in inputs]]
    assert gram == pytest.approx(gram.T, abs=1e-9)
    assert np.linalg.eigvalsh(gram).min() > -1e-9


@pytest.mark.parametrize("family", ["French", "sentiment (arbitrary)", "double", "letters: codebook", "first word"])
def test_components_mix_to_the_predictive(family: str) -> None:
    """Σ_F P(F|D_n) p(x, y | F, D_n) is p(x, y | D_n) up to the domains that cannot hold x."""
    pairs = MIXTURE.sample(family, 5, seed=8)
    probes = choose_probes(MIXTURE, pairs, 3)
    assert not set(probes) & {x for x, _ in pairs}
    found = components(MIXTURE, pairs, probes)
    weights, _ = MIXTURE.posterior(pairs)
    for q, x in enumerate(probes):
        words = found.answers[q]
        exact = MIXTURE.predictive(pairs, x, words)
        for n in range(1, len(pairs) + 1):
            mixed = weights[n, found.families] @ found.joint[n, q, :, : len(words)]
            assert mixed / mixed.sum() == pytest.approx(exact[n] / exact[n].sum(), abs=1e-4)


def test_first_token_predictive_sums_words_by_their_first_token() -> None:
    first = FirstToken(MIXTURE)
    rng = random.Random(11)
    for _ in range(5):
        document = draw_document(MIXTURE, rng, reversed_share=0.0)
        pairs = document.pairs
        exact = first.predictive(pairs[:-1], [x for x, _ in pairs], document.instruction)
        assert exact.sum(axis=1) == pytest.approx(1)
        words = [w for w in MIXTURE.vocabulary if len(w) > 3][::25]
        by_word = MIXTURE.predictive(pairs[:-1], pairs[-1][0], words, document.instruction)[-1]
        # A spelled word may open with a listed one, so tokens hold at least the word's own mass.
        assert (exact[-1, [first.first(w) for w in words]] >= by_word - 1e-9).all()


def test_bayes_is_calibrated_on_its_own_documents() -> None:
    """Mean surprise equals mean entropy over fresh documents: what is drawn is what Bayes assumes."""
    first, rng = FirstToken(MIXTURE), random.Random(12)
    gaps = []
    for _ in range(150):
        document = draw_document(MIXTURE, rng, reversed_share=0.0)
        pairs = document.pairs
        exact = first.predictive(pairs[:-1], [x for x, _ in pairs], document.instruction)
        for row, (_, y) in zip(exact, pairs, strict=True):
            gaps.append(-math.log(row[first.first(y)]) + float((row * np.log(row + 1e-300)).sum()))
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / math.sqrt(len(gaps))


def test_size_of_the_mixture() -> None:
    assert len(MIXTURE.families) == len(set(MIXTURE.families)) >= 60
    assert len(MIXTURE.vocabulary) >= 1200
    assert MIXTURE.prior.sum() == pytest.approx(1)
    assert np.exp(MIXTURE.log_prior).sum() == pytest.approx(1)
