"""Tokens that a model's vocabulary lacks: their vectors are learned, the model itself stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import PromptTooLong
from core.models.encoding import Encoding
from core.runtime.cost import count
from core.runtime.progress import Stop, check, counting

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
RATE = 1e-2  # of Adam
BATCH = 8


def learn_tokens(
    model: LanguageModel,
    pairs: Sequence[tuple[str, str]],
    tokens: int,
    *,
    steps: int,
    seed: int = 0,
    stop: Stop | None = None,
) -> tuple[Vectors, Floats]:
    """Vectors θ of new tokens that, put in front, make the continuations probable.

    Minimises the mean over pairs of −log p(continuation | θ, context), in nats summed over the continuation's tokens,
    by Adam on θ alone, in batches of eight; θ starts at the embeddings of random ordinary tokens. A token that the
    tokenizer puts in front of every text (BOS) stays in front of θ.

    Args:
        pairs: N ≥ 1 (context, continuation).
        tokens: c.
        steps: of Adam.
        seed: of start and batches.
        stop: asked before every step.

    Returns:
        (c, d) vectors, and (steps,) the loss of each step's batch.

    Raises:
        PromptTooLong: a text with θ in front has more tokens than the model reads.
        Cancelled: `stop` said so.
    """
    rng = np.random.default_rng(seed)
    encodings = [model.encode(context + continuation) for context, continuation in pairs]
    _check(model, encodings, tokens)
    scored = [_after(encoding, len(context)) for encoding, (context, _) in zip(encodings, pairs, strict=True)]
    losses = np.empty(steps)
    theta = _start(model, tokens, rng)
    adam = torch.optim.Adam([theta], lr=RATE)
    order: list[int] = []
    with counting(steps, "steps", inner=True) as advance:
        for step in range(steps):
            check(stop)
            if len(order) < min(BATCH, len(pairs)):
                order += [int(i) for i in rng.permutation(len(pairs))]
            batch, order = order[:BATCH], order[BATCH:]
            with model.module() as module, torch.enable_grad():  # let go after every step, for others who wait
                loss = _loss(module, theta, [encodings[i] for i in batch], [scored[i] for i in batch])
                adam.zero_grad()
                torch.autograd.backward(loss)
            adam.step()
            count(passes=1, texts=len(batch), backward=1)
            losses[step] = float(loss.detach())
            advance(step + 1)
    return theta.detach().cpu().numpy(), losses


def surprise(model: LanguageModel, texts: Sequence[str], vectors: Vectors, stop: Stop | None = None) -> Floats:
    """(N,) −log p(θ_1 … θ_c | text) in nats: how little each text leads the model to expect the new tokens.

    The new tokens join the vocabulary, their logit the product of the last hidden state with their vector, as in a
    model whose embedding is also its output matrix.

    Raises:
        PromptTooLong, Cancelled: as in `learn_tokens`.
    """
    encodings = [model.encode(text) for text in texts]
    _check(model, encodings, len(vectors))
    found = np.empty(len(texts))
    by_length = sorted(range(len(texts)), key=lambda i: len(encodings[i]))
    with counting(len(texts), "texts", inner=True) as advance:
        for start in range(0, len(texts), BATCH):
            check(stop)
            batch = by_length[start : start + BATCH]
            with model.module() as module, torch.inference_mode():
                theta = torch.from_numpy(vectors).to(module.get_input_embeddings().weight.device)
                found[batch] = _surprise(module, theta, [encodings[i] for i in batch])
            count(passes=1, texts=len(batch))
            advance(start + len(batch))
    return found


def _start(model: LanguageModel, tokens: int, rng: np.random.Generator) -> Tensor:
    """(c, d) embeddings of random ordinary tokens, to be learned."""
    numbers = rng.choice(model.ordinary_tokens, tokens, replace=tokens > len(model.ordinary_tokens))
    with model.module() as module:
        weight: Tensor = module.get_input_embeddings().weight
        return weight[torch.from_numpy(numbers).to(weight.device)].detach().float().clone().requires_grad_(True)


def _surprise(module: Any, theta: Tensor, encodings: Sequence[Encoding]) -> Floats:
    embed = module.get_input_embeddings()
    new = theta.to(embed.weight.dtype)
    rows = [torch.cat([embed(_ids(encoding, embed)), new]) for encoding in encodings]
    output = module(inputs_embeds=_padded(rows), use_cache=False, output_hidden_states=True)
    found = []
    for place, encoding in enumerate(encodings):
        at = slice(len(encoding) - 1, len(encoding) - 1 + len(theta))  # what stands in front of each new token
        old = output.logits[place, at].float()
        joined = torch.cat([old, output.hidden_states[-1][place, at].float() @ theta.T], dim=1)
        logs = torch.log_softmax(joined, dim=1)[:, old.shape[1] :]
        found.append(-float(logs.diagonal().sum()))
    return np.array(found)


def _loss(module: Any, theta: Tensor, encodings: Sequence[Encoding], scored: Sequence[list[int]]) -> Tensor:
    """Mean over the batch of −log p of the tokens scored."""
    embed = module.get_input_embeddings()
    rows = []
    for encoding in encodings:
        own = embed(_ids(encoding, embed))
        front = _front(encoding)
        rows.append(torch.cat([own[:front], theta.to(own.dtype), own[front:]]))
    logits = module(inputs_embeds=_padded(rows), use_cache=False).logits
    total = theta.new_zeros(())
    for place, (encoding, targets) in enumerate(zip(encodings, scored, strict=True)):
        at = torch.tensor(targets, device=logits.device)
        logs = torch.log_softmax(logits[place, at + len(theta) - 1].float(), dim=1)
        wanted = _ids(encoding, embed)[at]
        total = total - logs.gather(1, wanted[:, None]).sum()
    return total / len(encodings)


def _ids(encoding: Encoding, embed: Any) -> Tensor:
    return torch.tensor(encoding.ids, dtype=torch.int64, device=embed.weight.device)


def _padded(rows: Sequence[Tensor]) -> Tensor:
    """(B, longest, d); padding stands to the right, where a causal model does not look."""
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True)


def _front(encoding: Encoding) -> int:
    """How many tokens the tokenizer put in front of the text."""
    return next((i for i, end in enumerate(encoding.ends) if end > 0), 0)


def _after(encoding: Encoding, join: int) -> list[int]:
    """Places of the tokens that end after the join."""
    return [i for i, end in enumerate(encoding.ends) if end > join]


def _check(model: LanguageModel, encodings: Sequence[Encoding], more: int) -> None:
    longest = max((len(encoding) for encoding in encodings), default=0) + more
    if longest > model.context_length:
        raise PromptTooLong(longest, model.context_length, 0)
