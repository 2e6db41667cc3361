"""A retriever trained on the model's own scores (EPR)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import Matrix
from core.embeddings.unit_vectors import encoder_identity, unit_vectors
from core.runtime.progress import Stop, part
from core.selection import Selected, candidates, selections, top
from core.selection.bm25 import relevance
from core.selection.learning.bi_encoder import BiEncoder, Lesson, train
from core.selection.learning.splits import learn_once, sample
from core.study.prompts import render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Maps = tuple[NDArray[np.float32], NDArray[np.float32], Floats]
RETRIEVED, BEST = 50, 5


@selections.register(
    "epr",
    title="Trained retriever (EPR)",
    help="nearest by two maps that were trained to bring inputs near the demonstrations that help the model answer",
    reads=("pool", "k", "encoder", "shortlist", "selection_seed"),
    place=52,
    slow=True,
    scores="(A e(x)) · (B e(xᵢ → yᵢ)): closeness of query and row under the two maps that were trained on the model's "
    "own log p of right labels",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k largest (A e(x)) · (B e(x_i → y_i)) (Rubin et al. 2022). Ties to the lowest index.

    e is the study's encoder, frozen, of the input for a query and of the whole demonstration for a candidate; A and B
    are trained (`core.selection.learning.bi_encoder`) on `lessons` from `study.shortlist` rows of the pool. The paper
    fine-tunes two BERTs; linear maps of a frozen encoder are what a laptop can train. What is learned does not depend
    on the query, and is kept.

    Raises:
        StudyError: a prompt is longer than the model's context, or the encoder gives no vectors.
    """
    free = candidates(study)
    if len(free) <= study.k or not study.k:
        return free[: study.k], None
    inputs = [study.pool[i].input for i in free]
    written = [_written(study, i) for i in free]
    # The corpus of an encoder that has one is the pool alone, so that what is learned serves every query.
    demonstrations = unit_vectors(study.encoder, model, written, inputs)

    def learn() -> Maps:
        queries = unit_vectors(study.encoder, model, inputs, inputs)
        with part(0.0, 0.8):
            taught = lessons(study, model, free, stop)
        with part(0.8, 1.0):
            maps = train(queries, demonstrations, taught, study.selection_seed, stop)
        return maps.query, maps.demonstration, maps.losses

    fields, identity = ("encoder", "shortlist", "selection_seed"), encoder_identity(study.encoder)
    maps = BiEncoder(*learn_once(study, model, free, fields, learn, stop, identity))
    query: Matrix = unit_vectors(study.encoder, model, [study.query], inputs)
    values = maps.scores(query, demonstrations)
    distinct: dict[str, float] = {}
    for text, value in zip(written, values, strict=True):
        distinct.setdefault(text, float(value))
    return top(study, free, np.array([distinct[text] for text in written]))


def lessons(study: Study, model: LanguageModel, places: list[int], stop: Stop | None) -> list[Lesson]:
    """What helps and harms each of `study.shortlist` sampled rows, in places among `places`.

    Of the 50 other inputs that BM25 ranks first, the 5 under which the model gives the row's label the highest
    log p(y | (x_i, y_i), x) help, the 5 lowest harm; of fewer than ten, one half each. A row with fewer than two other
    inputs teaches nothing.
    """
    rows = [study.pool[i] for i in places]
    asked = sample(study, range(len(places)), study.shortlist)
    near = relevance([row.input for row in rows], [rows[n].input for n in asked])
    retrieved: list[list[int]] = []
    pairs: list[tuple[str, str]] = []
    for n, values in zip(asked, near, strict=True):
        order = np.argsort(-np.round(values, 6), kind="stable")
        found = [int(j) for j in order if rows[j].input != rows[n].input][:RETRIEVED]
        retrieved.append(found)
        for j in found:
            prompt = render([rows[j]], rows[n].input, study.template, study.instruction)
            pairs.append((prompt.text, prompt.gap + study.template.word(rows[n].label)))
    totals = [float(scored.logprobs.sum()) for scored in model.score(pairs, stop=stop)]
    taught, start = [], 0
    for n, found in zip(asked, retrieved, strict=True):
        values = np.array(totals[start : start + len(found)])
        start += len(found)
        most = min(BEST, len(found) // 2)
        ranked = [found[j] for j in np.argsort(-np.round(values, 6), kind="stable")]
        if most:
            taught.append(Lesson(n, tuple(ranked[:most]), tuple(ranked[-most:])))
    return taught


def _written(study: Study, place: int) -> str:
    """The demonstration as the template writes it."""
    row = study.pool[place]
    prompt = render([], row.input, study.template)
    return prompt.text + prompt.gap + study.template.word(row.label)
