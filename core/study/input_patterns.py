"""Inputs written from several fields: "{premise}\\nquestion: {hypothesis}"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from core.errors import StudyError
from core.study.demonstrations import Demonstration
from core.study.study import Study

_FIELD = re.compile(r"\{([^{}\n]+)\}")


def names_in(pattern: str) -> tuple[str, ...]:
    """The fields that a pattern names, each once, in order."""
    return tuple(dict.fromkeys(name.strip() for name in _FIELD.findall(pattern)))


def fill(pattern: str, fields: Mapping[str, str]) -> str:
    """The pattern with every {name} replaced by that field's text, which may hold braces of its own.

    Raises:
        StudyError: the pattern names no field, or one that is not there.
    """
    names = names_in(pattern)
    if not names:
        raise StudyError("The pattern names no field; write one in braces, such as {premise}.")
    lacking = next((name for name in names if name not in fields), None)
    if lacking is not None:
        known = ", ".join(f"{{{name}}}" for name in list(fields)[:8])
        raise StudyError(f"There is no field {{{lacking[:60]}}}; there are {known or 'none'}.")
    return _FIELD.sub(lambda found: fields[found[1].strip()], pattern)


def rewritten(study: Study, pattern: str) -> Study:
    """The study with the inputs of all rows that have fields written anew, and the query where it is one of them.

    A row without fields, and a query, that were typed by hand stay as they are.

    Raises:
        StudyError: the pattern names no field, or one that a row with fields lacks.
    """
    changes: dict[str, object] = {
        "demonstrations": _written(study.demonstrations, pattern),
        "pool": _written(study.pool, pattern),
        "questions": _written(study.questions, pattern),
        "input_pattern": pattern,
    }
    names = {row.input: row.fields for row in (*study.questions, *study.pool, *study.demonstrations) if row.fields}
    fields = names.get(study.query)
    if fields:
        changes["query"] = fill(pattern, dict(fields))
    return study.model_copy(update=changes)


def _written(rows: Iterable[Demonstration], pattern: str) -> tuple[Demonstration, ...]:
    return tuple(
        row.model_copy(update={"input": fill(pattern, dict(row.fields))}) if row.fields else row for row in rows
    )


def with_fields(rows: Iterable[Demonstration], known: Iterable[Demonstration]) -> tuple[Demonstration, ...]:
    """The rows with the fields of the known row of the same input, where there is one and they have none."""
    fields = {row.input: row.fields for row in known if row.fields}
    if not fields:
        return tuple(rows)
    return tuple(
        row.model_copy(update={"fields": fields[row.input]}) if not row.fields and row.input in fields else row
        for row in rows
    )
