"""The candidate answers of a study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.errors import StudyError
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import Study
from core.study.verbalisers import check_words

if TYPE_CHECKING:
    from core.models import LanguageModel

MAX_LABELS = 24
"""Candidates kept of a run where the study names none: each is scored at every edit, and each has a bar on screen."""
MOST_UNNAMED = 1_000
"""Labels that an evaluation, a selection or an ordering scores where none are named; of named ones it scores all."""


class Candidates(NamedTuple):
    """The candidates of a query.

    Attributes:
        labels: those that are scored.
        notes: what a reader must know of them, one sentence each.
        found: how many there were before some were left out.
    """

    labels: tuple[str, ...]
    notes: tuple[str, ...]
    found: int


def candidates_of(study: Study, model: LanguageModel, shown: Sequence[Demonstration]) -> Candidates:
    """The candidates for the query, and what the reader should know of them.

    The study's own labels where it names any. Otherwise the distinct labels of the demonstrations shown and of the
    pool in first-seen order, then, where the mixture is known, what its tasks would answer to the query, then the
    gold answer if it is still missing. Of more than 24, kept are the labels shown, the mixture's answers and the
    pool's labels, in that order of precedence: which answer is right decides nothing of it.

    Returns:
        Labels, each once, none blank; notes; and how many labels there were.

    Raises:
        StudyError: there is no label at all, or the template writes two of them alike.
    """
    if study.labels:
        labels, notes = clean(study.labels)
        count = len(labels)
        if study.gold and study.gold not in labels:
            notes += (f"The gold answer “{study.gold}” is not among the study's labels.",)
    else:
        found, precedence = found_labels(study, model, shown)
        labels, notes = cap(found, precedence)
        count = len(found)
        if study.gold in found and study.gold not in labels:
            notes += (f"The right answer “{study.gold}” is not among those scored: a cut must not know which it is.",)
    if not labels:
        raise StudyError("There is no label to score; add demonstrations, or name the candidate labels.")
    check_words(study.template, (*labels, *(row.label for row in shown)))
    return Candidates(labels, notes, count)


def candidate_labels(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels and notes of `candidates_of`."""
    return candidates_of(study, model, shown)[:2]


def every_label(study: Study, model: LanguageModel, shown: Sequence[Demonstration]) -> tuple[str, ...]:
    """The candidates for the query without a limit: what `candidates_of` keeps and what it leaves out."""
    return candidate_labels(study, model, shown)[0] if study.labels else found_labels(study, model, shown)[0]


def found_labels(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All candidates of a study that names none, in the order shown, and in the order in which they are kept."""
    in_context = distinct(row.label for row in shown)
    in_pool = pool_labels(study)
    answers = distinct(study.template.label(word) or "" for word in _answers(study, model))
    gold = distinct([study.gold or ""])
    # The pool's order where it has one: then another choice of demonstrations does not shuffle the bars.
    seen = in_pool if set(in_context) <= set(in_pool) else (*in_context, *in_pool)
    return distinct((*seen, *answers, *gold)), distinct((*in_context, *answers, *in_pool, *gold))


def check_count(labels: Sequence[str]) -> None:
    """Refuse more labels than are scored unasked, where to keep some would need to know which to keep.

    Raises:
        StudyError: there are more.
    """
    if len(labels) > MOST_UNNAMED:
        raise StudyError(
            f"{len(labels):,} different labels were found, more than the {MOST_UNNAMED:,} that are scored for every "
            "input where none are named; name the candidate labels, and all of them are scored."
        )


def _answers(study: Study, model: LanguageModel) -> Sequence[str]:
    """What the tasks of the mixture would answer to the query, where it is known: words, as they are written."""
    return model.mixture.answers(study.query) if model.mixture is not None else ()


def task_labels(study: Study, shown: Sequence[Demonstration] = ()) -> tuple[str, ...]:
    """The labels for inputs other than the query, all of them: as above without the answers to the query and gold.

    Raises:
        StudyError: there is no label at all, or more than 1,000 that the study does not name.
    """
    labels = labels_of_task(study, shown)
    if not study.labels:
        check_count(labels)
    return labels


def labels_of_task(study: Study, shown: Sequence[Demonstration] = ()) -> tuple[str, ...]:
    """`task_labels`, however many: for who scores none of them.

    Raises:
        StudyError: there is no label at all.
    """
    rows = distinct((*(row.label for row in shown), *pool_labels(study)))
    labels = clean(study.labels)[0] if study.labels else rows
    if not labels:
        raise StudyError("There is no label to score; add demonstrations, or name the candidate labels.")
    check_words(study.template, labels)
    return labels


def pool_labels(study: Study) -> tuple[str, ...]:
    """Distinct labels of the pool's usable rows, in first-seen order."""
    return distinct(row.label for row in study.pool if usable(row))


def distinct(labels: Iterable[str]) -> tuple[str, ...]:
    """Each label once, without surrounding white space, blank ones left out."""
    return tuple(dict.fromkeys(text for label in labels if (text := label.strip())))


def clean(labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`distinct`, with a note on what it dropped."""
    kept = distinct(labels)
    blank = sum(not label.strip() for label in labels)
    repeated = len(labels) - blank - len(kept)
    notes = []
    if blank:
        notes.append(f"{blank} blank label{'s were' if blank > 1 else ' was'} left out.")
    if repeated:
        notes.append(f"{repeated} repeated label{'s were' if repeated > 1 else ' was'} left out.")
    return kept, tuple(notes)


def cap(labels: tuple[str, ...], precedence: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """At most 24 of `labels`, those first in `precedence`, in their own order; with a note where some went."""
    if len(labels) <= MAX_LABELS:
        return labels, ()
    kept = set(precedence[:MAX_LABELS])
    return tuple(label for label in labels if label in kept), (about_cut(len(labels), MAX_LABELS),)


def about_cut(found: int, scored: int) -> str:
    """What a reader must know where some of the labels were left out, "" where none were."""
    if found <= scored:
        return ""
    return f"{found} labels were found and {scored} are scored; name the candidate labels to choose which."
