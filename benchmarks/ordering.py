"""How fast is GlobalE? 24 orders on 16 probes by ICLens, beside scoring each prompt whole, in one run.

    python -m benchmarks.ordering            some minutes on one core; writes benchmarks/results/ordering.*
    python -m benchmarks.ordering --quick    a small model and few probes, to see that it runs; writes nothing

ICLens is the ordering itself, from the study to the order. The other ways write the same prompts, score them whole in
padded batches (`benchmarks.scoring`, whose loop is as good as we could write it), and take the same entropies: once a
prompt and label; and, where every label is one token, once a prompt with all labels read off one distribution, which
is the least that whole prompts can cost. Rounds are interleaved, so that whatever else the machine does meets everyone
alike; figures are medians over rounds, ratios the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import platform
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel, PreTrainedTokenizerFast

from benchmarks.scoring import WORDS, by_batches, fastest_batch, timed, write_checkpoint
from benchmarks.written import write_results
from core import Chosen, Demonstration, Study, load_model
from core.models import LanguageModel
from core.ordering import order
from core.ordering.entropy import global_entropy
from core.ordering.trials import orders_tried, probe_inputs, try_orders
from core.statistics.distributions import softmax
from core.study.prompts import Template, render

TARGET = 5.0
CLOSE = 1e-4
CHECKPOINT = Path(__file__).parents[1] / "core" / "pretraining" / "checkpoint"
HERE = Chosen("demonstrations", (0, 1, 2, 3))
Way = Callable[[], list[float]]


@dataclass(frozen=True)
class Case:
    """A model and the demonstrations to order.

    Attributes:
        name: of the model.
        ours: as ICLens loads it; theirs, tokenizer: as transformers does.
        study: with four demonstrations and a pool of inputs.
    """

    name: str
    ours: LanguageModel
    theirs: Any
    tokenizer: Any
    study: Study


def reviews(probes: int) -> Study:
    """Four reviews of seven words with a label of two tokens, and as many again to probe with."""
    draw = random.Random(0)
    rows = tuple(
        Demonstration(input=" ".join(draw.choices(WORDS, k=7)), label=draw.choice(("very good", "quite bad")))
        for _ in range(4 + 2 * probes)
    )
    template = Template(name="review", input_prefix="Review : ", label_prefix=" Sentiment : ", end="\n")
    return Study(
        demonstrations=rows[:4],
        pool=rows[4:],
        query=rows[-1].input,
        labels=("very good", "quite bad"),
        template=template,
        ordering="globale",
        probes=probes,
    )


def words(model: LanguageModel, probes: int) -> Study:
    """Four demonstrations of a task of the embedded mixture with arbitrary labels, and inputs to probe with."""
    assert model.mixture is not None
    pairs = model.mixture.sample("size (arbitrary)", 60, 0)
    rows = tuple(Demonstration(input=x, label=y) for x, y in dict(pairs).items())
    labels = tuple(dict.fromkeys(row.label for row in rows))
    return Study(
        demonstrations=rows[:4],
        pool=rows[4:],
        query=rows[-1].input,
        labels=labels,
        ordering="globale",
        probes=probes,
    )


def prompts(study: Study) -> list[tuple[str, str]]:
    """(M · P) whole prompts and the white space that an answer brings along, orders slowest."""
    rows = study.demonstrations
    found = []
    for places in orders_tried(len(rows), study.ordering_seed):
        for probe in probe_inputs(study, HERE):
            prompt = render([rows[i] for i in places], probe, study.template, study.instruction)
            found.append((prompt.text, prompt.gap))
    return found


def by_iclens(case: Case) -> list[float]:
    """GlobalE of every order, nats."""
    scores = order(case.study, case.ours, HERE).order_scores
    assert scores is not None
    return scores.tolist()


def whole(case: Case, batch: int) -> list[float]:
    """The same from every prompt with every label, each scored whole."""
    pairs = [(text, gap + label) for text, gap in prompts(case.study) for label in case.study.labels]
    return entropies(case.study, np.array(by_batches(case.theirs, case.tokenizer, pairs, batch)))


def whole_once(case: Case, batch: int) -> list[float]:
    """The same from every prompt scored whole once, one-token labels read off its last distribution."""
    asked = prompts(case.study)
    gap = asked[0][1]
    ids = [case.tokenizer(asked[0][0] + gap + label)["input_ids"][-1] for label in case.study.labels]
    case.tokenizer.padding_side = "left"
    encoded = [case.tokenizer(text)["input_ids"] for text, _ in asked]
    logs = np.empty((len(asked), len(ids)))
    places = sorted(range(len(encoded)), key=lambda i: -len(encoded[i]))
    for start in range(0, len(places), batch):
        part = places[start : start + batch]
        padded = case.tokenizer.pad({"input_ids": [encoded[i] for i in part]}, return_tensors="pt")
        position_ids = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        inputs = {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"]}
        with torch.inference_mode():
            logits = case.theirs(**inputs, position_ids=position_ids, use_cache=False, logits_to_keep=1).logits
        logs[part] = torch.log_softmax(logits[:, -1].float(), dim=-1)[:, ids].numpy()
    return entropies(case.study, logs)


def entropies(study: Study, logs: np.ndarray) -> list[float]:
    """GlobalE of every order, and after them every label distribution, from log-probabilities of labels."""
    shape = (len(orders_tried(len(study.demonstrations), study.ordering_seed)), -1, len(study.labels))
    p = softmax(logs.reshape(shape))
    return [*global_entropy(p).tolist(), *p.ravel().tolist()]


def one_token(case: Case) -> bool:
    """Whether every label adds one token to a prompt."""
    text, gap = prompts(case.study)[0]
    front = len(case.tokenizer(text)["input_ids"])
    return all(len(case.tokenizer(text + gap + label)["input_ids"]) == front + 1 for label in case.study.labels)


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Interleaved rounds: seconds of each way, ratio to ICLens, and how far its numbers are from ICLens's."""
    pairs = [(text, gap + label) for text, gap in prompts(case.study) for label in case.study.labels]
    batch = fastest_batch(case.theirs, case.tokenizer, pairs)
    ways: dict[str, Way] = {"ICLens": lambda: by_iclens(case), "each prompt whole": lambda: whole(case, batch)}
    if one_token(case):
        ways["each prompt whole, once for all labels"] = lambda: whole_once(case, batch)
    by_iclens(case)  # the first pass of a process pays for memory that later ones reuse
    walls: dict[str, list[float]] = {name: [] for name in ways}
    cores: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, list[float]] = {}
    names = list(ways)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            wall, core, found[name] = timed(ways[name])
            walls[name].append(wall)
            cores[name].append(core)
            print(f"  round {turn + 1}: {name:40s} {wall:8.3f} s, {core:8.3f} s of processor time", flush=True)
    distributions = try_orders(case.study, case.ours, HERE).probabilities.ravel()
    expected = np.array([*found["ICLens"], *distributions])
    return {
        "prompts": len(pairs),
        "tokens": sum(len(case.tokenizer(context + label)["input_ids"]) for context, label in pairs),
        "nodes": nodes(case, pairs),
        "batch": batch,
        "ways": {
            name: {
                "seconds": float(np.median(walls[name])),
                "ratio": float(np.median(np.array(walls[name]) / np.array(walls["ICLens"]))),
                "processor_seconds": float(np.median(cores[name])),
                "processor_ratio": float(np.median(np.array(cores[name]) / np.array(cores["ICLens"]))),
                "rounds": [round(value, 4) for value in walls[name]],
                "largest_difference": float(np.abs(np.array(found[name]) - expected[: len(found[name])]).max()),
            }
            for name in names
        },
    }


def nodes(case: Case, pairs: Sequence[tuple[str, str]]) -> int:
    """Tokens that are left when every shared prefix counts once; the last token of a text is never read."""
    seen: set[tuple[int, ...]] = set()
    for context, label in pairs:
        ids = tuple(case.tokenizer(context + label)["input_ids"][:-1])
        seen.update(ids[:end] for end in range(1, len(ids) + 1))
    return len(seen)


def cases(quick: bool) -> list[Case]:
    """GPT-2 small's shape with random weights, loaded twice, and the embedded model, loaded twice."""
    probes = 4 if quick else 16
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_checkpoint(folder, quick)
        random_model = load_model(str(folder))
        model = GPT2LMHeadModel.from_pretrained(folder).eval()
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    shape = "GPT-2 small's shape, random weights"
    embedded = load_model("embedded")
    return [
        Case(shape, random_model, model, tokenizer, reviews(probes)),
        Case(
            "the embedded model",
            embedded,
            AutoModelForCausalLM.from_pretrained(CHECKPOINT, dtype=torch.float32).eval(),
            AutoTokenizer.from_pretrained(CHECKPOINT),
            words(embedded, probes),
        ),
    ]


def report(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    lines = [
        "# GlobalE",
        "",
        f"24 orders of four demonstrations on {result['probes']} probes, float32, threads: {result['threads']}; "
        f"{versions}. Medians of {result['rounds']} interleaved rounds; written by `python -m benchmarks.ordering`. "
        f"Target: at least {TARGET:g} times faster than scoring each prompt whole, with entropies and label "
        f"distributions within {CLOSE:g}.",
        "",
    ]
    for name, part in result["cases"].items():
        lines += [
            f"## {name[0].upper() + name[1:]}",
            "",
            f"{part['prompts']:,} prompts with their labels, {part['tokens']:,} tokens in all, {part['nodes']:,} where "
            f"each shared prefix counts once. Batches of {part['batch']} for the others.",
            "",
            "| way | seconds | times ICLens's | processor seconds | times ICLens's | largest difference | target met |",
            "|---|---:|---:|---:|---:|---:|---|",
        ]
        for way, row in part["ways"].items():
            met = row["ratio"] >= TARGET and row["largest_difference"] <= CLOSE
            said = {"ICLens": "", "each prompt whole": "yes" if met else "no"}.get(way, "not judged")
            lines.append(
                f"| {way} | {row['seconds']:.3f} | {row['ratio']:.2f} | {row['processor_seconds']:.3f} "
                f"| {row['processor_ratio']:.2f} | {row['largest_difference']:.1e} | {said} |"
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small model and few probes; writes nothing")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = {}
    for case in cases(options.quick):
        print(case.name)
        found[case.name] = measure(case, options.rounds)
    result = {
        "probes": 4 if options.quick else 16,
        "rounds": options.rounds,
        "threads": options.threads,
        "cases": found,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }
    text = report(result)
    print(text)
    if not options.quick:
        write_results("ordering", result, text)


if __name__ == "__main__":
    main()
