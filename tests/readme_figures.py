"""The README's table of measured figures, from what the benchmarks wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.effects_report import change, shown_in
from benchmarks.experiments import TARGETS as PACE
from benchmarks.kernels import agreement
from benchmarks.real_effects_report import MODELS, levels_table
from benchmarks.real_model import TARGETS

WORDS = {True: "yes", False: "no", None: "not shown"}
"""None is an interval that reaches over the target: neither met nor missed is shown."""
Row = tuple[str, str, str, bool | None]
RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def judged(low: float, high: float, target: float, smaller: bool) -> bool | None:
    """Whether an interval lies on the right side of a target, None where it reaches over it."""
    best, worst = (low, high) if smaller else (high, low)
    met = worst <= target if smaller else worst >= target
    missed = best > target if smaller else best < target
    return True if met else False if missed else None


def _rounds(ways: dict[str, Any], name: str, against: str) -> tuple[float, float]:
    """The least and the largest ratio of two ways that were measured in turn, round by round."""
    ratios = [a / b for a, b in zip(ways[name]["rounds"], ways[against]["rounds"], strict=True)]
    return min(ratios), max(ratios)


def _read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _embedded() -> list[Row]:
    rows = _read("embedded").get("overall", {})
    return [
        (
            f"Embedded model: {name}",
            f"{row['value']:.3f}" + (f" ({row['low']:.3f} to {row['high']:.3f})" if "low" in row else ""),
            f"{'at most' if row['better'] == 'lower' else 'at least'} {row['target']:g}",
            row["met"],
        )
        for name, row in rows.items()
    ]


def _scoring() -> list[Row]:
    found = _read("scoring")
    titles = {
        "shared": ("Scoring 16 demonstrations × 32 queries × 4 labels", 25.0),
        "nothing shared": ("Scoring texts that share nothing", 1.0),
    }
    rows: list[Row] = []
    for part, (title, target) in titles.items():
        ways = found.get(part, {}).get("ways", {})
        for way in (name for name in ways if name != "ICLens"):
            low, high = _rounds(ways, way, "ICLens")
            value = f"{ways[way]['ratio']:.2f} × as fast (rounds: {low:.2f} to {high:.2f})"
            rows.append((f"{title}, against {way}", value, f"at least {target:g} ×", judged(low, high, target, False)))
    return rows


def _dashboard() -> list[Row]:
    found = _read("dashboard")
    if not found:
        return []
    study, ratio = found["compute"], found["redraw"]["ratio"]
    least, largest = study["least_ms"], study["largest_ms"]
    one = f"{study['median_ms']:.0f} ms (rounds: {least:.0f} to {largest:.0f})"
    pages = {name: row["ratio"] for name, row in found.get("pages", {}).items()}
    slowest = max(pages, key=lambda name: pages[name], default="")
    others = [(f"… on the slowest of {len(pages)} other pages ({slowest.capitalize()}), its analyses there already",
               f"{pages[slowest]:.2f} ×", "at most 3 ×", pages[slowest] <= 3)] if pages else []  # fmt: skip
    return [
        ("One study of 16 demonstrations: answer, posteriors, kernels, attention", one, "under 150 ms",
         judged(least, largest, 150, True)),
        ("Edit → all views redrawn on the Playground, against an empty rerun", f"{ratio:.2f} ×", "at most 2 ×",
         ratio <= 2),
        *others,
    ]  # fmt: skip


def _attention() -> list[Row]:
    ways = _read("attention").get("ways", {})
    rows: list[Row] = []
    for name, way in ways.items():
        if name == "plain":
            continue
        what = f"Attention of 4,096 tokens, {name}"
        share, ratio = way["added_share"], way["ratio"]
        rows.append((f"{what}: memory added, of the full maps", f"{share:.2%}", "at most 2%", share <= 0.02))
        low, high = _rounds(ways, name, "plain")
        value = f"{ratio:.2f} × (rounds: {low:.2f} to {high:.2f})"
        rows.append((f"{what}: time, against the plain pass", value, "at most 1.3 ×", judged(low, high, 1.3, True)))
    return rows


def _kernels() -> list[Row]:
    found = _read("kernels")
    if not found:
        return []
    row = found["overall"]["rows"][0]
    low, high = row["model_interval"]
    return [
        ("Best head reproduces the answer, held out, all kinds of labels",
         f"{row['model']:.3f} ({low:.3f} to {high:.3f})", f"at least {found['target']:g}",
         judged(low, high, found["target"], False)),
    ]  # fmt: skip


def _ordering() -> list[Row]:
    rows: list[Row] = []
    for name, case in _read("ordering").get("cases", {}).items():
        ratio = case["ways"]["each prompt whole"]["processor_ratio"]
        what = f"GlobalE, 24 orders × 16 probes, {name}: against each prompt whole"
        rows.append((what, f"{ratio:.2f} × as fast", "at least 5 ×", ratio >= 5))
    return rows


def _misfit() -> list[Row]:
    found = _read("misfit")
    if not found:
        return []
    false, right = found["inside"]["either"], found["all outside"]["either"]

    def share(row: dict[str, float]) -> str:
        return f"{row['share']:.1%} ({row['low']:.1%} to {row['high']:.1%})"

    return [
        ("“Does not fit” on studies of the mixture", share(false), "at most 2%",
         judged(false["low"], false["high"], 0.02, True)),
        ("“Does not fit” on studies that none of its tasks explains", share(right), "at least 95%",
         judged(right["low"], right["high"], 0.95, False)),
    ]  # fmt: skip


def _real_model() -> list[Row]:
    found = _read("real_model")
    if not found:
        return []
    rows: list[Row] = []
    for state, target in TARGETS.items():
        own = found["edits"][state]
        low, high = own["wall, now, rounds"]
        value = f"{own['wall, now']:.2f} × (rounds: {low:.2f} to {high:.2f})"
        what = f"SmolLM2-135M, a study of 16 demonstrations, {state}: against plain passes"
        rows.append((what, value, f"at most {target:g} ×", judged(low, high, target, True)))
    (low, high), times = found["lm-eval"]["rounds faster"], found["lm-eval"]["times faster"]
    rows.append(
        (f"SmolLM2-135M, {found['lm-eval']['queries']} queries behind 16 demonstrations, against lm-eval HFLM",
         f"{times:.1f} × as fast (rounds: {low:.1f} to {high:.1f})", "at least 15 ×", judged(low, high, 15, False))
    )  # fmt: skip
    low, high = found["orders"]["rounds"]
    rows.append(
        ("SmolLM2-135M, 24 orders × 10 questions: processor time against plain passes over as many tokens",
         f"{found['orders']['ratio']:.2f} × (rounds: {low:.2f} to {high:.2f})", "at most 1.5 ×",
         judged(low, high, 1.5, True))
    )  # fmt: skip
    memory = found["memory"]["ratio"]
    what = "SmolLM2-135M, 64 demonstrations: peak of memory, against a plain pass"
    rows.append((what, f"{memory:.2f} ×", "at most 1.25 ×", memory <= 1.25))
    return rows


def sums() -> str:
    """Accuracy on long sums by way of answering, as Markdown; "" before the benchmark has been run."""
    rows = [row for row in _read("embedded").get("long_sums", []) if row["k"] == 4]
    ways = list(dict.fromkeys(row["way"] for row in rows))
    found = {(row["addends"], row["way"]): row for row in rows}
    lines = [f"| numbers added | {' | '.join(ways)} |", "|---|" + "---:|" * len(ways)]
    for addends in sorted({row["addends"] for row in rows}):
        cells = [f"{r['accuracy']:.2f} ({r['low']:.2f} to {r['high']:.2f})" for r in (found[addends, w] for w in ways)]
        lines.append(f"| {addends} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n" if rows else ""


def effects() -> str:
    """The table of published effects as Markdown, a column a model; "" before the benchmark has been run."""
    models = _read("real_effects").get("models", {})
    tables = [models[name]["effects"] for name in MODELS if name in models]
    rows = [
        f"| {group[0]['effect']} ({group[0]['source']}) | " + " | ".join(_effect(row) for row in group) + " |"
        for group in zip(*tables, strict=True)
    ]
    head = [f"| | {' | '.join(MODELS.values())} |", "|---|" + "---|" * len(MODELS)]
    return "\n".join([*head, *rows]) + "\n" if rows else ""


def _effect(row: dict[str, Any]) -> str:
    """The difference of accuracy with its interval, and in what a gain or a harm is shown."""
    said = [f"{kind} in {what}" for kind in ("gain", "harm") if (what := shown_in(row, kind)) != "–"]
    told = f": **{'; '.join(said)}**" if said else ""
    return f"{change(row['difference'])} ({change(row['low'])} to {change(row['high'])}){told}"


def plainly() -> str:
    """What appears on the real models and what does not, in sentences; by accuracy, and a gain only."""
    models = _read("real_effects").get("models", {})
    real = [models[name]["effects"] for name in MODELS if name in models and name != "embedded"]
    by_count: dict[int, list[str]] = {}
    for group in zip(*real, strict=True):
        by_count.setdefault(sum(row["verdict"] == "gain" for row in group), []).append(group[0]["effect"])
    heads = {2: "On both real models accuracy gains by", 1: "On one of them by", 0: "On neither a gain is shown by"}
    lines = [f"- {heads[count]}: {'; '.join(by_count[count])}." for count in heads if by_count.get(count)]
    return "\n".join(lines) + "\n" if models else ""


def _experiment_pace() -> list[Row]:
    rows: list[Row] = []
    for kind, row in _read("experiments").get("lm-eval", {}).items():
        low, high = row["rounds"]
        title = "16 shared demonstrations" if kind == "shared" else "four demonstrations for each question"
        target = PACE[kind]
        value = f"{row['times faster']:g} × as fast (rounds: {low:g} to {high:g})"
        wanted = f"at least {target:g} ×"
        rows.append(
            (f"An experiment's items, {title}, against lm-eval", value, wanted, judged(low, high, target, False))
        )
    return rows


def _experiments() -> list[Row]:
    """The least and the greatest share over all scenarios, of what is held and of what is seen."""
    found = _read("experiment_intervals")
    if not found:
        return []
    held = [row["held"][f"{what}, ours"] for row in found["coverage"].values() for what in ("mean", "difference")]
    seen = [row["seen"]["permutation"] for row in found["null"].values()]
    rows: list[Row] = []
    for title, shares, ends in (
        ("95 % intervals of experiments, means and differences: share that holds the truth", held, found["holds"]),
        ("Paired test on experiments without an effect: share with p ≤ .05", seen, found["sees"]),
    ):
        least, most = (pick(shares, key=lambda one: float(one["share"])) for pick in (min, max))
        for word, one, end, smaller in (("least", least, ends[0], False), ("greatest", most, ends[1], True)):
            value = f"{one['share']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
            target = f"{'at most' if smaller else 'at least'} {end:g}"
            met = judged(one["low"], one["high"], end, smaller)
            rows.append((f"{title}, {word} of {len(shares)}", value, target, met))
    return rows


def curve() -> str:
    """Accuracy after so many demonstrations as Markdown, a column a model."""
    models = _read("real_effects").get("models", {})
    return "\n".join(levels_table(models, "curve", "demonstrations")) + "\n" if models else ""


def best_heads() -> str:
    """How often the best head's vote is the model's answer, as Markdown."""
    models = _read("real_effects").get("models", {})
    rows = []
    for name in (name for name in MODELS if name in models):
        kernels = models[name]["kernel"]["rows"]
        cells = [agreement(kernels[place], of) for place, of in ((0, "model"), (-1, "model"), (0, "gold"))]
        rows.append(f"| {MODELS[name]} | {kernels[0]['choice']} | {' | '.join(cells)} |")
    head = [
        "| | best head | its vote is the model's answer | the commonest label is | its vote is right |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n" if rows else ""


def _visitors() -> list[Row]:
    found = _read("visitors")
    if not found:
        return []
    rows: list[Row] = []
    for count, most in ((8, 3), (50, 12)):
        own = found["clicks"]["visitors"][str(count)]
        low, high = min(own["by round"]), max(own["by round"])
        what = f"{count} visitors who click at once, median against one alone"
        value = f"{own['times one']:.1f} × (rounds: {low:.1f} to {high:.1f})"
        rows.append((what, value, f"at most {most} ×", judged(low, high, most, True)))
    views = found["clicks"]["views"].values()
    unlike, largest = sum(row["unlike"] for row in views), max(row["off"] for row in views)
    pictures = sum(row["pictures"] for row in views)
    value = f"{unlike} of {pictures:,}, by {largest:.1g} at most"
    rows.append(("… charts and prompts not bit for bit those of one alone", value, "none", unlike == 0))
    long = found["two hours"]
    interval = f"{long['MB per 100 sessions']:.1f} MB ({long['least']:.1f} to {long['largest']:.1f})"
    what = f"Memory that 100 sessions of 10 edits leave, of {long['sessions']}, after the first tenth"
    rows.append((what, interval, "at most 0 MB", judged(long["least"], long["largest"], 0, True)))
    return rows


def figures() -> str:
    """The table as Markdown; a benchmark that has not been run has no rows."""
    rows = [*_dashboard(), *_scoring(), *_real_model(), *_attention()]
    rows += [*_visitors(), *_embedded(), *_kernels(), *_misfit(), *_ordering(), *_experiments()]
    rows += _experiment_pace()
    lines = ["| | measured | target | met |", "|---|---:|---:|---|"]
    lines += [f"| {what} | {value} | {target} | {WORDS[met]} |" for what, value, target, met in rows]
    return "\n".join(lines) + "\n" if rows else ""
