"""Labels and the words that stand for them in a prompt (`Template.words`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.errors import StudyError
from core.study.demonstrations import Demonstration
from core.study.prompts import Template
from core.study.study import Hypothesis, Study

Written = tuple[Study, Sequence[Demonstration], tuple[str, ...]]


def as_written(study: Study, shown: Sequence[Demonstration], labels: Sequence[str]) -> Written:
    """The same question with every label replaced by its word, and a template without words: the text is the same.

    What is about the text itself goes through this: exact Bayes, the posteriors, and the exact kernel, whose tasks know
    words and not what they stand for. Applied twice it does nothing more.

    Returns:
        The study (its template, hypotheses and gold answer), the demonstrations, and the labels in their order.
    """
    template = study.template
    if not template.words:
        return study, shown, tuple(labels)
    changes = {
        "template": template.model_copy(update={"words": ()}),
        "hypotheses": tuple(_hypothesis(template, row) for row in study.hypotheses),
        "labels": tuple(map(template.word, study.labels)),
        "gold": None if study.gold is None else template.word(study.gold),
    }
    return study.model_copy(update=changes), as_words(template, shown), tuple(map(template.word, labels))


def as_words(template: Template, rows: Iterable[Demonstration]) -> tuple[Demonstration, ...]:
    """The rows with their labels as they are written."""
    if not template.words:
        return tuple(rows)
    return tuple(row.model_copy(update={"label": template.word(row.label)}) for row in rows)


def _hypothesis(template: Template, hypothesis: Hypothesis) -> Hypothesis:
    """Its words by what is written for their labels: where it has no word of its own, the template's stands."""
    words = tuple((template.word(label), word) for label, word in hypothesis.words)
    return hypothesis.model_copy(update={"words": words})


def check_words(template: Template, labels: Iterable[str]) -> None:
    """Refuse labels that would be written alike, since one would be counted as the other.

    Raises:
        StudyError: a label that has no word of its own is another's word.
    """
    if not template.words:
        return
    written: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        other = written.setdefault(template.word(label), label)
        if other != label:
            raise StudyError(
                f"“{other}” and “{label}” are both written “{template.word(label)}”; give each a word of its own."
            )
