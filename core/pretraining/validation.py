"""KL from exact Bayes to a model on fixed fresh documents: the learning curve's measure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from core.mixture.documents import draw_document
from core.mixture.mixture import load_mixture
from core.pretraining.first_token import FirstToken
from core.pretraining.tokenizer import build_tokenizer
from core.pretraining.writer import Writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 1_000_003
DOCUMENTS = 200


class Validation:
    """Mean KL(Bayes‖model) in nats a label, by first token, over forward documents of the mixture."""

    def __init__(self) -> None:
        mixture, writer, rng = load_mixture(), Writer(build_tokenizer()), random.Random(SEED)
        bayes = FirstToken(mixture)
        self._rows: list[tuple[list[int], list[int], NDArray[Any]]] = []
        for _ in range(DOCUMENTS):
            document = draw_document(mixture, rng, reversed_share=0.0)
            ids, spans = writer.write(document)
            pairs = document.pairs[: len(spans)]
            exact = bayes.predictive(pairs[:-1], [x for x, _ in pairs], document.instruction)
            self._rows.append((ids, [start - 1 for start, _ in spans], exact.astype(np.float32)))

    def __call__(self, model: Any, device: str) -> float:
        import torch

        total, count = 0.0, 0
        with torch.no_grad():
            for ids, places, exact in self._rows:
                hidden = model.model(input_ids=torch.tensor([ids], device=device), use_cache=False).last_hidden_state
                logs = model.lm_head(hidden[0, places]).float().log_softmax(-1)
                p = torch.from_numpy(exact).to(device)
                total += float((p * ((p + 1e-30).log() - logs)).sum())
                count += len(places)
        return total / count
