"""Computing a block of an experiment, wherever that is done: the same numbers in any process, in any order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.embeddings.encoders import encoders
from core.embeddings.vector_cache import unit_rows
from core.errors import Cancelled, ICLensError
from core.evaluation.evaluate import Evaluation, evaluate
from core.evaluation.questions import EvaluationQuestion
from core.experiments.design import Design, QuestionBlock
from core.experiments.items import ExperimentItem
from core.ordering import orderings
from core.runtime.progress import Stop
from core.scoring import log_shares
from core.scoring.labels import distinct, every_label
from core.selection import selections
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


def compute(
    design: Design, block: QuestionBlock, model: LanguageModel, stop: Stop | None = None
) -> list[ExperimentItem]:
    """The items of a block, in the order of its questions.

    Nothing that the model has read before is read on from, so that the same block gives the same digits wherever it is
    computed, on one kind of machine and with one number of threads. A block that cannot be computed gives an item with
    a sentence for every question.

    Raises:
        Cancelled: `stop` said so.
    """
    began = time.perf_counter()
    numbers = range(block.start, block.end)
    if model.prefixes is not None:
        model.prefixes.clear()
    try:
        study = design.study(block.cell)
        found = _evaluated(design, study, numbers, model, stop)
    except Cancelled:
        raise
    except ICLensError as error:
        return [ExperimentItem(block.cell.number, question, error=str(error)) for question in numbers]
    each = (time.perf_counter() - began) / len(numbers)
    return [
        ExperimentItem(
            cell=block.cell.number,
            question=question,
            labels=answer.labels,
            log_shares=tuple(float(x) for x in log_shares(study, answer)),
            shown=tuple((row.input, row.label) for row in chosen.generated) if chosen.generated else chosen.indices,
            fingerprint=model.fingerprint,
            seconds=each,
        )
        for question, answer, chosen in zip(numbers, found.answers[0], found.chosen[0], strict=True)
    ]


def prepare(design: Design, model: LanguageModel) -> None:
    """Read every input once, in one order, where the model itself is the measure of nearness.

    A vector's last digits depend on what it was read together with, and it is kept: so all are read together first.
    """
    texts = distinct(row.input for row in (*design.rows, *design.experiment.study.demonstrations))
    asked = distinct(row.input for row in design.experiment.questions)
    if any(_reads_hidden_states(setting.study) for setting in design.settings):
        unit_rows(model, (*texts, *asked))


def _reads_hidden_states(study: Study) -> bool:
    read = (*selections.find(study.selection).reads, *orderings.find(study.ordering).reads)
    return "encoder" in read and encoders.find(study.encoder).hidden_states


def _evaluated(
    design: Design, study: Study, numbers: Sequence[int], model: LanguageModel, stop: Stop | None
) -> Evaluation:
    rows = design.experiment.questions
    questions = [EvaluationQuestion(rows[i].input.strip(), rows[i].label.strip(), "experiment") for i in numbers]
    if design.closed:
        named = study.labels or design.labels
        labels = [named] * len(questions)
    else:  # of all rows, whichever of them are shown
        base = study.model_copy(update={"pool": design.rows})
        labels = [
            distinct((*every_label(base.model_copy(update={"query": q.input}), model, ()), q.gold)) for q in questions
        ]
    return evaluate([study], model, questions, labels=labels, stop=stop)
