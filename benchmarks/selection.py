"""How fast are demonstrations chosen from a large pool? Each ranking beside a plain loop, and every other strategy.

    python -m benchmarks.selection            some minutes; writes benchmarks/results/selection.*
    python -m benchmarks.selection --quick    a small pool, to see that it runs; writes nothing

The pool holds sentences of eight random words on the embedded model. Its inputs are embedded once, which is timed
apart; then new queries are asked. The loops have the same vectors and word counts at hand and take one text after
another: numpy's dot product and two norms for the cosine, a sum over the query's words for TF-IDF, rank_bm25 for
BM25. Rounds are interleaved, figures are medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.peers import loaded
from benchmarks.written import write_results
from core import Demonstration, Study, load_model
from core.embeddings.segmentation import words
from core.embeddings.vector_cache import input_vectors
from core.models import LanguageModel
from core.runtime.memo import forget
from core.selection import select, selections

TARGET = 1.0  # seconds for a query, after the first embedding
K = 8
SMALL = 200  # rows of the pool that trained and generative strategies are timed on
Rows = tuple[Demonstration, ...]
Choice = Callable[[str], list[int]]


def make_pool(model: LanguageModel, size: int) -> tuple[Rows, list[str]]:
    """Sentences of eight words that the model knows, and queries of the same kind."""
    draw = random.Random(0)
    known = [model.encode(" the").texts[-1].strip()]
    assert model.mixture is not None
    for family in model.mixture.families[:40]:
        known += [word for x, _ in model.mixture.sample(family, 20) for word in x.split() if word.isalpha()]
    vocabulary = sorted(set(known))

    def sentence() -> str:
        return " ".join(draw.choices(vocabulary, k=8))

    return tuple(Demonstration(input=sentence(), label=draw.choice("ab")) for _ in range(size)), [
        sentence() for _ in range(16)
    ]


def best(values: list[float]) -> list[int]:
    return sorted(sorted(range(len(values)), key=lambda i: (-round(values[i], 6), i))[:K])


def cosine_loop(model: LanguageModel, pool: Rows) -> Choice:
    """One dot product and two norms a text."""
    vectors = input_vectors(model, [row.input for row in pool]).astype(np.float64)

    def choose(query: str) -> list[int]:
        asked = model.embed([query])[0].astype(np.float64)
        return best([float(asked @ v / (np.linalg.norm(asked) * np.linalg.norm(v))) for v in vectors])

    return choose


def words_loop(pool: Rows) -> Choice:
    """TF-IDF vectors as dictionaries, built beforehand; one sum of products a text."""
    counts = [Counter(words(row.input)) for row in pool]
    frequency = Counter(word for count in counts for word in count)
    rarity = {word: np.log((1 + len(pool)) / (1 + df)) + 1 for word, df in frequency.items()}
    vectors = [{word: n * rarity[word] for word, n in count.items()} for count in counts]
    lengths = [float(np.sqrt(sum(v * v for v in vector.values()))) for vector in vectors]

    def choose(query: str) -> list[int]:
        asked = {word: n * rarity[word] for word, n in Counter(words(query)).items() if word in rarity}
        length = float(np.sqrt(sum(v * v for v in asked.values())))
        return best(
            [
                sum(value * vector.get(word, 0.0) for word, value in asked.items()) / (length * own)
                for vector, own in zip(vectors, lengths, strict=True)
            ]
        )

    return choose


def bm25_loop(pool: Rows) -> Choice:
    """rank_bm25 with the idf that ICLens uses."""

    def load() -> Any:
        from rank_bm25 import BM25Okapi

        return BM25Okapi

    index = loaded("rank_bm25", load)([words(row.input) for row in pool])
    size = len(pool)
    frequency: dict[str, int] = {}
    for counts in index.doc_freqs:
        for word in counts:
            frequency[word] = frequency.get(word, 0) + 1
    index.idf = {w: float(np.log(1 + (size - df + 0.5) / (df + 0.5))) for w, df in frequency.items()}
    return lambda query: best(index.get_scores(words(query)).tolist())


def by_iclens(model: LanguageModel, pool: Rows, name: str, **settings: object) -> Choice:
    """As the dashboard chooses."""
    study = Study.model_validate({"selection": name, "pool": pool, "k": K, "labels": ("a", "b"), **settings})
    return lambda query: list(select(study.model_copy(update={"query": query}), model).indices)


def timed(choose: Choice, query: str) -> tuple[float, list[int]]:
    start = time.perf_counter()
    chosen = choose(query)
    return time.perf_counter() - start, chosen


def rankings(model: LanguageModel, pool: Rows, queries: list[str]) -> dict[str, Any]:
    """Seconds a query, and the loop's beside it; whether both chose the same."""
    start = time.perf_counter()
    by_iclens(model, pool, "similarity")(queries[0])
    embedding = time.perf_counter() - start
    pairs = {
        "similarity, hidden states": (by_iclens(model, pool, "similarity"), cosine_loop(model, pool)),
        "similarity, TF-IDF": (by_iclens(model, pool, "similarity", encoder="tfidf"), words_loop(pool)),
        "BM25": (by_iclens(model, pool, "bm25"), bm25_loop(pool)),
    }
    found: dict[str, Any] = {}
    for name, (ours, loop) in pairs.items():
        first = timed(ours, queries[0])[0]
        loop(queries[0])
        seconds, loops, same = [], [], True
        for query in queries[1:]:
            wall, chosen = timed(ours, query)
            seconds.append(wall)
            wall, expected = timed(loop, query)
            loops.append(wall)
            same = same and chosen == expected
        ratio = float(np.median(np.array(loops) / np.array(seconds)))
        found[name] = {
            "first": first,
            "seconds": float(np.median(seconds)),
            "slowest": max(seconds),
            "loop": float(np.median(loops)),
            "ratio": ratio,
            "same": same,
        }
        print(f"  {name:28s} {found[name]['seconds']:.4f} s, loop {found[name]['loop']:.4f} s", flush=True)
    return {"embedding": embedding, "ways": found}


def others(model: LanguageModel, pool: Rows, queries: list[str]) -> dict[str, Any]:
    """Seconds of the first query and of later ones, and what was spent, for strategies that do more than rank."""
    found: dict[str, Any] = {}
    for strategy in selections:
        if strategy.name in ("hand-picked", "similarity", "bm25"):
            continue
        size = len(pool)
        if strategy.slow or strategy.name in ("entropy", "perplexity"):
            size = min(SMALL, size)
        forget()
        settings = {"selection": strategy.name, "pool": pool[:size], "k": K, "labels": ("a", "b")}
        study = Study.model_validate({**settings, "query": queries[0]})
        seconds, chosen = [], []
        for query in queries[:4]:
            start = time.perf_counter()
            chosen.append(select(study.model_copy(update={"query": query}), model))
            seconds.append(time.perf_counter() - start)
        found[strategy.title] = {
            "pool": size,
            "first": seconds[0],
            "later": float(np.median(seconds[1:])),
            "spent": str(chosen[0].cost),
            "spent_later": str(chosen[-1].cost),
        }
        print(f"  {strategy.title:28s} {size:6d} rows: first {seconds[0]:.2f} s, later {seconds[-1]:.3f} s", flush=True)
    return found


def report(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    size, threads, ranked = result["pool"], result["threads"], result["rankings"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    lines = [
        "# Selection",
        "",
        f"{K} demonstrations from a pool of {size:,} sentences of eight words, embedded model, float32, threads: "
        f"{threads}; {versions}. Medians of 15 new queries; written by `python -m benchmarks.selection`.",
        "",
        f"Embedding the pool took {ranked['embedding']:.1f} s, once. Target: a query under {TARGET:g} s after that.",
        "",
        "| ranking | first query, s | new query, s | slowest, s | plain loop, s | times faster | same choice "
        "| target met |",
        "|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for name, row in ranked["ways"].items():
        same = "yes" if row["same"] else "no"
        met = "yes" if row["slowest"] < TARGET else "no"
        lines.append(
            f"| {name} | {row['first']:.3f} | {row['seconds']:.4f} | {row['slowest']:.4f} | {row['loop']:.3f} "
            f"| {row['ratio']:.1f} | {same} | {met} |"
        )
    lines += [
        "",
        "The others, with what the first query and a later one cost; those that the model scores or trains for on "
        f"{SMALL} rows.",
        "",
        "| strategy | rows | first query, s | later, s | spent first | spent later |",
        "|---|---:|---:|---:|---|---|",
    ]
    for name, row in result["others"].items():
        lines.append(
            f"| {name} | {row['pool']:,} | {row['first']:.2f} | {row['later']:.3f} | {row['spent']} "
            f"| {row['spent_later']} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and write the results beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small pool; writes nothing")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_model()
    pool, queries = make_pool(model, 300 if options.quick else 10_000)
    result = {
        "pool": len(pool),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "rankings": rankings(model, pool, queries),
        "others": others(model, pool, queries),
    }
    text = report(result)
    print(text)
    if not options.quick:
        write_results("selection", result, text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["ICLENS_HOME"] = home  # what is learned and forgotten here is nobody's to keep or lose
        main()
