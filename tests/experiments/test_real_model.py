"""Blocks of an experiment on SmolLM2-135M: the numbers of a plain loop over `run`, and the same bits once more."""

from __future__ import annotations

import numpy as np

from core import Demonstration, ModelChoice, Study, run
from core.experiments.compute import compute, prepare
from core.experiments.design import Design
from core.experiments.experiment import Draws, Experiment, Variation
from core.models import LanguageModel
from core.scoring import log_shares

GOOD = ("a joy", "great fun", "so moving", "very good", "a clever, warm film", "the cast shines")
BAD = ("a bore", "so dull", "a waste of time", "very bad", "a clumsy, cold film", "nobody can act here")


def test_blocks_give_the_numbers_of_run_and_the_same_bits_whatever_was_read_before(smollm2: LanguageModel) -> None:
    rows = [Demonstration(input=x, label=y) for pair in zip(GOOD, BAD, strict=True) for x, y in
            zip(pair, ("positive", "negative"), strict=True)]  # fmt: skip
    study = Study(model=ModelChoice(name=smollm2.name), pool=tuple(rows[:8]), selection="random", k=2, posteriors=())
    made = Experiment(
        study=study,
        vary=(Variation(field="ordering", values=("random", "nearest-last")),),
        questions=tuple(rows[8:]),
        draws=Draws(sets=2),
    )
    design = Design(made)
    prepare(design, smollm2)
    items = [item for block in design.blocks for item in compute(design, block, smollm2)]
    again = [item for block in reversed(design.blocks) for item in compute(design, block, smollm2)]
    assert {(i.cell, i.question): (i.log_shares, i.shown) for i in items} == {
        (i.cell, i.question): (i.log_shares, i.shown) for i in again
    }
    for item in items:
        asked = design.asked(design.cells[item.cell], item.question)
        outcome = run(asked, smollm2)
        assert outcome.chosen.indices == item.shown
        assert np.allclose(log_shares(asked, outcome.answer), item.log_shares, atol=1e-4)
