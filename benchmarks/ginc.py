"""Exact Bayes on GINC beside the GPT-2 of Xie et al. (2022): `python -m benchmarks.ginc` (minutes of one core).

Writes results/ginc.json and results/ginc.md. `--quick` measures a little and writes nothing.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from benchmarks.written import write_results
from core.hidden_markov.ginc import EXAMPLE_LENGTHS, VOCABULARIES
from core.hidden_markov.ginc_bayes import LIKELIHOODS, NUMBERS, GincAccuracy, ginc_accuracy
from core.statistics.curves import Curve

# GPT-2 of 12 layers, V = 50 (docs/methods.md §1.16): accuracy in percent by n; of k = 3 the two ends are known.
PUBLISHED = {10: {0: 69.5, 4: 78.1, 16: 81.2, 64: 81.2}, 3: {0: 36.9, 64: 51.9}}
PUBLISHED_UNSEEN = "9 to 16 %, flat"


def measured(found: GincAccuracy) -> dict[str, Any]:
    """As JSON values."""

    def row(curve: Curve) -> dict[str, Any]:
        return {name: np.round(getattr(curve, name), 5).tolist() for name in ("mean", "low", "high")}

    return {
        "vocabulary": found.vocabulary,
        "length": found.length,
        "kind": found.kind,
        "n": list(found.numbers),
        "accuracy": {curve.name: row(curve) for curve in found.accuracy},
        "posterior of the concept": {curve.name: row(curve) for curve in found.certainty},
        "impossible without a floor": row(found.impossible),
    }


def percent(curve: dict[str, Any], i: int) -> str:
    """Mean and half the interval, in percent."""
    return f"{100 * curve['mean'][i]:.1f} ± {100 * (curve['high'][i] - curve['mean'][i]):.1f}"


def table(rows: list[dict[str, Any]], way: str, kind: str) -> list[str]:
    """Accuracy by V and k down, n across."""
    lines = ["| V | k | " + " | ".join(f"n = {n}" for n in NUMBERS) + " |", "|" + " ---: |" * (2 + len(NUMBERS))]
    for row in rows:
        if row["kind"] == kind:
            cells = [percent(row["accuracy"][way], i) for i in range(len(NUMBERS))]
            lines.append(f"| {row['vocabulary']} | {row['length']} | " + " | ".join(cells) + " |")
    return lines


def beside(rows: list[dict[str, Any]]) -> list[str]:
    """The published figures and ours in one table."""
    lines = [
        "| k | n | GPT-2, published | Bayes, one chain | Bayes, starting anew at each delimiter |",
        "|" + " ---: |" * 5,
    ]
    for length, figures in PUBLISHED.items():
        (row,) = [r for r in rows if (r["vocabulary"], r["length"], r["kind"]) == (50, length, "seen")]
        for n, value in figures.items():
            ours = [percent(row["accuracy"][way], NUMBERS.index(n)) for way in LIKELIHOODS]
            lines.append(f"| {length} | {n} | {value} | {ours[0]} | {ours[1]} |")
    return lines


def shape(rows: list[dict[str, Any]]) -> list[str]:
    """Whether accuracy rises and stays flat where it should, from the figures themselves."""
    seen = [row for row in rows if row["kind"] == "seen"]
    said = []
    for way in LIKELIHOODS:
        gains = []
        for row in seen:
            if row["length"] == 3:
                first, *_, last = row["accuracy"][way]["mean"]
                gains.append(f"V = {row['vocabulary']}: {100 * (last - first):+.1f}")
        said.append(f"- From n = 0 to n = 64 at k = 3, {way}, in points: {', '.join(gains)}.")
    alone = [100 * row["accuracy"]["pretraining"]["mean"][0] for row in seen if row["vocabulary"] == 50]
    said.append(
        f"- From k = 3 to 5, 8 and 10 at n = 0, V = 50: {', '.join(f'{value:.1f}' for value in alone)} %. Where the "
        "query alone gives its concept away, examples add nothing for exact Bayes; GPT-2 still gained."
    )
    flat = [row["accuracy"][way]["mean"] for row in rows if row["kind"] == "unseen" for way in LIKELIHOODS]
    change = max(abs(values[-1] - values[0]) for values in flat)
    said.append(
        f"- Unseen concepts: {100 * min(map(min, flat)):.1f} to {100 * max(map(max, flat)):.1f} %, from n = 0 to 64 "
        f"changing by at most {100 * change:.1f} points (published: {PUBLISHED_UNSEEN})."
    )
    (long,) = [row for row in seen if (row["vocabulary"], row["length"]) == (50, 10)]
    impossible = [100 * long["impossible without a floor"]["mean"][NUMBERS.index(n)] for n in (1, 4)]
    said.append(
        f"- Without a floor on transitions, {impossible[0]:.0f} % of the prompts with one example and "
        f"{impossible[1]:.0f} % of those with four have no likelihood under any concept (V = 50, k = 10)."
    )
    return said


def report(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = result["cells"]
    lines = [
        "# GINC: exact Bayes beside the published GPT-2",
        "",
        f"{result['worlds']} data sets a row, {result['prompts']} prompts each; ± is half a 95 % interval of the mean "
        f"over data sets. {result['seconds']:.0f} s of one core. Written by `python -m benchmarks.ginc`.",
        "",
        "Our own generator from the paper's parameters (Xie et al. 2022), so the data sets are others than the "
        "paper's, some of them harder than others: that is what the intervals hold. *One chain* (the pretraining "
        "likelihood) reads the prompt as a pretraining document, which it is not: values jump at delimiters. "
        "*Starting anew* (the prompt-aware likelihood) knows how prompts are made. GPT-2 had to learn the concepts "
        "from documents; Bayes knows them, so it is a ceiling and not a peer.",
        "",
        "## V = 50, beside the published figures (accuracy, %)",
        "",
        *beside(rows),
        "",
        "## What comes out",
        "",
        *shape(rows),
        "",
    ]
    for way in LIKELIHOODS:
        lines += [f"## Seen concepts, {way} likelihood (accuracy, %)", "", *table(rows, way, "seen"), ""]
    for way in LIKELIHOODS:
        lines += [f"## Unseen concepts, {way} likelihood (accuracy, %)", "", *table(rows, way, "unseen"), ""]
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    worlds, prompts = (3, 20) if options.quick else (10, 200)
    start = time.process_time()
    cells = [(v, k, "seen") for v in VOCABULARIES for k in EXAMPLE_LENGTHS]
    cells += [(50, k, "unseen") for k in EXAMPLE_LENGTHS]
    rows = []
    for vocabulary, length, kind in cells:
        rows.append(measured(ginc_accuracy(vocabulary, length, kind, prompts=prompts, worlds=worlds)))
        print(f"V = {vocabulary}, k = {length}, {kind}: {time.process_time() - start:.0f} s", flush=True)
    result = {"worlds": worlds, "prompts": prompts, "seconds": time.process_time() - start, "cells": rows}
    text = report(result)
    print(text)
    if not options.quick:
        write_results("ginc", result, text)


if __name__ == "__main__":
    main()
