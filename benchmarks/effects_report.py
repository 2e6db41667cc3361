"""Effects in numbers: differences of two ways on the same questions, with intervals, and the tables they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.statistics.bootstrap import mean_over_groups
from core.statistics.verdicts import LEAST, LEVEL, holm, p_of_interval, verdict

Floats = NDArray[np.float64]
Cell = dict[str, list[float]]
Found = dict[str, dict[str, Cell]]

# Name, the way that should win, the way it is held against, and who found it.
EFFECTS: tuple[tuple[str, str, str, str], ...] = (
    ("Similarity above random selection", "select/similarity", "select/random", "Liu et al. 2022"),
    ("Similarity (TF-IDF) above random selection", "select/similarity, TF-IDF", "select/random", "Liu et al. 2022"),
    ("Nearest last above random order, 4 at random", "order/nearest last", "order/random", "Liu et al. 2022"),
    ("Nearest first above random order, 4 at random", "order/nearest first", "order/random", "Liu et al. 2022"),
    ("Nearest last above random order, 8 by similarity", "near/nearest last", "near/random", "Liu et al. 2022"),
    ("Nearest first above random order, 8 by similarity", "near/nearest first", "near/random", "Liu et al. 2022"),
    ("GlobalE above random order", "order/globale", "order/random", "Lu et al. 2022"),
    ("LocalE above random order", "order/locale", "order/random", "Lu et al. 2022"),
    ("Channel above direct, labels 7:1", "majority/channel", "majority/direct", "Min et al. 2022"),
    ("Contextual calibration above none, labels 7:1", "majority/contextual", "majority/direct", "Zhao et al. 2021"),
    ("Contextual calibration above none, one label last", "recency/contextual", "recency/direct", "Zhao et al. 2021"),
    ("Contextual calibration above none, 6:2 and last", "both/contextual", "both/direct", "Zhao et al. 2021"),
    (
        "Domain-context calibration above none, labels 7:1",
        "majority/domain-context",
        "majority/direct",
        "Fei et al. 2023",
    ),
    (
        "Domain-context calibration above none, one label last",
        "recency/domain-context",
        "recency/direct",
        "Fei et al. 2023",
    ),
    ("Domain-context calibration above none, 6:2 and last", "both/domain-context", "both/direct", "Fei et al. 2023"),
    ("Prior correction above none, labels 7:1", "majority/prior", "majority/direct", "Zhou et al. 2024"),
    ("Prior correction above none, one label last", "recency/prior", "recency/direct", "Zhou et al. 2024"),
    ("Prior correction above none, 6:2 and last", "both/prior", "both/direct", "Zhou et al. 2024"),
    ("PMI above direct, labels 7:1", "majority/pmi", "majority/direct", "Holtzman et al. 2021"),
)
BOUNDS: tuple[tuple[str, str, str], ...] = (
    ("Best of 24 orders above random order (chosen on these very questions)", "order/best", "order/random"),
    ("Random order above the worst of 24 (chosen likewise)", "order/random", "order/worst"),
    ("Questions that some order answers and another does not", "order/some", "order/every"),
)
GROUPED = (
    "Similarity above random selection",
    "GlobalE above random order",
    "LocalE above random order",
    "Channel above direct, labels 7:1",
    "Contextual calibration above none, labels 7:1",
    "Domain-context calibration above none, labels 7:1",
    "Prior correction above none, labels 7:1",
)
GROUPS = ("natural", "flipped", "arbitrary", "reviews", "map")
PROMPTS = {"majority": "7:1", "recency": "4:4, one label last", "both": "6:2, the two first"}
WAYS = ("direct", "contextual", "domain-context", "prior", "channel", "pmi", "perplexity")


def cells_of(found: Sequence[Found], measure: str, of: str, families: Sequence[str]) -> list[list[Floats]]:
    """Values by seed and task, each over its questions."""
    return [[np.array(seed[measure][family][of]) for family in families] for seed in found]


def interval(
    cells: Sequence[Sequence[Floats]], seed: int = 0, span: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float, float, float]:
    """Mean over all questions and its 95 % interval.

    Bootstrap within seeds: of each seed its tasks with replacement, the questions of a task and seed together, since
    they share their prompt. Every task of every seed has draws of its own, so resampling the seeds as well would count
    the spread twice.

    Args:
        cells: seeds × tasks, an array of values over questions each.
        span: the least and the most that a value can be.
    """
    return mean_over_groups(cells, seed, span)


def difference(found: Sequence[Found], first: str, second: str, families: Sequence[str]) -> dict[str, Any]:
    """Accuracy of both, and the paired difference of accuracy and of P(gold) with intervals; no verdict yet."""
    rights = [cells_of(found, measure, "right", families) for measure in (first, second)]
    shares = [cells_of(found, measure, "p", families) for measure in (first, second)]
    gain, low, high = interval(_minus(*rights))
    p, p_low, p_high = interval(_minus(*shares))
    return {
        "accuracy": _mean(rights[0]),
        "against": _mean(rights[1]),
        "difference": gain,
        "low": low,
        "high": high,
        "p_difference": p,
        "p_low": p_low,
        "p_high": p_high,
        "items": sum(len(cell) for row in rights[0] for cell in row),
        "units": sum(len(row) for row in rights[0]),
    }


def judged(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one table with a verdict on the accuracy and one on P(right): one family of 2 · rows tests.

    Two-sided: p follows from estimate and interval, and is corrected by Holm for all tests of the table. Below 20 tasks
    (a task of a seed is what is drawn anew) nothing is said.
    """
    fields = (("difference", "low", "high"), ("p_difference", "p_low", "p_high"))
    p = holm([p_of_interval(*(row[name] for name in names)) for names in fields for row in rows])
    return [
        {
            **row,
            "corrected": float(p[i]),
            "verdict": verdict(row["difference"], float(p[i]), row["units"]),
            "p_corrected": float(p[len(rows) + i]),
            "p_verdict": verdict(row["p_difference"], float(p[len(rows) + i]), row["units"]),
        }
        for i, row in enumerate(rows)
    ]


def shown_in(row: Mapping[str, Any], kind: str) -> str:
    """Where a row shows a "gain" or a "harm": accuracy, P(right), both; a dash for neither."""
    measures = {"accuracy": row["verdict"], "P(right)": row["p_verdict"]}
    if kind == "gain" and set(measures.values()) == {"too few"}:
        return "too few tasks"
    return ", ".join(name for name, said in measures.items() if said == kind) or "–"


def _minus(first: Sequence[Sequence[Floats]], second: Sequence[Sequence[Floats]]) -> list[list[Floats]]:
    return [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(first, second, strict=True)]


def _mean(cells: Sequence[Sequence[Floats]]) -> float:
    return float(np.concatenate([cell for row in cells for cell in row]).mean())


def summarise(found: Sequence[Found], kinds: Mapping[str, str], reviews: set[str]) -> dict[str, Any]:
    """Every effect over all its tasks and by kind of task, bounds of order, leanings, and other selections."""
    effects, grouped = [], []
    for name, first, second, source in EFFECTS:
        families = [family for family in found[0][first] if family in found[0][second]]
        effects.append({"effect": name, "source": source, **difference(found, first, second, families)})
        if name not in GROUPED:
            continue
        for group in GROUPS:
            some = [f for f in families if (f in reviews if group == "reviews" else kinds[f] == group)]
            if some:
                grouped.append({"effect": name, "tasks": group, **difference(found, first, second, some)})
    concepts = list(found[0]["order/random"])
    others = []
    for measure in sorted(m for m in found[0] if m.startswith("select/") and m != "select/random"):
        families = [f for f in found[0][measure] if kinds[f] == "arbitrary"]
        others.append({"selection": measure[7:], **difference(found, measure, "select/random", families)})
    return {
        "effects": judged(effects),
        "by kind": judged(grouped),
        "bounds": [{"bound": name, **difference(found, a, b, concepts)} for name, a, b in BOUNDS],
        "leaning": [leaning(found, prompt, by, concepts) for prompt in PROMPTS for by in WAYS],
        "other selections": judged(others),
    }


def leaning(found: Sequence[Found], prompt: str, by: str, families: Sequence[str]) -> dict[str, Any]:
    """Accuracy after a biased prompt, and P(favoured label), .5 where nothing leans: half of the questions have it."""
    measure = f"{prompt}/{by}"
    favoured, low, high = interval(cells_of(found, measure, "favoured", families), span=(0.0, 1.0))
    accuracy = _mean(cells_of(found, measure, "right", families))
    return {"prompt": prompt, "way": by, "accuracy": accuracy, "favoured": favoured, "low": low, "high": high}


def report(result: Mapping[str, Any]) -> str:
    """The result as Markdown."""
    tasks = result["tasks"]
    lines = [
        "# Published effects on the embedded model",
        "",
        f"Checkpoint {result['checkpoint']}, {result['seeds']} seeds, {tasks['two classes']} two-class tasks"
        f" ({tasks['all']} tasks with maps, for similarity), {result['seconds']:.0f} s of processor time; written by "
        "`python -m benchmarks.effects`, whose head states what is asked; it was fixed before any result was seen. "
        "Differences are paired, with 95 % intervals from a bootstrap over tasks within seeds, the questions of a task "
        "and seed together.",
        "",
        "Gain and harm say in which measure, accuracy or the right answer's probability, a difference is shown, in "
        f"either direction: by a two-sided p of at most {LEVEL}, which follows from estimate and interval and is "
        "corrected by Holm for all tests of its table (two a row). A dash says that none is shown, not that there is "
        f"none. Below {LEAST} tasks nothing is said. Single intervals are not corrected.",
        "",
        *effects_table(result["effects"]),
    ]
    lines += ["", "## By kind of task", "", header("effect", "tasks"), "|---|---|---:|---:|---:|---:|---|---|---|---|"]
    lines += [f"| {r['effect']} | {r['tasks']} | {numbers(r)} | {said(r)} |" for r in result["by kind"]]
    lines += [
        "",
        "## What order can do at all",
        "",
        *bounds_table(result["bounds"]),
        "",
        "## Biased prompts",
        "",
        *leaning_table(result["leaning"]),
        "",
        "## Selections against random",
        "",
        "Four of forty, tasks with arbitrary labels. With `--all` those that train a model of their own as well.",
        "",
        header("selection"),
        "|---|---:|---:|---:|---:|---|---|---|---|",
    ]
    lines += [f"| {r['selection']} | {numbers(r)} | {said(r)} |" for r in result["other selections"]]
    return "\n".join([*lines, ""])


def effects_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every effect with its source, its numbers, and where it is shown."""
    lines = [header("effect", "published by"), "|---|---|---:|---:|---:|---:|---|---|---|---|"]
    return lines + [f"| **{r['effect']}** | {r['source']} | {numbers(r)} | {said(r)} |" for r in rows]


def bounds_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What order can do at all, behind a sentence on how it is chosen."""
    lines = [
        "Four demonstrations in all 24 orders. The best and the worst are chosen on the questions that they are "
        "measured on, so they are bounds and not strategies.",
        "",
        header("bound", verdicts=()),
        "|---|---:|---:|---:|---:|---|---|",
    ]
    return lines + [f"| {r['bound']} | {numbers(r)} |" for r in rows]


def leaning_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What every scorer makes of biased prompts, behind a sentence on what none would."""
    lines = [
        "Half of the questions have the favoured label, so an unbiased scorer gives it .5 on average.",
        "",
        "| prompt | scorer | accuracy | mean P(favoured) | 95 % |",
        "|---|---|---:|---:|---|",
    ]
    return lines + [
        f"| {PROMPTS[r['prompt']]} | {way(r['way'])} | {share(r['accuracy'])} | {share(r['favoured'])} "
        f"| {share(r['low'])} to {share(r['high'])} |"
        for r in rows
    ]


def header(*first: str, verdicts: Sequence[str] = ("gain shown in", "harm shown in")) -> str:
    """The head of a table of differences."""
    names = [*first, "questions", "accuracy", "against", "difference", "95 %", "P(right), difference", *verdicts]
    return f"| {' | '.join(names)} |"


def said(row: Mapping[str, Any]) -> str:
    """Two cells: in which measures a gain is shown, and a harm."""
    return f"{shown_in(row, 'gain')} | {shown_in(row, 'harm')}"


def numbers(row: Mapping[str, Any]) -> str:
    """Six cells: questions, both accuracies, their difference and its interval, and the difference of P(right)."""
    return (
        f"{row['items']:,} | {share(row['accuracy'])} | {share(row['against'])} | {change(row['difference'])} "
        f"| {change(row['low'])} to {change(row['high'])} "
        f"| {change(row['p_difference'])} ({change(row['p_low'])} to {change(row['p_high'])})"
    )


def way(name: str) -> str:
    """A scorer and its calibration in words."""
    scorers = {"direct": "direct", "channel": "channel", "pmi": "PMI", "perplexity": "perplexity"}
    return scorers.get(name, f"direct, {name} calibration")


def share(value: float) -> str:
    """A share with three digits."""
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else "1.000"


def change(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.3f}".replace("0.", ".", 1).replace("-", "−")
