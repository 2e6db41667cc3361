"""Fields of a study that an experiment may vary: which they are, what their values are called, and how one is set."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from core.embeddings.encoders import encoders
from core.experiments.treatments import treatments
from core.ordering import orderings
from core.runtime.registry import Registry
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections
from core.study.prompts import TEMPLATES
from core.study.study import ModelChoice, Study

MENUS: dict[str, Registry[Any, Any, Any]] = {
    "selection": selections,
    "ordering": orderings,
    "scoring": scorers,
    "calibration": calibrations,
}
FIXED = {"demonstrations", "pool", "questions", "query", "gold", "labels", "input_pattern", "hypotheses", "prior",
         "posteriors"}  # fmt: skip
"""Fields that no experiment varies: its questions and rows, and what decides no answer."""
UNREAD = {"chained", "posterior_solver", "heads", "hidden_layer", "similarity", "bandwidth", "span", "pooling",
          "token_head", "reasoning", "open_ended", "matching", "longest"}  # fmt: skip
"""Fields that the score of an answer does not read: they explain it, or write before it."""
TITLES = {
    "model": "Model",
    "k": "Demonstrations",
    "shots": "Demonstrations shown",
    "template": "Template",
    "instruction": "Instruction",
    "selection": "Selection",
    "selection_seed": "Seed of the selection",
    "ordering": "Order",
    "ordering_seed": "Seed of the order",
    "scoring": "Scoring",
    "calibration": "Calibration",
    "calibration_seed": "Seed of the calibration",
    "encoder": "Nearness",
    "mmr_lambda": "MMR’s λ",
    "normalisation": "Length of answers",
    "label_prior": "Prior of labels",
}


def names() -> tuple[str, ...]:
    """Every field that may vary, treatments first."""
    studied = tuple(name for name in Study.model_fields if name not in FIXED | UNREAD)
    return (*(entry.name for entry in treatments), *studied)


def title_of(field: str) -> str:
    """What a field is called on screen."""
    entry = _treatment(field)
    return entry.title if entry is not None else TITLES.get(field, field.replace("_", " ").capitalize())


def parsed(field: str, value: Any) -> Any:
    """A value as the field takes it.

    Raises:
        ValueError: there is no such field, or it cannot have this value.
    """
    if field not in names():
        raise ValueError(f"“{field}” cannot vary; choose one of {', '.join(names())}")
    entry = _treatment(field)
    try:
        found = (TypeAdapter(float) if entry is not None else _adapter(field)).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"“{title_of(field)}” cannot be {value!r}: {error.errors()[0]['msg'].lower()}") from None
    if entry is not None and not entry.low <= found <= entry.high:
        raise ValueError(f"“{title_of(field)}” lies between {entry.low:g} and {entry.high:g}, and {found:g} does not")
    if field in MENUS:
        MENUS[field].find(str(found))
    return found


def words_of(field: str, value: Any) -> str:
    """A value in words: the title of a strategy, the name of a model, "75 %" of a share."""
    if field in MENUS:
        return str(MENUS[field].find(value).title)
    if isinstance(value, ModelChoice):
        if value == ModelChoice():
            return "the embedded model"
        short = value.name.rstrip("/").rsplit("/", 1)[-1]
        return short if value.dtype == "float32" else f"{short} in {value.dtype}"
    if _treatment(field) is not None:
        return f"{100 * value:.3g} %"
    if value is None or value == "":
        return "none"
    if isinstance(value, BaseModel):
        name = getattr(value, "name", "") or getattr(value, "text", "")
        return str(name or json.dumps(value.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False))
    return str(value)


def offered(field: str, study: Study) -> tuple[Any, ...]:
    """Values that a menu offers for a field, the study's own first."""
    entry = _treatment(field)
    if entry is not None:
        return tuple(entry.usual)
    own = getattr(study, field)
    if field in MENUS:
        others: tuple[Any, ...] = tuple(MENUS[field].names())
    elif field == "template":
        others = tuple(one for one in TEMPLATES.values() if one.name != own.name)
    elif field in ("k", "shots"):
        others = (0, 1, 2, 4, 8, 16, 32)
    elif field == "encoder":
        others = tuple(encoders.names())
    elif get_origin(Study.model_fields[field].annotation) is Literal:
        others = get_args(Study.model_fields[field].annotation)
    elif isinstance(own, int) and not isinstance(own, bool):
        others = tuple(range(10)) if field.endswith("seed") else (own, 2 * own)
    else:
        others = ()
    return tuple(dict.fromkeys((own, *others)))


def typed(field: str) -> bool:
    """Whether other values than those offered can be typed: numbers and texts."""
    if field in MENUS or field in ("template", "model"):
        return False
    return _treatment(field) is not None or get_origin(Study.model_fields[field].annotation) is not Literal


def applied(study: Study, field: str, value: Any) -> Study:
    """The study with a field of it changed; a treatment acts on its rows later (`core.experiments.treatments`)."""
    return study if _treatment(field) is not None else study.model_copy(update={field: value})


def _treatment(field: str) -> Any:
    return next((entry for entry in treatments if entry.name == field), None)


@cache
def _adapter(field: str) -> TypeAdapter[Any]:
    info = Study.model_fields[field]
    kind: Any = info.annotation
    return TypeAdapter(Annotated[kind, info] if info.metadata else kind)
