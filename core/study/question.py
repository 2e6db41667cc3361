"""A study as it is asked: cleaned, its demonstrations chosen and ordered, its candidate labels and its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.study.demonstrations import Demonstration
from core.study.prompts import Prompt, render
from core.study.study import Study, TaskPrior
from core.study.verbalisers import as_written


@dataclass(frozen=True)
class Question:
    """What is asked of a model, and of exact Bayes, once everything about it is chosen.

    Made once, in `core.pipeline.run`, and handed on; who has demonstrations and labels of their own makes one with
    `Question.of`. What follows from it is worked out once, when first asked for.

    Attributes:
        study: already cleaned (`core.study.cleaning.tidied`).
        shown: (k,) the demonstrations, in order.
        labels: (L,) the candidate answers.
        prompt: what the answer is read after: the demonstrations and the query, and behind them what the model wrote
            before it answers, where it did.
    """

    study: Study
    shown: tuple[Demonstration, ...]
    labels: tuple[str, ...]
    prompt: Prompt

    @classmethod
    def of(cls, study: Study, shown: Sequence[Demonstration], labels: Sequence[str]) -> Question:
        """The question of a study with these demonstrations, in this order, and these candidates."""
        prompt = render(shown, study.query, study.template, study.instruction)
        return cls(study, tuple(shown), tuple(labels), prompt)

    @property
    def query(self) -> str:
        """x, the input to be answered."""
        return self.study.query

    @cached_property
    def written(self) -> Question:
        """The same question with every label as it is written, and a template without words (`as_written`).

        What is about the text itself asks this one: exact Bayes, the posteriors, and the exact kernel, whose tasks
        know words and not what they stand for. The prompt is the same, and so is the question where a template has no
        words for labels.
        """
        if not self.study.template.words:
            return self
        study, shown, labels = as_written(self.study, self.shown, self.labels)
        return Question(study, tuple(shown), labels, self.prompt)

    @property
    def bare(self) -> Prompt:
        """The demonstrations and the query alone, without what the model wrote."""
        bare: Prompt = self.__dict__.get("_bare", self.prompt)
        return bare

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(k,) the demonstrations as (input, label as it is written)."""
        return tuple((row.input, row.label) for row in self.written.shown)

    def after(self, prompt: Prompt) -> Question:
        """The same question, its answer read after another prompt; what was worked out of it before is kept."""
        if prompt is self.prompt:
            return self
        moved = replace(self, prompt=prompt)
        moved.__dict__["_bare"] = self.bare
        if self.written is not self:
            moved.__dict__["written"] = self.written.after(prompt)
        return moved

    def under(self, prior: tuple[TaskPrior, ...]) -> Question:
        """The same question under another prior of the user's own, which decides nothing of what is asked."""
        moved = replace(self, study=self.study.model_copy(update={"prior": prior}))
        if self.written is not self:
            moved.__dict__["written"] = self.written.under(prior)
        return moved
