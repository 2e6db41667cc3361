"""Standing questions: what people ask again and again, each an experiment on the user's own rows and model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.experiments.experiment import Draws, Experiment, Variation
from core.experiments.treatments import treatments
from core.ordering import orderings
from core.runtime.registry import Entry, Registry
from core.scoring.calibration import calibrations
from core.selection import selections
from core.study.demonstrations import Demonstration
from core.study.prompts import TEMPLATES
from core.study.study import Study

Questions = Sequence[Demonstration]
Ask = Callable[[Study, Questions], Experiment]


SETS = 5

standing_questions = Registry("standing question", Entry[Ask])


def from_pool(study: Study) -> Study:
    """The study with its demonstrations chosen from the pool, at random where they were picked by hand: sets can be
    drawn of nothing else."""
    if selections.find(study.selection).source == "pool":
        return study
    return study.model_copy(update={"selection": "random"})


def _over_sets(study: Study, questions: Questions, *vary: Variation, **draws: Any) -> Experiment:
    """The experiment on five demonstration sets, the fewest that carry a verdict."""
    return Experiment(study=study, vary=vary, questions=tuple(questions), draws=Draws(sets=SETS, **draws))


@standing_questions.register(
    "nearest_last",
    title="Does nearest last help?",
    help="The same demonstrations in random order and with the one most like the query last (Liu et al. 2022).",
    place=1,
)
def nearest_last(study: Study, questions: Questions) -> Experiment:
    """Random order against nearest last."""
    vary = Variation(field="ordering", values=("random", "nearest-last"))
    return _over_sets(from_pool(study), questions, vary)


@standing_questions.register(
    "similarity",
    title="Does similarity beat random?",
    help="Demonstrations drawn at random against those most like the query, from the same rows (Liu et al. 2022).",
    place=2,
)
def similarity(study: Study, questions: Questions) -> Experiment:
    """Random selection against similarity, in the order given."""
    vary = Variation(field="selection", values=("random", "similarity"))
    return _over_sets(study, questions, vary)


@standing_questions.register(
    "order",
    title="Does order matter?",
    help="Several orders of each demonstration set: how much of the variance is order, and how often the answer flips "
    "(Lu et al. 2022).",
    place=3,
)
def order(study: Study, questions: Questions) -> Experiment:
    """Eight random orders of each of five sets."""
    fixed = from_pool(study).model_copy(update={"ordering": "random"})
    return _over_sets(fixed, questions, orders=8)


@standing_questions.register(
    "imbalance",
    title="Direct or channel, when labels are uneven?",
    help="Both scorers, with even labels and with seven of eight demonstrations of one label (Min et al. 2022).",
    place=4,
)
def imbalance(study: Study, questions: Questions) -> Experiment:
    """Direct against channel at .5 and .875 of one label, eight demonstrations."""
    fixed = study.model_copy(update={"selection": "random", "k": 8, "ordering": "random"})
    vary = (
        Variation(field="scoring", values=("direct", "channel")),
        Variation(field="commonest_label", values=(0.5, 0.875)),
    )
    return _over_sets(fixed, questions, *vary, share=1.0)


@standing_questions.register(
    "context",
    title="When does more context stop helping?",
    help="Accuracy and log-loss from no demonstration to thirty-two, and the number from which more does not help.",
    place=5,
)
def context(study: Study, questions: Questions) -> Experiment:
    """k = 0, 1, 2, 4, 8, 16, 32, as far as half the rows go."""
    rows = max(1, len(study.pool) // 2)
    vary = Variation(field="k", values=tuple(k for k in (0, 1, 2, 4, 8, 16, 32) if k <= rows))
    fixed = study.model_copy(update={"selection": "random", "ordering": "random"})
    return _over_sets(fixed, questions, vary)


@standing_questions.register(
    "right_labels",
    title="Do right labels matter?",
    help="Demonstrations whose labels are all right, three quarters, half, a quarter, none (Min et al. 2022).",
    place=6,
)
def right_labels(study: Study, questions: Questions) -> Experiment:
    """Shares of right labels from 1 to 0."""
    values = treatments.find("right_labels").usual
    vary = Variation(field="right_labels", values=values)
    return _over_sets(from_pool(study), questions, vary)


@standing_questions.register(
    "template",
    title="Which format?",
    help="The template on screen against the built-in ones, with the same demonstrations (Sclar et al. 2024).",
    place=7,
)
def template(study: Study, questions: Questions) -> Experiment:
    """The study's template first, then the others, its label words kept."""
    words = study.template.words
    others = [one.model_copy(update={"words": words}) for one in TEMPLATES.values() if one.name != study.template.name]
    vary = Variation(field="template", values=(study.template, *others))
    return _over_sets(from_pool(study), questions, vary)


@standing_questions.register(
    "calibration",
    title="Does calibration help?",
    help="No calibration against each of those there are, with the same demonstrations (Zhao et al. 2021).",
    place=8,
)
def calibration(study: Study, questions: Questions) -> Experiment:
    """Every calibration against none."""
    names = (calibrations.plain, *(one.name for one in calibrations if one.name != calibrations.plain))
    vary = Variation(field="calibration", values=names)
    fixed = from_pool(study).model_copy(update={"ordering": orderings.find("random").name})
    return _over_sets(fixed, questions, vary)
