"""What happens to the answer when a demonstration goes, changes its label or moves; and which explanation foresees it.

asked = question(study, model)                 # v: log-odds of the model's answer
found = influence(asked, model)                # leave-one-out, alone, Shapley; of the model and of exact Bayes
flips(asked, model), moves(asked, model)       # other labels, other positions
agreement([evidence(found, model)])            # rank correlation of kernels and heads with influence
agreement(survey(study, model, 20).evidence)   # the same over twenty queries, with intervals
"""

from core.analysis.influence.agreement import Agreement, Compared, Heads, Measure, agreement, effects_of, weights_of
from core.analysis.influence.changes import Flips, Moves, flips, moves
from core.analysis.influence.explanations import READINGS, Explanations, Reading, explanations
from core.analysis.influence.removal import Influence, Removal, influence, influences, prompt_count
from core.analysis.influence.shapley import EXACT_LIMIT, Shapley
from core.analysis.influence.survey import Survey, SurveyedQuery, evidence, other_queries, survey
from core.analysis.influence.value import InfluenceQuestion, Quantity, Values, question, question_of, value_of, values
from core.statistics.bootstrap import Interval
from core.statistics.ranks import Method, p_values, rank_correlation

__all__ = [
    "EXACT_LIMIT",
    "READINGS",
    "Agreement",
    "Compared",
    "Explanations",
    "Flips",
    "Heads",
    "Influence",
    "InfluenceQuestion",
    "Interval",
    "Measure",
    "Method",
    "Moves",
    "Quantity",
    "Reading",
    "Removal",
    "Shapley",
    "Survey",
    "SurveyedQuery",
    "Values",
    "agreement",
    "effects_of",
    "evidence",
    "explanations",
    "flips",
    "influence",
    "influences",
    "moves",
    "other_queries",
    "p_values",
    "prompt_count",
    "question",
    "question_of",
    "rank_correlation",
    "survey",
    "value_of",
    "values",
    "weights_of",
]
