"""Demonstrations that the model writes itself, for the query at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop, counting, part
from core.scoring.labels import labels_of_task
from core.selection import Picked, Selected, selections
from core.selection.learning.splits import prompts_fit
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.prompts import end_of, render_channel
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

TEMPERATURE = 0.5
TOKENS = 64
ROUNDS = 4
"""How often the model is asked anew for an example that came out empty, as the query, or as one it wrote before."""


@selections.register(
    "self-generated",
    title="Self-generated",
    help="k examples that the model writes itself, like the query and for each label in turn; no pool is needed",
    reads=("pool", "labels", "k", "selection_seed"),
    place=60,
    slow=True,
    unranked="The model wrote these itself; no row of the pool was ranked.",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """x̂ ~ p(· | (x, y) shown label first, y) for each label y in turn, until there are k of them (Kim et al. 2022).

    The model reads the query as an input of label y in the template's channel form, y then x, and writes the next
    input after y: with k the number of labels that is one example a label, conditioned on the query and the label as
    in the paper. Sampled at temperature 0.5 with `selection_seed`, up to the template's end. The labels are the
    study's, else the pool's and the table's; of either nothing else is read. An example that is empty, the query
    itself, or written before is asked for anew, three times; where none comes there are fewer than k, and a note says
    so.

    Raises:
        StudyError: there are no labels, or the query between two labels is longer than the model's context.
    """
    if not study.k:
        return [], None
    labels = labels_of_task(study, [row for row in study.demonstrations if usable(row)])
    wanted = [labels[i % len(labels)] for i in range(study.k)]
    with prompts_fit(study), part(0.0, 1.0):
        written = write(study, model, wanted, stop)
    rows = tuple(Demonstration(input=text, label=label) for text, label in zip(written, wanted, strict=True) if text)
    notes = ["The demonstrations were written by the model itself; nobody has checked their labels."] if rows else []
    if len(rows) < study.k:
        notes.append(
            f"The model wrote {len(rows)} of {study.k} examples; the others came out empty, as the query, or repeated."
        )
    return Picked(list(range(len(rows))), None, tuple(notes), rows)


def write(study: Study, model: LanguageModel, wanted: list[str], stop: Stop | None) -> list[str]:
    """An input for each of the labels wanted, "" where none came out."""
    from core.models.generation import generate  # late: loads torch

    written = [""] * len(wanted)
    with counting(len(wanted), "examples") as advance:
        for turn in range(ROUNDS):
            missing = [i for i, text in enumerate(written) if not text]
            advance(len(wanted) - len(missing))
            if not missing:
                break
            prompts = [example_prompt(study, wanted[i]) for i in missing]
            seed = int(np.random.default_rng([study.selection_seed, turn]).integers(2**31))
            found = generate(
                model,
                prompts,
                until=end_of(study.template),
                most=TOKENS,
                temperature=TEMPERATURE,
                seed=seed,
                stop=stop,
            )
            for i, one in zip(missing, found, strict=True):
                text = " ".join(one.text.split())
                if text and text != study.query and text not in written:
                    written[i] = text
    return written


def example_prompt(study: Study, label: str) -> str:
    """The query as an input of this label, label first, then the label again, up to the input that is to be written."""
    shown = [Demonstration(input=study.query, label=label)]
    return render_channel(shown, label, study.template, study.instruction).text
