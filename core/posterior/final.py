"""The implicit posterior after the last demonstration alone, for many prompts of the same demonstrations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.probing import choose_probes, components
from core.posterior import evidence as ev
from core.posterior.decoding import DECODERS, mixed
from core.posterior.domains import domain_of_tokens, domain_table
from core.posterior.implicit import ALIVE, FEWEST, PROBES, WORDS
from core.runtime.progress import check, counting
from core.study.demonstrations import Demonstration
from core.study.study import Study
from core.study.verbalisers import as_words, as_written

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]
CHUNK = 12  # prompts decoded between two looks at the stop flag: their columns are copied for each


def final_weights(
    study: Study,
    model: LanguageModel,
    mixture: Mixture,
    arranged: Sequence[Sequence[Demonstration]],
    *,
    stop: Callable[[], bool] | None = None,
) -> Floats:
    """The implicit posterior after all demonstrations, for M orders of the same set: (M, F).

    As `core.posterior.implicit` decodes its last row, with the same probes. What the tasks would answer after all of
    the demonstrations does not depend on their order, so P is worked out once; the model is asked in one call.

    Raises:
        PromptTooLong: not one probe fits after the demonstrations.
        Cancelled: `stop` said so.
    """
    arranged = [as_words(study.template, rows) for rows in arranged]
    study, shown = as_written(study, (), ())[0], arranged[0]
    pairs = [(d.input, d.label) for d in shown]
    before = ev.before_labels(mixture, [d.input for d in shown], study.instruction)[-1]
    exact = mixture.posterior(pairs, study.instruction)[0][-1]
    before = np.where((before >= ALIVE) | (exact >= ALIVE), before, 0.0)
    asked = ev.ask(study, model, shown, _probes(study, mixture, pairs))
    openings = tuple(ev.ask(study, model, rows, asked.probes[:1]).openings[-1] for rows in arranged)
    q, joint = _evidence(study, model, mixture, pairs, replace(asked, openings=openings), before, stop)
    rows = []
    with counting(len(q), "prompts") as advance:
        for start in range(0, len(q), CHUNK):
            check(stop)
            some = q[start : start + CHUNK]
            columns = np.broadcast_to(joint, (len(some), *joint.shape[1:]))
            rows.append(DECODERS[study.posterior_solver](some, columns, before))
            advance(start + len(some))
    return np.concatenate(rows)


def _probes(study: Study, mixture: Mixture, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Inputs on which the tasks disagree, fewer where they are long, and the query."""
    probes = choose_probes(mixture, pairs, PROBES)
    words = np.cumsum([len(probe.split()) for probe in probes])
    return tuple(dict.fromkeys([*probes[: max(FEWEST, int((words <= WORDS).sum()))], study.query]))


def _evidence(
    study: Study,
    model: LanguageModel,
    mixture: Mixture,
    pairs: Sequence[tuple[str, str]],
    asked: ev.Asked,
    before: Floats,
    stop: Callable[[], bool] | None,
) -> tuple[Floats, Floats]:
    """q, (M, Q, A), and the columns that all M share, (1, Q, F, A); the last question is which domain comes next, the
    last answer to a probe is any other text."""
    parts = components(mixture, pairs, asked.probes, study.instruction)
    joint = np.array(parts.joint, dtype=np.float64)  # (k + 1, Q − 1, F, A)
    single = ev.single_tokens(model, sorted({word for words in parts.answers for word in words}))
    rare = mixed(joint[-1:], before[None])[0] < ev.RARE  # (Q − 1, A)
    left_out = {
        (j, a) for j, words in enumerate(parts.answers) for a, y in enumerate(words) if y not in single and rare[j, a]
    }
    for j, a in left_out:
        joint[:, j, :, a] = 0.0
    rest = ev.leftover(mixture, pairs, asked.probes, joint, study.instruction)[-1]  # (Q − 1, F)

    logs = model.next_logprobs([*asked.openings, *asked.texts()], stop=stop)
    opening, answered = np.split(logs, [len(asked.openings)])
    answered = answered.reshape(len(asked.openings), len(asked.probes), -1)
    answers = ev.answers_of(model, answered, asked, parts.answers, single, joint.shape[3], left_out, stop=stop)
    seen = {x for x, _ in pairs}
    unseen = np.array([x not in seen for x in asked.probes])
    other = np.where(unseen, np.maximum(1 - answers.sum(2), 0.0), 0.0)
    domains = domain_table(model, mixture)
    said = domain_of_tokens(domains, np.exp(opening.astype(np.float64)))  # (M, D)
    family = [domains.names.index(mixture.domains[name]) for name in mixture.families]

    size, width = len(asked.probes), max(joint.shape[3] + 1, len(domains.names))
    q = np.zeros((len(asked.openings), size + 1, width))
    columns = np.zeros((1, size + 1, joint.shape[2], width))
    q[:, :size, : joint.shape[3]], q[:, :size, -1], q[:, size, : said.shape[1]] = answers, other, said
    columns[0, :size, :, : joint.shape[3]], columns[0, :size, :, -1] = joint[-1], rest
    columns[0, size, :, : said.shape[1]] = domains.confusion[family]
    return q, columns
