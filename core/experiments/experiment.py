"""An experiment: which studies, which questions, and what is drawn."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from core.errors import InvalidValue, StudyError
from core.experiments.fields import parsed, title_of, words_of
from core.scoring.labels import distinct
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import ModelChoice, Study
from core.study.value import Text, Value

MOST_CELLS, MOST_QUESTIONS = 20_000, 100_000


class Variation(Value):
    """A field of the study that takes several values.

    Attributes:
        field: a field of `Study`, or a treatment (`core.experiments.treatments`).
        values: at least one, each as the field takes it. The first is what the others are held against.
    """

    field: Text
    values: tuple[Any, ...]

    @model_validator(mode="after")
    def _as_the_field_takes_them(self) -> Variation:
        found = tuple(dict.fromkeys(parsed(self.field, value) for value in self.values))
        if not found:
            raise ValueError(f"“{title_of(self.field)}” varies over no value")
        object.__setattr__(self, "values", found)  # frozen: nobody has seen it yet
        return self


class Draws(Value):
    """What is drawn at random, and how often.

    Attributes:
        sets: demonstration sets. Each is chosen from a part of the pool of its own, by the study's selection, whose
            seed is drawn anew as well. A study whose demonstrations are picked by hand has one set.
        orders: orders of each set, where the study's ordering is drawn.
        share: part of the pool that a set is chosen from, at random; at least k rows. With 1, a selection that draws
            nothing would choose the same each time.
        seed: of all that is drawn.
    """

    sets: Annotated[int, Field(ge=1, le=1_000)] = 5
    orders: Annotated[int, Field(ge=1, le=1_000)] = 1
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Experiment(Value):
    """A grid of studies over the same questions.

    Attributes:
        name: what the user calls it; decides nothing.
        study: what every cell begins with. Its query and right answer are not read.
        vary: the fields that vary, crossed: the settings are all their combinations.
        questions: inputs and their right answers; none of them is shown as a demonstration.
        draws: what is random.
    """

    name: Text = ""
    study: Study
    vary: tuple[Variation, ...] = ()
    questions: Annotated[tuple[Demonstration, ...], Field(min_length=1, max_length=MOST_QUESTIONS)]
    draws: Draws = Draws()

    @field_validator("vary")
    @classmethod
    def _each_field_once(cls, vary: tuple[Variation, ...]) -> tuple[Variation, ...]:
        if len({one.field for one in vary}) < len(vary):
            raise ValueError("each field can vary once")
        return vary

    @property
    def key(self) -> str:
        """First 16 hex digits of a SHA-256 over all that decides a result."""
        said = self.model_copy(update={"name": "", "study": self.study.model_copy(update={"query": "", "gold": None})})
        return hashlib.sha256(said.model_dump_json().encode()).hexdigest()[:16]

    @property
    def labels(self) -> tuple[str, ...]:
        """Candidates of every question: the study's, or all labels of its rows, as they first appear."""
        rows = (*self.study.pool, *self.study.demonstrations)
        return distinct(self.study.labels) or distinct(row.label for row in rows if usable(row))

    @property
    def models(self) -> tuple[ModelChoice, ...]:
        """Every model that is asked, each once."""
        varied = next((one.values for one in self.vary if one.field == "model"), (self.study.model,))
        return tuple(dict.fromkeys(varied))

    @property
    def embedded_alone(self) -> bool:
        """Whether only the embedded model is asked, whose tasks say what may be answered to an input."""
        return all(choice.name.strip() == ModelChoice().name for choice in self.models)

    def sentence(self) -> str:
        """What it varies and what it draws, in words: "Order: random, nearest last; 200 questions; 5 sets"."""
        said = [f"{title_of(one.field)}: {', '.join(words_of(one.field, v) for v in one.values)}" for one in self.vary]
        said.append(_many(len(self.questions), "question"))
        said.append(_many(self.draws.sets, "demonstration set"))
        if self.draws.orders > 1:
            said.append(f"{self.draws.orders} orders each where orders are drawn")
        if not any(one.field == "model" for one in self.vary):
            said.append(words_of("model", self.study.model))
        return "; ".join(said)


def check(experiment: Experiment) -> None:
    """Refuse what cannot be asked before anything is computed.

    Raises:
        StudyError: in one sentence: a question without an input or an answer, an answer that no demonstration has,
            nothing to choose demonstrations from, or too many cells.
    """
    blank = sum(not usable(row) for row in experiment.questions)
    if blank:
        raise StudyError(f"{_many(blank, 'question')} without an input or an answer: remove or complete them.")
    labels = experiment.labels
    if not labels:
        raise StudyError("There is no label: add labelled examples to the pool, or name the candidate labels.")
    unknown = distinct(row.label for row in experiment.questions if row.label.strip() not in labels)
    if unknown and not experiment.embedded_alone:
        some = ", ".join(f"“{label[:40]}”" for label in unknown[:3]) + (" …" if len(unknown) > 3 else "")
        raise StudyError(
            f"{_many(len(unknown), 'right answer')} of the questions stand at no demonstration ({some}): "
            "name them as candidate labels, or ask other questions."
        )


def read(text: str | bytes) -> Experiment:
    """The experiment that a JSON text holds.

    Raises:
        InvalidValue: in one sentence, what is wrong with it.
    """
    try:
        return Experiment.model_validate_json(text)
    except RecursionError:
        raise InvalidValue("This is no Experiment: it is nested too deep.", (), "it is nested too deep") from None


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
