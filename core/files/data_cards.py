"""What a data set says of itself: its classes' names, its configurations, and which files are which part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from core.files.table import Table

Classes = Mapping[str, Sequence[str]]
"""Names of classes by column: the number 0 stands for the first."""
LONGEST_CARD = 256 * 1024
NOT_KNOWN = "-1"
"""A label that a published test part keeps to itself."""
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def read_card(folder: Path) -> dict[str, Any]:
    """The YAML at the head of a folder's README.md; empty where there is none that can be read."""
    yaml: Any = import_module("yaml")
    path = folder / "README.md"
    try:
        with path.open(encoding="utf-8") as file:
            front = _FRONT.match(file.read(LONGEST_CARD)) if path.is_file() else None
        found = yaml.safe_load(front[1]) if front else None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def classes_of_card(card: Mapping[str, Any], config: str | None) -> Classes:
    """Of the features in `dataset_info`, those of a configuration; without a name they are of any."""
    infos = card.get("dataset_info")
    listed = [info for info in (infos if isinstance(infos, list) else [infos]) if isinstance(info, dict)]
    info = next((info for info in listed if info.get("config_name", config) == config), {})
    found = {}
    features = info.get("features")
    for feature in features if isinstance(features, list) else []:
        kind = feature.get("dtype") if isinstance(feature, dict) else None
        label = kind.get("class_label") if isinstance(kind, dict) else None
        names = label.get("names") if isinstance(label, dict) else None
        if isinstance(names, dict):
            names = [names[key] for key in sorted(names, key=_number)]
        if isinstance(names, list):
            found[str(feature.get("name"))] = [str(name) for name in names]
    return found


def classes_of_features(features: Any) -> Classes:
    """Of the features that `datasets` writes as JSON beside a saved set, and into the schema of its files."""
    if not isinstance(features, dict):
        return {}
    return {
        str(name): [str(one) for one in kind["names"]]
        for name, kind in features.items()
        if isinstance(kind, dict) and kind.get("_type") == "ClassLabel" and isinstance(kind.get("names"), list)
    }


def classes_of_schema(metadata: Mapping[bytes, bytes] | None) -> Classes:
    """Of the schema of a Parquet or Arrow file."""
    try:
        said = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        return classes_of_features(said["info"]["features"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _number(key: Any) -> tuple[int, str]:
    text = str(key)
    return (int(text) if text.isdecimal() and len(text) < 10 else 0, text)


def named(table: Table, classes: Classes) -> Table:
    """The table with the names of classes in place of their numbers, and nothing where a number is −1.

    A column that holds anything else stays as it is.
    """
    notes = list(table.notes)
    columns = list(zip(*table.rows, strict=True))
    for place, name in enumerate(table.columns):
        known = {str(number): text for number, text in enumerate(classes.get(name, ()))}
        if not known or not all(cell in known or cell in ("", NOT_KNOWN) for cell in columns[place]):
            continue
        columns[place] = tuple(known.get(cell, "") for cell in columns[place])
        notes.append(f"Numbers of “{name[:30]}” were read as the names that the data set gives them.")
    return replace(table, rows=tuple(zip(*columns, strict=True)), notes=tuple(notes))


def data_files(card: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Patterns of files by configuration and part, as the card gives them; empty where it gives none."""
    found: dict[str, dict[str, list[str]]] = {}
    configs = card.get("configs")
    for config in configs if isinstance(configs, list) else []:
        if not isinstance(config, dict) or "data_files" not in config:
            continue
        name = str(config.get("config_name") or "default")
        files, inside = config["data_files"], str(config.get("data_dir") or "")
        parts = files if isinstance(files, list) and all(isinstance(one, dict) for one in files) else None
        if isinstance(files, dict):
            parts = [{"split": part, "path": path} for part, path in files.items()]
        for part in parts if parts is not None else [{"split": "train", "path": files}]:
            paths = part.get("path")
            listed = [str(path) for path in (paths if isinstance(paths, list) else [paths])]
            patterns = [f"{inside}/{path}" if inside else path for path in listed]
            found.setdefault(name, {}).setdefault(str(part.get("split") or "train"), []).extend(patterns)
    return found
