"""What a head does wherever it is put: look one token back, find what followed before, copy, attend to labels.

Four scores come from random tokens, repeated, so that no meaning of words can make them (Olsson et al. 2022;
docs/methods.md §8.5); label attending is scored on the study's own prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.attention import tokens_of
from core.errors import ModelError
from core.models.embedded import LOOK_BACK
from core.runtime.progress import Stop, check, counting
from core.study.prompts import Prompt

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.study.study import Head

Floats = NDArray[np.float64]
PERIOD, REPEATS, SEQUENCES = 25, 4, 4
SHORTEST = 4  # tokens of a period; with fewer, looking back and finding what followed are hardly apart


@dataclass(frozen=True)
class HeadRoles:
    """Scores of every head.

    Attributes:
        previous: (layers, heads) mean of A[i, i−1], in [0, 1].
        second_previous: (layers, heads) mean of A[i, i−2], in [0, 1].
        induction: (layers, heads) prefix matching, in [0, 1].
        copying: (layers, heads) in [−1, 1], or None where the architecture does not show its heads' outputs.
        planted: heads that were given before training how many tokens to look back; they did not emerge.
        period, repeats, sequences: of the random tokens that were read.
    """

    previous: Floats
    second_previous: Floats
    induction: Floats
    copying: Floats | None
    planted: dict[Head, int]
    period: int
    repeats: int
    sequences: int


@dataclass(frozen=True)
class LabelAttending:
    """How much of the answer position's attention falls on the demonstrations' labels.

    Attributes:
        share: (layers, heads) Σ_j A[last, j] over the labels' tokens, in [0, 1].
        even: what a head that attends to every token alike would give: labels' tokens / tokens.
    """

    share: Floats
    even: float


def head_roles(
    model: LanguageModel,
    *,
    period: int = PERIOD,
    repeats: int = REPEATS,
    sequences: int = SEQUENCES,
    seed: int = 0,
    stop: Stop | None = None,
) -> HeadRoles:
    """Score every head on random tokens repeated: `period` distinct tokens, `repeats` times, after the
    beginning-of-text token where the tokenizer adds one. Scores are means over `sequences` such texts. Periods are
    shorter where the model reads fewer tokens. A layer whose window is shorter than a period scores 0 for induction:
    it cannot see the earlier occurrence.

    Raises:
        ModelError: the architecture gives no attention weights, or reads too few tokens for a repetition.
        Cancelled: `stop` said so.
    """
    front = list(model.encode("").ids)
    ordinary = model.ordinary_tokens
    period = min(period, (model.context_length - len(front)) // repeats, len(ordinary) // 2)
    if period < SHORTEST:
        raise ModelError(f"This model reads {model.context_length} tokens, too few to look for repeated ones.")
    scores: list[tuple[Floats, Floats, Floats]] = []
    copied: list[Floats] = []
    with counting(sequences, "texts") as advance:
        for turn in range(sequences):
            check(stop)
            draw = np.random.default_rng((seed, turn)).choice(ordinary, period, replace=False)
            ids = [*front, *np.tile(draw, repeats).tolist()]
            maps, written = model.inside(ids)
            own = maps[:, :, len(front) :, len(front) :]
            scores.append((looking_back(maps, 1), looking_back(maps, 2), prefix_matching(own, period)))
            if written is not None:
                first = slice(len(front), len(front) + period)  # of each token one copy
                rows = written[:, :, len(front) :, first]
                copied.append(copying(rows, np.arange(rows.shape[2]) % period))
            advance(turn + 1)
    previous, second, induction = (np.mean(kind, axis=0) for kind in zip(*scores, strict=True))
    return HeadRoles(
        previous=previous,
        second_previous=second,
        induction=induction,
        copying=np.mean(copied, axis=0) if copied else None,
        planted=planted(model),
        period=period,
        repeats=repeats,
        sequences=sequences,
    )


def planted(model: LanguageModel) -> dict[Head, int]:
    """Heads of the embedded model that were given before training how far to look back: (layer, head) to tokens back.

    What they do is no finding, and whoever shows roles must say so (core/models/embedded.py).
    """
    if model.mixture is None:
        return {}
    return {(0, head): by for head, by in enumerate(LOOK_BACK)}


def looking_back(maps: NDArray[np.float32], by: int = 1) -> Floats:
    """Mean of A[i, i − by] over rows i ≥ by: (…, t, t) to (…). A head that always looks `by` tokens back scores 1."""
    return np.asarray(np.diagonal(maps, offset=-by, axis1=-2, axis2=-1).mean(axis=-1, dtype=np.float64))


def prefix_matching(maps: NDArray[np.float32], period: int) -> Floats:
    """Attention from a token to what followed its earlier occurrences: (…, t, t) to (…), in [0, 1].

    mean over i ≥ p of Σ_{r ≥ 1, rp ≤ i} A[i, i − rp + 1], on a sequence whose tokens repeat with period p and are
    distinct within it; rows of later repeats only, as the first has nothing earlier to find. A perfect induction head
    scores 1, however it spreads its attention over several earlier occurrences (Olsson et al. 2022;
    docs/methods.md §8.6).

    Args:
        maps: attention on that sequence, nothing before it.
        period: p, at least 2.
    """
    size = maps.shape[-1]
    total = np.zeros(maps.shape[:-2])
    for back in range(period, size, period):
        # A[i, i − back + 1] for i ≥ back is a diagonal; its first entry is row back − 1, which is too early
        total = total + np.diagonal(maps, offset=-(back - 1), axis1=-2, axis2=-1)[..., 1:].sum(axis=-1, dtype=float)
    return np.asarray(total / (size - period))


def copying(written: NDArray[np.float32], own: NDArray[np.intp]) -> Floats:
    """Share that an attended token has in what a head writes: (…, t, n) direct-path logits to (…), in [−1, 1].

    With ℓ[j, v] the logit of token v when the head attends to place j alone, c[j, v] = ℓ[j, v] − mean_v ℓ[j, v] and
    a(j) the token at place j: the mean over j of 2 c[j, a(j)] / Σ_v |c[j, v]|. The upper half of Σ|c| is what is
    raised, the lower half what is lowered, so a head that raises the attended token alone scores 1, one that lowers it
    alone −1, and one that does not care about it 0. Any positive factor on a place's logits cancels. After Olsson et
    al. 2022 (docs/methods.md §8.7); they rescale a share in [0, 1] to [−1, 1], by which a head that does not care
    scores low.

    Args:
        written: logits of n distinct tokens.
        own: (t,) which of the n stands at place j.
    """
    values = written.astype(np.float64)
    centred = values - values.mean(axis=-1, keepdims=True)
    size = np.abs(centred).sum(axis=-1)
    attended = centred[..., np.arange(len(own)), own]
    share = np.divide(2 * attended, size, out=np.zeros_like(attended), where=size > 0)
    return np.asarray(share.mean(axis=-1))


def label_attending(model: LanguageModel, prompt: Prompt) -> LabelAttending:
    """Share of the last prompt token's attention on the labels of the demonstrations, for every head.

    Raises:
        ModelError: the architecture gives no attention weights.
        PromptTooLong.
    """
    reading = model.read(prompt.text, rows=(-1,))
    if reading.attention is None:
        raise ModelError("This model's architecture gives no attention weights, so there is nothing to look at.")
    labels = tokens_of(prompt, model.encode(prompt.text)).of_kinds(["label"])
    share = reading.attention[:, :, 0][..., labels].sum(axis=-1, dtype=np.float64)
    return LabelAttending(share, float(labels.mean()))
