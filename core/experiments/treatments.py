"""What is done to the rows that demonstrations are chosen from, before they are chosen: right labels made wrong, labels
made uneven.

A treatment acts on the part of the pool that a set is chosen from, by the draw's own seed: two settings of one draw
treat the same rows, and a stronger treatment changes the rows that a weaker one changes and more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from core.errors import StudyError
from core.runtime.registry import Entry, Registry
from core.scoring.labels import distinct
from core.study.demonstrations import Demonstration
from core.study.study import Study

Rows = tuple[Demonstration, ...]
Treat = Callable[[Study, Rows, Sequence[str], float, int], Rows]
"""(study, rows, labels, value, seed) -> rows."""


@dataclass(frozen=True)
class Treatment(Entry[Treat]):
    """A treatment, and what other code asks of it.

    Attributes:
        low, high: what its value may be.
        usual: values that a menu offers, the first of which is what the others are held against.
    """

    _: KW_ONLY
    low: float = 0.0
    high: float = 1.0
    usual: tuple[float, ...] = ()


treatments = Registry("treatment", Treatment)


@treatments.register(
    "right_labels",
    title="Share of right labels",
    help="so many of the demonstrations keep their label; the others get one of the other labels, at random",
    place=1,
    usual=(1.0, 0.75, 0.5, 0.25, 0.0),
)
def right_labels(study: Study, rows: Rows, labels: Sequence[str], value: float, seed: int) -> Rows:
    """Each row keeps its label with probability `value`; else its label is one of the other labels, each as likely.

    Row i is wrong where u_i ≥ value for u_i uniform on [0, 1) of the seed, so the rows that are wrong at a share are
    wrong at every smaller one too, and with the same label (Min et al. 2022 vary the share likewise).

    Raises:
        StudyError: there is no other label to give.
    """
    if value < 1 and len(labels) < 2:
        raise StudyError("Wrong labels need a second label: name at least two candidate labels.")
    rng = np.random.default_rng(seed)
    drawn, other = rng.random(len(rows)), rng.random(len(rows))
    found = []
    for row, u, v in zip(rows, drawn, other, strict=True):
        if u >= value:
            wrong = [label for label in labels if label != row.label]
            row = row.model_copy(update={"label": wrong[int(v * len(wrong))]})
        found.append(row)
    return tuple(found)


@treatments.register(
    "commonest_label",
    title="Share of one label",
    help="so many of the k demonstrations have one label, which is another one from set to set",
    place=2,
    usual=(0.5, 0.75, 0.875, 1.0),
)
def commonest_label(study: Study, rows: Rows, labels: Sequence[str], value: float, seed: int) -> Rows:
    """k rows, of which round(value · k) have one label, drawn by the seed, and the others have others, drawn in turn.

    Raises:
        StudyError: there are too few rows of a label.
    """
    have = distinct(row.label for row in rows)
    if len(have) < 2 and value < 1:
        raise StudyError("Uneven labels need rows of at least two labels to choose from.")
    rng = np.random.default_rng(seed)
    names = [have[i] for i in rng.permutation(len(have))]
    by_label = {name: [rows[i] for i in rng.permutation(len(rows)) if rows[i].label == name] for name in names}
    most = round(value * study.k)
    counts = dict.fromkeys(names, 0) | {names[0]: most}
    for place in range(study.k - most):
        counts[names[1 + place % (len(names) - 1)]] += 1
    for name, count in counts.items():
        if count > len(by_label[name]):
            raise StudyError(
                f"{count} demonstrations labelled “{name[:40]}” are wanted, and the part of the pool that a set is "
                f"chosen from has {len(by_label[name])}: add rows, or lower k."
            )
    return tuple(row for name, count in counts.items() for row in by_label[name][:count])
