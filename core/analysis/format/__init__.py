"""How a prompt is written: its tokens, families of templates, one template against another, instructions."""

from core.analysis.format.escapes import read_typed, show_typed
from core.analysis.format.family import describe, family
from core.analysis.format.instructions import Ranking, generated, mixture_instructions, rank_instructions
from core.analysis.format.pair import Pair, compare_templates
from core.analysis.format.sensitivity import Sensitivity, sensitivity
from core.analysis.format.tokens import PromptTokens, tokens_of, warnings_on
from core.statistics.paired import Paired, paired

__all__ = [
    "Pair",
    "Paired",
    "PromptTokens",
    "Ranking",
    "Sensitivity",
    "compare_templates",
    "describe",
    "family",
    "generated",
    "mixture_instructions",
    "paired",
    "rank_instructions",
    "read_typed",
    "sensitivity",
    "show_typed",
    "tokens_of",
    "warnings_on",
]
