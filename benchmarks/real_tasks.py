"""Tasks of ../shared/data as effects are measured on them: a pool and questions that are not in it, drawn by a seed.

Seven tasks: SST-2, AG News by its titles (four classes), and five word tasks of Todd et al. (2024). Four of two
classes, for prompts that lean to a label: SST-2, short reviews of the same collection, and two pairs of news classes.
"""

from __future__ import annotations

import csv
import json
import random
from functools import cache
from pathlib import Path

from benchmarks.effects_tasks import Rows, Task
from core import Demonstration
from core.study.prompts import Template

DATA = Path(__file__).parents[2] / "shared" / "data"
WORDS = ("antonym", "country-capital", "english-french", "present-past", "singular-plural")
PAIRS = (("World", "Sports"), ("Business", "Technology"))
POOL, QUESTIONS, WORD_QUESTIONS, PROBES = 100, 16, 12, 8
Pairs = list[tuple[str, str]]


def _blocks(name: str, before: str, between: str) -> Template:
    """Input and label on a line each and a blank line after them, as Zhao et al. (2021) write these tasks."""
    return Template(
        name=name,
        input_prefix=before,
        label_prefix=f"\n{between}",
        end="\n\n",
        channel_label_prefix=between,
        channel_input_prefix=f"\n{before}",
    )


REVIEWS = _blocks("reviews", "Review: ", "Sentiment: ")
NEWS = _blocks("news", "Article: ", "Answer: ")


@cache
def _sst2(part: str) -> tuple[tuple[str, str], ...]:
    lines = (DATA / "sst2" / f"{part}.txt").read_text().splitlines()
    return tuple((text, ("negative", "positive")[int(label)]) for label, text in (line.split(" ", 1) for line in lines))


@cache
def _news() -> tuple[tuple[str, str], ...]:
    names = ("World", "Sports", "Business", "Technology")  # Science/Tech in classes.txt
    with (DATA / "agnews" / "test-first-1000.csv").open(newline="") as file:
        return tuple((row["Title"].strip(), names[int(row["Class Index"]) - 1]) for row in csv.DictReader(file))


@cache
def _vectors(name: str) -> tuple[tuple[str, str], ...]:
    rows = json.loads((DATA / "function_vectors" / f"{name}.json").read_text())
    return tuple((str(row["input"]).strip(), str(row["output"]).strip()) for row in rows)


def seven(seed: int) -> list[Task]:
    """SST-2, AG News and the word tasks."""
    news = _classes("AG News", _news(), _news(), seed, NEWS)
    return [_sentences(seed), news, *(_words(name, seed) for name in WORDS)]


def two_classes(seed: int) -> list[Task]:
    """SST-2, the short reviews and two pairs of AG News's classes."""
    short = _vectors("sentiment")
    found = [_sentences(seed), _classes("short reviews", short, short, seed, REVIEWS)]
    for pair in PAIRS:
        rows = tuple(row for row in _news() if row[1] in pair)
        found.append(_classes(" or ".join(pair), rows, rows, seed, NEWS))
    return found


def _sentences(seed: int) -> Task:
    return _classes("SST-2", _sst2("dev"), _sst2("test"), seed, REVIEWS)


def _classes(
    name: str,
    ask: tuple[tuple[str, str], ...],
    show: tuple[tuple[str, str], ...],
    seed: int,
    template: Template,
) -> Task:
    """As many questions and as many rows of the pool of each class, no text twice."""
    rng = random.Random(f"real/{name}/{seed}")
    labels = tuple(sorted({label for _, label in ask}))
    questions = _drawn(ask, labels, QUESTIONS, rng, set())
    pool = _drawn(show, labels, POOL, rng, {text for text, _ in questions})
    return Task(name, "classes", False, labels, _rows(pool), tuple(questions), seed, template, PROBES)


def _drawn(
    rows: tuple[tuple[str, str], ...], labels: tuple[str, ...], count: int, rng: random.Random, known: set[str]
) -> Pairs:
    free = dict(row for row in rng.sample(rows, len(rows)) if row[0] not in known)
    found: Pairs = []
    for wanted in labels:
        found += [(text, label) for text, label in free.items() if label == wanted][: count // len(labels)]
    rng.shuffle(found)
    return found


def _words(name: str, seed: int) -> Task:
    """The candidates are the answers to all questions, which differ; a pool row may have an answer of its own."""
    rng = random.Random(f"real/{name}/{seed}")
    rows = _vectors(name)
    rows = tuple(dict(rng.sample(rows, len(rows))).items())
    questions: Pairs = []
    for text, label in rows:
        if len(questions) < WORD_QUESTIONS and label not in {answer for _, answer in questions}:
            questions.append((text, label))
    asked = {text for text, _ in questions}
    pool = [row for row in rows if row[0] not in asked][:POOL]
    labels = tuple(sorted(label for _, label in questions))
    return Task(name, "words", False, labels, _rows(pool), tuple(questions), seed, probes=PROBES)


def _rows(pairs: Pairs) -> Rows:
    return tuple(Demonstration(input=text, label=label) for text, label in pairs)


def with_wrong(shown: Rows, pool: Rows, wrong: int, seed: int) -> Rows:
    """The rows with `wrong` labels replaced, each by another label of the pool at random; fewer are among more."""
    rng = random.Random(f"wrong/{seed}/{shown[0].input}")
    others = sorted({row.label for row in pool})
    places = rng.sample(range(len(shown)), len(shown))
    instead = {place: rng.choice([label for label in others if label != shown[place].label]) for place in places}
    replaced = set(places[:wrong])
    return tuple(
        Demonstration(input=row.input, label=instead[i]) if i in replaced else row for i, row in enumerate(shown)
    )


def shown_first(task: Task, count: int) -> Rows:
    """The first of the pool in an order drawn by task and seed, the same for every question; more hold fewer."""
    rows = list(task.pool)
    random.Random(f"shown/{task.family}/{task.seed}").shuffle(rows)
    return tuple(rows[:count])
