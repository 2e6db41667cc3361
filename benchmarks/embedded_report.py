"""The embedded model's report: what it cannot do, and the figures as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def limits(evaluation: dict[str, Any]) -> list[str]:
    """What the model cannot do, in sentences made from the figures."""
    said = [
        "The first layer's heads that look one and two tokens back were planted before training, not learned: a "
        "previous-token head here is no finding.",
        "It knows the words of its mixture; any other word is read character by character, and it knows nothing of it.",
        "Free text, questions and instructions other than the mixture's own mean nothing to it.",
        "Demonstrations that were selected are not independent draws, so exact Bayes is no upper bound for them.",
    ]
    said += _sums(evaluation["long_sums"])
    for name, row in evaluation["overall"].items():
        if not row["met"]:
            sign = "at most" if row["better"] == "lower" else "at least"
            what = "Target missed" if row["met"] is False else "Not shown to meet its target"
            ends = f" (95 % {row['low']:.3f} to {row['high']:.3f})" if "low" in row else ""
            said.append(f"{what}: {name} is {row['value']:.3f}{ends}, wanted {sign} {row['target']}.")
    worst = sorted(evaluation["by_family"], key=lambda row: -row["kl"])[:8]
    said.append("Furthest from Bayes: " + ", ".join(f"{row['family']} (KL {row['kl']:.2f})" for row in worst) + ".")
    return said


def beside(training: dict[str, Any]) -> str:
    """What was in the documents beside the mixture, in one paragraph; "" where nothing was."""
    step, shares = 0, dict[int, float]()
    for phase in training["recipe"]["phases"]:
        if phase["menu"]["reasoned"]:
            shares[step] = phase["menu"]["reasoned"]
        step += phase["steps"]
    if not shares:
        return ""
    low, high = round(100 * min(shares.values())), round(100 * max(shares.values()))
    share = f"{low} %" if low == high else f"{low} to {high} %"
    return (
        f"Beside the mixture, {share} of the documents from step {min(shares):,} on are reasoned ones: sums of three "
        "to six numbers with a chain of thought, with follow-up questions and their answers, decomposed into growing "
        "sums, or answered one growing sum after another. There the text itself is the aim. Exact Bayes reads inputs "
        "and labels and knows nothing of steps."
    )


def _sums(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What steps do for sums, and where they end."""
    found: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        found.setdefault((row["addends"], row["way"]), []).append(row["accuracy"])
    share = {key: sum(values) / len(values) for key, values in found.items()}
    lengths, ways = sorted({n for n, _ in share}), dict.fromkeys(way for _, way in share)
    said = [
        f"Sums of {n} addends: " + ", ".join(f"{way} {share[n, way]:.2f}" for way in ways) + " of the answers right."
        for n in lengths
    ]
    return [
        "It writes steps for sums and for nothing else. Steps were taught up to six addends, answers at once up to "
        "four; beyond that, and with addends above nine, it guesses.",
        *said,
    ]


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown rows of like dictionaries."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return lines + ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows]


def with_interval(row: dict[str, Any], name: str) -> str:
    """A figure and its interval, as a cell."""
    if name not in row:
        return ""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low != low or high != high:  # all outcomes alike: no interval
        return f"{row[name]:.3f}"
    return f"{row[name]:.3f} ({low:.3f} – {high:.3f})"


def _target(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A figure beside its target; where it has an interval, that says whether it is met."""
    met = {True: "yes", False: "no", None: "not shown"}[row["met"]]
    interval = f"{row['low']:.4f} to {row['high']:.4f}" if "low" in row else ""
    return {
        "figure": name,
        "value": row["value"],
        "95 %": interval,
        "target": row["target"],
        "better": row["better"],
        "met": met,
    }


def report_open(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The tables as Markdown."""
    titles = {
        "posterior": "implicit to exact posterior",
        "covered": "coverage: all bars",
        "covered_each": "coverage: each bar",
        "width": "width at the largest bar",
        "decoded": "decoded from exact Bayes's answers",
        "probes": "answers at the probes",
        "random": "answers to random queries",
        "kl_answer": "KL, answers",
        "kl_posterior": "KL, posterior",
        "ece_answer": "calibration error, answers",
        "ece_bayes_answer": "… exact Bayes's",
        "ece_posterior": "calibration error, largest bar",
        "ece_exact_posterior": "… the exact one's",
    }
    lines = [
        "Total variation unless it says otherwise, with 95 % intervals over documents; entropy of the exact posterior "
        "over task families in nats, after 1 to 6 demonstrations. A small calibration error may lie below its "
        "interval: resampling adds noise to every bin, and an absolute value does not average it out. Coverage: the "
        "share of states in which the interval on each bar of the implicit posterior holds the exact value, all bars "
        "at once; and the share of bars of .02 or more, decoded or exact, whose interval does.",
        "",
    ]
    for key, name in (("by_entropy", "entropy"), ("by_n", "n")):
        rows = [
            {
                name: row[name],
                "states": row["states"],
                **{
                    title: with_interval(row, figure)
                    for figure, title in titles.items()
                    if any(figure in r for r in found[key])
                },
            }
            for row in found[key]
        ]
        lines += [f"## While the task is open, by {name}", "", *table(rows), ""]
    sets = ("answer", "posterior", "exact_french", "exact_copy", "implicit_french", "implicit_copy", "covered")
    nouns = [
        {
            "nouns": row["nouns"],
            "states": row["sets"],
            **{name: with_interval(row, name) for name in sets if name in row},
        }
        for row in found["shared_nouns"]
    ]
    lines += ["## After nouns that French and English share, then another noun", "", *table(nouns), ""]
    return [*lines, "## What was said beside what came true", "", *table(found["calibration"]), ""]


def report(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    e = card["evaluation"]
    training = card["training"]
    heads = e["heads"]
    lines = [
        "# The embedded model against exact Bayes",
        "",
        f"{training['parameters']:,} parameters, {training['tokens']:,} tokens in {training['steps']:,} steps, "
        f"{training['seconds'] / 60:.0f} minutes on {training['threads']} processor thread(s), "
        f"seed {training['recipe']['seed']}. {e['documents']:,} fresh documents; written by "
        "`python -m benchmarks.embedded`.",
        "",
        *([card["beside"], ""] if card["beside"] else []),
        *table([_target(name, row) for name, row in e["overall"].items()]),
        "",
        f"Best head: L{heads['layer']} H{heads['head']}, pooling by {heads['pooling']}; on the half it was "
        f"chosen on {heads['chosen_on']:.3f}, on the other {heads['reported_on']:.3f}. Always answering the commonest "
        f"label shown agrees {heads['always_commonest_label']:.3f}; that label's mean share is "
        f"{heads['share_of_commonest_label']:.2f}.",
        "",
        *[
            f"On {kind} tasks alone: L{row['layer']} H{row['head']}, pooling by {row['pooling']}, "
            f"{row['chosen_on']:.3f} and {row['reported_on']:.3f} over {row['documents']} documents; the commonest "
            f"label agrees {row['always_commonest_label']:.3f}.\n"
            for kind, row in heads["by_kind"].items()
        ],
    ]
    for title, rows in (
        ("By kind of task", e["by_kind"]),
        ("By number of demonstrations", e["by_k"]),
        ("By template (same documents, from 4 demonstrations on)", e["by_template"]),
        ("Labels 7:1", [{"family": name, **row} for name, row in e["imbalance"].items()]),
        ("Four of forty demonstrations", [{"family": name, **row} for name, row in e["selection"].items()]),
        ("Long sums, at once and in steps", e["long_sums"]),
        ("Long sums of five addends by template, after four demonstrations", e["long_sums_by_template"]),
        ("By family", e["by_family"]),
    ):
        lines += [f"## {title}", "", *table(rows), ""]
    if "open" in e:
        lines += report_open(e["open"])
    lines += ["## What it cannot do", "", *[f"- {sentence}" for sentence in card["limits"]], ""]
    return "\n".join(lines)
