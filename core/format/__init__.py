"""How a prompt is written: its tokens, families of templates, one template against another, instructions."""

from core.format.family import describe, family
from core.format.instructions import Ranking, generated, mixture_instructions, rank_instructions
from core.format.pair import Pair, compare_templates
from core.format.paired import Paired, paired
from core.format.sensitivity import Sensitivity, sensitivity
from core.format.tokens import Tokens, tokens_of, warnings_on
from core.format.typed import read_typed, show_typed

__all__ = [
    "Pair",
    "Paired",
    "Ranking",
    "Sensitivity",
    "Tokens",
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
