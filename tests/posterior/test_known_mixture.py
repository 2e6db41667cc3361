"""Decoding exact Bayes over the real mixture gives exact Bayes back; decoding the embedded model gives no NaN."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core import Demonstration, Study, load_model
from core.bayes.probing import choose_probes, components
from core.mixture.mixture import load_mixture
from core.models import LanguageModel
from core.posterior.decoding import condition, decode_em, mixed
from core.posterior.evidence import Evidence, ask, before_labels, gather, leftover
from core.posterior.implicit import HELD, ILL_CONDITIONED
from tests.asked import bayes_of, implicit

FAMILIES = (
    "French",
    "copy",
    "plural",
    "living (flipped)",
    "living (arbitrary)",
    "nouns: codebook",
    "antonym",
    "next number",
    "sums: larger",
    "capital letter",
    "topic",
    "sentiment (arbitrary)",
    "spelled: capitalise",
)


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@cache
def study(family: str, count: int = 9, instruction: str = "") -> Study:
    mixture = load_mixture()
    pairs = mixture.sample(family, count, seed=3)
    shown = tuple(Demonstration(input=x, label=y) for x, y in pairs)
    return Study(demonstrations=shown, query=mixture.sample(family, 1, seed=8)[0][0], instruction=instruction)


def evidence(model: LanguageModel, family: str, instruction: str = "") -> tuple[Evidence, np.ndarray, np.ndarray]:
    """The columns of P with q as exact Bayes has it, exact Bayes, and Bayes before labels."""
    mixture, asked = load_mixture(), study(family, instruction=instruction)
    pairs = [(d.input, d.label) for d in asked.demonstrations]
    exact = mixture.posterior(pairs, instruction)[0]
    before = before_labels(mixture, [x for x, _ in pairs], instruction)
    probes = tuple(dict.fromkeys([*choose_probes(mixture, pairs), asked.query]))
    bayes = bayes_of(asked, mixture, asked.demonstrations, ())
    found = gather(bayes, model, ask(bayes.question, model, probes), before)
    return replace(found, q=mixed(found.joint, exact)), exact, before


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_bayes_decodes_to_itself(model: LanguageModel, family: str) -> None:
    found, exact, before = evidence(model, family)
    weights = decode_em(found.q, found.joint, np.where((before > 1e-4) | (exact > 1e-4), before, 0.0))
    off = 0.5 * np.abs(weights - exact).sum(1)
    sure = condition(found.joint, weights >= HELD) < ILL_CONDITIONED
    assert sure.sum() >= 4 or family == "sums: larger", "there the probes need not tell the larger from the first"
    assert off[sure].max(initial=0.0) < 0.02
    assert off[0] < 0.02, "no demonstrations is the prior"


@pytest.mark.parametrize("family", ["plural", "topic"])
@pytest.mark.parametrize("named", ["plural", "antonym"])
def test_an_instruction_is_decoded_too(model: LanguageModel, family: str, named: str) -> None:
    found, exact, before = evidence(model, family, load_mixture().instructions[named])
    weights = decode_em(found.q, found.joint, np.where((before > 1e-4) | (exact > 1e-4), before, 0.0))
    assert (0.5 * np.abs(weights - exact).sum(1))[[0, -1]].max() < 0.02


@pytest.mark.parametrize("decoding", ["em", "least-squares"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_model_itself_decodes_without_a_hole(model: LanguageModel, family: str, decoding: str) -> None:
    asked = study(family).model_copy(update={"posterior_solver": decoding})
    mixture = load_mixture()
    labels = mixture.answers(asked.query)
    found = implicit(asked, model, mixture, asked.demonstrations, labels)
    assert found.weights.shape == (len(asked.demonstrations) + 1, len(mixture.families))
    assert np.isfinite(found.weights).all()
    assert (found.weights >= 0).all()
    np.testing.assert_allclose(found.weights.sum(1), 1.0)
    assert found.residual is not None
    assert np.isfinite(found.residual).all()
    assert found.condition is not None
    assert (found.condition >= 1).all()
    assert found.predictive is not None
    assert found.predictive.shape == (len(asked.demonstrations) + 1, len(labels))
    assert (found.predictive.sum(1) < 1 + 1e-9).all()


def test_leftover_is_what_the_candidates_lack() -> None:
    """p(x | family, D) − Σ_a joint against the mixture's own p(y | x, T), family by family and latent by latent."""
    mixture = load_mixture()
    pairs = mixture.sample("living (arbitrary)", 3, seed=1)
    probes = choose_probes(mixture, pairs, 2)
    parts = components(mixture, pairs, probes)
    known = np.zeros((len(pairs) + 1, len(probes), len(mixture.families)))
    known[:, :, parts.families] = parts.joint.sum(3)
    rest = leftover(mixture, pairs, probes, known)
    log_joint = mixture.log_joint(pairs)
    for name in ("living (arbitrary)", "size (arbitrary)", "French"):
        f = mixture.families.index(name)
        inside = np.flatnonzero(mixture.family_of == f)
        for n in range(4):
            share = np.exp(log_joint[n, inside] - log_joint[n, inside].max())
            share /= share.sum()
            for j, x in enumerate(probes):
                chance = np.exp(mixture.log_inputs(x))[inside]
                missing = 1 - mixture.label_probabilities(x, parts.answers[j])[inside].sum(1)
                assert rest[n, j, f] == pytest.approx(float((share * chance * missing).sum()), rel=1e-6, abs=1e-12)
