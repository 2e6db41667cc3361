"""Fifty visitors who click at once beside one who is alone, and what two hours of visits leave behind in the server.

    python -m benchmarks.visitors         minutes; needs nothing; writes benchmarks/results/visitors.*

The visitors are websocket clients of a real server (`visiting.py`), each with a study of his own, and every click is an
edit of the query on the Playground: answer, posteriors, kernels and attention of the embedded model, four charts. A
round is one click of everybody at the same moment; the numbers of visitors take turns, so that all are measured on
the same machine in the same minutes. Every view that anybody was sent is held, bit by bit, against what one visitor
alone is sent for the same edit by a server of its own.

The visits of two hours are taken one after the other without the pauses in between, a few at a time, and a session
that was left is forgotten as soon after its last click as it would be among pauses (`server.disconnectedSessionTTL`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.dashboard import machine
from benchmarks.visiting import Shown, Visitor
from benchmarks.written import write_results
from core.mixture.mixture import load_mixture
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.session.store import FILE
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies
from tests.browser.server import Server, serve

TOGETHER = {1: 12, 8: 5, 50: 3}
WARM = 1  # rounds before that, not counted
TARGETS = {8: 3.0, 50: 12.0}  # medians, as multiples of one visitor's
SESSIONS, EDITS, AT_ONCE, LOOK_EVERY = 200, 10, 4, 5
REST = 2.5  # seconds without an edit before memory is looked at: the server tidies up after one and a half
FORGOTTEN = 1  # seconds
DEMONSTRATIONS = 8
QUERY = "Query x"
NUMBER = re.compile(rb"-?\d+\.\d+(?:e-?\d+)?")


Views = dict[tuple[int, int], dict[str, bytes]]  # by visitor and turn, what was sent for every view


@dataclass(frozen=True)
class Plan:
    """What a visitor does: opens a study by its link, and types queries one after the other."""

    study: str
    queries: tuple[str, ...]


def plans(count: int, queries: int, folder: Path) -> list[Plan]:
    """Plans that have no demonstration set and no query in common, their studies kept where a server will look."""
    mixture = load_mixture()
    families = sorted(mixture.families)
    kept = Studies(Database(folder / "home" / FILE))
    found = []
    for number in range(count):
        pairs = mixture.sample(families[number % len(families)], 40, seed=number)
        rows = tuple(Demonstration(input=x, label=y) for x, y in pairs[:DEMONSTRATIONS])
        words = dict.fromkeys(x for x, _ in pairs[DEMONSTRATIONS:])
        several = list(words) * (1 + queries // len(words))
        asked = [word if turn < len(words) else f"{word} {turn}" for turn, word in enumerate(several[:queries])]
        study = Study(demonstrations=rows, query=f"{asked[-1]} {number}")
        found.append(Plan(kept.save(study)[0], tuple(asked)))
    kept.database.close()
    return found


@contextmanager
def served(name: str, plan: tuple[int, int]) -> Iterator[tuple[Server, list[Plan]]]:
    """A server of its own, and plans for so many visitors of so many edits."""
    with tempfile.TemporaryDirectory(prefix=f"iclens-{name}-") as folder:
        (Path(folder) / "home").mkdir()
        made = plans(*plan, Path(folder))
        with serve(Path(folder)) as server:
            yield server, made


async def enter(server: Server, plan: Plan) -> Visitor:
    """A visitor who has opened his study."""
    visitor = Visitor(server.url, f"study={plan.study}")
    await visitor.enter()
    return visitor


def rounds() -> list[int]:
    """How many click at once, round after round, every number spread over the whole."""
    left = {count: WARM + number for count, number in TOGETHER.items()}
    whole = dict(left)
    found = []
    while any(left.values()):
        count = max(left, key=lambda one: left[one] / whole[one])
        left[count] -= 1
        found.append(count)
    return found


async def crowd(server: Server, made: list[Plan]) -> tuple[dict[int, list[list[float]]], dict[tuple[int, int], Shown]]:
    """Seconds of every click by how many clicked, a list a round; and what each visitor was shown after each edit."""
    visitors = [await enter(server, plan) for plan in made]
    took: dict[int, list[list[float]]] = {count: [] for count in TOGETHER}
    shown: dict[tuple[int, int], Shown] = {}
    typed = [0] * len(made)
    for number, count in enumerate(rounds()):
        # Others each time: the numbers of visitors do not share who they are.
        people = [(number + place) % len(made) for place in range(count)]

        async def click(one: int) -> tuple[int, Shown]:
            return one, await visitors[one].type(QUERY, made[one].queries[typed[one]])

        found = await asyncio.gather(*(click(one) for one in people))
        for one, what in found:
            shown[one, typed[one]] = what
            typed[one] += 1
        took[count].append([what.seconds for _, what in found])
        await asyncio.sleep(0.2)
    for visitor in visitors:
        await visitor.leave()
    return {count: some[WARM:] for count, some in took.items()}, shown


async def alone(server: Server, made: list[Plan], asked: set[tuple[int, int]]) -> Views:
    """The views that the same edits lead to where one visitor at a time is there."""
    found = {}
    for one, plan in enumerate(made):
        visitor = await enter(server, plan)
        for turn in range(len(plan.queries)):
            if (one, turn) in asked:
                found[one, turn] = (await visitor.type(QUERY, plan.queries[turn])).views
        await visitor.leave()
    return found


def click_together() -> dict[str, Any]:
    """How long clicks take, and whose views were not those of the same edit alone."""
    plan = max(TOGETHER), len(rounds())
    with served("crowd", plan) as (server, made):
        took, shown = asyncio.run(crowd(server, made))
    with served("alone", plan) as (server, made):
        expected = asyncio.run(alone(server, made, set(shown)))
    one = statistics.median(flat(took[1]))
    return {
        "visitors": {
            str(count): {
                "rounds": len(some),
                "median ms": 1000 * statistics.median(flat(some)),
                "slowest ms": 1000 * max(flat(some)),
                "times one": statistics.median(flat(some)) / one,
                "by round": [statistics.median(each) / one for each in some],
            }
            for count, some in took.items()
        },
        "clicks": len(shown),
        "different": len({tuple(sorted(one.items())) for one in expected.values()}),
        "views": {name: unlike(name, shown, expected) for name in sorted(next(iter(expected.values())))},
    }


def unlike(name: str, shown: dict[tuple[int, int], Shown], expected: Views) -> dict[str, float]:
    """How many of a view's pictures were, bit for bit, not the serial one, and by how much a number in them was off."""
    pairs = [(what.views[name], expected[place][name]) for place, what in shown.items()]
    others = [pair for pair in pairs if pair[0] != pair[1]]
    return {"pictures": len(pairs), "unlike": len(others), "off": max((off(*pair) for pair in others), default=0.0)}


def off(one: bytes, other: bytes) -> float:
    """The largest difference of two numbers at the same place; infinity where anything else differs too."""
    numbers = [np.array(NUMBER.findall(each), dtype=np.float64) for each in (one, other)]
    words = [NUMBER.sub(b"", each[each.find(b"{") :]) for each in (one, other)]
    if words[0].split(b'"data"')[-1] != words[1].split(b'"data"')[-1] or len(numbers[0]) != len(numbers[1]):
        return float("inf")
    return float(np.abs(numbers[0] - numbers[1]).max())


def flat(some: Sequence[Sequence[float]]) -> list[float]:
    """All of several lists."""
    return [one for each in some for one in each]


def state_of(process: int) -> dict[str, float]:
    """Memory in MB, descriptors and threads of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    memory = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return {
        "MB": memory / 1024,
        "descriptors": len(list(Path(f"/proc/{process}/fd").iterdir())),
        "threads": len(list(Path(f"/proc/{process}/task").iterdir())),
    }


async def visits(server: Server, made: list[Plan]) -> list[dict[str, float]]:
    """The server before the first visit that counts, after every few of them, and once all sessions are forgotten."""

    async def visit(plan: Plan) -> None:
        visitor = await enter(server, plan)
        for query in plan.queries:
            await visitor.type(QUERY, query)
        await visitor.leave()

    await visit(made[0])
    await asyncio.sleep(REST)
    looks = [{"sessions": 0.0, **state_of(server.process)}]
    for start in range(1, len(made), AT_ONCE * LOOK_EVERY):
        for first in range(start, min(start + AT_ONCE * LOOK_EVERY, len(made)), AT_ONCE):
            await asyncio.gather(*map(visit, made[first : first + AT_ONCE]))
        await asyncio.sleep(REST)
        looks.append({"sessions": float(min(start + AT_ONCE * LOOK_EVERY, len(made)) - 1), **state_of(server.process)})
    await asyncio.sleep(FORGOTTEN + 2 * REST)
    looks.append({"sessions": float(len(made) - 1), **state_of(server.process)})
    return looks


def two_hours() -> dict[str, Any]:
    """Memory over sessions, its slope after the first tenth, and what is held open before and after."""
    os.environ["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = str(FORGOTTEN)
    try:
        with served("visits", (SESSIONS + 1, EDITS)) as (server, made):
            start = time.perf_counter()
            looks = asyncio.run(visits(server, made))
            seconds = time.perf_counter() - start
    finally:
        del os.environ["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"]
    late = [look for look in looks[:-1] if look["sessions"] >= SESSIONS / 10]
    line = stats.linregress([look["sessions"] for look in late], [look["MB"] for look in late])
    half = float(line.stderr * stats.t.ppf(0.975, len(late) - 2))
    return {
        "sessions": SESSIONS,
        "edits": SESSIONS * EDITS,
        "seconds": seconds,
        "looks": looks,
        "MB per 100 sessions": 100 * float(line.slope),
        "least": 100 * (float(line.slope) - half),
        "largest": 100 * (float(line.slope) + half),
        "noise MB": float(np.std([look["MB"] - line.intercept - line.slope * look["sessions"] for look in late])),
        "before": looks[0],
        "after": looks[-1],
    }


def report(found: dict[str, Any]) -> str:
    """Both tables."""
    clicks, long = found["clicks"], found["two hours"]
    lines = [
        "# Many visitors",
        "",
        "`python -m benchmarks.visitors`. Websocket clients of one server, each with a study of his own; a click edits",
        "the query on the Playground. Median over all clicks of all rounds, from the message to the word that the page",
        "is drawn.",
        "",
        "| visitors at once | rounds | median | slowest | times one visitor's (rounds) | target |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for count, row in clicks["visitors"].items():
        times = f"{row['times one']:.1f} × ({min(row['by round']):.1f} to {max(row['by round']):.1f})"
        milliseconds = f"{row['median ms']:.0f} ms | {row['slowest ms']:.0f} ms"
        target = f"at most {TARGETS[int(count)]:g} ×" if int(count) in TARGETS else ""
        lines.append(f"| {count} | {row['rounds']} | {milliseconds} | {times} | {target} |")
    lines += [
        "",
        f"{clicks['clicks']:,} clicks, of which {clicks['different']:,} lead to pages that no other leads to. Against "
        "what one visitor alone is sent for the same edit by a server of its own:",
        "",
        "| view | pictures | not bit for bit the same | largest difference of a number |",
        "|---|---:|---:|---:|",
        *(
            f"| {name.removeprefix('playground_')} | {row['pictures']:,} | {row['unlike']:,} | {row['off']:.1g} |"
            for name, row in clicks["views"].items()
        ),
        "",
        f"{long['sessions']} sessions of {EDITS} edits, {AT_ONCE} at a time, in {long['seconds']:.0f} s: "
        f"{long['MB per 100 sessions']:+.2f} MB for 100 sessions after the first tenth (95 % interval "
        f"{long['least']:+.2f} to {long['largest']:+.2f}; looks scatter by {long['noise MB']:.1f} MB about the line).",
        "",
        "| | memory | descriptors | threads |",
        "|---|---:|---:|---:|",
    ]
    for name in ("before", "after"):
        row = long[name]
        lines.append(f"| {name} | {row['MB']:.0f} MB | {row['descriptors']} | {row['threads']} |")
    return "\n".join([*lines, ""])


def missed(found: dict[str, Any]) -> list[str]:
    """Targets that are not met."""
    clicks, long = found["clicks"], found["two hours"]
    rows = clicks["visitors"]
    said = [f"{count} visitors" for count, most in TARGETS.items() if rows[str(count)]["times one"] > most]
    said += [name for name, row in clicks["views"].items() if row["unlike"]]
    said += ["memory"] * (long["least"] > 0)
    said += [what for what in ("descriptors", "threads") if long["after"][what] > long["before"][what]]
    return said


def main() -> int:
    """Measure, write, and say which targets are missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("clicks", "visits"), help="print one of the two, and write nothing")
    only = parser.parse_args().only
    if only:
        print(click_together() if only == "clicks" else two_hours())
        return 0
    found = {"machine": machine(), "clicks": click_together(), "two hours": two_hours()}
    write_results("visitors", found, report(found))
    print(report(found))
    for target in missed(found):
        print(f"missed: {target}")
    return int(bool(missed(found)))


if __name__ == "__main__":
    sys.exit(main())
