"""A causal language model: scoring, predictions and the inside of a pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ModelError, PromptTooLong
from core.models.architectures import Abilities
from core.models.capture import eager, watching
from core.models.chat import chat_of
from core.models.direct_path import direct_logits
from core.models.encoding import Encoder, Encoding, joined
from core.models.incremental import Growing, growing
from core.models.layer import Layer, Observer
from core.models.observers import Inside, Rows
from core.models.packing import Plan, plan, read_on, suited
from core.models.passes import BLOCK, Alone, Look, Passes
from core.models.prefix_cache import MAX_BYTES, PrefixCache
from core.models.reading import Answers, Pair, Reading, Scored
from core.models.trie import Ints, distinct
from core.runtime.cost import count
from core.runtime.progress import Advance, Stop, check, counting
from core.runtime.turns import Turns

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

T = TypeVar("T")
_LARGE = 20_000_000
"""Parameters. A pass of a smaller model is over in milliseconds: there the same study gives the same digits each time,
whatever was read before; larger ones read on from what they know."""


class LanguageModel:
    """A loaded model. Every forward pass is taken under `lock`, so that people may share one; between two passes the
    others have their turn.

    Attributes:
        name: what it was loaded as: "embedded", a hub id or a folder.
        fingerprint: first 12 hex digits of a SHA-256 over the weights' files, and a 16-bit format's name.
        layers, heads, context_length, vocabulary_size: its shape.
        mixture: the pretraining mixture of the embedded model, else None.
        packable: whether several texts may share one pass; `why_not_packable` is a sentence, "" when they may.
        limits: what one pass may hold.
        dtype: the number format of its weights, such as "bfloat16".
        drift: how far a 16-bit format moves what it says, as measured when it was loaded; None in float32.
        chat: its own chat template; None where it has none, or cannot be asked through it.
        notes: what a reader of any of its numbers must know, a sentence each.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        abilities: Abilities,
        *,
        name: str,
        fingerprint: str,
        context_length: int,
        mixture: Mixture | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        config = model.config.get_text_config()
        self.name, self.fingerprint, self.mixture = name, fingerprint, mixture
        self.layers, self.heads = int(config.num_hidden_layers), int(config.num_attention_heads)
        self.context_length, self.vocabulary_size = context_length, int(config.vocab_size)
        self.packable, self.why_not_packable = abilities.packable, abilities.why_not_packable
        self.dtype, self.drift = str(model.dtype).removeprefix("torch."), abilities.drift
        self.notes = (*notes, *(() if self.drift is None else (self.drift.sentence(self.dtype),)))
        self.lock = Turns()
        self._width = int(config.hidden_size)
        self.limits = suited(str(model.device), self._width, padded=not abilities.forest)
        self._model, self._abilities = model, abilities
        self._passes = Passes(model, abilities.route, abilities.forest)
        self._passes.last_states = abilities.last_states
        if abilities.continuing and model.num_parameters() >= _LARGE:
            self.keep_prefixes()
        self.encoder = Encoder(tokenizer)
        self.chat, about_chat = chat_of(tokenizer, self.encoder)
        self.notes += about_chat
        self._start = next((i for i in (tokenizer.bos_token_id, tokenizer.eos_token_id) if i is not None), None)

    @property
    def ordinary_tokens(self) -> Ints:
        """Numbers of the tokens that stand for text, ascending."""
        known = range(min(self.vocabulary_size, self.encoder.size))
        return np.array([number for number in known if number not in self.encoder.special], dtype=np.int64)

    @property
    def prefixes(self) -> PrefixCache | None:
        """Keys and values of what was read lately; None where none are kept."""
        return self._passes.prefixes

    def keep_prefixes(self, most: int = MAX_BYTES) -> None:
        """Keep keys and values of what is read from here on, `most` bytes of them, and read on from there.

        Numbers are then those of reading all anew within 1e-5, and no longer to the last digit.
        """
        self._passes.prefixes = PrefixCache(most)

    @contextmanager
    def module(self) -> Iterator[Any]:
        """The torch module, the caller's alone meanwhile; its weights must be left as they are."""
        with self.lock:
            yield self._model

    def encode(self, text: str) -> Encoding:
        """Tokens of a text, BOS included where the tokenizer adds it."""
        return self.encoder.encode_batch([text])[0]

    def distinct_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of these texts, every beginning that they share once: the least that a model can read."""
        return distinct([np.array(ids, dtype=np.int64) for ids in self.encoder.ids_batch(texts)])

    @property
    def pace(self) -> float | None:
        """Tokens a second that it read lately, None before any."""
        return self._passes.pace

    def score(self, pairs: Sequence[Pair], *, stop: Stop | None = None) -> list[Scored]:
        """log p(continuation | context) token by token, for every (context, continuation).

        The whole text is tokenised at once; scored are the tokens whose span ends after the context, so a token that
        straddles the join (" positive" after a context that ends in a space) belongs to the continuation. The very
        first token of a text has nothing before it, and so no log-probability: it is left out. Candidates whose scores
        are compared go through `core.scoring.alike`.

        Args:
            pairs: N (context, continuation); a context of None puts the model's start token before the continuation.
            stop: asked between passes; True ends the work.

        Raises:
            PromptTooLong: a whole text has more tokens than the model reads.
            ModelError: a context of None, on a model without any token to start from.
            Cancelled: `stop` said so.
        """
        return self.answer(pairs, (), stop=stop).scores

    def next_logprobs(self, texts: Sequence[str], *, stop: Stop | None = None) -> NDArray[np.float32]:
        """(N, V) natural log p(next token | text).

        Raises:
            PromptTooLong, Cancelled: as in `score`.
            ModelError: an empty text, on a model without any token to start from.
        """
        return self.answer((), texts, stop=stop).rows

    def answer(
        self,
        pairs: Sequence[Pair],
        texts: Sequence[str],
        *,
        look: str | None = None,
        along: Sequence[str] = (),
        stop: Stop | None = None,
    ) -> Answers:
        """`score` of the pairs, `next_logprobs` of the texts and `read` of one of them, from the same passes.

        Args:
            look: which of the texts is read.
            along: texts whose `embed` is wanted too, if it costs no pass of its own: it would on models whose rows
                cannot follow one another, and beside pairs where no prefixes are kept.

        Raises:
            PromptTooLong, ModelError, Cancelled: as those do.
        """
        encodings = self._encoded(pairs)
        ids = self.encoder.ids_batch(texts)
        self._check([*(encoding.ids for encoding in encodings), *ids])
        behind = [_behind(own, len(context or "")) for own, (context, _) in zip(encodings, pairs, strict=True)]
        scored = [at[at > 0] for at in behind]  # the first token of a text has nothing before it
        places = [place for place, at in enumerate(scored) if len(at)]  # the others have no token to score
        sequences = [np.array(encodings[place].ids[: scored[place][-1]], dtype=np.int64) for place in places]
        sequences += map(self._ids, ids)
        marks = [scored[place] - 1 for place in places]
        marks += [np.array([len(sequence) - 1]) for sequence in sequences[len(places) :]]

        results = [_unscored(*one) for one in zip(pairs, encodings, behind, strict=True)]
        rows = np.empty((len(texts), self.vocabulary_size), dtype=np.float32)
        # The last digits of a score depend on the shape of its pass, so scores keep to rows of one kind.
        mixed = self._abilities.forest and (self.prefixes is not None or (not pairs and look is None))
        carried, alone = self._carried(along, sequences, marks) if mixed else ({}, None)
        seen = None if look is None or not self._abilities.passing else Look(len(places) + texts.index(look))
        with self.lock:
            chosen = self._plan(sequences, marks, mixed, {} if alone is None else alone.own, look is not None)
        # The count is held here and not in the generator, which an error would leave suspended.
        with counting(sum(len(one.batches) for one in chosen), "passes", inner=True) as advance:
            visits = self._visit(chosen, marks, advance, stop, seen, mixed and look is None, alone)
            for nodes, logged in self._in_turns(visits):
                asked = [member for member in nodes if len(places) <= member < len(places) + len(texts)]
                if asked:
                    at = [int(nodes[member][0]) for member in asked]
                    into = [member - len(places) for member in asked]
                    rows[into] = logged[at].cpu().numpy()[:, : self.vocabulary_size]
                    self._check_numbers(rows[into, :1])  # where one is none, so are all of its row
                own = {places[member]: at for member, at in nodes.items() if member < len(places)}
                for place, values in _values(own, scored, encodings, logged):
                    self._check_numbers(values)
                    results[place] = _scored(results[place], encodings[place], scored[place].tolist(), values)
        vectors = {} if alone is None else {carried[member]: mean for member, mean in alone.means.items()}
        attention = None if seen is None else seen.attention
        if look is None or attention is None or len(attention) != self.layers:
            return Answers(results, rows, vectors=vectors)
        encoding = self.encode(look)
        reading = _reading(encoding, self._ids(encoding.ids), rows[texts.index(look)], attention=attention)
        return Answers(results, rows, reading, vectors)

    def read(
        self,
        text: str,
        *,
        hidden: bool = False,
        rows: Sequence[int] = (-1,),
        head: tuple[int, int] | None = None,
    ) -> Reading:
        """One forward pass over one text, and what went on inside.

        Args:
            hidden: whether to keep the hidden states.
            rows: query places whose attention is wanted; negative ones count from the last token.
            head: (layer, head) whose whole (t, t) map is wanted.

        Raises:
            PromptTooLong: more tokens than the model reads.
            ModelError: a row or head that does not exist, or an empty text on a model without a start token.
        """
        if self.prefixes is not None and not hidden and head is None and tuple(rows) == (-1,):
            reading = self.answer((), [text], look=text).reading  # reads on from what is known
            if reading is not None:
                return reading
        encoding = self.encode(text)
        self._check([encoding.ids])
        ids = self._ids(encoding.ids)
        size = len(ids)
        if any(not -size <= row < size for row in rows):
            raise ModelError(f"There is no token {max(rows, key=abs)} in a text of {size} tokens.")
        if head is not None and not (0 <= head[0] < self.layers and 0 <= head[1] < self.heads):
            raise ModelError(
                f"There is no head {head[1]} in layer {head[0]}: this model has {self.layers} layers of {self.heads}."
            )
        request = Rows([row % size for row in rows], head)
        with self.lock:
            output = self._read(ids, hidden, request)
        states = [state[0] for state in output.hidden_states] if hidden else []
        if len({state.shape for state in states}) > 1:
            raise ModelError("This model's layers have different widths, so its hidden states cannot be compared.")
        kept = request.kept if len(request.kept) == self.layers else []
        logprobs = torch.log_softmax(output.logits[0, -1].float(), dim=-1).cpu().numpy()
        self._check_numbers(logprobs[:1])  # where one is none, so are all
        return _reading(
            encoding,
            ids,
            logprobs,
            attention=torch.stack(kept).float().cpu().numpy() if kept else None,
            hidden=torch.stack(states).float().cpu().numpy() if states else None,
            map=None if request.map is None else request.map.cpu().numpy(),
        )

    def observe(
        self,
        text: str | Sequence[int],
        observer: Observer,
        *,
        stop: Stop | None = None,
    ) -> Encoding:
        """One forward pass over one text, whose layers' attention is shown to `observer` as it passes by.

        Args:
            text: or the token ids themselves.
            observer: sees every layer in order; see `core.models.observers`.
            stop: asked before every layer.

        Returns:
            The tokens; without spans where ids were given.

        Raises:
            PromptTooLong: more tokens than the model reads.
            ModelError: the architecture gives no attention weights, or an empty text on a model without a start token.
            Cancelled: `stop` said so.
        """
        if isinstance(text, str):
            encoding = self.encode(text)
        else:
            nothing = (0,) * len(text)
            encoding = Encoding(tuple(text), nothing, nothing, ("",) * len(text), ())
        self._check([encoding.ids])
        if not self._abilities.attentive:
            raise ModelError("This model's architecture gives no attention weights, so there is nothing to look at.")
        with self.lock, counting(self.layers, "layers", inner=True) as advance:
            self._read(self._ids(encoding.ids), False, _Counted(observer, advance, stop))
        return encoding

    def inside(self, ids: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Whole attention maps of a short sequence, and what every head's output writes about the tokens in it.

        Returns:
            (layers, heads, t, t) maps; and (layers, heads, t, t) direct-path logits [j, v] of the token at place v
            when a head attends to place j alone (`core.models.direct_path`), or None where the architecture does not
            show the parts that this takes.

        Raises:
            PromptTooLong, ModelError: as in `observe`.
        """
        seen = Inside()
        with self.lock:
            self.observe(ids, seen)
            with torch.inference_mode():
                written = direct_logits(self._model, seen, torch.tensor(list(ids), device=self._model.device))
        return torch.stack(seen.maps).numpy(), None if written is None else written.float().cpu().numpy()

    def begin(self, texts: Sequence[str]) -> Iterator[Growing]:
        """Texts that may be written on, in batches; the caller holds the lock when it asks for the next one.

        Raises:
            PromptTooLong, ModelError: as in `next_logprobs`.
        """
        encodings = self.encoder.encode_batch(texts)
        self._check([encoding.ids for encoding in encodings])
        count(texts=len(texts))
        sequences = [self._ids(encoding.ids) for encoding in encodings]
        cacheable, vocabulary = self._abilities.cacheable, self.vocabulary_size
        return growing(self._passes, sequences, cacheable=cacheable, vocabulary=vocabulary, limits=self.limits)

    def embed(self, texts: Sequence[str], layer: int = -1) -> NDArray[np.float32]:
        """(N, d) mean over a text's tokens of one layer's hidden states, tokens that the tokenizer added left out.

        Where it puts no start token in front, the text's first token is left out too: its state is the attention
        sink's, a hundred times as long as the others on some models, and the same whatever it says. A text of one
        token is then read behind the token that texts start from.

        Args:
            layer: 0 is the embedding, `layers` or −1 the last.

        Raises:
            PromptTooLong: more tokens than the model reads.
            ModelError: a layer that does not exist, or states that are no numbers.
        """
        if not -self.layers - 1 <= layer <= self.layers:
            raise ModelError(f"There is no layer {layer}: hidden states go from 0 to {self.layers}.")
        alone = [self._alone(encoding) for encoding in self.encoder.encode_batch(texts)]
        sequences = [sequence for sequence, _ in alone]
        self._check([sequence.tolist() for sequence in sequences])
        result = np.zeros((len(texts), self._width), dtype=np.float32)
        marks = [np.array([len(sequence) - 1]) for sequence in sequences]
        if not sequences:
            return result
        count(texts=len(sequences))
        chosen = plan(
            sequences,
            marks,
            width=self._width,
            vocabulary=self.vocabulary_size,
            packable=False,
            cacheable=False,
            limits=self.limits,
        )
        batches = [batch for part in chosen for batch in part.batches]
        passes = ((batch, self._passes.hidden(batch, layer)) for batch in batches)
        for batch, states in self._in_turns(passes):
            for row, state in zip(batch, states, strict=True):
                for member, path in zip(row.trie.members, row.trie.paths, strict=True):
                    result[member] = state[path[alone[member][1]]].float().mean(dim=0).cpu().numpy()
        self._check_numbers(result)
        return result

    def _encoded(self, pairs: Sequence[Pair]) -> list[Encoding]:
        """Tokens of whole texts, a start token in front where a context is None and the tokenizer adds none.

        Raises:
            ModelError: there is no such token.
        """
        encodings = self.encoder.encode_batch([(context or "") + continuation for context, continuation in pairs])
        for place, (context, _) in enumerate(pairs):
            own = encodings[place]
            if context is None and (not own.ids or own.ends[0] > 0):
                if self._start is None:
                    raise ModelError(
                        "This model has no token to start from, so nothing can be asked of a text without a "
                        "beginning: write a premise that is not blank."
                    )
                encodings[place] = joined(Encoding((self._start,), (0,), (0,), ("",), ()), own, 0)
        return encodings

    def _carried(
        self, texts: Sequence[str], sequences: list[Ints], marks: list[Ints]
    ) -> tuple[dict[int, str], Alone | None]:
        """Put texts that are to be embedded behind the sequences of a pass: which they are, and who takes their states.

        Those that cannot be read are left to who asks for them, and says so.
        """
        carried: dict[int, str] = {}
        own: dict[int, Ints] = {}
        for text, encoding in zip(texts, self.encoder.encode_batch(texts), strict=True):
            if not 0 < len(encoding.ids) <= self.context_length or max(encoding.ids) >= self.vocabulary_size:
                continue
            sequence, places = self._alone(encoding)
            carried[len(sequences)], own[len(sequences)] = text, places
            sequences.append(sequence)
            marks.append(np.array([len(sequence) - 1]))
        return carried, Alone(own) if own else None

    def _plan(
        self, sequences: list[Ints], marks: list[Ints], mixed: bool, own: dict[int, Ints], watched: bool = False
    ) -> list[Plan]:
        """The passes that read these sequences, none where there are none.

        Args:
            own: by sequence, places whose states are wanted.
            watched: whether attention is looked at, which does not go in blocks then.
        """
        if not sequences:
            return []
        count(texts=len(sequences))
        block = BLOCK if mixed and not watched and self.prefixes is not None else 0
        chosen = plan(
            sequences,
            marks,
            width=self._width,
            vocabulary=self.vocabulary_size,
            packable=self.packable,
            cacheable=self._abilities.cacheable,
            limits=replace(self.limits, mixed=mixed, block=block),
        )
        if self.prefixes is None:
            return chosen
        first = [int(min([at[0], *own.get(member, ())])) for member, at in enumerate(marks)]
        return read_on(chosen, first, self.prefixes.known, self.limits.shortest_trunk, self._passes.forest)

    def _visit(
        self,
        plans: list[Plan],
        marks: list[Ints],
        advance: Advance,
        stop: Stop | None,
        look: Look | None,
        blocks: bool,
        alone: Alone | None = None,
    ) -> Iterator[tuple[dict[int, Ints], torch.Tensor]]:
        """For every batch: by sequence, which rows of the batch's log-probabilities are its marks; and those.

        The caller holds the lock when it asks for the next one.
        """
        for batch, logits in self._passes.run(plans, stop, advance, look, blocks, alone):
            nodes: dict[int, Ints] = {}
            start = 0
            for row in batch:
                place = np.zeros(len(row.trie.tokens), dtype=np.int64)
                place[row.marked] = np.arange(start, start + len(row.marked))
                for member, path in zip(row.trie.members, row.trie.paths, strict=True):
                    nodes[member] = place[path[marks[member] - row.front]]
                start += len(row.marked)
            yield nodes, _log_probs(logits)

    def _in_turns(self, passes: Iterator[T]) -> Iterator[T]:
        """Every pass under the lock, which is let go of between two: who scores thousands of texts holds up nobody for
        longer than a pass."""
        while True:
            with self.lock:
                found = next(passes, None)
            if found is None:
                return
            yield found

    def _read(self, ids: Ints, hidden: bool, observer: Observer) -> Any:
        inputs = {"input_ids": torch.from_numpy(ids)[None].to(self._model.device), "use_cache": False}
        if not self._abilities.attentive:
            return self._passes.last(inputs, output_hidden_states=hidden)
        if self._abilities.route == "interface":
            with watching(observer):
                return self._passes.last(inputs, output_hidden_states=hidden)
        with eager(self._model, observer):
            return self._passes.last(inputs, output_hidden_states=hidden, output_attentions=True)

    def _ids(self, ids: Sequence[int]) -> Ints:
        """Those that are read: a token to start from where a text has none.

        Raises:
            ModelError: there is no such token.
        """
        ids = ids or (() if self._start is None else (self._start,))
        if not ids:
            raise ModelError("This model has no token to start from, so the text must not be empty.")
        return np.array(ids, dtype=np.int64)

    def _alone(self, encoding: Encoding) -> tuple[Ints, Ints]:
        """The tokens by which a text is embedded, and the places of those among them that the mean is over.

        Raises:
            ModelError: an empty text on a model without a token to start from.
        """
        ids = self._ids(encoding.ids)
        own = np.flatnonzero(np.array(encoding.ends) > 0)
        if not len(own):
            return ids, np.arange(len(ids))
        if own[0] > 0 or (len(own) == 1 and self._start is None):
            return ids, own
        return (ids, own[1:]) if len(own) > 1 else (np.array([self._start, *ids], dtype=np.int64), own + 1)

    def _check(self, texts: Sequence[Sequence[int]]) -> None:
        """Refuse ids that the model cannot read."""
        longest = max(map(len, texts), default=0)
        if longest > self.context_length:
            raise PromptTooLong(longest, self.context_length, 0)
        if max((max(ids, default=0) for ids in texts), default=0) >= self.vocabulary_size:
            raise ModelError("The tokenizer knows tokens that the model does not: choose a folder where both belong.")

    def _check_numbers(self, values: NDArray[Any]) -> None:
        """Refuse a text whose states a 16-bit format could not hold, or damaged weights made no numbers."""
        if np.isnan(values).any():
            help = "save or download its weights again" if self.dtype == "float32" else "choose another number format"
            raise ModelError(f"The model gave no numbers for a text in {self.dtype}: {help}.")


class _Counted:
    """An observer that can be stopped, and tells how many layers it has seen."""

    def __init__(self, inner: Observer, advance: Advance, stop: Stop | None) -> None:
        self._inner, self._advance, self._stop = inner, advance, stop

    def see(self, layer: Layer) -> None:
        check(self._stop)
        self._inner.see(layer)
        self._advance(layer.number + 1)


def _values(
    nodes: dict[int, Ints], scored: Sequence[Ints], encodings: Sequence[Encoding], logged: torch.Tensor
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """For every text, log p of its scored tokens, which stand behind the rows given; all in one look-up."""
    if not nodes:
        return
    rows = torch.from_numpy(np.concatenate(list(nodes.values()))).to(logged.device)
    ids = torch.tensor([encodings[place].ids[i] for place in nodes for i in scored[place]], device=logged.device)
    values = logged[rows, ids].cpu().double().numpy()
    yield from zip(nodes, np.split(values, np.cumsum([len(own) for own in nodes.values()])[:-1]), strict=True)


def _reading(
    encoding: Encoding, ids: Ints, logprobs: NDArray[np.float32], **inside: NDArray[np.float32] | None
) -> Reading:
    """A text, the log-probabilities after it, and what went on inside."""
    return Reading(
        ids=tuple(ids.tolist()),
        starts=encoding.starts or (0,),
        ends=encoding.ends or (0,),
        texts=encoding.texts or ("",),
        attention=inside.get("attention"),
        hidden=inside.get("hidden"),
        map=inside.get("map"),
        logprobs=logprobs,
    )


def _behind(encoding: Encoding, join: int) -> Ints:
    """Places of the tokens that end after the join."""
    return np.flatnonzero(np.array(encoding.ends, dtype=np.int64) > join)


def _unscored(pair: Pair, encoding: Encoding, behind: Ints) -> Scored:
    """What the tokens alone say of a continuation: where it begins, and whether its first token has nothing before."""
    join = len(pair[0] or "")
    if not len(behind):
        return Scored((), np.empty(0), begins=join)
    first = int(behind[0])
    begins = min(encoding.starts[first], join)
    left_out = encoding.ids[0] if first == 0 else None
    return Scored((), np.empty(0), begins=begins, overlap=join - begins, left_out=left_out)


def _scored(found: Scored, encoding: Encoding, at: Sequence[int], values: NDArray[np.float64]) -> Scored:
    """A continuation with its (t,) log-probabilities, those of the tokens at some places."""
    tokens, ids = tuple(encoding.texts[i] for i in at), tuple(encoding.ids[i] for i in at)
    return replace(found, tokens=tokens, logprobs=values, ids=ids)


def _log_probs(logits: torch.Tensor) -> torch.Tensor:
    """log softmax over the last axis in float32, in place: logits are the largest thing in a pass."""
    with torch.inference_mode():
        logits = logits.float()
        return logits.sub_(torch.logsumexp(logits, dim=-1, keepdim=True))
