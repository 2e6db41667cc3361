"""The embedded model beside exact Bayes while the task is still open, by how open it is.

    python -m benchmarks.embedded_open                       prints the tables; eight minutes of one core
    python -m benchmarks.embedded_open --checkpoint FOLDER   of a run that is still training
    python -m benchmarks.embedded_open --quick               few documents, to see that it runs

A state is a fresh document after n = 1 … 6 demonstrations; how open it is, is the entropy of the exact posterior over
task families. `benchmarks.embedded` measures the same and writes it down, and with `--only open` nothing else anew.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.embedded_report import report_open
from core import Demonstration, Study, load_model
from core.bayes.exact import ExactBayes
from core.mixture.documents import Document, draw_document
from core.mixture.lexicon import table as lexicon
from core.mixture.mixture import Mixture, load_mixture
from core.models import LanguageModel
from core.posterior.decoding import DECODERS, mixed
from core.posterior.evidence import ask
from core.posterior.implicit import probes_of, read_implicit
from core.posterior.next_token_cache import next_logprobs
from core.posterior.openness import NAMES as ROW_NAMES
from core.posterior.openness import row_at
from core.pretraining.architecture import CHECKPOINT
from core.pretraining.first_token import FirstToken
from core.statistics.bootstrap import mean_within_groups
from core.statistics.distributions import entropy
from core.statistics.divergences import divergence, total_variation
from core.statistics.intervals import around
from core.statistics.reliability import Reliability, reliability
from core.study.prompts import TEMPLATES, render
from core.study.question import Question

Floats = NDArray[np.float64]
DEMONSTRATIONS = 6
SEED = "evaluation/open questions"
DOCUMENTS, SETS = 3_000, 400
SET = 4  # nouns in the largest set of shared ones
TWO = ("French", "copy")
QUERIES = 3  # other nouns asked after each
WANTED = {
    "probes": ("answers at the probes to exact Bayes's", 0.06),
    "random": ("answers to random queries to exact Bayes's", 0.05),
    "posterior": ("implicit to exact posterior", 0.10),
}
COVERED = 0.90, 0.97  # share of states whose intervals all hold the exact values, wanted in every row
ROUNDING = 1e-9
DRAWN = 0.02  # weight, decoded or exact, from which a bar counts by itself
WANTED_OF_SETS = {
    "answer": ("answers after shared French nouns to exact Bayes's", 0.08),
    "posterior": ("implicit to exact posterior after shared French nouns", 0.10),
}


@dataclass(frozen=True)
class State:
    """A document after n demonstrations: the model beside exact Bayes.

    Attributes:
        document, n: which.
        entropy: of the exact posterior over families, nats.
        probes: total variation of the answers at the probes, over their candidate answers and any other text, mean.
        random: total variation of the answer to the document's next input, over first tokens.
        posterior: total variation of the implicit posterior and the exact one.
        decoded: the same of the posterior decoded from exact Bayes's own answers to the same questions.
        kl_answer: KL(Bayes‖model) of the answer to the document's next input, over first tokens, nats.
        kl_posterior: KL(exact‖implicit), nats.
        said, true: probability of the model's likeliest answer to the next input, and whether it is the one drawn.
        bayes_said, bayes_true: the same of exact Bayes.
        bar, held: weight of the implicit posterior's largest bar, and whether it is the document's family.
        exact_bar, exact_held: the same of the exact posterior.
        covered: whether the interval on every bar of the implicit posterior holds the exact value; NaN without any.
        covered_each: share of bars of at least `DRAWN`, decoded or exact, whose interval holds it.
        width: of the interval on the largest bar.
    """

    document: int
    n: int
    entropy: float
    probes: float
    random: float
    posterior: float
    decoded: float
    kl_answer: float
    kl_posterior: float
    said: float
    true: float
    bayes_said: float
    bayes_true: float
    bar: float
    held: float
    exact_bar: float
    exact_held: float
    covered: float
    covered_each: float
    width: float


FIGURES = (
    *("probes", "random", "posterior", "decoded", "kl_answer", "kl_posterior"),
    *("covered", "covered_each", "width"),
)
NAMES = tuple(field.name for field in fields(State))


@dataclass(frozen=True)
class Posteriors:
    """A document's posteriors for n = 1 … k.

    Weights are (k, F), and so are the ends of the intervals on the implicit ones, NaN where there are none; `probes` is
    the mean total variation of answers at the probes, (k,).
    """

    exact: Floats
    implicit: Floats
    decoded: Floats
    probes: Floats
    low: Floats
    high: Floats

    def covered(self) -> tuple[Floats, Floats, Floats]:
        """Whether all bars hold, the share of drawn ones that do, and the width of the largest bar's interval, (k,)."""
        top = self.implicit.argmax(1)[:, None]
        width = np.take_along_axis(self.high - self.low, top, axis=1)[:, 0]
        holds = (self.low <= self.exact + ROUNDING) & (self.exact <= self.high + ROUNDING)
        drawn = np.maximum(self.exact, self.implicit) >= DRAWN
        each = (holds & drawn).sum(1) / drawn.sum(1)
        unknown = np.isnan(width)
        return np.where(unknown, np.nan, holds.all(1)), np.where(unknown, np.nan, each), width


def read(question: Question, mixture: Mixture, model: LanguageModel) -> Posteriors:
    """Posteriors of a question after 1 … k of its demonstrations, as the Posterior page has them."""
    bayes = ExactBayes(question, mixture)
    found = read_implicit(bayes, model)
    implicit, evidence, before = found.posterior, found.evidence, found.before
    exact = bayes.under_mixture[0]
    ideal = mixed(evidence.columns, evidence.by_group(exact))
    asked_aside = [j for j, probe in enumerate(evidence.probes) if probe != question.query]
    distance = total_variation(_whole(evidence.q), _whole(ideal))  # (k + 1, Q)
    groups = DECODERS[question.study.posterior_solver](ideal, evidence.columns, evidence.by_group(before))
    reach = np.full(len(exact), np.nan) if implicit.reach is None else implicit.reach
    return Posteriors(
        exact[1:],
        implicit.weights[1:],
        evidence.by_task(groups, before)[1:],
        distance[1:, asked_aside].mean(1),
        *around(implicit.weights[1:], reach[1:, None]),
    )


def _whole(answers: Floats) -> Floats:
    """Rows that sum to one, whatever of them was left out."""
    total = answers.sum(-1, keepdims=True)
    shares: Floats = np.divide(answers, total, out=np.zeros_like(answers), where=total > 0)
    return shares


def question_of(document: Document, k: int) -> Question:
    """The document's first k pairs as demonstrations, and its next input as the query."""
    rows = tuple(Demonstration(input=x, label=y) for x, y in document.pairs[:k])
    study = Study(
        demonstrations=rows,
        query=document.pairs[k][0],
        template=document.template,
        instruction=document.instruction,
    )
    return Question.of(study, rows, ())


def states_of(number: int, document: Document, model: LanguageModel, first: FirstToken) -> list[State]:
    """A document after 1 … 6 demonstrations."""
    mixture, k = first.mixture, len(document.pairs) - 1
    question = question_of(document, k)
    inputs = [x for x, _ in document.pairs]
    prompts = [
        render(question.shown[:n], inputs[n], document.template, document.instruction).text for n in range(k + 1)
    ]
    # The probes' prompts beside the document's own, in one call: what is read of them below is remembered.
    asked = ask(question, model, probes_of(ExactBayes(question, mixture)))
    texts = [*prompts, *asked.openings, *asked.texts()]
    answers = np.exp(next_logprobs(model, texts)[1 : k + 1].astype(np.float64))
    bayes = first.predictive(document.pairs[:k], inputs, document.instruction)[1:]
    reading = read(question, mixture, model)
    labels = [first.first(y) for _, y in document.pairs[1:]]
    family = mixture.family_of[document.latent]
    covered, each, width = reading.covered()
    columns = {
        "document": np.full(k, number),
        "n": np.arange(1, k + 1),
        "entropy": entropy(reading.exact),
        "probes": reading.probes,
        "random": total_variation(answers, bayes),
        "posterior": total_variation(reading.implicit, reading.exact),
        "decoded": total_variation(reading.decoded, reading.exact),
        "kl_answer": (bayes * (np.log(bayes + 1e-300) - np.log(answers + 1e-300))).sum(1),
        "kl_posterior": divergence(reading.exact, reading.implicit),
        "said": answers.max(1),
        "true": answers.argmax(1) == labels,
        "bayes_said": bayes.max(1),
        "bayes_true": bayes.argmax(1) == labels,
        "bar": reading.implicit.max(1),
        "held": reading.implicit.argmax(1) == family,
        "exact_bar": reading.exact.max(1),
        "exact_held": reading.exact.argmax(1) == family,
        "covered": covered,
        "covered_each": each,
        "width": width,
    }
    return [State(*(columns[name][n].item() for name in NAMES)) for n in range(k)]


def measure_states(model: LanguageModel, first: FirstToken, count: int) -> list[State]:
    """States of this many fresh documents of the mixture, instructions and all; n = 1 … 6 of each."""
    rng = random.Random(SEED)
    states: list[State] = []
    for number in range(count):
        document = draw_document(first.mixture, rng, count=DEMONSTRATIONS + 1, reversed_share=0.0)
        states += states_of(number, document, model, first)
    return states


def summary(states: Sequence[State]) -> dict[str, Any]:
    """Means with intervals over documents, and calibration errors, of some states."""
    values = np.array([astuple(state) for state in states]).reshape(-1, len(NAMES))
    column = {name: values[:, i] for i, name in enumerate(NAMES)}
    group = column["document"].astype(np.intp)
    out: dict[str, Any] = {"states": len(states)}
    if not states:
        return out
    found = mean_within_groups(values[:, [NAMES.index(name) for name in FIGURES]], group)
    for i, name in enumerate(FIGURES):
        out |= _figure(name, found.mean[i], found.low[i], found.high[i])
    for name, said, true in (
        ("ece_answer", "said", "true"),
        ("ece_posterior", "bar", "held"),
        ("ece_bayes_answer", "bayes_said", "bayes_true"),
        ("ece_exact_posterior", "exact_bar", "exact_held"),
    ):
        table = reliability(column[said], column[true].astype(bool), group)
        out |= _figure(name, table.error, table.low, table.high)
    return out


def _figure(name: str, mean: float, low: float, high: float) -> dict[str, float]:
    return {name: round(float(mean), 4), f"{name}_low": round(float(low), 4), f"{name}_high": round(float(high), 4)}


def tables(states: Sequence[State]) -> dict[str, list[dict[str, Any]]]:
    """By entropy, by n, and the bins of calibration."""
    by_entropy = []
    for row, name in enumerate(ROW_NAMES):
        some = [state for state in states if row_at(state.entropy) == row]
        share = round(len(some) / max(len(states), 1), 4)
        by_entropy.append({"entropy": name, "share": share, **summary(some)})
    numbers = sorted({state.n for state in states})
    return {
        "by_entropy": [*by_entropy, {"entropy": "all", "share": 1.0, **summary(states)}],
        "by_n": [{"n": n, **summary([state for state in states if state.n == n])} for n in numbers],
        "calibration": _bins(states),
    }


def _bins(states: Sequence[State]) -> list[dict[str, Any]]:
    """What was said beside what came true, by kind of statement and bin."""
    rows: list[dict[str, Any]] = []
    for kind, said, true in (("answer", "said", "true"), ("posterior", "bar", "held")):
        p, hit = (np.array([getattr(state, name) for state in states], dtype=float) for name in (said, true))
        found: Reliability = reliability(p, hit.astype(bool), np.array([state.document for state in states]))
        size = len(found.count)
        rows += [
            {
                "of": kind,
                "from": b / size,
                "to": (b + 1) / size,
                "cases": int(found.count[b]),
                "said": round(float(found.said[b]), 4),
                "true": round(float(found.true[b]), 4),
            }
            for b in range(size)
            if found.count[b]
        ]
    return rows


def shared_nouns(model: LanguageModel, first: FirstToken, count: int) -> list[dict[str, Any]]:
    """Sets of nouns whose French is the English word, n = 1 … 4, then another noun whose French differs.

    Each of `count` rows of four such nouns, drawn without replacement in a drawn order and template, is read after 1 to
    4 of them. There are 196,000 sets of one to four of the 48, so this is a sample, the same for every checkpoint. What
    exact Bayes and the model give to French and to copying is the weight of their posteriors.
    """
    mixture, rng = first.mixture, random.Random(f"{SEED}/shared nouns")
    rows = lexicon("nouns")
    shared = [row["word"] for row in rows if row["word"] == row["french"]]
    others = [row["word"] for row in rows if row["word"] != row["french"]]
    # Some of the nouns are coloured things too, which have these two tasks of their own.
    french, copy = ([mixture.families.index(f"{of}{name}") for of in ("", "coloured things: ")] for name in TWO)
    cells: list[list[float]] = []
    for number in range(count):
        pairs = tuple((noun, noun) for noun in rng.sample(shared, SET))
        template, queries = rng.choice(tuple(TEMPLATES.values())), rng.sample(others, QUERIES)
        question = question_of(Document(0, (*pairs, (queries[0], "")), template, False, ""), SET)
        reading = read(question, mixture, model)
        prompts = [render(question.shown[:n], x, template, "").text for n in range(1, SET + 1) for x in queries]
        answers = np.exp(next_logprobs(model, prompts).astype(np.float64)).reshape(SET, QUERIES, -1)
        bayes = np.stack([first.predictive(pairs, [x] * (SET + 1))[1:] for x in queries], axis=1)
        distance, covered = total_variation(answers, bayes).mean(1), reading.covered()[0]
        for n in range(SET):
            exact, implicit = reading.exact[n], reading.implicit[n]
            apart = float(total_variation(exact, implicit))
            kinds = [float(p[some].sum()) for p in (exact, implicit) for some in (french, copy)]
            cells.append([number, n + 1, float(distance[n]), apart, *kinds, float(covered[n])])
    return _by_set(np.array(cells))


def _by_set(cells: Floats) -> list[dict[str, Any]]:
    """Means with intervals by number of nouns, and over all."""
    names = ("answer", "posterior", "exact_french", "exact_copy", "implicit_french", "implicit_copy", "covered")
    out = []
    for n in (*sorted(set(cells[:, 1])), None):
        some = cells if n is None else cells[cells[:, 1] == n]
        found = mean_within_groups(some[:, 2:], some[:, 0].astype(np.intp))
        row: dict[str, Any] = {"nouns": "all" if n is None else int(n), "sets": len(some)}
        for i, name in enumerate(names):
            row |= _figure(name, found.mean[i], found.low[i], found.high[i])
        out.append(row)
    return out


Figure = tuple[float, float, bool, tuple[float, float] | None]
Wanted = dict[str, Figure]


def wanted(found: dict[str, list[dict[str, Any]]]) -> Wanted:
    """Each figure that has a target: its worst row, the target, whether smaller is better, and that row's interval."""
    rows = [row for row in found["by_entropy"] if row["entropy"] != "all" and row["states"]]
    out: Wanted = {
        f"{title}, total variation, worst row by entropy": _worst(rows, name, target, True)
        for name, (title, target) in WANTED.items()
    }
    sets = [row for row in found["shared_nouns"] if row["nouns"] != "all"]
    for name, (title, target) in WANTED_OF_SETS.items():
        out[f"{title}, total variation, worst of n"] = _worst(sets, name, target, True)
    shares = [row for row in rows if not np.isnan(row.get("covered", np.nan))]  # earlier cards have none
    if shares:
        low, high = COVERED
        out["states whose intervals hold the exact posterior, least row by entropy"] = _worst(
            shares, "covered", low, False
        )
        out["states whose intervals hold the exact posterior, greatest row by entropy"] = _worst(
            shares, "covered", high, True
        )
    return out


def _worst(rows: Sequence[dict[str, Any]], name: str, target: float, smaller: bool) -> Figure:
    """The row that is furthest on the wrong side, with its own interval where it has one."""
    row = (max if smaller else min)(rows, key=lambda row: row[name])
    ends = row.get(f"{name}_low", np.nan), row.get(f"{name}_high", np.nan)
    return row[name], target, smaller, None if np.isnan(ends).any() else ends


def measure_open(model: LanguageModel, first: FirstToken, documents: int, sets: int) -> dict[str, list[dict[str, Any]]]:
    """All tables, as the model card holds them."""
    return {
        **tables(measure_states(model, first, documents)),
        "shared_nouns": shared_nouns(model, first, sets),
    }


def loaded(folder: Path) -> LanguageModel:
    """The embedded model, or one that was trained on the same mixture and stands in another folder."""
    if folder == CHECKPOINT:
        return load_model("embedded")
    model = load_model(str(folder))
    model.mixture = load_mixture()
    return model


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    options = parser.parse_args()
    documents, sets = (20, 4) if options.quick else (options.documents, SETS)
    model, started = loaded(options.checkpoint), time.process_time()
    found = measure_open(model, FirstToken(load_mixture()), documents, sets)
    print("\n".join(report_open(found)))
    for name, (value, target, smaller, _) in wanted(found).items():
        met = value <= target if smaller else value >= target
        print(f"{'✓' if met else '✗'} {name}: {value:.3f}, wanted {'at most' if smaller else 'at least'} {target}")
    print(f"{time.process_time() - started:.0f} seconds of processor time")


if __name__ == "__main__":
    main()
