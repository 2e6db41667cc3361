"""A study on a real model, in plain forward passes: ICLens, the build before, and transformers by itself, in one run.

    git worktree add ../before bb554e5
    python -m benchmarks.real_model ../before            half an hour of two cores; writes results/real_model.*
    python -m benchmarks.real_model ../before --quick    one round of each, to see that it runs; writes nothing
    python -m benchmarks.real_model --only memory        this part anew, the others as they were measured before

SmolLM2-135M in float32 on two threads, 16 demonstrations of SST-2 (../shared/data) and a query, some 400 tokens. One
process each for this build, the build before and transformers alone; a round gives all three the same study in an order
that changes from round to round: from nothing; another query; one demonstration rewritten; one more; the same
demonstrations after the keys and values were forgotten. The yardstick is a plain pass of the prompt, logits at its last
token alone, and from nothing also one padded batch of what the hidden-state kernel reads by itself. Then lm-eval on 100
queries behind the same demonstrations, and the memory of a prompt of 64.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import loaded
from benchmarks.written import write_results
from core import Demonstration, Study
from core.study.prompts import render
from tests.real_models import smollm2_folder

HERE = Path(__file__).parents[1]
SST2 = HERE.parent / "shared" / "data" / "sst2" / "dev.txt"
THREADS, K, QUERIES, EDITS = 2, 16, 100, 500
STATES = ("from nothing", "query edited", "demonstration 9 edited", "demonstration added", "demonstrations known")
TARGETS = {"from nothing": 1.1, "query edited": 0.25, "demonstrations known": 1.15}

ICLENS = """
import json, resource, sys, time
import torch
torch.set_num_threads(THREADS)
from core import Study, load_model, run
model = load_model(sys.argv[1])
for line in sys.stdin:
    asked = json.loads(line)
    cache = getattr(model, "prefixes", None)
    if asked["forget"] and cache is not None:
        cache.clear()
    study = Study.model_validate(asked["study"])
    cpu, start = time.process_time(), time.perf_counter()
    outcome = run(study, model)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({
        "wall": wall, "cpu": cpu, "prompt": outcome.prompt.text,
        "probabilities": outcome.answer.probabilities.tolist(),
        "attention": outcome.attention.pooled.tolist(),
        "hidden": outcome.kernels["hidden"].raw.tolist(),
        "kept": 0 if cache is None else cache.nbytes,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }), flush=True)
"""

PLAIN = """
import json, resource, sys, time
import torch
torch.set_num_threads(THREADS)
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
tokenizer.padding_side = "right"
def timed(**inputs):
    cpu, start = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        model(**inputs, use_cache=False, logits_to_keep=1)
    return time.perf_counter() - start, time.process_time() - cpu
for line in sys.stdin:
    asked = json.loads(line)
    inputs = tokenizer(asked["prompt"], return_tensors="pt")
    wall, cpu = timed(input_ids=inputs["input_ids"])
    found = {"wall": wall, "cpu": cpu, "tokens": inputs["input_ids"].shape[1]}
    if asked["alone"]:
        found["alone"] = timed(**tokenizer(asked["alone"], padding=True, return_tensors="pt"))
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found), flush=True)
"""


class Worker:
    """A process that answers a line of JSON with another."""

    def __init__(self, code: str, folder: Path, root: Path) -> None:
        environment = os.environ | {
            "PYTHONPATH": str(root),
            "OMP_NUM_THREADS": str(THREADS),
            "TOKENIZERS_PARALLELISM": "false",
        }
        command = [sys.executable, "-c", code.replace("THREADS", str(THREADS)), str(folder)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=root, env=environment, stdin=pipe, stdout=pipe, text=True)

    def ask(self, **asked: Any) -> dict[str, Any]:
        """What it found."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def rows_of_sst2() -> list[tuple[str, str]]:
    """(sentence, label) of SST-2's development set, in its order.

    Raises:
        SystemExit: it is not there.
    """
    if not SST2.is_file():
        raise SystemExit(f"This benchmark reads {SST2}, which is not there.")
    lines = SST2.read_text(encoding="utf-8").splitlines()
    split = (line.split(" ", 1) for line in lines if line.strip())
    return [(text.strip(), "positive" if label == "1" else "negative") for label, text in split]


def studies(rows: list[tuple[str, str]], seed: int, k: int = K) -> dict[str, Study]:
    """A study of fresh demonstrations, and what is done to it, by state; in the order in which it is done."""
    drawn = random.Random(seed).sample(rows, k + 4)
    shown = [Demonstration(input=x, label=y) for x, y in drawn[:k]]
    queries = [x for x, _ in drawn[k:]]
    rewritten = [*shown[:8], Demonstration(input=queries[3], label="negative"), *shown[9:]]
    more = [*shown, Demonstration(input=queries[3], label="positive")]
    steps = {
        "from nothing": (shown, queries[0]),
        "query edited": (shown, queries[1]),
        "demonstration 9 edited": (rewritten, queries[1]),
        "demonstration added": (more, queries[1]),
        "demonstrations known": (shown, queries[2]),
    }
    return {state: Study(demonstrations=tuple(shown), query=query) for state, (shown, query) in steps.items()}


def measure_edits(before: Path, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """A row a round and state: seconds of all three, and how far this build is from the one before."""
    workers = {"now": Worker(ICLENS, folder, HERE), "before": Worker(ICLENS, folder, before)}
    plain, rows, found = Worker(PLAIN, folder, HERE), rows_of_sst2(), []
    for number in range(-1, rounds):  # the first round pays for memory that later ones reuse
        for state, study in studies(rows, 100 + number).items():
            given = study.model_dump(mode="json", exclude_defaults=True)
            forget = state in ("from nothing", "demonstrations known")
            alone = [study.query, *(row.input for row in study.demonstrations)] if state == "from nothing" else []
            prompt = render(study.demonstrations, study.query, study.template, study.instruction).text
            one: dict[str, Any] = {"state": state}
            names = ["now", "before", "plain"]
            for name in names[number % 3 :] + names[: number % 3]:
                if name == "plain":
                    one[name] = plain.ask(prompt=prompt, alone=alone)
                else:
                    one[name] = workers[name].ask(study=given, forget=forget)
            assert one["now"]["prompt"] == prompt
            if number >= 0:
                found.append(_row(one))
                print(found[-1], flush=True)
    for worker in (*workers.values(), plain):
        worker.close()
    return found


def _row(one: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"state": one["state"], "tokens": one["plain"]["tokens"]}
    for clock, place in (("wall", 0), ("cpu", 1)):
        yardstick = one["plain"][clock] + one["plain"].get("alone", (0.0, 0.0))[place]
        row |= {f"{clock} plain": yardstick, f"{clock} now": one["now"][clock], f"{clock} before": one["before"][clock]}
    for what in ("probabilities", "attention", "hidden"):
        a, b = (np.array(one[name][what]) for name in ("now", "before"))
        row[f"{what} differ by"] = float(np.abs(a - b).max())
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians by state; a ratio is the median of the rounds' ratios."""
    report: dict[str, Any] = {}
    for state in STATES:
        some = [row for row in rows if row["state"] == state]
        own: dict[str, Any] = {"rounds": len(some), "tokens": float(np.median([row["tokens"] for row in some]))}
        for clock in ("wall", "cpu"):
            plain = np.array([row[f"{clock} plain"] for row in some])
            own[f"{clock}, plain"] = round(float(np.median(plain)), 4)
            for name in ("now", "before"):
                ratios = np.array([row[f"{clock} {name}"] for row in some]) / plain
                own[f"{clock}, {name}"] = round(float(np.median(ratios)), 3)
                own[f"{clock}, {name}, rounds"] = [round(float(ratios.min()), 3), round(float(ratios.max()), 3)]
        for what in ("probabilities", "attention", "hidden"):
            own[f"{what} differ by"] = max(row[f"{what} differ by"] for row in some)
        report[state] = own
    return report


def measure_memory(folder: Path) -> dict[str, Any]:
    """Bytes at the peak of a fresh process: a plain pass of a prompt of 64 demonstrations, and a study of it."""
    study = studies(rows_of_sst2(), 7, 64)["from nothing"]
    prompt = render(study.demonstrations, study.query, study.template, study.instruction).text
    plain, own = Worker(PLAIN, folder, HERE), Worker(ICLENS, folder, HERE)
    there = plain.ask(prompt=prompt, alone=[])
    here = own.ask(study=study.model_dump(mode="json", exclude_defaults=True), forget=False)
    for worker in (plain, own):
        worker.close()
    ratio = here["peak"] / there["peak"]
    return {"tokens": there["tokens"], "plain": there["peak"], "study": here["peak"], "ratio": round(ratio, 3)}


def measure_bound(folder: Path, edits: int) -> dict[str, Any]:
    """The most that the cache ever holds over so many edits of the query and of demonstrations."""
    from core import load_model
    from core.models.prefix_cache import MAX_BYTES

    model, draw, rows = load_model(str(folder)), random.Random(3), rows_of_sst2()
    assert model.prefixes is not None
    most, shown = 0, [Demonstration(input=x, label=y) for x, y in draw.sample(rows, K)]
    for _ in range(edits):
        if draw.random() < 0.3:
            x, y = draw.choice(rows)
            shown[draw.randrange(K)] = Demonstration(input=x, label=y)
        study = Study(demonstrations=tuple(shown), query=draw.choice(rows)[0])
        model.read(render(study.demonstrations, study.query, study.template, study.instruction).text)
        most = max(most, model.prefixes.nbytes)
    return {"edits": edits, "bound": MAX_BYTES, "most held": most}


def measure_harness(folder: Path, queries: int, rounds: int) -> dict[str, Any]:
    """Both labels of every query behind the same demonstrations: ICLens and lm-eval's HFLM."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from core import load_model

    torch.set_num_threads(THREADS)
    drawn = random.Random(11).sample(rows_of_sst2(), K + queries)
    study = Study(demonstrations=tuple(Demonstration(input=x, label=y) for x, y in drawn[:K]))
    pairs = []
    for query, _ in drawn[K:]:
        prompt = render(study.demonstrations, query, study.template, study.instruction)
        pairs += [(prompt.text, prompt.gap + label) for label in ("negative", "positive")]
    model = load_model(str(folder))
    harness = harness_of(AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder))

    def ours() -> list[float]:
        if model.prefixes is not None:
            model.prefixes.clear()
        return [float(one.logprobs.sum()) for one in model.score(pairs)]

    ours()
    ratios, cores, scores, theirs = [], [], [], []
    for _ in range(rounds):
        (wall, cpu, scores), (other, other_cpu, theirs) = timed_work(ours), timed_work(lambda: harness(pairs))
        ratios.append(other / wall)
        cores.append(other_cpu / cpu)
        print(f"ICLens {wall:.1f} s, lm-eval {other:.1f} s", flush=True)
    return {
        "queries": queries,
        "rounds": rounds,
        "times faster": round(float(np.median(ratios)), 1),
        "rounds faster": [round(min(ratios), 1), round(max(ratios), 1)],
        "times less processor time": round(float(np.median(cores)), 1),
        "differ by": float(np.abs(np.array(scores) - np.array(theirs)).max()),
        "version": importlib.metadata.version("lm_eval"),
    }


def measure_orders(folder: Path) -> dict[str, Any]:
    """All 24 orders of 4 demonstrations on 10 questions: processor time to that of plain passes of as many tokens."""
    import torch

    from core import load_model
    from core.analysis.ordering.table import fixed, order_table, tokens_read
    from core.evaluation.questions import EvaluationQuestion
    from core.ordering import orderings

    torch.set_num_threads(THREADS)
    model, labels, ratios, firsts, tokens = load_model(str(folder)), ("negative", "positive"), [], [], []
    for number in range(3):
        drawn = random.Random(20 + number).sample(rows_of_sst2(), 15)
        rows = tuple(Demonstration(input=x, label=y) for x, y in drawn[:4])
        study = fixed(Study(demonstrations=rows, query=drawn[14][0], labels=labels), rows)
        asked = [EvaluationQuestion(x, y, "pool") for x, y in drawn[4:14]]
        quick = [one.name for one in orderings if not one.tries]
        how: dict[str, Any] = {"strategies": quick, "entropies": False}
        assert model.prefixes is not None
        model.prefixes.clear()
        start = time.perf_counter()
        order_table(study, model, rows, labels, strategies=(), entropies=False)
        firsts.append(time.perf_counter() - start)
        cpu = time.process_time()
        order_table(study, model, rows, labels, asked, **how)
        cpu = time.process_time() - cpu
        tokens.append(tokens_read(study, model, labels, asked))
        prompt = render(rows * 4, study.query, study.template, study.instruction).text
        ids = torch.tensor([model.encode(prompt).ids])
        with model.module() as module, torch.inference_mode():
            plain = []
            for _ in range(3):
                start_cpu = time.process_time()
                module(input_ids=ids, use_cache=False, logits_to_keep=1)
                plain.append(time.process_time() - start_cpu)
        ratios.append(cpu / (float(np.median(plain)) / ids.shape[1] * tokens[-1]))
    return {
        "tokens": int(np.median(tokens)),
        "ratio": round(float(np.median(ratios)), 2),
        "rounds": [round(min(ratios), 2), round(max(ratios), 2)],
        "first seconds": round(float(np.median(firsts)), 1),
    }


def harness_of(model: Any, tokenizer: Any) -> Callable[[list[tuple[str, str]]], list[float]]:
    def load() -> Callable[[list[tuple[str, str]]], list[float]]:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=8)

        def score(pairs: list[tuple[str, str]]) -> list[float]:
            asked = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)]
            return [value for value, _ in harness.loglikelihood(asked, disable_tqdm=True)]

        return score

    return loaded("lm-eval's HFLM", load)


def timed_work(work: Callable[[], list[float]]) -> tuple[float, float, list[float]]:
    cpu, start = time.process_time(), time.perf_counter()
    found = work()
    return time.perf_counter() - start, time.process_time() - cpu, found


def report(found: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        f"# A study of {K} demonstrations on SmolLM2-135M, in plain passes",
        "",
        f"float32, {found['threads']} threads, SST-2, Python {found['python']}; the build before is {found['before']}. "
        "Ratios to a plain pass of the prompt, logits at its last token alone; from nothing, to that and a padded "
        "batch of what is read alone. Medians of the rounds' ratios.",
        "",
        "| state | rounds | wanted | now | before | now, processor time | before | P, attention, hidden apart by |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for state, own in found["edits"].items():
        wanted = f"{TARGETS[state]:g}" if state in TARGETS else ""
        apart = ", ".join(f"{own[f'{what} differ by']:.0e}" for what in ("probabilities", "attention", "hidden"))
        lines.append(
            f"| {state} | {own['rounds']} | {wanted} | {own['wall, now']:.2f} | {own['wall, before']:.2f} "
            f"| {own['cpu, now']:.2f} | {own['cpu, before']:.2f} | {apart} |"
        )
    harness, memory, bound, orders = found["lm-eval"], found["memory"], found["bound"], found["orders"]
    lines += [
        "",
        f"Beside lm-eval {harness['version']}, {harness['queries']} queries and two labels behind the same "
        f"demonstrations: {harness['times faster']:g} times as fast (wanted 15), "
        f"{harness['times less processor time']:g} times less processor time; log-probabilities apart by "
        f"{harness['differ by']:.0e} at most (wanted 1e-4).",
        "",
        f"Peak memory with 64 demonstrations, {memory['tokens']:,} tokens: {memory['ratio']:.2f} times that of a plain "
        f"pass (wanted 1.25), {memory['study'] / 2**20:,.0f} against {memory['plain'] / 2**20:,.0f} MiB.",
        "",
        f"All 24 orders of 4 demonstrations on 10 questions: {orders['ratio']:.2f} times the processor time of plain "
        f"passes over their {orders['tokens']:,} distinct tokens (wanted 1.5), the orders on the query after "
        f"{orders['first seconds']:g} s (wanted 5).",
        "",
        f"Keys and values kept over {bound['edits']} edits: {bound['most held'] / 2**20:.1f} MiB at most, of "
        f"{bound['bound'] / 2**20:.0f}.",
    ]
    return "\n".join(lines) + "\n"


ALONE = {"memory": measure_memory, "orders": measure_orders}
"""Parts that need neither the build before nor lm-eval."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, nargs="?", help="a checkout of the build before")
    parser.add_argument("--quick", action="store_true", help="one round of each; writes nothing")
    parser.add_argument("--only", choices=ALONE, help="measure this part; the others stay as they were written")
    given = parser.parse_args()
    if given.only:
        found = json.loads((Path(__file__).parent / "results" / "real_model.json").read_text(encoding="utf-8"))
        found[given.only] = ALONE[given.only](smollm2_folder())
        print(report(found))
        write_results("real_model", found, report(found))
        return
    if given.before is None:
        parser.error("name a checkout of the build before")
    before, folder = given.before.resolve(), smollm2_folder()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=before, capture_output=True, text=True)
    found = {
        "before": commit.stdout.strip(),
        "python": platform.python_version(),
        "threads": THREADS,
        "edits": summary(measure_edits(before, folder, 1 if given.quick else 12)),
        "memory": measure_memory(folder),
        "lm-eval": measure_harness(folder, 8 if given.quick else QUERIES, 1 if given.quick else 3),
        "orders": measure_orders(folder),
        "bound": measure_bound(folder, 10 if given.quick else EDITS),
    }
    print(report(found))
    if not given.quick:
        write_results("real_model", found, report(found))


if __name__ == "__main__":
    main()
