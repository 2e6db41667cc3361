"""Candidates scored from one place in the text, so that their scores can be held against each other."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import TYPE_CHECKING

from core.errors import StudyError
from core.runtime.progress import Stop
from core.study.cleaning import shorten

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair, Scored


def score_alike(
    model: LanguageModel,
    pairs: Sequence[Pair],
    groups: Sequence[Hashable],
    stop: Stop | None = None,
    *,
    from_start: Collection[Hashable] = (),
) -> list[Scored]:
    """`LanguageModel.score` of pairs that belong together, each group scored from one place in the text.

    A tokenizer may join the end of the prompt to the beginning of a label: after "3-5=" the label "-2" is "=-", "2",
    and "2" is "2". Scored from the prompt's end, one is read after "3-5" and the other after "3-5=", and neither
    probability says anything of the other. So where the tokens that reach over the end of the prompt do not begin in
    one place, all of the group are scored from the earliest of these: "=-", "2" and "=", "2", both after "3-5". That
    is asked again until it holds, since an earlier place may be inside another token; without such a token nothing is
    asked twice.

    Args:
        pairs: N (context, continuation); contexts of one group end in the same text.
        groups: (N,) which belong together.
        from_start: groups whose context may shrink to the model's start token alone.

    Raises:
        StudyError: nothing of a continuation is left to score, or what differs is the text's very first token, which
            has no probability, or it lies before what the contexts of a group have in common.
        PromptTooLong, ModelError, Cancelled: as `LanguageModel.score`.
    """
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    asked, found = list(pairs), list(model.score(pairs, stop=stop))
    open_ = list(members)
    while open_:
        moved: list[int] = []
        open_ = [group for group in open_ if _differ([found[place] for place in members[group]])]
        for group in open_:
            reach = max(found[place].overlap for place in members[group])
            for place in members[group]:
                asked[place] = _from(asked[place], reach, start=group in from_start)
            moved += members[group]
        if moved:
            scored = model.score([asked[place] for place in moved], stop=stop)
            for place, one in zip(moved, scored, strict=True):
                found[place] = one
    for own in members.values():
        _refuse([pairs[place] for place in own], [found[place] for place in own])
    return found


def _differ(scored: Sequence[Scored]) -> bool:
    """Whether the first tokens of a group reach back into their contexts by different lengths."""
    return len({one.overlap for one in scored}) > 1


def _from(pair: Pair, reach: int, start: bool) -> Pair:
    """The same text, its last `reach` characters of context scored too."""
    context, continuation = pair[0] or "", pair[1]
    cut = len(context) - reach
    return context[:cut] or (None if start else ""), context[cut:] + continuation


def _refuse(pairs: Sequence[Pair], scored: Sequence[Scored]) -> None:
    """Raise where the scores of a group could not be compared."""
    reach = max((len(pair[0] or "") - one.begins for pair, one in zip(pairs, scored, strict=True)), default=0)
    if reach > 0 and len({(context or "")[-reach:] for context, _ in pairs}) > 1:
        raise StudyError(
            f"“{shorten(pairs[0][1].strip())}” is joined to what stands before it, which differs between the "
            "candidates, so that their scores cannot be compared: let what the template writes between the two end in "
            "a space or a line break."
        )
    for (_, continuation), one in zip(pairs, scored, strict=True):
        text = continuation.strip()
        if not text or any(token.strip() for token in one.tokens):
            continue
        if one.left_out is None:
            seen = shorten(text) if text.isprintable() else " ".join(f"U+{ord(sign):04X}" for sign in text[:8])
            raise StudyError(f"This model's tokenizer reads nothing of “{seen}”, so it cannot be scored.")
        raise StudyError(
            f"Nothing of “{shorten(text)}” is left to score: it is part of the text's first token, before which this "
            "model reads nothing. Show a demonstration, or write an instruction or a prefix."
        )
    if len({one.left_out for one in scored}) > 1:
        raise StudyError(
            "The candidates differ in the text's first token, before which this model reads nothing, so that their "
            "scores cannot be compared. Show a demonstration, or write an instruction or a prefix."
        )
