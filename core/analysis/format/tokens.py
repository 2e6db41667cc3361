"""The tokens of a prompt, and what in a template makes them treacherous."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.analysis.format.escapes import show_typed
from core.study.cleaning import shorten
from core.study.demonstrations import Demonstration
from core.study.prompts import AFFIXES, Prompt, Template, render, render_channel
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.encoding import Encoding


@dataclass(frozen=True)
class LabelTokens:
    """How a label is written.

    Attributes:
        label: as the study names it.
        word: as the template writes it.
        tokens: (t,) those that are scored.
        merged: whether a token of the label begins before the prompt's end, so that it holds some of the prompt.
    """

    label: str
    word: str
    tokens: tuple[str, ...]
    merged: bool


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the model reads it.

    Attributes:
        texts: (t,) tokens in order, the likeliest answer not among them.
        starts: (t,) character where each begins in the prompt; −1 for one that the tokenizer put in front.
        labels: (L,) the candidates.
    """

    texts: tuple[str, ...]
    starts: tuple[int, ...]
    labels: tuple[LabelTokens, ...]


def tokens_of(model: LanguageModel, prompt: Prompt, template: Template, labels: Sequence[str]) -> PromptTokens:
    """Tokens of a forward prompt, and for each label those that scoring it reads.

    As `core.scoring.alike` counts them: prompt and word are tokenised as one text, and the word's tokens are those
    that end behind the prompt; where a token holds the end of the prompt as well, all words are read from its start.
    """
    encoding = model.encode(prompt.text)
    words = [template.word(label) for label in labels]
    wholes = [model.encode(prompt.text + prompt.gap + word) for word in words]
    merged = [begin < len(prompt.text) for begin in _beginnings(wholes, len(prompt.text))]
    join = len(prompt.text)
    while len(set(begins := _beginnings(wholes, join))) > 1:
        join = min(begins)
    found = []
    for label, word, whole, joined in zip(labels, words, wholes, merged, strict=True):
        tokens = tuple(text for text, end in zip(whole.texts, whole.ends, strict=True) if end > join)
        found.append(LabelTokens(label, word, tokens, joined))
    spans = zip(encoding.starts, encoding.ends, strict=True)
    return PromptTokens(encoding.texts, tuple(a if b > a else -1 for a, b in spans), tuple(found))


def _beginnings(wholes: Sequence[Encoding], join: int) -> list[int]:
    """Where in each text the first token begins that ends behind the join; at the join where that is later or none."""
    spans = [list(zip(whole.starts, whole.ends, strict=True)) for whole in wholes]
    return [min(join, next((a for a, b in own if b > join), join)) for own in spans]


def warnings_on(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str]
) -> tuple[str, ...]:
    """What to know of the study's template before trusting a score, one sentence each.

    Labels that begin with the same token (the model decides between them later than at the first token), joins that
    merge prompt and label into one token, ends and separators that stand in an input or a label, parts left empty so
    that texts run together, and signs that the model cannot read.
    """
    template = study.template
    prompt = render(shown, study.query, template, study.instruction)
    turned = template.chat is not None and template.chat.style == "turns"  # which the template's own pieces are not in
    return (
        *_about_labels(tokens_of(model, prompt, template, labels)),
        *(() if turned else _about_texts(template, shown, study.query, labels)),
        *(() if turned else _about_empty(template)),
        *_about_signs(template, model),
    )


def _about_labels(tokens: PromptTokens) -> Iterator[str]:
    merged = [row for row in tokens.labels if row.merged]
    if merged:
        row = merged[0]
        others = f" and {len(merged) - 1} more" if len(merged) > 1 else ""
        yield (
            f"The join of the prompt and “{shorten(row.word)}”{others} is one token, “{show_typed(row.tokens[0])}”: "
            "all labels are scored from where it begins, a part of the prompt among them. End the label prefix with a "
            "space or a line break."
        )
    first: dict[str, list[str]] = {}
    for row in tokens.labels:
        if row.tokens:
            first.setdefault(row.tokens[0], []).append(row.word)
    for token, words in first.items():
        if len(words) > 1:
            named = ", ".join(f"“{shorten(word, 20)}”" for word in words[:4]) + (", …" if len(words) > 4 else "")
            yield f"{named} begin with the same token, “{show_typed(token)}”: the first token does not tell them apart."


def _about_texts(
    template: Template, shown: Sequence[Demonstration], query: str, labels: Sequence[str]
) -> Iterator[str]:
    inputs = [*(row.input for row in shown), query]
    for part, text, what in ((template.end, "end", "ends"), (template.label_prefix, "label prefix", "is split")):
        sign = part.strip(" ") or part
        if not sign:
            continue
        met = next((x for x in inputs if sign in x), None)
        if met is not None:
            yield f"The {text} “{show_typed(part)}” stands in “{shorten(met)}” too, so that input {what} in the middle."
    sign = template.end.strip(" ") or template.end
    word = next((w for w in map(template.word, labels) if sign and sign in w), None)
    if word is not None:
        yield f"The end “{show_typed(template.end)}” stands in the label “{shorten(word)}” too."


def _about_empty(template: Template) -> Iterator[str]:
    if not template.label_prefix:
        yield "The label prefix is empty, so input and label run together."
    if not template.end:
        yield "The end is empty, so a label runs into the next demonstration."
    if not template.channel_input_prefix:
        yield "The channel's input prefix is empty, so label and input run together when a channel scorer reads them."


def _about_signs(template: Template, model: LanguageModel) -> Iterator[str]:
    unknown = unread(template, model)
    if unknown:
        signs = ", ".join(f"“{shorten(sign)}”" for sign in unknown)
        yield f"This model cannot read {signs} of the template: they all look alike to it."


def unread(template: Template, model: LanguageModel) -> tuple[str, ...]:
    """Stretches of the template itself that the model's tokenizer cannot represent, each once."""
    return tuple(dict.fromkeys(piece for name in AFFIXES for piece in model.encode(getattr(template, name)).unknown))


def channel_preview(study: Study, shown: Sequence[Demonstration], label: str) -> Prompt:
    """What the channel scorer reads before it scores the query under `label`."""
    return render_channel(shown, label, study.template, study.instruction)
