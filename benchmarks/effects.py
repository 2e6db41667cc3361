"""Which published effects of in-context learning are shown on the embedded model?

    python -m benchmarks.effects                  eight minutes of one core; writes benchmarks/results/effects.*
    python -m benchmarks.effects --keep FOLDER    keeps every seed there, and goes on from those that it finds
    python -m benchmarks.effects --all            the selections that train as well, another half hour
    python -m benchmarks.effects --quick          two seeds, a few tasks, to see that it runs; writes nothing

What is asked was fixed before any result was seen, and follows from the catalogue of tasks alone:

- every two-class task of the mixture (natural, flipped and arbitrary labels; reviews among them), two questions of each
  class, which are in no prompt, a pool of 40 other inputs with as many of each class as there are up to 20;
- for similarity, every map on single words as well, two questions each;
- selections other than similarity on the tasks with arbitrary labels, where labels can only be learned from what is
  shown; four demonstrations, as in the published comparisons that docs/methods.md §4.1 names;
- orders: four demonstrations drawn at random, all 24 orders, 16 probes of the pool; and eight chosen by similarity;
- imbalance: eight demonstrations, seven of one label, the eighth anywhere; which label leads goes by the seed;
- biased prompts: that one (majority), four of each with all of one label last (recency), and six to two with the two
  first (both).

Ten seeds, each with latents, pools and questions of its own. Intervals: 95 %, bootstrap of 2,000 resamples: within each
seed its tasks with replacement, all questions of a task and seed together, since these share their prompt. Every
comparison is paired: the same questions on both sides. A gain or a harm is shown where a two-sided test says so after
Holm's correction for all tests of its table.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.effects_report import report, summarise
from benchmarks.effects_tasks import Task, concept_families, draw_task, lopsided, map_families
from benchmarks.written import write_results
from core import Study, load_model
from core.analysis.scoring.grid import Combination, ScorerVariant
from core.analysis.scoring.table import ScoringItem, score_tables
from core.models import LanguageModel
from core.ordering import order
from core.ordering.entropy import global_entropy, local_entropy
from core.ordering.trials import probes_of, try_orders
from core.scoring.labels import candidate_labels
from core.scoring.together import Request, score_together
from core.selection import rows_of, select
from core.study.outcome import Answer

SEEDS, K, NEAR = 10, 4, 8
QUICK = ("balanced", "bm25", "mmr", "dpp", "k-means", "vote-k", "entropy", "perplexity", "mutual-information", "mdl")
TRAINED = ("influence", "epr", "latent-concept", "active", "self-generated")
PROMPTS = {"majority": ((7, 1), False), "recency": ((4, 4), True), "both": ((6, 2), True)}
DIRECT = ScorerVariant("direct", (("normalisation", "sum"),))
WAYS = {
    "direct": Combination(DIRECT),
    "contextual": Combination(DIRECT, "contextual"),
    "domain-context": Combination(DIRECT, "domain-context"),
    "prior": Combination(DIRECT, "prior"),
    "channel": Combination(ScorerVariant("channel", (("label_prior", "even"),))),
    "pmi": Combination(ScorerVariant("pmi")),
    "perplexity": Combination(ScorerVariant("perplexity")),
}
Cell = dict[str, list[float]]  # "right", "p" (of the right answer), and "favoured" where a label is: by question
Found = dict[str, dict[str, Cell]]  # by measure, by family


def base(task: Task, **changes: Any) -> Study:
    how = {"template": task.template, "probes": task.probes}
    return Study(pool=task.pool, labels=task.labels, **how, **changes)


def labels_of(task: Task, study: Study, model: LanguageModel) -> Sequence[str]:
    """The task's candidates; of a map those of the query."""
    return task.labels or candidate_labels(study.model_copy(update={"pool": ()}), model, ())[0]


def scored(answers: Sequence[Answer], golds: Sequence[str], favoured: str = "") -> Cell:
    """Whether each answer is right, P(gold), and P(favoured)."""
    cell = {
        "right": [float(answer.best == gold) for answer, gold in zip(answers, golds, strict=True)],
        "p": [float(a.probabilities[a.labels.index(gold)]) for a, gold in zip(answers, golds, strict=True)],
    }
    if favoured:
        cell["favoured"] = [float(a.probabilities[a.labels.index(favoured)]) for a in answers]
    return cell


def chosen_by(task: Task, name: str, model: LanguageModel, k: int, **changes: Any) -> list[Request]:
    """What is scored when a strategy chooses k demonstrations for each question."""
    requests: list[Request] = []
    for query, gold in task.questions:
        study = base(task, query=query, gold=gold, selection=name, k=k, selection_seed=task.seed, **changes)
        shown = rows_of(study, order(study, model, select(study, model)))
        requests.append((study, shown, labels_of(task, study, model)))
    return requests


def selections(tasks: Sequence[Task], model: LanguageModel, name: str, k: int = K, **changes: Any) -> dict[str, Cell]:
    """Accuracy of a selection, task by task; everything is scored in few calls."""
    found: dict[str, Cell] = {}
    for start in range(0, len(tasks), 16):
        some = tasks[start : start + 16]
        requests = [chosen_by(task, name, model, k, **changes) for task in some]
        answers = iter(score_together([one for part in requests for one in part], model))
        for task in some:
            found[task.family] = scored([next(answers) for _ in task.questions], [y for _, y in task.questions])
    return found


def orders(task: Task, model: LanguageModel) -> dict[str, Cell]:
    """Every order of four random demonstrations, and the one that each strategy would take."""
    study = base(task, query=task.questions[0][0], selection="random", k=K, selection_seed=task.seed)
    chosen = select(study, model)
    golds = [gold for _, gold in task.questions]
    probes = probes_of(study, model, chosen)
    trials = try_orders(study, model, chosen, probes=[*probes, *(query for query, _ in task.questions)])
    asked = trials.probabilities[:, len(probes) :]  # (24, Q, L)
    places = [trials.labels.index(gold) for gold in golds]
    p = np.take_along_axis(asked, np.array(places)[None, :, None], axis=2)[..., 0]  # (24, Q)
    right = (asked.argmax(axis=2) == np.array(places)).astype(float)

    def under(which: Sequence[int]) -> Cell:
        line = range(len(golds))
        return {
            "right": [right[m, q] for q, m in zip(line, which, strict=True)],
            "p": [p[m, q] for q, m in zip(line, which, strict=True)],
        }

    def ordered(name: str) -> list[int]:
        found = []
        for query, _ in task.questions:
            put = order(study.model_copy(update={"query": query, "ordering": name}), model, chosen).indices
            found.append(trials.orders.index(tuple(chosen.indices.index(i) for i in put)))
        return found

    def by_entropy(measure: Any) -> list[int]:
        best = trials.highest(measure(trials.probabilities[:, : len(probes)]))
        place = trials.orders.index(tuple(trials.indices.index(i) for i in best))
        return [place] * len(golds)

    each = right.mean(axis=1)
    return {
        "order/random": {"right": right.mean(axis=0).tolist(), "p": p.mean(axis=0).tolist()},
        "order/nearest last": under(ordered("nearest-last")),
        "order/nearest first": under(ordered("nearest-first")),
        "order/globale": under(by_entropy(global_entropy)),
        "order/locale": under(by_entropy(local_entropy)),
        "order/best": under([int(each.argmax())] * len(golds)),
        "order/worst": under([int(each.argmin())] * len(golds)),
        "order/some": {"right": right.max(axis=0).tolist(), "p": p.max(axis=0).tolist()},
        "order/every": {"right": right.min(axis=0).tolist(), "p": p.min(axis=0).tolist()},
    }


def lopsided_prompts(task: Task, model: LanguageModel) -> dict[str, Cell]:
    """Every scorer and calibration after the three biased prompts."""
    items: list[ScoringItem] = []
    leads = []
    for counts, first in PROMPTS.values():
        shown, favoured = lopsided(task, counts, first)
        leads.append(favoured)
        items += [(query, shown, task.labels) for query, _ in task.questions]
    tables = score_tables(base(task, calibration_seed=task.seed), model, items, list(WAYS.values()), bayes=False)
    golds = [gold for _, gold in task.questions]
    found: dict[str, Cell] = {}
    for i, (prompt, favoured) in enumerate(zip(PROMPTS, leads, strict=True)):
        part = tables[i * len(golds) : (i + 1) * len(golds)]
        for place, way in enumerate(WAYS):
            answers = [answer for table in part if (answer := table.answers[place]) is not None]
            found[f"{prompt}/{way}"] = scored(answers, golds, favoured)
    return found


def one_seed(model: LanguageModel, seed: int, quick: bool, trained: bool) -> Found:
    """Everything, for one seed."""
    assert model.mixture is not None
    step = 8 if quick else 1
    concepts = [draw_task(model.mixture, name, seed) for name in concept_families(model.mixture)[::step]]
    maps = [draw_task(model.mixture, name, seed) for name in map_families(model.mixture)[::step]]
    arbitrary = [task for task in concepts if task.group == "arbitrary"]
    found: Found = {}
    for name, changes in (("random", {}), ("similarity", {}), ("similarity, TF-IDF", {"encoder": "tfidf"})):
        strategy = name.split(",")[0]
        found[f"select/{name}"] = selections([*concepts, *maps], model, strategy, **changes)
    for name in (*QUICK, *(TRAINED if trained else ())):
        found[f"select/{name}"] = selections(arbitrary, model, name)
    near = {"random": "random", "nearest last": "nearest-last", "nearest first": "nearest-first"}
    for name, ordering in near.items():
        found[f"near/{name}"] = selections(concepts, model, "similarity", NEAR, ordering=ordering, ordering_seed=seed)
    for task in concepts:
        for measure, cell in {**orders(task, model), **lopsided_prompts(task, model)}.items():
            found.setdefault(measure, {})[task.family] = cell
    return found


def measured(model: LanguageModel, seeds: int, quick: bool, trained: bool, keep: Path | None) -> list[Found]:
    """Seed after seed, those kept from before read instead."""
    found = []
    for seed in range(seeds):
        start = time.process_time()
        path = keep / f"effects-{model.fingerprint}-{'all' if trained else 'some'}-{seed}.json" if keep else None
        if path is not None and path.exists():
            found.append(json.loads(path.read_text()))
        else:
            found.append(one_seed(model, seed, quick, trained))
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(found[-1]))
        print(f"seed {seed}: {time.process_time() - start:.0f} s of processor time", flush=True)
    return found


def main() -> None:
    """Measure, print, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two seeds and a few tasks; writes nothing")
    parser.add_argument("--all", action="store_true", help="the selections that train as well")
    parser.add_argument("--keep", type=Path, help="a folder that keeps every seed, to go on from")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="fewer to look at; writes only with all ten")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_model()
    assert model.mixture is not None
    start = time.process_time()
    with tempfile.TemporaryDirectory() as home:
        os.environ["ICLENS_HOME"] = home  # what selections learn here is nobody's to keep
        found = measured(
            model, min(2, options.seeds) if options.quick else options.seeds, options.quick, options.all, options.keep
        )
    groups = {details.name: details.kind for details in model.mixture.details}
    reviews = {details.name for details in model.mixture.details if details.domain == "reviews"}
    result = {
        "checkpoint": model.fingerprint,
        "seeds": len(found),
        "seconds": time.process_time() - start,
        "tasks": {"two classes": len(found[0]["order/random"]), "all": len(found[0]["select/random"])},
        **summarise(found, groups, reviews),
    }
    text = report(result)
    print(text)
    if not options.quick and options.seeds >= SEEDS:
        write_results("effects", result, text)


if __name__ == "__main__":
    main()
