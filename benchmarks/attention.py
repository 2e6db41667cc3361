"""What does attention by demonstration cost beside the plain forward pass? Time and memory, in one run.

    python -m benchmarks.attention            five minutes on one core; writes benchmarks/results/attention.*
    python -m benchmarks.attention --quick    a small model and a short prompt, to see that it runs; writes nothing

A random checkpoint of GPT-2 small's size with 4,096 positions is written to a temporary folder and loaded the way a
user would; the prompt fills it with 16 demonstrations. Compared, each in a process of its own:

- plain: transformers' own forward pass with fused attention, logits at the last token alone;
- from the answer: `run()`'s view, the last token's attention on every demonstration, every layer and head;
- between parts: which demonstration attends to which, every layer and head (k + 2 by k + 2 numbers for each);
- full maps: transformers' own eager attention with all maps kept, on a shorter prompt where they fit.

Memory is counted by torch's own allocator as the pass goes along: the most that is held at once beyond the weights.
What a way adds is its peak less the plain pass's. Rounds are interleaved; a ratio is the median of the rounds'. Each
way runs on one thread, and its time is judged by the processor time it takes: that is what the clock on the wall shows
on an idle machine, and what it does not show on a busy one.
"""

from __future__ import annotations

import argparse
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from torch.profiler import ProfilerActivity, profile
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from benchmarks.written import write_results
from core import Demonstration, load_model
from core.attention import between, group, pool, tokens_of
from core.study.prompts import Prompt, render

WORDS = [f"w{i}" for i in range(2000)]
DEMONSTRATIONS = 16
MOST_MEMORY, MOST_TIME = 0.02, 1.3  # targets
WAYS = ("plain", "from the answer", "between parts")


def write_checkpoint(folder: Path, positions: int, quick: bool) -> None:
    """GPT-2 small's shape with random weights, and a tokenizer of whole words and line ends."""
    torch.manual_seed(0)
    size: dict[str, Any] = {"n_embd": 64, "n_layer": 2, "n_head": 2} if quick else {}
    config = GPT2Config(n_positions=positions, bos_token_id=0, eos_token_id=0, **size)
    GPT2LMHeadModel(config).save_pretrained(folder)
    known = ["<end>", "<unk>", "->", "\n", *WORDS]
    words = Tokenizer(WordLevel({word: i for i, word in enumerate(known)}, unk_token="<unk>"))
    words.pre_tokenizer = Split(Regex(r"[^\s]+|\n"), behavior="removed", invert=True)
    PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<end>", pad_token="<end>", unk_token="<unk>"
    ).save_pretrained(folder)


def long_prompt(tokens: int) -> Prompt:
    """16 demonstrations and a query, `tokens` tokens in all."""
    draw = random.Random(0)
    each = tokens // (DEMONSTRATIONS + 1) - 3  # besides the input: arrow, label, line end
    shown = [
        Demonstration(input=" ".join(draw.choices(WORDS, k=each)), label=draw.choice(WORDS))
        for _ in range(DEMONSTRATIONS)
    ]
    rest = tokens - DEMONSTRATIONS * (each + 3) - 1
    return render(shown, " ".join(draw.choices(WORDS, k=rest)))


def way(name: str, folder: Path, tokens: int) -> Callable[[], Any]:
    """What is measured, ready to be called again and again."""
    prompt = long_prompt(tokens)
    if name == "plain":
        model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="sdpa").eval()
        ids = PreTrainedTokenizerFast.from_pretrained(folder)(prompt.text, return_tensors="pt")["input_ids"]
        assert ids.shape[1] == tokens

        def forward() -> Any:
            with torch.inference_mode():
                return model(ids, use_cache=False, logits_to_keep=1).logits

        return forward
    ours = load_model(str(folder))
    known = tokens_of(prompt, ours.encode(prompt.text))
    parts = group(known)
    if name == "from the answer":
        return lambda: pool(prompt, ours.read(prompt.text)).pooled
    return lambda: between(ours, prompt.text, parts, parts).weights


def held(work: Callable[[], Any]) -> int:
    """The most bytes of torch's that are held at once while `work` goes on, beyond those held before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        work()
    now = most = 0
    for event in sorted(recorded.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


def serve(folder: Path, name: str, tokens: int, threads: int) -> None:
    """A process that measures one way: prints its memory, then a time for each line that it is sent."""
    torch.set_num_threads(threads)
    work = way(name, folder, tokens)
    print(held(work), flush=True)  # the first pass of a process also pays for memory that later ones reuse
    for _ in sys.stdin:
        wall, core = time.perf_counter(), time.process_time()
        work()
        print(time.perf_counter() - wall, time.process_time() - core, flush=True)


def full_map_bytes(folder: Path, tokens: int) -> tuple[int, int]:
    """Bytes of the maps that eager attention returns on a prompt of `tokens` tokens, and the most held meanwhile."""
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").eval()
    ids = torch.randint(4, 2000, (1, tokens))
    kept: list[int] = []

    def work() -> None:
        with torch.inference_mode():
            maps = model(ids, use_cache=False, logits_to_keep=1, output_attentions=True).attentions
        kept.append(sum(one.nbytes for one in maps))

    most = held(work)
    return kept[0], most


def measure(quick: bool, rounds: int, threads: int) -> dict[str, Any]:
    """Every way beside the full maps."""
    tokens = 256 if quick else 4096
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_checkpoint(folder, tokens, quick)
        eighth = tokens // 8
        small, most = full_map_bytes(folder, eighth)
        memory, seconds, cores = race(folder, tokens, rounds, threads)
    full = small * 64  # eight times the tokens
    plain, plain_cores = np.array(seconds["plain"]), np.array(cores["plain"])
    ways = {
        way: {
            "seconds": float(np.median(seconds[way])),
            "processor_seconds": float(np.median(cores[way])),
            "ratio": float(np.median(np.array(seconds[way]) / plain)),
            "processor_ratio": float(np.median(np.array(cores[way]) / plain_cores)),
            "rounds": [round(value, 3) for value in seconds[way]],
            "bytes": memory[way],
            "added": memory[way] - memory["plain"],
            "added_share": max(0, memory[way] - memory["plain"]) / full,
        }
        for way in WAYS
    }
    return {
        "tokens": tokens,
        "demonstrations": DEMONSTRATIONS,
        "full_maps_bytes": full,
        "eager": {"tokens": eighth, "maps_bytes": small, "bytes": most},
        "ways": ways,
        "threads": threads,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def race(
    folder: Path, tokens: int, rounds: int, threads: int
) -> tuple[dict[str, int], dict[str, list[float]], dict[str, list[float]]]:
    """Interleaved rounds, each way in a process of its own: bytes, seconds on the wall, seconds of processor time."""
    command = [sys.executable, "-m", "benchmarks.attention", "--folder", str(folder), "--tokens", str(tokens)]
    workers = {
        way: subprocess.Popen(
            [*command, "--way", way, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for way in WAYS
    }
    memory: dict[str, int] = {}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    cores: dict[str, list[float]] = {way: [] for way in WAYS}
    for way, worker in workers.items():
        assert worker.stdout is not None
        memory[way] = int(worker.stdout.readline())
        print(f"  {way:16s} holds {memory[way] / 2**20:8.1f} MB beyond the weights", flush=True)
    for turn in range(rounds):
        for way in WAYS[turn % 3 :] + WAYS[: turn % 3]:  # each round starts with another one
            wall, core = _ask(workers[way])
            seconds[way].append(wall)
            cores[way].append(core)
            print(f"  round {turn + 1}: {way:16s} {wall:7.2f} s, {core:7.2f} s of processor time", flush=True)
    for worker in workers.values():
        worker.communicate()
    return memory, seconds, cores


def _ask(worker: subprocess.Popen[str]) -> tuple[float, float]:
    """One more round."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    wall, core = map(float, worker.stdout.readline().split())
    return wall, core


def report(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    eager = result["eager"]
    lines = [
        "# Attention",
        "",
        f"GPT-2 small's shape, random weights, float32, one prompt of {result['tokens']:,} tokens with "
        f"{result['demonstrations']} demonstrations, threads: {result['threads']}; "
        + ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        + ". Medians of interleaved rounds, each way in a process of its own; written by "
        "`python -m benchmarks.attention`. Memory is the most that torch holds at once beyond the weights.",
        "",
        f"The full maps of all heads would take {result['full_maps_bytes'] / 2**30:.2f} GB "
        f"(eager attention on {eager['tokens']:,} tokens returns {eager['maps_bytes'] / 2**20:.0f} MB of them and "
        f"holds {eager['bytes'] / 2**20:.0f} MB; eight times the tokens take 64 times that). Targets: at most "
        f"{MOST_MEMORY:.0%} of it added, at most {MOST_TIME:g} times the plain pass's processor time (one thread's is "
        "the wall's on an idle machine).",
        "",
        "| way | seconds | times plain | processor seconds | times plain | memory, MB | added, MB | of the full maps "
        "| targets met |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, row in result["ways"].items():
        met = row["added_share"] <= MOST_MEMORY and row["processor_ratio"] <= MOST_TIME
        said = "" if name == "plain" else ("yes" if met else "no")
        lines.append(
            f"| {name} | {row['seconds']:.2f} | {row['ratio']:.2f} | {row['processor_seconds']:.2f} "
            f"| {row['processor_ratio']:.2f} "
            f"| {row['bytes'] / 2**20:.1f} | {row['added'] / 2**20:.1f} | {row['added_share']:.2%} | {said} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small model and a short prompt; writes nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # one worker
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tokens", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        serve(options.folder, options.way, options.tokens, options.threads)
        return
    torch.set_num_threads(options.threads)
    result = measure(options.quick, options.rounds, options.threads)
    text = report(result)
    print(text)
    if not options.quick:
        write_results("attention", result, text)


if __name__ == "__main__":
    main()
