"""Fit the linear probe of the embedded model's residual stream, anew for every checkpoint.

    python -m core.posterior.fit_residual_probe              four minutes of one core; writes beside the checkpoint
    python -m core.posterior.fit_residual_probe --quick      few documents, to see that it runs; writes nothing

Softmax regression with soft targets: the minimum over W, b of the mean of −Σ_T P(T | D, x) log softmax(h W + b)_T plus
λ‖W‖²/2 on standardised h, by L-BFGS, a layer at a time. Documents are drawn from the mixture with a seed of their own,
and every fifth is left out of the fit and reported on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from core.bayes.beliefs import beliefs_at_inputs
from core.mixture.documents import Document, draw_document
from core.mixture.mixture import Mixture
from core.models.loading import load_model
from core.posterior.fitted import options
from core.posterior.openness import NAMES, row_of
from core.posterior.residual_probe import FILE, ResidualProbe, answer_places, read
from core.statistics.divergences import total_variation
from core.study.demonstrations import Demonstration
from core.study.prompts import render

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
DOCUMENTS, DEMONSTRATIONS = 12_000, 6
APART = 5  # every so many-th document is reported on
BATCH = 32  # documents a pass
RIDGE = 3e-5  # λ
STEPS = 120  # of L-BFGS at most, a layer


@dataclass(frozen=True)
class ProbeStates:
    """Residual streams at the answers of documents, and what exact Bayes believes there.

    Attributes:
        hidden: (N, L + 1, d).
        exact: (N, F) P(T | D, x).
        document: (N,) of which document.
    """

    hidden: Singles
    exact: Singles
    document: NDArray[np.intp]


def draw_states(model: LanguageModel, mixture: Mixture, count: int, seed: int) -> ProbeStates:
    """The states of `count` documents after 0 … 6 demonstrations; those that the context does not hold are left out."""
    rng = random.Random(f"residual probe/{seed}")
    documents = [draw_document(mixture, rng, count=DEMONSTRATIONS + 1, reversed_share=0.0) for _ in range(count)]
    hidden, exact, whose = [], [], []
    for start in range(0, count, BATCH):
        for number, streams in _streams(model, documents[start : start + BATCH]):
            document = documents[start + number]
            *pairs, (query, _) = document.pairs
            hidden.append(streams)
            exact.append(beliefs_at_inputs(mixture, pairs, query, document.instruction).astype(np.float32))
            whose.append(np.full(len(streams), start + number))
    return ProbeStates(np.concatenate(hidden), np.concatenate(exact), np.concatenate(whose).astype(np.intp))


def _streams(model: LanguageModel, documents: Sequence[Document]) -> Iterator[tuple[int, Singles]]:
    """Of every document that the context holds, its number and its residual streams at the answers, (k + 1, L + 1, d).

    Texts are padded behind, where a causal model's earlier tokens do not look.
    """
    prompts = []
    for document in documents:
        *pairs, (query, _) = document.pairs
        rows = [Demonstration(input=x, label=y) for x, y in pairs]
        prompts.append(render(rows, query, document.template, document.instruction))
    encodings = model.encoder.encode_batch([prompt.text for prompt in prompts])
    kept = [i for i, encoding in enumerate(encodings) if len(encoding) <= model.context_length]
    width = max(len(encodings[i]) for i in kept)
    ids = torch.zeros((len(kept), width), dtype=torch.long)
    for row, i in zip(ids, kept, strict=True):
        row[: len(encodings[i])] = torch.tensor(encodings[i].ids)
    with model.module() as module, torch.no_grad():
        states = module.model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
    stacked = torch.stack(states, dim=2)  # (B, t, L + 1, d)
    for row, i in zip(stacked, kept, strict=True):
        yield i, row[answer_places(encodings[i], prompts[i])].float().numpy()


def fit(hidden: Singles, exact: Singles, ridge: float = RIDGE, steps: int = STEPS) -> tuple[Floats, Floats]:
    """Softmax regression of one layer on soft targets: W (d, F), b (F,).

    Args:
        hidden: (N, d).
        exact: (N, F) rows that sum to one.
        ridge: λ, on the weights of standardised streams; b is free.
    """
    centre, scale = hidden.mean(0), hidden.std(0) + 1e-6
    x, aims = torch.from_numpy((hidden - centre) / scale), torch.from_numpy(exact)
    weights = torch.zeros((hidden.shape[1], exact.shape[1]), dtype=torch.float32, requires_grad=True)
    bias = torch.from_numpy(np.log(exact.mean(0) + 1e-6)).requires_grad_(True)
    solver = torch.optim.LBFGS([weights, bias], max_iter=steps, history_size=20, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        logs = torch.log_softmax(x @ weights + bias, dim=1)
        value = -(aims * logs).sum(1).mean() + ridge / 2 * (weights**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)  # type: ignore[no-untyped-call]
    plain = weights.detach().numpy().astype(np.float64) / scale[:, None]
    return plain, bias.detach().numpy().astype(np.float64) - centre @ plain


def fit_probe(model: LanguageModel, mixture: Mixture, count: int, seed: int) -> ResidualProbe:
    """The probe of every layer, with its error on the documents left out."""
    states = draw_states(model, mixture, count, seed)
    apart = states.document % APART == 0
    fitted = [fit(states.hidden[~apart, layer], states.exact[~apart]) for layer in range(states.hidden.shape[1])]
    half = [np.stack(part).astype(np.float16).astype(np.float64) for part in zip(*fitted, strict=True)]
    exact = states.exact[apart].astype(np.float64)
    distance = total_variation(read(states.hidden[apart].astype(np.float64), half[0], half[1]), exact[:, None])
    row = row_of(exact)
    nothing = np.full(distance.shape[1], np.nan)
    errors = [distance[row == r].mean(0) if (row == r).any() else nothing for r in range(len(NAMES))]
    return ResidualProbe(
        weights=half[0],
        bias=half[1],
        tasks=tuple(mixture.families),
        fingerprint=model.fingerprint,
        errors=np.stack(errors, axis=1),
        states=np.bincount(row, minlength=len(NAMES)).astype(np.int64),
        documents=len(set(states.document[~apart].tolist())),
    )


def main() -> None:
    """Command line."""
    chosen = options(__doc__, DOCUMENTS, FILE)
    model = load_model("embedded")
    assert model.mixture is not None
    probe = fit_probe(model, model.mixture, chosen.documents, chosen.seed)
    print("total variation to exact Bayes, by layer; overall, then by entropy", NAMES, "on", probe.states.tolist())
    for layer, (mean, errors) in enumerate(zip(probe.overall, probe.errors, strict=True)):
        print(layer, f"{mean:.3f}", *(f"{error:.3f}" for error in errors))
    if not chosen.quick:
        probe.save(chosen.to)
        print(chosen.to, chosen.to.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
