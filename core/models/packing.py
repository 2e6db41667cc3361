"""How sequences become forward passes: what is shared, what goes into one row, what into one batch.

Every sequence is a path in a trie; a row is one trie, a batch is rows side by side. One sequence a row is ordinary
batching; all of them in one row is the packed pass. A trunk is a prefix common to all sequences, computed once and
kept as keys and values, which is also how models that cannot be packed share work.

The choice follows cost. Per token and layer a transformer of width d does about 24·d² operations in its matrix
products and 4·d for every key that the token is held against, so a row of n nodes over a trunk of P costs, in tokens,

    n · (1 + (P + n) / 6d)

and a chain, where causal attention skips half, n · (1 + (P + n/2) / 6d). A row of its own also has the trunk's keys and
values copied for it, about 3·P/d tokens' worth. A sequence joins a row when that is cheaper than a row of its own.
Where the attention of a branching row goes in blocks, a node is held against its ancestors and its block alone, and
rows behind one trunk follow one another, so that none has a copy of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.models.trie import Ints, Trie, build, lexicographic, shared


@dataclass(frozen=True)
class Limits:
    """What one forward pass may hold.

    Attributes:
        tokens: padded tokens in a batch of several rows; a longer row goes alone.
        row: nodes in a branching row; more would spend its time on masked pairs.
        padding: padded tokens that a batch may waste: another pass costs about as much as this many tokens.
        pairs: query–key pairs of a batch's masks.
        logits: numbers in the logits of a batch.
        shortest_trunk: a shorter common prefix is not worth a pass of its own; at least 1.
        mixed: whether chains and tries may share a batch: where rows follow one another, none is padded.
        block: where rows follow one another and the attention of a trie goes in blocks of so many nodes, each against
            its own ancestors; 0 where a trie's nodes are held against all of it.
    """

    tokens: int = 4096
    row: int = 1024
    padding: int = 32
    pairs: int = 1 << 24
    logits: int = 1 << 27
    shortest_trunk: int = 8
    mixed: bool = False
    block: int = 0


def suited(device: str, width: int, padded: bool) -> Limits:
    """Limits for a model of hidden size `width` on a device, whose batches are padded or not.

    A processor is quickest while a layer's activations (4 · width numbers a token) stay near its cache: on GPT-2 small
    batches of 768 tokens took a fifth less time than batches of 4,096. Wide models need 512 tokens all the same, to
    make reading their weights worth while; a GPU wants more of everything.
    """
    if device.startswith("cpu"):
        return Limits(tokens=max(512, min(4096, 589_824 // width)), padding=32 if padded else 1 << 30)
    return Limits(tokens=16_384, row=4096, padding=1024 if padded else 1 << 30)


@dataclass(frozen=True)
class Row:
    """A trie and the nodes whose logits are wanted, (k,) in ascending order.

    Attributes:
        front: tokens of the trunk before it; 0 where it begins at its texts' first token, with or without a trunk in
            the same pass.
    """

    trie: Trie
    marked: Ints
    front: int = 0


@dataclass(frozen=True)
class Plan:
    """Forward passes that cover some of the sequences.

    Attributes:
        trunk: (P,) tokens in front of them, computed first; empty for none. Tries hold what follows.
        batches: rows that go through together; chains and branching tries are mixed where the limits say so alone.
    """

    trunk: Ints
    batches: tuple[tuple[Row, ...], ...]


def plan(
    sequences: Sequence[Ints],
    marks: Sequence[Ints],
    *,
    width: int,
    vocabulary: int,
    packable: bool,
    cacheable: bool,
    limits: Limits,
) -> list[Plan]:
    """Choose rows, batches and trunks, so that every sequence is in one plan.

    Args:
        sequences: token ids, each of at least one token.
        marks: for each sequence the places whose next-token logits are wanted, ascending, at least one.
        width: hidden size d of the model, for the cost of a row.
        vocabulary: size of a row of logits.
        packable: whether tries may branch. cacheable: whether a trunk may be kept.
        limits: what a pass may hold.
    """
    order = lexicographic(sequences)
    most_marked = max(1, limits.logits // vocabulary)
    plans: list[Plan] = []
    bare: list[Trie] = []
    whole = _split(sequences, order, 0, width, packable, limits)
    if not cacheable or len(whole) == 1:
        bare = [build(sequences, *row) for row in whole]
    units = [members for members, _ in whole] if limits.block else [[place] for place in order]
    for group in _groups(sequences, units, limits.shortest_trunk) if not bare else []:
        rows = _rows(sequences, group, 0, width, packable, limits)
        ahead = min(int(marks[place][0]) for place in group)  # every mark stays behind the trunk
        prefix = min(shared(sequences[group[0]], sequences[group[-1]]), ahead)
        if len(rows) == 1 or prefix < limits.shortest_trunk:
            bare += rows
            continue
        tails = {place: sequences[place][prefix:] for place in group}
        marked = [_mark(trie, marks, prefix) for trie in _rows(tails, group, prefix, width, packable, limits)]
        batches = _batches(marked, prefix, most_marked, limits)
        plans.append(Plan(sequences[group[0]][:prefix], tuple(batches)))
    if bare:
        batches = _batches([_mark(trie, marks, 0) for trie in bare], 0, most_marked, limits)
        plans.append(Plan(np.empty(0, np.int64), tuple(batches)))
    return plans


def read_on(
    plans: list[Plan], first: Sequence[int], known: Callable[[Ints], int], least: int, forest: bool
) -> list[Plan]:
    """The plans, where rows that begin with what is known already begin behind it.

    Args:
        first: for each sequence the first place of which something is wanted; it is read again.
        known: of how many of the first tokens the keys and values are kept.
        least: fewer known tokens are read again too.
        forest: whether a row behind a trunk may share its pass with rows that are not.
    """
    found: list[Plan] = []
    for one in plans:
        if len(one.trunk):
            found.append(one)
            continue
        left: list[tuple[Row, ...]] = []
        for batch in one.batches:
            reach = [known(row.trie.tokens[: _stem(row.trie, first)]) for row in batch]
            apart = tuple(row for row, count in zip(batch, reach, strict=True) if count < least)
            behind = [(row, count) for row, count in zip(batch, reach, strict=True) if count >= least]
            if apart and not (forest and behind):
                left.append(apart)
                apart = ()
            for row, count in behind:
                found.append(Plan(row.trie.tokens[:count], ((_behind(row, count), *apart),)))
                apart = ()
        if left:
            found.append(Plan(one.trunk, tuple(left)))
    return found


def stem(trie: Trie) -> int:
    """How many nodes all of its sequences have in common."""
    size = len(trie.tokens)
    common = (trie.ends == size) & (trie.depths == np.arange(size))
    branches = int(common.argmin()) if not common.all() else size
    return min(branches, *(len(path) for path in trie.paths))


def _stem(trie: Trie, first: Sequence[int]) -> int:
    """Of the stem, what stands before anything that is wanted."""
    return min(stem(trie), *(first[member] for member in trie.members))


def _behind(row: Row, count: int) -> Row:
    """A row without the first nodes of its stem, which are its trunk."""
    trie = row.trie
    paths = tuple(path[count:] - count for path in trie.paths)
    rest = Trie(trie.tokens[count:], trie.depths[count:] - count, trie.ends[count:] - count, trie.members, paths)
    return Row(rest, row.marked - count, count)


def _groups(sequences: Sequence[Ints], units: list[list[int]], shortest: int) -> list[list[int]]:
    """Neighbours that would share a trunk: one more joins unless that shortens the trunk by more than it saves.

    Args:
        units: what goes together anyway, in dictionary order: single sequences, or the members of a row where a row
            may hold many that share little.
    """
    groups = [list(units[0])]
    prefix, size = 0, 1
    for unit in units[1:]:
        group = groups[-1]
        common = shared(sequences[group[0]], sequences[unit[-1]])
        if common >= shortest and (size == 1 or size * (prefix - common) <= common):
            group += unit
            prefix, size = common, size + 1
        else:
            groups.append(list(unit))
            prefix, size = 0, 1
    return groups


def _rows(
    sequences: Sequence[Ints] | dict[int, Ints],
    order: list[int],
    trunk: int,
    width: int,
    packable: bool,
    limits: Limits,
) -> list[Trie]:
    return [build(sequences, *row) for row in _split(sequences, order, trunk, width, packable, limits)]


def _split(
    sequences: Sequence[Ints] | dict[int, Ints],
    order: list[int],
    trunk: int,
    width: int,
    packable: bool,
    limits: Limits,
) -> list[tuple[list[int], list[int]]]:
    """The members of every row, and the prefix that each shares with the one before it, as `build` takes them."""
    rows: list[tuple[list[int], list[int]]] = []
    members: list[int] = []
    common: list[int] = []
    nodes, chain, deepest = 0, True, 0
    previous: Ints | None = None
    for place in order:
        sequence = sequences[place]
        prefix = shared(previous, sequence) if previous is not None else 0
        added = len(sequence) - prefix
        extends = chain and prefix == nodes  # the row stays a chain
        joins = previous is not None and (packable or extends) and prefix > 0
        if joins and not extends:
            apart = _cost(nodes, trunk, width, chain) + _cost(len(sequence), trunk, width, True)
            apart += 3.0 * trunk / width
            reach = max(deepest, len(sequence)) + limits.block if limits.block else nodes + added
            joins = _cost(nodes + added, trunk, width, False, reach) <= apart
            joins = joins and (nodes + added) * (trunk + nodes + added) <= limits.pairs
            joins = joins and nodes + added <= limits.row
        if members and not joins:
            rows.append((members, common))
            members, common, nodes, chain, prefix, deepest = [], [], 0, True, 0, 0
            added, extends = len(sequence), True
        members.append(place)
        common.append(prefix)
        nodes += added
        chain = chain and extends
        deepest = max(deepest, len(sequence))
        previous = sequence
    rows.append((members, common))
    return rows


def _cost(nodes: int, trunk: int, width: int, chain: bool, reach: int | None = None) -> float:
    """In tokens; `reach` is how many nodes each is held against, all of them if not given."""
    held = nodes / 2 if chain else nodes if reach is None else min(reach, nodes)
    return nodes * (1.0 + (trunk + held) / (6.0 * width))


def _mark(trie: Trie, marks: Sequence[Ints], prefix: int) -> Row:
    nodes = [path[marks[member] - prefix] for member, path in zip(trie.members, trie.paths, strict=True)]
    return Row(trie, np.unique(np.concatenate(nodes)), prefix)


def _batches(rows: list[Row], trunk: int, most_marked: int, limits: Limits) -> list[tuple[Row, ...]]:
    """Rows of similar length together, chains apart from tries, until a limit is met."""
    if limits.mixed and (not trunk or limits.block):
        return _one_after_another(rows, trunk, most_marked, limits)
    batches: list[tuple[Row, ...]] = []
    for chains in (True, False):
        batch: list[Row] = []
        marked = wasted = 0
        kind = [row for row in rows if row.trie.is_chain == chains]
        for row in sorted(kind, key=lambda row: -len(row.trie.tokens)):
            longest = len(batch[0].trie.tokens) if batch else 0
            full = (len(batch) + 1) * longest > limits.tokens
            full = full or (not chains and (len(batch) + 1) * longest * (trunk + longest) > limits.pairs)
            full = full or (len(batch) + 1) * trunk > 16 * limits.tokens
            wasted += longest - len(row.trie.tokens) if batch else 0
            full = full or wasted > limits.padding
            if batch and (full or marked + len(row.marked) > most_marked):
                batches.append(tuple(batch))
                batch, marked, wasted = [], 0, 0
            batch.append(row)
            marked += len(row.marked)
        if batch:
            batches.append(tuple(batch))
    return batches


def _one_after_another(rows: list[Row], trunk: int, most_marked: int, limits: Limits) -> list[tuple[Row, ...]]:
    """Rows of any kind together, without padding, until a limit is met."""
    batches: list[list[Row]] = []
    nodes = marked = 0
    for row in rows:
        size = len(row.trie.tokens)
        full = nodes + size > limits.tokens or marked + len(row.marked) > most_marked
        full = full or (nodes + size) * (trunk + nodes + size) > limits.pairs
        if full or not batches:
            batches.append([])
            nodes = marked = 0
        batches[-1].append(row)
        nodes += size
        marked += len(row.marked)
    return [tuple(batch) for batch in batches]
