"""ICLens: what a language model infers from demonstrations.

    from core import Study, run, load_model

    outcome = run(Study(query="dog", demonstrations=(Demonstration(input="cat", label="chat"),)), load_model())

Importing this package loads neither torch nor transformers; `load_model` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Cancelled, DataError, ICLensError, ModelError, PromptTooLong, StudyError
from core.pipeline.run import drop_earliest, run
from core.runtime.progress import Stop
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, Attention, Chosen, Kernel, Outcome, Posterior
from core.study.prompts import TEMPLATES, Prompt, Template
from core.study.study import Dtype, Hypothesis, ModelChoice, Study, TaskPrior

if TYPE_CHECKING:
    from core.models import LanguageModel

__all__ = [
    "TEMPLATES",
    "Answer",
    "Attention",
    "Cancelled",
    "Chosen",
    "DataError",
    "Demonstration",
    "Hypothesis",
    "ICLensError",
    "Kernel",
    "ModelChoice",
    "ModelError",
    "Outcome",
    "Posterior",
    "Prompt",
    "PromptTooLong",
    "Study",
    "StudyError",
    "TaskPrior",
    "Template",
    "drop_earliest",
    "load_model",
    "run",
]


def load_model(
    choice: ModelChoice | str = "embedded",
    *,
    dtype: Dtype = "float32",
    device: str = "cpu",
    stop: Stop | None = None,
) -> LanguageModel:
    """Load a causal language model: the embedded one, a hub id, a local folder, or a GGUF file.

    Raises:
        ModelError: it cannot be loaded; one sentence says why.
        Cancelled: `stop` said so.
    """
    from core.models import load_model as load  # late: `core` loads at once, models do not

    return load(choice, dtype=dtype, device=device, stop=stop)
