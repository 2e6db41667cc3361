"""How fast are shared prefixes scored? ICLens beside batches of whole prompts and lm-eval's HFLM, in one run.

    python -m benchmarks.scoring            about ten minutes on two cores; writes benchmarks/results/scoring.*
    python -m benchmarks.scoring --quick    a small model and few prompts, to see that it runs; writes nothing

A random checkpoint of GPT-2 small's size is written to a temporary folder and loaded the way a user would. Rounds are
interleaved, so that whatever else the machine does meets everyone alike; figures are medians, ratios are the median
of the rounds' ratios. The whole-prompt loop is as good as we could write it: sorted by length, padded on the left,
fused attention, logits at the label's places alone, the batch size that came out fastest.
"""

from __future__ import annotations

import argparse
import platform
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from benchmarks.peers import loaded
from benchmarks.written import write_results
from core.models import LanguageModel, load_model

LABELS = (" very good", " quite bad", " rather odd", " not clear")  # two tokens each, no first token shared
WORDS = [f"w{i}" for i in range(2000)]
Pairs = list[tuple[str, str]]
Scores = list[float]


def write_checkpoint(folder: Path, quick: bool) -> None:
    """GPT-2 small's shape with random weights, and a tokenizer of whole words."""
    torch.manual_seed(0)
    size: dict[str, Any] = {"n_embd": 64, "n_layer": 2, "n_head": 2} if quick else {}
    GPT2LMHeadModel(GPT2Config(bos_token_id=0, eos_token_id=0, **size)).save_pretrained(folder)
    known = ["<end>", "<unk>", "Review", "Sentiment", ":", *" ".join(LABELS).split(), *WORDS]
    words = Tokenizer(WordLevel({word: i for i, word in enumerate(known)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<end>", pad_token="<end>", unk_token="<unk>"
    ).save_pretrained(folder)


def shared_prompts(demonstrations: int, queries: int) -> Pairs:
    """Every query after the same demonstrations, with every label."""
    draw = random.Random(0)

    def review() -> str:
        return "Review : " + " ".join(draw.choices(WORDS, k=7)) + " Sentiment :"

    shown = "".join(f"{review()}{draw.choice(LABELS)} " for _ in range(demonstrations))
    asked = [shown + review() for _ in range(queries)]
    return [(context, label) for context in asked for label in LABELS]


def separate_prompts(count: int) -> Pairs:
    """Texts of 20 to 220 words that share nothing."""
    draw = random.Random(1)
    return [(" ".join(draw.choices(WORDS, k=draw.randint(20, 220))), draw.choice(LABELS)) for _ in range(count)]


def by_iclens(model: LanguageModel, pairs: Pairs) -> Scores:
    """ICLens: one call, nothing kept from the last."""
    if model.prefixes is not None:
        model.prefixes.clear()
    return [float(scored.logprobs.sum()) for scored in model.score(pairs)]


def by_batches(model: Any, tokenizer: Any, pairs: Pairs, batch: int) -> Scores:
    """Whole prompts in padded batches."""
    tokenizer.padding_side = "left"
    wholes = [tokenizer(context + label)["input_ids"] for context, label in pairs]
    fronts = [len(tokenizer(context)["input_ids"]) for context, _ in pairs]
    result = [0.0] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda i: -len(wholes[i]))
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        padded = tokenizer.pad({"input_ids": [wholes[i][:-1] for i in places]}, return_tensors="pt")
        keep = max(len(wholes[i]) - fronts[i] for i in places)
        position_ids = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        with torch.inference_mode():
            logits = model(**padded, position_ids=position_ids, use_cache=False, logits_to_keep=keep).logits
        logged = torch.log_softmax(logits.float(), dim=-1)
        for row, i in enumerate(places):
            target = torch.tensor(wholes[i][fronts[i] :])
            result[i] = float(logged[row, -len(target) :].gather(1, target[:, None]).sum())
    return result


def by_harness(model: Any, tokenizer: Any, batch: int) -> Callable[[Pairs], Scores]:
    """lm-eval's HFLM.

    Raises:
        SystemExit: it does not load.
    """

    def load() -> Callable[[Pairs], Scores]:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch)

        def score(pairs: Pairs) -> Scores:
            asked = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)]
            return [value for value, _ in harness.loglikelihood(asked, disable_tqdm=True)]

        return score

    return loaded("lm-eval's HFLM", load)


def timed(function: Callable[[], Scores]) -> tuple[float, float, Scores]:
    """Seconds on the wall and of processor time, and what came out; the median of five where that is quick."""
    walls: list[float] = []
    cores: list[float] = []
    while len(walls) < 5 and sum(walls) < 10.0:
        wall, core = time.perf_counter(), time.process_time()
        result = function()
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    return float(np.median(walls)), float(np.median(cores)), result


def compare(ways: dict[str, Callable[[Pairs], Scores]], pairs: Pairs, rounds: int) -> dict[str, Any]:
    """Interleaved rounds: seconds of each way, ratio to ICLens, largest difference from ICLens."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cores: dict[str, list[float]] = {name: [] for name in ways}
    scores: dict[str, Scores] = {}
    names = list(ways)  # each round starts with another one
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            wall, core, scores[name] = timed(lambda name=name: ways[name](pairs))  # type: ignore[misc]
            seconds[name].append(wall)
            cores[name].append(core)
            print(f"  round {turn + 1}: {name:22s} {wall:8.2f} s, {core:8.2f} s of processor time", flush=True)
    ours, our_cores = np.array(seconds["ICLens"]), np.array(cores["ICLens"])
    return {
        name: {
            "seconds": float(np.median(seconds[name])),
            "ratio": float(np.median(np.array(seconds[name]) / ours)),
            "processor_seconds": float(np.median(cores[name])),
            "processor_ratio": float(np.median(np.array(cores[name]) / our_cores)),
            "rounds": [round(value, 3) for value in seconds[name]],
            "largest_difference": float(np.abs(np.array(scores[name]) - np.array(scores["ICLens"])).max()),
        }
        for name in ways
    }


def fastest_batch(model: Any, tokenizer: Any, pairs: Pairs) -> int:
    """The batch size that serves the whole-prompt loop best, found on part of the work."""
    part = pairs[:32]
    times: dict[int, float] = {}
    for size in (4, 8, 16, 32):
        start = time.process_time()
        by_batches(model, tokenizer, part, size)
        times[size] = time.process_time() - start
    return min(times, key=times.__getitem__)


def measure(quick: bool, rounds: int) -> dict[str, Any]:
    """Write the checkpoint, load it twice (as a user, and plainly), compare."""
    shared = shared_prompts(4 if quick else 16, 4 if quick else 32)
    separate = separate_prompts(16 if quick else 64)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_checkpoint(folder, quick)
        ours = load_model(str(folder))
        model = GPT2LMHeadModel.from_pretrained(folder).eval()
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    batch = fastest_batch(model, tokenizer, shared)
    ways: dict[str, Callable[[Pairs], Scores]] = {
        "ICLens": lambda pairs: by_iclens(ours, pairs),
        "whole-prompt batches": lambda pairs: by_batches(model, tokenizer, pairs, batch),
        "lm-eval HFLM": by_harness(model, tokenizer, batch),
    }
    by_iclens(ours, shared[:8])  # the first pass of a process pays for memory that later ones reuse
    by_batches(model, tokenizer, shared[:8], batch)
    print("shared prefix")
    first = compare(ways, shared, rounds)
    print("nothing shared")
    second = compare(ways, separate, rounds + 2)
    return {
        "shared": {"prompts": len(shared), "tokens": _tokens(ours, shared), "ways": first},
        "nothing shared": {"prompts": len(separate), "tokens": _tokens(ours, separate), "ways": second},
        "batch": batch,
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def _tokens(model: LanguageModel, pairs: Pairs) -> int:
    return sum(len(model.encode(context + label)) for context, label in pairs)


def report(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        "# Scoring",
        "",
        "GPT-2 small's shape, random weights, float32, "
        f"threads: {result['threads']}, batches of {result['batch']} for the others; "
        + ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        + ". Medians of interleaved rounds; written by `python -m benchmarks.scoring`. Processor time is given beside "
        "the wall's, which on a busy machine says more about the neighbours; the target is judged on the wall's.",
        "",
    ]
    titles = {
        "shared": "16 demonstrations × 32 queries × 4 labels of two tokens",
        "nothing shared": "Texts that share nothing",
    }
    targets = {"shared": 25.0, "nothing shared": 1.0}
    for key, title in titles.items():
        part = result[key]
        lines += [
            f"## {title}",
            "",
            f"{part['prompts']} prompts of {part['tokens']:,} tokens in all. Target: {targets[key]:g} times faster.",
            "",
            "| way | seconds | times ICLens's | processor seconds | times ICLens's | largest difference in log p "
            "| target met |",
            "|---|---:|---:|---:|---:|---:|---|",
        ]
        for name, row in part["ways"].items():
            met = "" if name == "ICLens" else ("yes" if row["ratio"] >= targets[key] else "no")
            lines.append(
                f"| {name} | {row['seconds']:.2f} | {row['ratio']:.2f} | {row['processor_seconds']:.2f} "
                f"| {row['processor_ratio']:.2f} | {row['largest_difference']:.1e} | {met} |"
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small model and few prompts; writes nothing")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = measure(options.quick, options.rounds)
    text = report(result)
    print(text)
    if not options.quick:
        write_results("scoring", result, text)


if __name__ == "__main__":
    main()
