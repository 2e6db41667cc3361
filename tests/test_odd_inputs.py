"""Ten thousand odd inputs: whatever is raised is one of ours, one sentence on one line. Part of the slow suite.

A failure names its seed: ICLENS_SEED=… draws the same inputs again.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import Study, load_model
from core.errors import ICLensError
from core.files import read_file, read_text, to_demonstrations
from core.files.data_sets import open_data_set
from core.study.demonstrations import read_steps
from core.study.label_words import read_words
from tests.models.checkpoints import write_tiny

SLOW = os.environ.get("ICLENS_SLOW") == "1"
SEED = int(os.environ.get("ICLENS_SEED") or random.SystemRandom().randrange(10**6))
SIGNS = [
    *"ab \n\t\r,;|:\"'{}[]()<>=->#*\\/_0123456789é中🎉\ufeff\u2028\u202e\x00\x1b\ud83d\xa0%$&",
    "->",
    " = ",
    "Label:",
    "\n\n",
]
LEAVES: list[Any] = [
    None, True, 0, -1, 1, 2.5, 1e308, float("nan"), 10**30, "", "x", "text", "\ud83d", "\0", "a" * 2_000, [], {},
]  # fmt: skip
KEYS = [
    "input",
    "label",
    "text",
    "messages",
    "role",
    "content",
    "columns",
    "data",
    "train",
    "test",
    "examples",
    "split",
    "",
]
NAMES = ("csv", "tsv", "json", "jsonl", "parquet", "txt", "train", "", "xls", "CSV")


def text_of(rng: random.Random) -> str:
    return "".join(rng.choice(SIGNS) for _ in range(rng.randrange(200)))


def value_of(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth > 4 or kind < 0.4:
        return rng.choice(LEAVES) if rng.random() < 0.7 else text_of(rng)
    if kind < 0.7:
        return [value_of(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): value_of(rng, depth + 1) for _ in range(rng.randrange(4))}


def a_text(rng: random.Random, place: Path) -> None:
    table = read_text(text_of(rng) * rng.choice((1, 1, 5)), rng.choice((None, True, False)))
    to_demonstrations(table, *table.guess, rng.choice(("", "", text_of(rng))))


def a_file(rng: random.Random, place: Path) -> None:
    start = rng.choice((b"", b"PAR1", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf", b"[{", b'{"a":'))
    content = rng.randbytes(rng.randrange(300)) if rng.random() < 0.5 else text_of(rng).encode("utf-8", "replace")
    table = read_file(start + content, f"a.{rng.choice(NAMES)}", rng.choice((None, True)))
    to_demonstrations(table, *table.guess)


def some_json(rng: random.Random, place: Path) -> None:
    values = [value_of(rng) for _ in range(rng.randrange(1, 4))]
    written = "\n".join(map(json.dumps, values)) if rng.random() < 0.5 else json.dumps(values)
    table = read_file(written.encode(), rng.choice(("a.json", "a.jsonl", "a")))
    to_demonstrations(table, *table.guess)


def a_study(rng: random.Random, place: Path) -> None:
    fields = rng.sample(sorted(Study.model_fields), rng.randrange(1, 4))
    given = {**{name: value_of(rng) for name in fields}, **({text_of(rng)[:9]: 1} if rng.random() < 0.1 else {})}
    if rng.random() < 0.5:
        Study.model_validate(given)
    else:
        Study.model_validate_json(json.dumps(given))


def small_forms(rng: random.Random, place: Path) -> None:
    read_steps(text_of(rng))
    read_words(text_of(rng))


def a_model(rng: random.Random, place: Path) -> None:
    load_model(rng.choice(("/", "./", "~", "a/b/", "\x1b")) + text_of(rng)[:60])


def a_data_set(rng: random.Random, place: Path) -> None:
    open_data_set(rng.choice(("/", "./", "~", "a/b/")) + text_of(rng)[:60])


def a_card(rng: random.Random, place: Path) -> None:
    folder = place / "set"
    folder.mkdir(exist_ok=True)
    (folder / "train.csv").write_text("text,label\na,0\nb,1\n")
    card = {"configs": value_of(rng), "dataset_info": rng.choice((value_of(rng), {"features": value_of(rng)}))}
    (folder / "README.md").write_text(f"---\n{json.dumps(card)}\n---\n")
    (folder / "dataset_dict.json").unlink(missing_ok=True)
    if rng.random() < 0.3:
        (folder / "dataset_dict.json").write_text(json.dumps({"splits": value_of(rng)}))
    open_data_set(str(folder))


def settings(rng: random.Random, place: Path) -> None:
    folder = place / "llama"
    if not folder.exists():
        write_tiny("llama", folder)
        (folder / "kept.json").write_bytes((folder / "config.json").read_bytes())
    base = json.loads((folder / "kept.json").read_text())
    changed = {name: value_of(rng) for name in rng.sample(sorted(base), rng.randrange(1, 3))}
    (folder / "config.json").write_text(json.dumps({**base, **changed}))
    load_model(str(folder))


KINDS: dict[Callable[[random.Random, Path], None], int] = {
    a_text: 3_000, a_file: 3_000, some_json: 2_000, a_study: 1_500, small_forms: 500, a_model: 400, a_data_set: 200,
    a_card: 200, settings: 300,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_odd_inputs(kind: Callable[[random.Random, Path], None], tmp_path: Path) -> None:
    assert sum(KINDS.values()) >= 10_000
    for number in range(KINDS[kind] if SLOW else KINDS[kind] // 50):
        at = f"ICLENS_SEED={SEED}, {kind.__name__} {number}"
        try:
            kind(random.Random(f"{SEED}/{kind.__name__}/{number}"), tmp_path)
        except ICLensError as error:
            said = str(error)
            assert said.isprintable(), f"{at}: {said!r}"
            assert said.endswith("."), f"{at}: {said!r}"
            assert len(said) < 700, f"{at}: {said!r}"
        except Exception as error:
            pytest.fail(f"{at}: {type(error).__name__}: {error}")
