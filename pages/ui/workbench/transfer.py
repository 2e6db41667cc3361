"""The export menu: demonstrations, the study and what came of it as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import streamlit as st

from core.files import FORMATS, write_file
from core.files.formulas import all_as_text
from core.study.demonstrations import Demonstration
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components import charts

P = "frame_"
MIME = {"csv": "text/csv", "tsv": "text/tab-separated-values", "json": "application/json"}


def is_open() -> bool:
    """Whether the export menu is open, so that what it hands out must follow every edit."""
    return bool(st.session_state.get(P + "export_box"))


def export_popover(study: Study, outcome: Outcome | None) -> None:
    """Everything that can be taken away."""
    box = st.popover("Export", icon=":material/download:", on_change="rerun", key=P + "export_box")
    if not box.open:
        return
    with box:
        for field in ("demonstrations", "pool", *(["questions"] if study.questions else [])):
            rows: tuple[Demonstration, ...] = getattr(study, field)
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.caption(field.capitalize(), width=100)
                for kind in FORMATS:
                    _save(kind, f"{field}.{kind}", lambda r=rows, k=kind: write_file(r, k))
        st.caption("The study, and what came of it")
        with st.container(horizontal=True, gap="xsmall"):
            _save("Study JSON", "study.json", lambda: study.model_dump_json(indent=1).encode())
            if outcome is not None:
                _save("Outcome JSON", "outcome.json", lambda: outcome_json(outcome))
                _save("Arrays npz", "outcome.npz", lambda: outcome_npz(outcome))
        if outcome is not None:
            with st.container(horizontal=True, gap="xsmall"):
                for name, make in VIEWS.items():
                    _save(f"{name} csv", f"{name.lower()}.csv", lambda m=make: _csv(m(outcome)))
        st.segmented_control(
            "Charts are saved as images in", ["png", "svg"], default="png", required=True, key=charts.IMAGE
        )
        st.caption("The same in a notebook")
        st.code(as_python(study), language="python", height=180)


def _save(label: str, name: str, make: Callable[[], bytes]) -> None:
    """A download whose bytes are made when it is clicked, not at every run."""
    st.download_button(
        label,
        make,
        file_name=name,
        mime=MIME.get(name.rsplit(".", 1)[-1], "application/octet-stream"),
        key=f"{P}save_{name}",
        on_click="ignore",
    )


def as_python(study: Study) -> str:
    """Code that runs this study outside the dashboard and gets the same numbers."""
    default = Study()
    changed = {name: value for name, value in study if value != getattr(default, name)}
    body = json.dumps(study.model_dump(mode="json", include=set(changed)), ensure_ascii=False, indent=1)
    quoted = repr(body) if "'''" in body or "\\" in body else f"'''{body}'''"
    model = study.model
    return (
        "from core import Study, load_model, run\n\n"
        f"study = Study.model_validate_json({quoted})\n"
        f"model = load_model({model.name!r}, dtype={model.dtype!r}, device={model.device!r})\n"
        "outcome = run(study, model)\n"
        "print(dict(zip(outcome.answer.labels, outcome.answer.probabilities)))"
    )


def outcome_json(outcome: Outcome) -> bytes:
    """The whole outcome as JSON; arrays are nested lists, what is not a number is null."""
    return json.dumps(_tree(outcome), ensure_ascii=False, indent=1).encode()


def _tree(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _tree(value.tolist())
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "__dataclass_fields__"):
        return {name: _tree(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): _tree(inner) for key, inner in value.items()}
    return [_tree(inner) for inner in value] if isinstance(value, list | tuple) else value


def outcome_npz(outcome: Outcome) -> bytes:
    """Every array of the outcome under its path, such as "posteriors/exact/weights", and the study as text."""
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "study": np.array(outcome.study.model_dump_json()),
        "labels_found": np.array(outcome.labels_found),
        "notes": np.array(outcome.notes, dtype=np.str_),
    }

    def collect(path: str, value: Any) -> None:
        if isinstance(value, np.ndarray):
            arrays[path] = value
        elif hasattr(value, "__dataclass_fields__"):
            for name in value.__dataclass_fields__:
                collect(f"{path}/{name}", getattr(value, name))
        elif isinstance(value, dict):
            for key, inner in value.items():
                collect(f"{path}/{key}", inner)
        elif isinstance(value, tuple) and value and all(isinstance(item, str) for item in value):
            arrays[path] = np.array(value)
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                collect(f"{path}/{place}", item)

    for name in ("answer", "bayes", "posteriors", "kernels", "attention", "reasoning", "written"):
        collect(name, getattr(outcome, name))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


Rows = Iterable[Iterable[Any]]


def _answer_rows(outcome: Outcome) -> Rows:
    yield ("label", "score", "probability", "exact Bayes", "labels_scored", "labels_found")
    counts = (len(outcome.answer.labels), outcome.labels_found)
    bayes = dict(zip(outcome.bayes.labels, outcome.bayes.probabilities, strict=True)) if outcome.bayes else {}
    for label, score, p in zip(outcome.answer.labels, outcome.answer.scores, outcome.answer.probabilities, strict=True):
        yield (label, score, p, bayes.get(label, ""), *counts)


def _posterior_rows(outcome: Outcome) -> Rows:
    yield ("posterior", "n", "task", "weight")
    for name, post in outcome.posteriors.items():
        for n, row in enumerate(post.weights):
            for task, weight in zip(post.tasks, row, strict=True):
                yield (name, n, task, weight)


def _kernel_rows(outcome: Outcome) -> Rows:
    yield ("kernel", "number", "input", "label", "K", "K / ΣK")
    for name, kernel in outcome.kernels.items():
        for i, row in enumerate(outcome.demonstrations):
            yield (name, outcome.chosen.indices[i] + 1, row.input, row.label, kernel.raw[i], kernel.normalised[i])


def _attention_rows(outcome: Outcome) -> Rows:
    yield ("layer", "head", "span", "attention")
    if outcome.attention is not None:
        for (layer, head, span), weight in np.ndenumerate(outcome.attention.pooled):
            yield (layer, head, outcome.attention.spans[span], weight)


VIEWS: dict[str, Callable[[Outcome], Rows]] = {
    "Answer": _answer_rows,
    "Posterior": _posterior_rows,
    "Kernels": _kernel_rows,
    "Attention": _attention_rows,
}


def _csv(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(all_as_text(row) for row in rows)
    return text.getvalue().encode()
