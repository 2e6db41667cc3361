"""Probe inputs that the model itself writes (Lu et al. 2022, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import StudyError
from core.runtime.progress import Stop
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

MOST = 48  # tokens of one probe with its label


def sampled_probes(
    study: Study,
    model: LanguageModel,
    rows: Sequence[Demonstration],
    orders: Sequence[tuple[int, ...]],
    stop: Stop | None = None,
) -> list[str]:
    """One demonstration drawn from the model after every order, its label discarded; each distinct input once.

    Drawn at temperature 1 with the ordering's seed. What holds no label prefix, or nothing before it, is no
    demonstration and is left out; so is the query itself.

    Raises:
        StudyError: the study is asked with a turn of a chat for each demonstration.
        PromptTooLong: a prompt is longer than the model's context.
        Cancelled: `stop` said so.
    """
    from core.models.generation import generate  # late: loads torch

    template = study.template
    if template.chat is not None and template.chat.style == "turns":
        raise StudyError("Probes that the model writes need a plain template or one turn: take those of the pool.")
    texts = []
    for order in orders:
        prompt = render([rows[j] for j in order], "", template, study.instruction)
        start = next(part.start for part in prompt.parts if part.kind == "query")
        texts.append(prompt.text[:start].rstrip(" "))
    written = generate(
        model, texts, until=template.end, most=MOST, temperature=1.0, seed=study.ordering_seed, stop=stop
    )
    separator = template.label_prefix.strip()
    found: dict[str, None] = {}
    for one in written:
        text, met, _ = one.text.partition(separator)
        if met and text.strip() and text.strip() != study.query:
            found.setdefault(text.strip())
    return list(found)
