"""Which published effects does a real pretrained model show, on real tasks?

    python -m benchmarks.real_effects --keep FOLDER                  reads what is kept there, measures the rest, writes
                                                                     results/real_effects.*; hours of two cores
    python -m benchmarks.real_effects --keep FOLDER --only gemma3    measures one model and writes nothing more
    python -m benchmarks.real_effects --quick                        one small seed, to see that it runs; writes nothing

SmolLM2-135M-Instruct and Gemma 3 270M, as two packages ship them (four bits a weight, read as float32), asked as plain
language models without a chat template. What is asked was fixed before any result was seen. Tasks are those of
`benchmarks.real_tasks`, 16 questions each (word tasks 12, whose answers are the candidates), a pool of 100:

- the seven tasks: four demonstrations by similarity and at random; all 24 orders of four drawn at random, on 8 of the
  questions, with 8 probes of the pool; eight by similarity in three orders; the first 0 to 32 of a random order; and 16
  of which 0, 4, 8, 12 or all have a wrong label;
- the four tasks of two classes: the biased prompts of `benchmarks.effects`, under every scorer and calibration;
- SST-2, the short reviews and AG News: 60 questions with 12 demonstrations drawn anew for each. The head whose vote
  agrees most with the model is chosen on the first 30 of each and reported on the others (Han et al. 2023), beside the
  hidden states of three layers, at half of the depth, three quarters, and its end.

Three seeds of the seven tasks and five of those of two classes, so that either has the 20 draws below which nothing is
said; each seed has pools and questions of its own. Intervals and verdicts are those of `benchmarks.effects`. The
embedded model's figures beside them are those of results/effects.json and results/kernels.json; its curve and its wrong
labels are measured here, on every natural task of two classes and every map.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.effects import NEAR, Cell, Found, base, labels_of, lopsided_prompts, orders, scored, selections
from benchmarks.effects_tasks import Task, concept_families, draw_task, map_families
from benchmarks.kernels import about, choices, figures, measure_rows
from benchmarks.real_effects_report import CURVE, MODELS, WRONG, report, summary
from benchmarks.real_tasks import seven, shown_first, two_classes, with_wrong
from benchmarks.written import write_results
from core import Study, load_model
from core.analysis.kernel.head_atlas import Atlas, head_atlas
from core.evaluation.items import Item, items_from_pool
from core.kernels.variants import KernelVariant
from core.models import LanguageModel
from core.scoring.together import Request, score_together

SEEDS, SEEDS_OF_SEVEN, SHOWN = 5, 3, 16
ITEMS, DEMONSTRATIONS = 60, 12
ORDERED = 8
KERNEL_TASKS = ("SST-2", "short reviews", "AG News")
RESULTS = Path(__file__).parent / "results"


def load(name: str) -> LanguageModel:
    """One of the models that are measured."""
    if name == "embedded":
        return load_model()
    from tests.real_models import gemma3_folder, smollm2_folder

    return load_model(str(gemma3_folder() if name == "gemma3" else smollm2_folder()))


def shown_to_all(task: Task, model: LanguageModel) -> dict[str, Cell]:
    """The first k of the pool for every k, and 16 with so many wrong labels; every question after the same rows."""
    rows = {f"curve/{k}": shown_first(task, k) for k in CURVE}
    rows |= {f"wrong/{wrong}": with_wrong(shown_first(task, SHOWN), task.pool, wrong, task.seed) for wrong in WRONG}
    requests: list[Request] = []
    for shown in rows.values():
        for query, gold in task.questions:
            study = base(task, query=query, gold=gold)
            requests.append((study, shown, labels_of(task, study, model)))
    answers = iter(score_together(requests, model))
    return {
        measure: scored([next(answers) for _ in task.questions], [y for _, y in task.questions]) for measure in rows
    }


def of_the_seven(task: Task, model: LanguageModel) -> dict[str, Cell]:
    """Everything that is asked of a task whose prompts need not lean."""
    found = shown_to_all(task, model)
    for name, changes in (("random", {}), ("similarity", {}), ("similarity, TF-IDF", {"encoder": "tfidf"})):
        found[f"select/{name}"] = selections([task], model, name.split(",")[0], **changes)[task.family]
    near = {"random": "random", "nearest last": "nearest-last", "nearest first": "nearest-first"}
    for name, ordering in near.items():
        how: dict[str, Any] = {"ordering": ordering, "ordering_seed": task.seed}
        found[f"near/{name}"] = selections([task], model, "similarity", NEAR, **how)[task.family]
    return found | orders(replace(task, questions=task.questions[:ORDERED]), model)


def one_seed(model: LanguageModel, seed: int, quick: bool) -> Found:
    """Everything, for one seed."""
    found: Found = {}

    def put(task: Task, cells: dict[str, Cell], start: float) -> None:
        for measure, cell in cells.items():
            found.setdefault(measure, {})[task.family] = cell
        print(f"  {task.family}: {time.process_time() - start:.0f} s of processor time", flush=True)

    if model.mixture is not None:
        names = [
            f.name for f in model.mixture.details if f.kind == "natural" and f.name in concept_families(model.mixture)
        ]
        for name in [*names, *map_families(model.mixture)][:: 16 if quick else 1]:
            start = time.process_time()
            task = draw_task(model.mixture, name, seed)
            put(task, shown_to_all(task, model), start)
        return found
    for task in seven(seed)[:: 3 if quick else 1] if seed < SEEDS_OF_SEVEN else ():
        start = time.process_time()
        put(task, of_the_seven(_small(task) if quick else task, model), start)
    for task in two_classes(seed)[:: 2 if quick else 1]:
        start = time.process_time()
        put(task, lopsided_prompts(_small(task) if quick else task, model), start)
    return found


def _small(task: Task) -> Task:
    return replace(task, questions=task.questions[:2], probes=2)


def kernel_items(quick: bool) -> dict[str, tuple[Study, tuple[Item, ...]]]:
    """Questions with demonstrations of their own, by task, drawn with a seed that no other part uses."""
    tasks = {task.family: task for task in [*seven(SEEDS), *two_classes(SEEDS)] if task.family in KERNEL_TASKS}
    found = {}
    for name, task in tasks.items():
        study = base(task)
        found[name] = (study, items_from_pool(study, DEMONSTRATIONS, 4 if quick else ITEMS, SEEDS))
    return found


def kernel_claim(model: LanguageModel, quick: bool) -> dict[str, Any]:
    """The best head, the best hidden layer and the others against the model's answers, together and task by task."""
    kernels = (
        KernelVariant("mean of all heads, max over the demonstration", "attention"),
        *(
            KernelVariant(f"layer {layer}, cosine", "hidden", (("hidden_layer", layer),))
            for layer in sorted({model.layers * quarter // 4 for quarter in (2, 3, 4)})
        ),
        KernelVariant("TF-IDF", "encoder", (("encoder", "tfidf"),)),
        KernelVariant("prediction", "prediction"),
    )
    atlases: dict[str, Atlas] = {}
    for name, (study, items) in kernel_items(quick).items():
        start = time.process_time()
        atlases[name] = head_atlas(study, model, items, kernels)
        print(f"  kernels, {name}: {time.process_time() - start:.0f} s of processor time", flush=True)
    every = list(atlases.values())
    chosen = choices(every)
    return {
        "demonstrations": DEMONSTRATIONS,
        "about": about(every),
        "rows": [figures(row) for row in measure_rows(every, chosen)],
        "by task": {
            name: {"about": about([atlas]), "rows": [figures(row) for row in measure_rows([atlas], chosen)]}
            for name, atlas in atlases.items()
        },
    }


def measured(name: str, seeds: int, keep: Path, quick: bool) -> dict[str, Any]:
    """A model's seeds and its kernels, those kept from before read instead."""
    found: list[Found] = []
    kernel: dict[str, Any] = {}
    model: LanguageModel | None = None
    for part in [*range(min(seeds, SEEDS_OF_SEVEN) if name == "embedded" else seeds), "kernel"]:
        path = keep / f"{name}-{part}.json"
        if part == "kernel" and name == "embedded":
            continue
        if not path.exists():
            model = model or load(name)
            start = time.process_time()
            what = kernel_claim(model, quick) if isinstance(part, str) else one_seed(model, part, quick)
            seconds = time.process_time() - start
            print(f"{name}, {part}: {seconds:.0f} s of processor time", flush=True)
            path.write_text(json.dumps({"fingerprint": model.fingerprint, "seconds": seconds, "found": what}))
        kept = json.loads(path.read_text())
        if part == "kernel":
            kernel = kept
        else:
            found.append(kept)
    return {
        "fingerprint": found[0]["fingerprint"],
        "seconds": sum(part["seconds"] for part in (*found, *([kernel] if kernel else []))),
        "found": [part["found"] for part in found],
        "kernel": kernel.get("found"),
    }


def main() -> None:
    """Measure, print, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="a folder that keeps every seed, to go on from")
    parser.add_argument("--only", choices=MODELS, help="measure this model alone; writes nothing but what is kept")
    parser.add_argument("--quick", action="store_true", help="one seed and a few questions; writes nothing")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seeds = 1 if options.quick else SEEDS
    with tempfile.TemporaryDirectory() as home:
        os.environ["ICLENS_HOME"] = home  # what selections learn here is nobody's to keep
        keep = options.keep or Path(home)
        keep.mkdir(parents=True, exist_ok=True)
        models = [options.only] if options.only else list(MODELS)
        every = {name: measured(name, seeds, keep, options.quick) for name in models}
    if options.only:
        return
    embedded = {
        "effects": json.loads((RESULTS / "effects.json").read_text())["effects"],
        "kernel": json.loads((RESULTS / "kernels.json").read_text())["overall"]["rows"],
    }
    result = {"seeds": seeds, **summary(every, embedded)}
    text = report(result)
    print(text)
    if not options.quick:
        write_results("real_effects", result, text)


if __name__ == "__main__":
    main()
