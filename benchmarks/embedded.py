"""How close is the embedded model to exact Bayes, and what does it do with demonstrations?

    python -m benchmarks.embedded               about twenty minutes of one core; writes benchmarks/results/embedded.*
                                                and the model card beside the checkpoint
    python -m benchmarks.embedded --only open   measures anew only how it does while the task is open, on the same card
    python -m benchmarks.embedded --only rest   measures anew all but that
    python -m benchmarks.embedded --quick       few documents, to see that it runs; writes nothing

Every figure comes from documents drawn with seeds that training never used.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.embedded_open import DOCUMENTS, SETS, loaded, measure_open, wanted
from benchmarks.embedded_report import beside, limits, report
from benchmarks.embedded_sums import long_sums, sums_by_template
from benchmarks.written import write_results
from core import Demonstration, Study, run
from core.attention import read_attention
from core.mixture.documents import draw_document
from core.mixture.mixture import Mixture, load_mixture
from core.models import LanguageModel
from core.pretraining.architecture import CHECKPOINT
from core.pretraining.closeness import Label, compare, fresh_documents, over_templates
from core.pretraining.first_token import FirstToken
from core.statistics.bootstrap import mean_over_groups, percentiles, resamples, widened
from core.statistics.intervals import wilson
from core.statistics.paired import Paired, paired
from core.study.prompts import render

Vote = tuple[str, int, int]  # pooling, layer, head
# Reviews speak for their class more or less clearly, so how often a label was seen weighs on a direct answer. A word
# decides its class outright: there a direct answer has nothing to lose, and the figure is reported but not counted.
FACTORS = ("sentiment", "topic", "formality", "tense")
REVIEWS = (*FACTORS, *(f"{factor} (arbitrary)" for factor in FACTORS))
IMBALANCED = (*REVIEWS, "living", "tone", "living (arbitrary)", "tone (arbitrary)")
NUMERIC = ("numbers", "sums", "differences", "long sums", "number pairs")
SELECTED = ("living (arbitrary)", "size (arbitrary)", "tone (arbitrary)", "parity (arbitrary)", "sentiment (arbitrary)")


@dataclass(frozen=True)
class Sizes:
    """How many documents, studies and items each measurement takes.

    1,000 documents leave a standard error of .003 on the word maps' KL, and 150 one of .017 on the total variation,
    most of it from how many reviews are among them; so more are taken of both.
    """

    documents: int = 3_000
    templates: int = 150
    posteriors: int = 600
    heads: int = 400
    channel: int = 60
    selection: int = 60
    sums: int = 200
    open: int = DOCUMENTS
    sets: int = SETS

    @staticmethod
    def quick() -> Sizes:
        return Sizes(20, 4, 4, 6, 3, 3, 5, 10, 3)


@dataclass(frozen=True)
class Target:
    """A figure, what it should be, and whether it is."""

    value: float
    target: float
    smaller: bool
    interval: tuple[float, float] | None = None
    """95 %: it decides, and not the value. None where all outcomes are alike."""

    def row(self) -> dict[str, Any]:
        low, high = self.interval or (self.value, self.value)
        best, worst = (low, high) if self.smaller else (high, low)
        met = worst <= self.target if self.smaller else worst >= self.target
        missed = best > self.target if self.smaller else best < self.target
        ends = {} if self.interval is None else {"low": round(low, 4), "high": round(high, 4)}
        return {
            "value": round(self.value, 4),
            **ends,
            "target": self.target,
            "better": "lower" if self.smaller else "higher",
            "met": True if met else False if missed else None,
        }


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def grouped(labels: Sequence[Label], key: Callable[[Label], Any]) -> dict[Any, list[Label]]:
    groups: dict[Any, list[Label]] = defaultdict(list)
    for label in labels:
        groups[key(label)].append(label)
    return dict(groups)


def figures(labels: Sequence[Label]) -> dict[str, float]:
    """KL and accuracies of some labels."""
    return {
        "labels": len(labels),
        "kl": round(mean([label.kl for label in labels]), 4),
        "accuracy_model": round(mean([label.right for label in labels]), 4),
        "accuracy_bayes": round(mean([label.bayes_right for label in labels]), 4),
    }


def over_documents(values: Sequence[Sequence[float]], target: float, smaller: bool) -> Target:
    """The mean over all values beside its target; 95 % from drawing whole documents anew, whose values go together."""
    value, low, high = mean_over_groups([[np.array(one, dtype=np.float64) for one in values if len(one)]])
    return Target(value, target, smaller, (low, high))


def implicit_distance(model: LanguageModel, mixture: Mixture, count: int) -> list[list[float]]:
    """Total variation between the implicit and the exact posterior, by fresh document of 12 and n."""
    rng = random.Random("evaluation/posterior")
    found = []
    for _ in range(count):
        document = draw_document(mixture, rng, count=13, reversed_share=0.0, instructed=0.0)
        rows = tuple(Demonstration(input=x, label=y) for x, y in document.pairs[:-1])
        study = Study(demonstrations=rows, query=document.pairs[-1][0], template=document.template)
        outcome = run(study, model)
        exact, implicit = outcome.posteriors["exact"].weights, outcome.posteriors["implicit"].weights
        found.append([float(distance) for distance in 0.5 * np.abs(exact - implicit).sum(axis=1)])
    return found


def copying_heads(model: LanguageModel, mixture: Mixture, count: int) -> dict[str, Any]:
    """Agreement of each head's reconstruction with the model's answer on codebooks and arbitrary labels.

    The head and its pooling (largest weight or sum, over the whole demonstration or its label) are chosen on one half
    of the documents and reported on the other, over both kinds of task together and for each alone. The answer is the
    model's likeliest among the labels shown.
    """
    rng = random.Random("evaluation/heads")
    families = [f.name for f in mixture.details if f.kind in ("codebook", "arbitrary")]
    hits: list[dict[Vote, bool]] = []
    kinds: list[str] = []
    balance, always = [], []
    while len(hits) < count:
        document = draw_document(
            mixture, rng, family=rng.choice(families), count=13, reversed_share=0.0, instructed=0.0
        )
        *before, (query, _) = document.pairs
        kind = mixture.details[mixture.family_of[document.latent]].kind
        if kind == "codebook" and query not in {x for x, _ in before}:
            continue  # a fresh input has no code to copy
        kinds.append(kind)
        shown = [Demonstration(input=x, label=y) for x, y in before]
        labels = tuple(dict.fromkeys(y for _, y in before))
        study = Study(demonstrations=tuple(shown), query=query, labels=labels, template=document.template)
        prompt = render(shown, query, document.template)
        answer = labels[
            int(np.argmax([s.logprobs.sum() for s in model.score([(prompt.text, prompt.gap + y) for y in labels])]))
        ]
        _, attention = read_attention(study, model, prompt)
        assert attention is not None
        one_hot = np.array([[y == label for label in labels] for _, y in before], dtype=float)
        sums = attention.pooled[:, :, [attention.spans.index(str(i + 1)) for i in range(len(before))]]
        found = {}
        for name, weights in (("largest", attention.maxima), ("largest, label", attention.label_maxima), ("sum", sums)):
            votes = weights @ one_hot  # (layers, heads, L)
            for layer, head in np.ndindex(*votes.shape[:2]):
                found[name, layer, head] = labels[int(votes[layer, head].argmax())] == answer
        hits.append(found)
        most = max(labels, key=lambda label: sum(y == label for _, y in before))
        always.append(most == answer)
        balance.append(max(np.mean([y == label for _, y in before]) for label in labels))
    return {
        **best_head(hits),
        "share_of_commonest_label": mean(balance),
        "always_commonest_label": mean(always),
        "by_kind": {
            kind: {
                **best_head([h for h, k in zip(hits, kinds, strict=True) if k == kind]),
                "always_commonest_label": mean([a for a, k in zip(always, kinds, strict=True) if k == kind]),
            }
            for kind in sorted(set(kinds))
        },
    }


def best_head(hits: Sequence[dict[Vote, bool]]) -> dict[str, Any]:
    """The head and pooling that agree most often on the first half of the documents, and how often on the second."""
    half = len(hits) // 2
    best = max(hits[0], key=lambda key: mean([h[key] for h in hits[:half]]))
    return {
        "pooling": best[0],
        "layer": best[1],
        "head": best[2],
        "chosen_on": mean([h[best] for h in hits[:half]]),
        "reported_on": mean([h[best] for h in hits[half:]]),
        "documents": len(hits),
    }


def imbalance(
    model: LanguageModel, mixture: Mixture, count: int
) -> tuple[dict[str, dict[str, float]], list[list[np.ndarray[Any, Any]]]]:
    """Accuracy of direct and channel, the model's and exact Bayes's, with labels 7:1 and queries of both classes.

    Returns:
        By family; and of reviews, by family and prompt, channel right less direct right, its two queries together.
    """
    out: dict[str, dict[str, float]] = {}
    gains: list[list[np.ndarray[Any, Any]]] = []
    for family in IMBALANCED:
        hits: dict[str, list[bool]] = defaultdict(list)
        for seed in range(count):
            rows = mixture.sample(family, 250, seed=seed)
            by_label: dict[str, list[str]] = defaultdict(list)
            for x, y in dict(rows).items():
                by_label[y].append(x)
            if len(by_label) < 2 or min(len(xs) for xs in by_label.values()) < 9:
                continue
            rng = random.Random(f"imbalance/{family}/{seed}")
            common, rare = rng.sample(sorted(by_label), 2)
            shown = [Demonstration(input=x, label=common) for x in by_label[common][:7]]
            shown.insert(rng.randrange(8), Demonstration(input=by_label[rare][0], label=rare))
            for gold in (common, rare):
                query = by_label[gold][8]
                for scoring in ("direct", "channel"):
                    study = Study(
                        demonstrations=tuple(shown),
                        query=query,
                        labels=tuple(sorted((common, rare))),
                        scoring=scoring,
                        posteriors=(),
                    )
                    outcome = run(study, model)
                    hits[scoring].append(outcome.answer.best == gold)
                    assert outcome.bayes is not None
                    hits[f"bayes_{scoring}"].append(outcome.bayes.best == gold)
        out[family] = {"items": len(hits["direct"]), **{name: round(mean(values), 4) for name, values in hits.items()}}
        if family in REVIEWS and hits:
            gain = np.array(hits["channel"], dtype=np.float64) - hits["direct"]
            gains.append(list(gain.reshape(-1, 2)))
    return out, gains


def selections(model: LanguageModel, mixture: Mixture, count: int) -> dict[str, dict[str, float]]:
    """Accuracy with four demonstrations chosen from a pool of forty, at random and by similarity."""
    out: dict[str, dict[str, float]] = {}
    for family in SELECTED:
        hits: dict[str, list[bool]] = defaultdict(list)
        for seed in range(count):
            rows = list(dict(mixture.sample(family, 120, seed=seed + 50_000)).items())
            if len(rows) < 25:
                continue
            (query, gold), pool = rows[0], rows[1:41]
            for selection in ("random", "similarity"):
                study = Study(
                    pool=tuple(Demonstration(input=x, label=y) for x, y in pool),
                    query=query,
                    k=4,
                    selection=selection,
                    selection_seed=seed,
                    labels=tuple(sorted({y for _, y in rows})),
                    posteriors=(),
                )
                hits[selection].append(run(study, model).answer.best == gold)
        found = paired(hits["random"], hits["similarity"])
        out[family] = {
            "items": found.count,
            **{name: round(mean(values), 4) for name, values in hits.items()},
            "only_random": found.only_a,
            "only_similarity": found.only_b,
        }
    return out


def difference_of(chosen: dict[str, dict[str, float]]) -> Paired:
    """Similarity against random over the questions of all families, asked the same of both."""
    sums = (sum(row[name] for row in chosen.values()) for name in ("only_random", "only_similarity", "items"))
    only_a, only_b, count = map(int, sums)
    place = np.arange(count)
    return paired(place < only_a, (place >= only_a) & (place < only_a + only_b))


def template_figures(
    model: LanguageModel, mixture: Mixture, first: FirstToken, count: int
) -> tuple[dict[str, dict[str, float]], Target]:
    """Figures from four demonstrations on, by template, over the same documents; and best less worst accuracy.

    The interval draws documents anew, the same for every template. Best and worst are chosen anew in each draw, so it
    lies rather too high: for "at most" that is the safe side.
    """
    documents = [
        grouped([x for x in over_templates(model, mixture, [document], first) if x.n >= 4], lambda x: x.template)
        for document in fresh_documents(mixture, count, 2)
    ]
    documents = [document for document in documents if document]
    names = list(documents[0])
    found = {name: figures([x for document in documents for x in document[name]]) for name in names}
    right = np.array([[sum(x.right for x in document[name]) for name in names] for document in documents], dtype=float)
    counts = np.array([[len(document[name]) for name in names] for document in documents], dtype=float)
    weights = resamples(len(documents))
    spread = np.ptp((weights @ right) / (weights @ counts), axis=1)
    value = float(np.ptp(right.sum(axis=0) / counts.sum(axis=0)))
    low, high = widened(value, *percentiles(spread), len(documents), (0.0, 1.0))
    return found, Target(value, 0.03, True, (float(low), float(high)))


def is_word_map(mixture: Mixture, family: str) -> bool:
    """Whether a family maps words to words, numbers aside."""
    detail = mixture.details[mixture.families.index(family)]
    return detail.kind == "map" and detail.domain not in NUMERIC


def measure(
    model: LanguageModel, sizes: Sizes, still_open: dict[str, list[dict[str, Any]]] | None = None
) -> dict[str, Any]:
    """Everything, as the card holds it.

    Args:
        still_open: what was measured of open tasks on the same weights before; None to measure it too.
    """
    mixture = load_mixture()
    first = FirstToken(mixture)
    documents = [compare(model, mixture, one, first) for one in fresh_documents(mixture, sizes.documents, 1)]
    labels = [label for document in documents for label in document]
    distance = implicit_distance(model, mixture, sizes.posteriors)
    templates, apart = template_figures(model, mixture, first, sizes.templates)
    heads = copying_heads(model, mixture, sizes.heads)
    channel, gains = imbalance(model, mixture, sizes.channel)
    chosen = selections(model, mixture, sizes.selection)
    still_open = measure_open(model, first, sizes.open, sizes.sets) if still_open is None else still_open
    return {
        "documents": sizes.documents,
        "overall": {
            **targets(mixture, documents, distance, apart, heads, gains, chosen),
            **open_targets(still_open),
        },
        **by_group(mixture, labels, {n: mean(values) for n, values in enumerate(zip(*distance, strict=True))}),
        "by_template": [
            {"template": name, "accuracy": row["accuracy_model"], **row} for name, row in templates.items()
        ],
        "heads": heads,
        "imbalance": channel,
        "selection": chosen,
        "long_sums": long_sums(model, sizes.sums),
        "long_sums_by_template": sums_by_template(model, sizes.sums // 2),
        "open": {"documents": sizes.open, **still_open},
    }


def open_targets(found: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The figures of `benchmarks.embedded_open` that have a target, beside it."""
    return {name: Target(*one).row() for name, one in wanted(found).items()}


def remeasure_open(model: LanguageModel, evaluation: dict[str, Any], sizes: Sizes) -> dict[str, Any]:
    """An evaluation of the same weights, with what it says of open tasks measured anew."""
    found = measure_open(model, FirstToken(load_mixture()), sizes.open, sizes.sets)
    old = open_targets(evaluation["open"]) if "open" in evaluation else {}
    overall = {name: row for name, row in evaluation["overall"].items() if name not in old}
    return {
        **evaluation,
        "overall": {**overall, **open_targets(found)},
        "open": {"documents": sizes.open, **found},
    }


def targets(
    mixture: Mixture,
    documents: Sequence[Sequence[Label]],
    distance: Sequence[Sequence[float]],
    apart: Target,
    heads: dict[str, Any],
    gains: Sequence[Sequence[np.ndarray[Any, Any]]],
    chosen: dict[str, dict[str, float]],
) -> dict[str, dict[str, Any]]:
    """Each figure that has a target, beside it, with an interval that says whether it is met.

    Drawn anew are documents (KL, accuracies, total variation, templates), prompts within each kind of review (channel),
    and questions (head: Wilson's interval; similarity: paired).
    """
    maps = {family for family in mixture.families if is_word_map(mixture, family)}
    kept = round(heads["reported_on"] * (heads["documents"] - heads["documents"] // 2))
    gain, low, high = mean_over_groups(gains)
    similarity = difference_of(chosen)
    found = {
        "KL(Bayes‖model), nats per label, all labels": over_documents(
            [[x.kl for x in one] for one in documents], 0.08, True
        ),
        "KL(Bayes‖model), word maps, from 4 demonstrations on": over_documents(
            [[x.kl for x in one if x.n >= 4 and x.family in maps] for one in documents], 0.04, True
        ),
        "accuracy below Bayes, from 8 demonstrations on": over_documents(
            [[float(x.bayes_right) - x.right for x in one if x.n >= 8] for one in documents], 0.02, True
        ),
        "worst template below the best, accuracy from 4 on": apart,
        "implicit to exact posterior, total variation from 2 on": over_documents(
            [one[2:] for one in distance], 0.10, True
        ),
        "best head reproduces the answer on label copying": Target(
            heads["reported_on"], 0.92, False, wilson(kept, heads["documents"] - heads["documents"] // 2)
        ),
        "channel above direct on reviews at labels 7:1, accuracy": Target(gain, 0.10, False, (low, high)),
        "similarity above random selection, accuracy": Target(similarity.difference, 0.0, False, similarity.interval),
    }
    return {name: target.row() for name, target in found.items()}


def by_group(mixture: Mixture, labels: Sequence[Label], distance: dict[int, float]) -> dict[str, list[dict[str, Any]]]:
    """The labels' figures by kind, by family and by number of demonstrations."""
    kinds = {family.name: family.kind for family in mixture.details}
    return {
        "by_kind": [
            {"kind": kind, **figures(group)}
            for kind, group in sorted(grouped(labels, lambda x: kinds[x.family]).items())
        ],
        "by_family": [
            {"family": family, "domain": mixture.domains[family], "kind": kinds[family], **figures(group)}
            for family, group in sorted(grouped(labels, lambda x: x.family).items())
        ],
        "by_k": [
            {"k": n, **figures(group), "tv": round(distance[n], 4) if n in distance else None}
            for n, group in sorted(grouped(labels, lambda x: x.n).items())
        ],
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--only", choices=["open", "rest"])
    options = parser.parse_args()
    model, sizes = loaded(options.checkpoint), Sizes.quick() if options.quick else Sizes()
    if options.only:
        card = json.loads((options.checkpoint / "card.json").read_text(encoding="utf-8"))
        if card["fingerprint"] != model.fingerprint:
            parser.error("the card is of other weights, so everything must be measured")
        if options.only == "open":
            evaluation = remeasure_open(model, card["evaluation"], sizes)
        else:
            known = {name: rows for name, rows in card["evaluation"]["open"].items() if name != "documents"}
            evaluation = measure(model, sizes, known)
    else:
        evaluation = measure(model, sizes)
    training = json.loads((options.checkpoint / "training.json").read_text(encoding="utf-8"))
    config = json.loads((options.checkpoint / "config.json").read_text(encoding="utf-8"))
    names = (
        "num_hidden_layers",
        "num_attention_heads",
        "hidden_size",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings",
    )
    architecture = {
        "type": config["model_type"],
        **{name: config[name] for name in names},
        "parameters": training["parameters"],
    }
    card = {
        "fingerprint": model.fingerprint,
        "architecture": architecture,
        "training": {**training, "seed": training["recipe"]["seed"]},
        "beside": beside(training),
        "evaluation": evaluation,
        "limits": limits(evaluation),
    }
    text = report(card)
    print(text[:6000])
    if not options.quick:
        write_results("embedded", evaluation, text)
        (options.checkpoint / "card.json").write_text(
            json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
