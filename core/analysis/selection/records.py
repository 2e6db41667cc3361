"""Choices, scores and answered questions as rows, for files and data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.analysis.selection.comparison import Choice, usage
from core.evaluation.evaluate import Evaluation
from core.selection import selections, table_of
from core.study.study import Study


def choice_records(study: Study, choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """A row for every selection and row of the pool that it chose or scored, and for what it took from elsewhere."""
    rows = []
    for choice in choices:
        ranks, taken = choice.ranks, set(choice.places)
        scored = set() if choice.scores is None else {int(i) for i in np.flatnonzero(np.isfinite(choice.scores))}
        for place in sorted(taken | scored):
            row = study.pool[place]
            score = None if choice.scores is None or place not in scored else float(choice.scores[place])
            rows.append(_record(choice.name, place + 1, row.input, row.label, place in taken, ranks.get(place), score))
        rows += [_record(choice.name, None, row.input, row.label, True, None, None) for row in choice.outside]
    return rows


def _record(
    name: str, number: int | None, text: str, label: str, chosen: bool, rank: int | None, score: float | None
) -> dict[str, Any]:
    return {
        "selection": name,
        "row": number,
        "input": text,
        "label": label,
        "chosen": chosen,
        "rank": rank,
        "score": score,
    }


def item_records(evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row for every study and question: what was shown, what was answered, and whether that is right."""
    rows = []
    for s, study in enumerate(evaluation.studies):
        for n, question in enumerate(evaluation.questions):
            chosen, answer = evaluation.chosen[s][n], evaluation.answers[s][n]
            own = chosen.source != "generated"
            rows.append(
                {
                    "selection": study.selection,
                    "question": question.input,
                    "gold": question.gold,
                    "answer": answer.best,
                    "right": bool(evaluation.right[s, n]),
                    "log_p_gold": float(evaluation.gold_logprob[s, n]),
                    "rows": " ".join(str(i + 1) for i in chosen.indices) if own else "",
                    "shown": " | ".join(
                        f"{row.input} → {row.label}" for row in (table_of(study, chosen)[i] for i in chosen.indices)
                    ),
                }
            )
    return rows


def usage_records(study: Study, evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row for every row of the pool that was ever shown: for how many questions by each selection, the most first."""
    counts = usage(evaluation, len(study.pool))
    total = counts.sum(axis=0)
    titles = [selections.find(one.selection).title for one in evaluation.studies]
    return [
        {
            "row": int(i) + 1,
            "input": study.pool[i].input,
            "label": study.pool[i].label,
            **{title: int(count) for title, count in zip(titles, counts[:, i], strict=True)},
        }
        for i in np.argsort(-total, kind="stable")
        if total[i]
    ]
