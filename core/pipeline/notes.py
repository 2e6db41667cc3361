"""What a reader must know of an outcome: one sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from core.bayes.notes import about_bayes
from core.mixture.documents import LENGTHS
from core.scoring import scorers
from core.selection import selections, table_of
from core.study.cleaning import shorten, usable
from core.study.outcome import Answer, Chosen
from core.study.question import Question
from core.study.study import Study
from core.study.value import REPLACED

if TYPE_CHECKING:
    from core.models import LanguageModel


def notes_on(question: Question, model: LanguageModel, chosen: Chosen, answer: Answer) -> tuple[str, ...]:
    """Every note on a question, in the order of the flow: what is shown, what it says, what the model reads."""
    study = question.study
    return (
        *about_selection(study, chosen),
        *about_order(study, chosen),
        *about_demonstrations(question),
        *about_labels(study, answer),
        *about_reading(question, model),
        *about_model(question, model),
    )


def about_selection(study: Study, chosen: Chosen) -> Iterable[str]:
    """What the strategy has to say, what it learned, rows left out, and what the pool could not give."""
    yield from chosen.notes
    if chosen.learned.passes:
        title = selections.find(study.selection).title
        yield f"“{title}” learned from the pool in {chosen.learned}, and keeps what it learned."
    source = table_of(study, chosen)
    unfinished = [str(i + 1) for i, row in enumerate(source) if not row.excluded and not usable(row)]
    if unfinished:
        rows = ", ".join(unfinished[:5]) + (", …" if len(unfinished) > 5 else "")
        which = f"Row {rows} of the {chosen.source} lacks" if len(unfinished) == 1 else f"Rows {rows} lack"
        yield f"{which} an input or a label, and so cannot be shown."
    if chosen.source != "pool" or not study.k:
        return
    pool = [row for row in study.pool if usable(row)]
    copies = sum(row.input == study.query for row in pool)
    if copies:
        yield "The query is in the pool too; it was not chosen, as its label would be given away."
    if study.k > len(pool) - copies:
        yield f"k = {study.k} is more than the pool can give; all {len(pool) - copies} of it are shown."


def about_order(study: Study, chosen: Chosen) -> Iterable[str]:
    """An entropy order that found nothing to choose between."""
    scores = chosen.order_scores
    if scores is not None and np.ptp(scores) < 1e-6:
        yield f"All {len(scores)} orders tried have the same entropy, so the demonstrations stay as given."


def about_demonstrations(question: Question) -> Iterable[str]:
    """Repeats and contradictions among the demonstrations shown, and signs that stand for what could not be read."""
    shown = question.shown
    pairs = [(row.input, row.label) for row in shown]
    inputs = [row.input for row in shown]
    if len(set(pairs)) < len(pairs):
        yield f"{len(pairs) - len(set(pairs))} of the {len(pairs)} demonstrations shown repeat an earlier one."
    contradicted = next((x for x in inputs if len({y for text, y in pairs if text == x}) > 1), None)
    if contradicted is not None:
        yield f"“{shorten(contradicted)}” is shown with more than one label."
    texts = [question.query, question.study.instruction, *question.labels, *(text for pair in pairs for text in pair)]
    replaced = len({text for text in texts if REPLACED in text})
    if replaced:
        which = "One text that the model reads has" if replaced == 1 else f"{replaced} texts that the model reads have"
        yield f"{which} “{REPLACED}” where a character could not be written: half an emoji, or a control character."
    if question.query in inputs:
        yield "The query is one of the demonstrations shown, so its answer can be copied."
    if len(shown) > 1 and len({row.label for row in shown}) == 1:
        yield (
            f"Every demonstration shown has the label “{shorten(shown[0].label)}”: nothing shown says what makes an "
            "input one of another label, and whoever repeats this label fits them all."
        )


def about_labels(study: Study, answer: Answer) -> Iterable[str]:
    """Where the candidates decide the result."""
    if len(answer.labels) == 1:
        yield "There is one candidate label, so its probability is 1 whatever the model thinks."
        return
    yield from scorers.find(study.scoring).notes(study, answer)


def about_reading(question: Question, model: LanguageModel) -> Iterable[str]:
    """Candidates that are the same tokens, in which no model can find a difference, and what it has no token for."""
    gap, word = question.prompt.gap, question.study.template.word
    prompt, *read = model.encoder.encode_batch([question.prompt.text, *(gap + word(y) for y in question.labels)])
    alike: dict[tuple[int, ...], list[str]] = {}
    for label, own in zip(question.labels, read, strict=True):
        alike.setdefault(own.ids, []).append(label)
    groups = [" and ".join(f"“{shorten(label)}”" for label in names) for names in alike.values() if len(names) > 1]
    if groups:
        yield (
            f"This model reads {'; '.join(groups)} as the same tokens, so it cannot tell them apart: their scores are "
            "equal whatever it thinks."
        )
    unknown = list(dict.fromkeys(piece for one in (prompt, *read) for piece in one.unknown))
    if unknown:
        words = ", ".join(f"“{shorten(piece)}”" for piece in unknown[:5]) + (", …" if len(unknown) > 5 else "")
        yield f"{'The embedded' if model.mixture is not None else 'This'} model cannot read {words}."


def about_model(question: Question, model: LanguageModel) -> Iterable[str]:
    """How exact its numbers are, where the embedded model is beyond its training, or its exact Bayes no ideal."""
    yield from model.notes
    yield from about_control(question, model)
    if model.mixture is None:
        return
    most = max(LENGTHS) - 1  # the last pair of the longest document is answered after the others
    if len(question.shown) > most:
        yield (
            f"{len(question.shown)} demonstrations are shown, and the embedded model was trained on answers after at "
            f"most {most}: what it makes of more is not what it learned."
        )
    if "exact" in question.study.posteriors:
        yield from about_bayes(question.study)


def about_control(question: Question, model: LanguageModel) -> Iterable[str]:
    """Names of control tokens in the texts: they are read as other tools read them, and not letter by letter."""
    texts = (question.prompt.text, *question.labels)
    if question.study.template.chat is not None:  # whose own signs are control tokens
        said = (text for row in question.shown for text in (row.input, question.study.template.word(row.label)))
        texts = (question.query, question.study.instruction, *said, *question.labels)
    found = list(dict.fromkeys(name for text in texts for name in model.encoder.control(text)))
    if found:
        names = ", ".join(f"“{shorten(name)}”" for name in found[:5]) + (", …" if len(found) > 5 else "")
        what = "is read as a control token" if len(found) == 1 else "are read as control tokens"
        yield f"{names} {what} of the model, not as text."
