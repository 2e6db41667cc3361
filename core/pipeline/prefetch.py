"""What a run will ask its model for, so that it is asked once: the stages share their passes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import PromptTooLong
from core.study.demonstrations import Demonstration
from core.study.prompts import Prompt
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Pair = tuple[str, str]


def foreseen(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], prompt: Prompt
) -> tuple[list[Pair], list[str]]:
    """Pairs that will be scored and texts whose next token will be asked for, for `LanguageModel.together`.

    Direct scoring's labels, the hypotheses' likelihoods and answers, and the query after n = 0 … k demonstrations,
    which the implicit posterior asks for; its other probes go through the model apart. So what shares a pass depends
    on the study alone and not on what was run before, and an answer is the same to the last digit each time.
    """
    from core.posterior.evidence import ask
    from core.posterior.instruction import answer_pairs, demonstration_pairs

    pairs: list[Pair] = []
    texts: list[str] = []
    if study.scoring == "direct":
        pairs += [(prompt.text, prompt.gap + study.template.word(label)) for label in labels]
    if "instruction" in study.posteriors and study.hypotheses:
        pairs += [*demonstration_pairs(study, shown), *answer_pairs(study, shown, labels)]
    if "implicit" in study.posteriors and model.mixture is not None:
        with suppress(PromptTooLong):
            texts += ask(study, model, shown, [study.query]).texts()
    return pairs, texts
