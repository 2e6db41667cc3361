"""How long every parser of what people paste and drop takes, and how that grows with its length.

    python -m benchmarks.parsing          a minute of one core; writes benchmarks/results/parsing.*

Every text is one that takes a parser long: what it searches for comes again and again, or nearly. Growth is the slope
of log seconds over log length, from texts of one to eight times a length: 1 where time is linear, 2 where it is
quadratic. The longest is the largest that is accepted, a process each: 1,000,000 characters in the box for pastes, 20
MB as a file, 200,000 characters in a cell. What is refused counts as well, as long as it takes to be refused. Target:
2 s and 300 MB above what the process takes before.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.written import RESULTS, write_results
from core.analysis.attention.many_heads import found
from core.errors import ICLensError
from core.files import MAX_BYTES, read_file, read_text
from core.reasoning.forms import sum_steps
from core.study.demonstrations import read_steps
from core.study.label_words import read_words

PASTED, FILE, CELL = 1_000_000, MAX_BYTES, 200_000
TIMES = (1, 2, 4, 8)
FLOOR = 0.003  # seconds of processor time below which a text says nothing of growth
SECONDS, MEMORY = 2.0, 300e6


@dataclass(frozen=True)
class Parser:
    """A parser and a text that takes it long.

    Attributes:
        read: the parser, which may refuse.
        write: the text, whose length is proportional to a number.
        size: that number for the shortest text measured.
        most: characters of the longest that is accepted.
    """

    read: Callable[[str], object]
    write: Callable[[int], str]
    size: int
    most: int

    def longest(self) -> str:
        """The longest text that is accepted, but for less than a hundredth."""
        number = self.most * self.size // len(self.write(self.size))
        while len(text := self.write(number)) > self.most:  # numbers in it grow longer
            number -= max(1, number * (len(text) - self.most) // self.most)
        return text


def _file(text: str, name: str) -> object:
    return read_file(text.encode(), name)


BLANKS = 20_000
_heads = partial(found, layers=8, heads=8)
PARSERS: dict[str, Parser] = {
    "blanks": Parser(read_text, lambda n: "a" + " " * n + "b", BLANKS, PASTED),
    "blanks before a bar": Parser(read_text, lambda n: "a" + " " * n + "|" + "\t" * n, BLANKS, PASTED),
    "blanks before a colon": Parser(read_text, lambda n: "Input" + " " * n + ": b\nLabel" + " " * n, BLANKS, PASTED),
    "blanks behind a number": Parser(read_text, lambda n: "1" + " " * n + "\n1 a", BLANKS, PASTED),
    "lines of a field": Parser(read_text, lambda n: "Input: a\n" + "b\n" * n + "Label: c", 20_000, PASTED),
    "records": Parser(read_text, lambda n: "Input: a\nLabel: b\n" * n, 2_500, PASTED),
    "records with other names": Parser(
        read_text, lambda n: "".join(f"Input: a\nName {i}: c\nLabel: b\n" for i in range(n)), 1_000, PASTED
    ),
    "labels first": Parser(read_text, lambda n: "".join(f"NUM:count How many {i}\n" for i in range(n)), 5_000, PASTED),
    "pairs around colons": Parser(read_text, lambda n: "".join(f"cat {i}: b\n" for i in range(n)), 5_000, PASTED),
    "arrows in a line": Parser(read_text, lambda n: "a" + "->" * n, BLANKS, PASTED),
    "bars in a line": Parser(read_text, lambda n: "a" + "|" * n, BLANKS, PASTED),
    "dashes between bars": Parser(read_text, lambda n: "a|b\n|" + "-" * n + "x\n", BLANKS, PASTED),
    "commas": Parser(read_text, lambda n: "a" + "," * n, BLANKS, PASTED),
    "quotation marks": Parser(read_text, lambda n: 'a,"' + '""' * n + "\nb,c", 10_000, PASTED),
    "dividers": Parser(read_text, lambda n: "-" * n + "x -> y", BLANKS, PASTED),
    "CSV": Parser(partial(_file, name="a.csv"), lambda n: "input,label\n" + "a,b\n" * n, 5_000, FILE),
    "CSV of blank lines": Parser(partial(_file, name="a.csv"), lambda n: "input,label\n" + "\n" * n, 20_000, FILE),
    "TSV with quotation marks": Parser(partial(_file, name="a.tsv"), lambda n: 'a\t"b\n' * n, 5_000, FILE),
    "JSON lines": Parser(partial(_file, name="a.jsonl"), lambda n: '{"a": 1, "b": 2}\n' * n, 2_000, FILE),
    "JSON": Parser(
        partial(_file, name="a.json"),
        lambda n: '[{"a":"x","b":"y"}' + ',{"a":"x","b":"y"}' * n + "]",
        2_000,
        FILE,
    ),
    "JSON of columns": Parser(
        partial(_file, name="a.json"),
        lambda n: '{"a":["x"' + ',"x"' * n + '],"b":["y"' + ',"y"' * n + "]}",
        5_000,
        FILE,
    ),
    "JSON of pairs": Parser(
        partial(_file, name="a.json"),
        lambda n: '{"":"x"' + "".join(f',"{i}":"x"' for i in range(n)) + "}",
        2_000,
        FILE,
    ),
    "JSON of short texts": Parser(
        partial(_file, name="a.json"), lambda n: '[["a","b"]' + ',["a","b"]' * n + "]", 5_000, FILE
    ),
    "text": Parser(partial(_file, name="a.txt"), lambda n: "cat -> chat\n" * n, 5_000, FILE),
    "steps": Parser(read_steps, lambda n: "a" * n, 50_000, CELL),
    "steps with backslashes": Parser(read_steps, lambda n: "\\" * n, 25_000, CELL),
    "steps of one sign": Parser(read_steps, lambda n: "1=2;" * n, 5_000, CELL),
    "label words with blanks": Parser(read_words, lambda n: "a" + " " * n + "b", BLANKS, CELL),
    "label words": Parser(read_words, lambda n: ",".join(f"a{i}=b{i}" for i in range(n)), 5_000, CELL),
    "names of heads": Parser(_heads, lambda n: "1" + " " * n + "x", 4_000, CELL),
    "commas between heads": Parser(_heads, lambda n: "1,2" * n, 2_000, CELL),
    "a sum": Parser(sum_steps, lambda n: "1" + " " * n + "+ 1", BLANKS, CELL),
}


def seconds(parser: Parser, text: str, repeats: int = 3) -> float:
    """Processor time, the least of some."""
    taken = []
    gc.disable()
    try:
        for _ in range(repeats):
            start = time.process_time()
            with suppress(ICLensError):
                parser.read(text)
            taken.append(time.process_time() - start)
    finally:
        gc.enable()
    return min(taken)


def growth(lengths: list[int], taken: list[float]) -> float | None:
    """Slope of log seconds over log length; None where the longest text is over before a clock can tell."""
    pairs = [(length, time_) for length, time_ in zip(lengths, taken, strict=True) if time_ >= FLOOR]
    if len(pairs) < 2:
        return None
    x, y = np.log(np.array(pairs)).T
    return float(np.polyfit(x, y, 1)[0])


def measure(name: str) -> dict[str, Any]:
    """One parser: seconds by length, growth, and the longest text."""
    parser = PARSERS[name]
    texts = [parser.write(parser.size * times) for times in TIMES]
    taken = [round(seconds(parser, text), 5) for text in texts]
    lengths = [len(text) for text in texts]
    del texts
    longest = parser.longest()
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.perf_counter()
    with suppress(ICLensError):
        parser.read(longest)
    wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    return {
        "name": name,
        "lengths": lengths,
        "seconds": taken,
        "growth": growth(lengths, taken),
        "longest": len(longest),
        "longest seconds": round(wall, 3),
        "longest bytes": peak,
        "met": wall <= SECONDS and peak <= MEMORY,
    }


def report(rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    met = sum(row["met"] for row in rows)
    lines = [
        "# How long parsers take, and how that grows",
        "",
        "Written by `python -m benchmarks.parsing`, whose head says what is measured. Growth is 1 where time is "
        f"linear; a dash where the longest of the measured texts takes under {1000 * FLOOR:g} ms. Within {SECONDS:g} s "
        f"and {MEMORY / 1e6:.0f} MB at the largest size accepted: {met} of {len(rows)}.",
        "",
        "![Seconds over length](parsing.svg)",
        "",
        "| text | growth | longest, characters | seconds | MB | within the target |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        slope = "–" if row["growth"] is None else f"{row['growth']:.2f}"
        size = f"{row['longest seconds']:.2f} | {row['longest bytes'] / 1e6:.0f}"
        lines.append(f"| {row['name']} | {slope} | {row['longest']:,} | {size} | {'yes' if row['met'] else 'no'} |")
    return "\n".join([*lines, ""])


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Seconds over length, both on a logarithmic scale, beside a line of growth 1."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "parsing"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5))
    for row in rows:
        lengths, taken = [*row["lengths"], row["longest"]], [*row["seconds"], row["longest seconds"]]
        axes.loglog(lengths, np.maximum(taken, 1e-6), marker=".", linewidth=1, alpha=0.7)
    reach = np.array([1e4, 2e7])
    axes.loglog(reach, reach * 1e-7, color="black", linestyle="--", label="growth 1")
    axes.set_xlabel("characters")
    axes.set_ylabel("seconds")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    """Measure, print, and write the results beside this file."""
    asking = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asking.add_argument("--one", choices=PARSERS, help="measure one text and print it as JSON")
    options = asking.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    rows = []
    for name in PARSERS:
        command = [sys.executable, "-m", "benchmarks.parsing", "--one", name]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(name, rows[-1]["growth"], rows[-1]["longest seconds"], flush=True)
    write_results("parsing", {"rows": rows}, report(rows))
    plot(rows, RESULTS / "parsing.svg")


if __name__ == "__main__":
    main()
