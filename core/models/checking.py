"""The check that keeps packed scoring from ever being silently wrong.

A model is asked for the same log-probabilities in several ways: one text at a time, as a trie, from a kept prefix, and
going on from what an earlier pass kept, beside a text that stands apart.
Texts are random tokens, longer than any window where that is cheap. The yardstick is the model's own sensitivity:
how far the same predictions move when the beginning of the text is another one.

A 16-bit format rounds each way differently, so there the limits are wider by what rounding does, which is measured: the
same texts alone, in the format and in float32. A wrong mask moves predictions as another beginning does, many times
further. What is left of the rounding is kept as the model's drift (docs/methods.md §3.9).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from core.errors import ModelError
from core.models.architectures import Abilities, kind, obstacle, route_of
from core.models.capture import eager
from core.models.drift import Drift, Floats, drift_of
from core.models.observers import Rows
from core.models.packing import Limits, Plan, plan, read_on
from core.models.passes import Passes
from core.models.prefix_cache import PrefixCache
from core.models.trie import Ints

_log = logging.getLogger(__name__)
_LONGEST = 192  # tokens of a check text: past small windows, cheap on large models
_SHORTEST = 24


@dataclass(frozen=True)
class _Sample:
    """The texts of the check, and what the model says of each read alone.

    Attributes:
        texts, marks: four texts, and the places of each whose predictions are compared.
        plain: for each text, (marks, V) log-probabilities.
        cut: (2, V) the first text's first marks again, nothing behind them.
        moved: mean |Δ log p| of the same predictions after another beginning.
        rounding, most_rounding: what the number format alone does: the mean |Δ log p| of the worst prediction, and the
            largest of one token; 0 in float32.
    """

    texts: list[Ints]
    marks: list[Ints]
    plain: list[Floats]
    cut: Floats
    moved: float
    rounding: float
    most_rounding: float

    @property
    def limit(self) -> float:
        """How far the mean over tokens of one prediction may move and still be the same prediction."""
        return 0.05 * self.moved + 1e-6 + 2 * self.rounding

    @property
    def tolerance(self) -> float:
        """How far one token's log-probability may move and still be the same number."""
        return 1e-4 + 3 * self.most_rounding


def predictions(model: Any, context: int) -> list[Floats]:
    """What a float32 model says of the texts of the check, each read alone: (marks, V) log-probabilities a text.

    Raises:
        ModelError: as in `examine`.
    """
    return _read(Passes(model, route_of(model)), context, None).plain


def examine(model: Any, context: int, exact: list[Floats] | None = None, start: Sequence[int] = ()) -> Abilities:
    """Find out what a model can do, and how far a 16-bit format moves what it says.

    Args:
        exact: `predictions` of the same checkpoint in float32, where the model is in a 16-bit format and there was
            memory for both; without it rounding is what another length of the same text does.
        start: the tokens that its tokenizer puts before every text.

    Raises:
        ModelError: the model is not causal: a later token changes an earlier prediction; or what it says is no number.
    """
    route = route_of(model)
    passes = Passes(model, route, forest=route == "interface")
    sample = _read(passes, context, exact)
    _check_begun(passes, model, np.array([*start, *sample.texts[0]], dtype=np.int64)[:context])
    reason = obstacle(model, route)
    together = [] if reason else [_together(passes, model, sample, packable=packable) for packable in (True, False)]
    if not all(_agrees(sample, tried) for tried in together):
        reason = f"{kind(model)} gives other numbers when texts share a pass"
    passes.forest = passes.forest and not reason
    behind = _together(passes, model, sample, cacheable=True)
    cacheable = _agrees(sample, behind)
    passes.last_states = _gives_last_states(passes, sample.texts[0])
    going_on = _going_on(passes, model, sample) if cacheable else None
    continuing = _agrees(sample, going_on)
    attentive = route == "interface" or _attends(passes, model, sample)
    ways = [sample.plain, *([] if reason else together), behind if cacheable else None]
    ways += [going_on[:2]] if continuing and going_on is not None else []
    drift = None if model.dtype == torch.float32 else _drift([way for way in ways if way is not None], sample, exact)
    return Abilities(route, reason, cacheable, attentive, drift, continuing, passes.last_states)


def _read(passes: Passes, context: int, exact: list[Floats] | None) -> _Sample:
    """Read the texts alone, and refuse a model whose answers are no numbers or not causal."""
    model = passes.model
    texts, marks = _texts(model, context)
    plain = [_alone(passes, model, text, mark) for text, mark in zip(texts, marks, strict=True)]
    if any(np.isnan(logged).any() for logged in plain):
        raise ModelError(_no_numbers(model))
    moved = float(np.abs(plain[0][:4] - plain[-1][:4]).mean())  # same tokens predicted, other beginning
    cut = _alone(passes, model, texts[0][: int(marks[0][0]) + 2], marks[0][:2])
    half = model.dtype != torch.float32
    sample = _Sample(texts, marks, plain, cut, moved, *(_rounding(model, plain, exact, cut) if half else (0.0, 0.0)))
    _check_causal(passes, model, sample)
    return sample


def _drift(ways: list[list[Floats]], sample: _Sample, exact: list[Floats] | None) -> Drift:
    """How far the ways in which texts are read lie from float32, or where that is not known from one another."""
    if exact is not None:
        return drift_of(ways, exact, True)
    return drift_of([[sample.cut], *ways[1:]], sample.plain, False)


def _texts(model: Any, context: int) -> tuple[list[Ints], list[Ints]]:
    """Three texts that branch off one another, and one that shares only the first's later half; and their marks."""
    config = model.config.get_text_config()
    window = max((getattr(config, name, None) or 0 for name in ("sliding_window", "window_size")), default=0)
    length = min(context, max(_SHORTEST, window + 16 if window + 16 <= _LONGEST else 0))
    draw = np.random.default_rng(0)

    def random(count: int) -> Ints:
        return draw.integers(0, config.vocab_size, count)

    first, half = random(length), length // 2
    second = np.concatenate([first[: half + 2], random(length - half - 4)])
    third = np.concatenate([first[: half + 2], second[half + 2 : half + 4], random(3)])
    other = np.concatenate([random(half), first[half:]])
    texts = [first, second, third, other]
    return texts, [np.arange(length // 2, len(text)) for text in texts]


def _plan(model: Any, texts: list[Ints], marks: list[Ints], *, packable: bool, cacheable: bool) -> list[Plan]:
    config = model.config.get_text_config()
    width = 1 << 20 if packable else config.hidden_size  # so wide that sharing always pays
    return plan(
        texts,
        marks,
        width=width,
        vocabulary=config.vocab_size,
        packable=packable,
        cacheable=cacheable,
        limits=Limits(shortest_trunk=1),
    )


def _log_probs(passes: Passes, chosen: list[Plan], count: int) -> list[Floats]:
    """For each text, (marks, V) log-probabilities."""
    found: list[Floats] = [np.empty(0)] * count
    for batch, logits in passes.run(chosen):
        logged = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
        start = 0
        for row in batch:
            for member, path in zip(row.trie.members, row.trie.paths, strict=True):
                places = np.searchsorted(row.marked, path)
                known = (places < len(row.marked)) & (row.marked[np.minimum(places, len(row.marked) - 1)] == path)
                found[member] = logged[start + places[known]]
            start += len(row.marked)
    return found


def _alone(passes: Passes, model: Any, text: Ints, marks: Ints) -> Floats:
    """(marks, V) log-probabilities of one text in a pass of its own."""
    return _log_probs(passes, _plan(model, [text], [marks], packable=False, cacheable=False), 1)[0]


def _rounding(model: Any, plain: list[Floats], exact: list[Floats] | None, cut: Floats) -> tuple[float, float]:
    """What a 16-bit format does to a prediction: `rounding` and `most_rounding` of the sample.

    Without float32 it is what another length of the text does, and no less than the format's step at the size of a
    log-probability.
    """
    if exact is not None:
        pairs = list(zip(plain, exact, strict=True))
        return max(_typical(a, b) for a, b in pairs), max(_largest(a, b) for a, b in pairs)
    step = torch.finfo(model.dtype).eps * float(np.abs(plain[0]).mean())
    return max(step, _typical(cut, plain[0][:2])), max(4 * step, _largest(cut, plain[0][:2]))


def _typical(one: Floats, other: Floats) -> float:
    """The mean |Δ log p| over the vocabulary of the prediction that differs most.

    By prediction, since 16-bit rounding alone moves the least likely words as far as another context would.
    """
    return float(np.abs(one - other).mean(axis=1).max())


def _largest(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())


def _no_numbers(model: Any) -> str:
    name = str(model.dtype).removeprefix("torch.")
    if model.dtype == torch.float16:
        return f"{kind(model)} gives no numbers in float16, whose largest is 65,504: choose bfloat16 or float32."
    return f"{kind(model)} gives no numbers in {name}: its weights are damaged; save or download them again."


def _check_begun(passes: Passes, model: Any, text: Ints) -> None:
    """Refuse a model that gives no numbers for a text that begins as every text does.

    A start token draws most of the attention, and its states are hundreds of times those of other tokens: what a format
    holds of random tokens it need not hold of it.
    """
    if np.isnan(_alone(passes, model, text, np.array([len(text) - 1]))).any():
        raise ModelError(_no_numbers(model))


def _check_causal(passes: Passes, model: Any, sample: _Sample) -> None:
    """Refuse a model whose predictions change with what follows: with other tokens there, and with none.

    The text with other tokens has as many of them, so that no format rounds it differently.
    """
    text, marks, plain = sample.texts[0], sample.marks[0], sample.plain[0][:2]
    kept = int(marks[0]) + 2
    other = text.copy()
    other[kept:] = (other[kept:] + 1 + text[0]) % model.config.get_text_config().vocab_size
    changed = _alone(passes, model, other, marks[:2])
    if max(_typical(changed, plain), _typical(sample.cut, plain)) > sample.limit:
        raise ModelError(
            f"{kind(model)} is not a causal language model (a later word changes an earlier prediction): "
            "choose one that reads from left to right, such as GPT-2 or Llama."
        )


def _attends(passes: Passes, model: Any, sample: _Sample) -> bool:
    """Whether the model's eager attention gives weights for every layer and the predictions that scoring gives."""
    text, plain = sample.texts[0], sample.plain[0][-1]
    rows = Rows([0])
    inputs = {"input_ids": torch.from_numpy(text)[None].to(model.device), "use_cache": False}
    try:
        with eager(model, rows):
            logits = passes.last(inputs, output_attentions=True).logits[0, -1]
    except Exception as error:
        _log.debug("no attention to read: %s", error)
        return False
    logged = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
    same = bool(np.abs(logged - plain).max() <= sample.tolerance)
    return same and len(rows.kept) == model.config.get_text_config().num_hidden_layers


def _together(
    passes: Passes, model: Any, sample: _Sample, *, packable: bool = False, cacheable: bool = False
) -> list[Floats] | None:
    """The log-probabilities of texts that go together, or None where the architecture breaks on it."""
    # the fourth text shares no beginning
    texts, marks = (sample.texts[:3], sample.marks[:3]) if cacheable else (sample.texts, sample.marks)
    try:
        return _log_probs(passes, _plan(model, texts, marks, packable=packable, cacheable=cacheable), len(texts))
    except Exception as error:  # whatever an unknown architecture does with our mask: it cannot be packed
        _log.debug("self check failed: %s", error)
        return None


def _going_on(passes: Passes, model: Any, sample: _Sample) -> list[Floats] | None:
    """The log-probabilities of the texts where the first was read before: the second goes on from it and the fourth
    stands apart in the same pass; or None where the architecture breaks on it."""
    passes.prefixes = prefixes = PrefixCache()
    try:
        before = _log_probs(
            passes, _plan(model, sample.texts[:1], sample.marks[:1], packable=False, cacheable=False), 1
        )
        texts, marks = [sample.texts[1], sample.texts[3]], [sample.marks[1], sample.marks[3]]
        apart = _plan(model, texts, marks, packable=False, cacheable=False)
        first = [int(at[0]) for at in marks]
        after = _log_probs(passes, read_on(apart, first, prefixes.known, 1, passes.forest), 2)
        return [before[0], after[0], sample.plain[2], after[1]]
    except Exception as error:  # as above
        _log.debug("cannot go on from what was read: %s", error)
        return None
    finally:
        passes.prefixes = None


def _gives_last_states(passes: Passes, text: Ints) -> bool:
    """Whether what the model below the output layer gives are the last of its hidden states."""
    inputs = {"input_ids": torch.from_numpy(text[:_SHORTEST])[None].to(passes.model.device), "use_cache": False}
    with passes.below_output() as seen:
        last = passes.last(inputs, output_hidden_states=True).hidden_states[-1]
    return len(seen) == 1 and torch.equal(seen[0], last)


def _agrees(sample: _Sample, tried: list[Floats] | None) -> bool:
    """Whether the log-probabilities of texts that went together are those that each gets alone."""
    if tried is None:
        return False
    pairs = list(zip(tried, sample.plain, strict=False))
    largest, typical = (max(of(a, b) for a, b in pairs) for of in (_largest, _typical))
    return largest <= sample.tolerance and typical <= sample.limit
