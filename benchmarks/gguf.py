"""GGUF files of real models: what was said before loading beside what it took, and numbers beside transformers' own.

    python -m benchmarks.gguf    three minutes of one core; writes benchmarks/results/gguf.*

SmolLM2-135M-Instruct (Q4_1) and Gemma 3 270M (Q4_K_M), each in a process of its own, so that its peak of memory is its
own. Log-probabilities of the right label of 20 headlines of AG News (../shared/data/agnews) after two demonstrations
are held against a plain loop over the model of `AutoModelForCausalLM.from_pretrained(gguf_file=…)`, on the tokens that
ICLens reads; and of 200 headlines, how many `AutoTokenizer` cuts otherwise.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.written import write_results

DATA = Path(__file__).parents[2] / "shared" / "data" / "agnews" / "test-first-1000.csv"
TOPICS = ("World", "Sports", "Business", "Science")
SCORED, CUT = 20, 200


def _peak() -> float:
    """GB, the most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(path: Path) -> dict[str, Any]:
    """Of one file, in this process."""
    import pandas as pd
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from core import load_model
    from core.models.gguf import announce

    said = announce(str(path), "float32")
    assert said is not None
    before, begun, clock = _peak(), time.perf_counter(), time.process_time()
    model = load_model(str(path))
    found: dict[str, Any] = {
        "model": said.title,
        "parameters": said.parameters,
        "said_gb": said.peak / 1e9,
        "took_gb": _peak() - before,
        "said_seconds": said.seconds,
        "took_seconds": time.perf_counter() - begun,
        "processor_seconds": time.process_time() - clock,
        "notes": list(model.notes),
    }
    table = pd.read_csv(DATA)
    titles = table["Title"].tolist()[: SCORED + CUT]
    labels = [TOPICS[number - 1] for number in table["Class Index"].tolist()[: SCORED + CUT]]
    front = "".join(f"{title} -> {label}\n" for title, label in zip(titles[-2:], labels[-2:], strict=True))
    pairs = [(f"{front}{title} ->", f" {label}") for title, label in zip(titles[:SCORED], labels[:SCORED], strict=True)]
    scored = model.score(pairs)
    clock = time.process_time()
    plain: Any = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    found["transformers_processor_seconds"] = time.process_time() - clock
    worst = 0.0
    for (context, continuation), one in zip(pairs, scored, strict=True):
        ids, count = model.encode(context + continuation).ids, len(one.logprobs)
        with torch.no_grad():
            logs = torch.log_softmax(plain.eval()(torch.tensor([ids])).logits[0].double(), -1)
        for back in range(count):
            place = len(ids) - count + back
            worst = max(worst, abs(float(logs[place - 1, ids[place]]) - float(one.logprobs[back])))
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    other = sum(list(model.encode(title).ids) != tokenizer(title)["input_ids"] for title in titles[-CUT:])
    return found | {"largest_difference": worst, "cut_otherwise": other, "texts": CUT}


def report(found: dict[str, Any]) -> str:
    lines = [
        "# GGUF files of real models",
        "",
        f"{found['machine']}, Python {found['python']}. Written by `python -m benchmarks.gguf`.",
        "",
        "| model | GB at the height: said, taken | seconds: said, taken | processor: here, transformers' weights alone "
        "| largest difference of log p | headlines that AutoTokenizer cuts otherwise |",
        "|---|---|---|---|---:|---:|",
    ]
    for one in found["files"]:
        lines.append(
            f"| {one['model']}, {one['parameters'] / 1e6:.1f} M | {one['said_gb']:.2f}, {one['took_gb']:.2f} "
            f"| {one['said_seconds']:.0f}, {one['took_seconds']:.0f} "
            f"| {one['processor_seconds']:.0f}, {one['transformers_processor_seconds']:.0f} "
            f"| {one['largest_difference']:.1e} | {one['cut_otherwise']} of {one['texts']} |"
        )
    for one in found["files"]:
        lines += ["", f"What ICLens says of {one['model']}:", "", *(f"- {note}" for note in one["notes"])]
    return "\n".join(lines) + "\n"


def main() -> None:
    from tests.real_models import gemma3_file, smollm2_file

    files = []
    for path in (smollm2_file(), gemma3_file()):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.gguf", str(path)], check=True, capture_output=True, text=True
        )
        files.append(json.loads(done.stdout.splitlines()[-1]))
    found = {"machine": platform.machine(), "python": platform.python_version(), "files": files}
    write_results("gguf", found, report(found))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main()
