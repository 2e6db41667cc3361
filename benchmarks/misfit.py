"""How often ICLens says "does not fit", for studies of the mixture and for others: `python -m benchmarks.misfit`.

Studies of the mixture are documents drawn from it, noise, strays and wrong instructions included. The others are of
kinds that no task of the mixture explains, fixed before they were measured. Writes results/misfit.json and .md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.written import write_results
from core import Study, load_model
from core.bayes.exact import ExactBayes
from core.mixture.documents import draw_document
from core.mixture.lexicon import table
from core.models import LanguageModel
from core.posterior.implicit import UNLIKELY_RESIDUAL, implicit_posterior
from core.statistics.intervals import wilson
from core.study.demonstrations import Demonstration
from core.study.question import Question

SEED, INSIDE, EACH = 41, 1200, 100
WITHIN = (1, 2, 3, 4, 6, 8, 12, 16)  # demonstrations of a study of the mixture
SHOWN = (4, 6, 8, 12)  # demonstrations of the others

Pairs = list[tuple[str, str]]
Draw = Callable[[random.Random, int], Pairs]
NOUNS = [(row["word"], row["french"]) for row in table("nouns")]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def numbers(rule: Callable[[int], int]) -> Draw:
    """x → rule(x) for distinct numbers."""
    return lambda rng, n: [(str(x), str(rule(x))) for x in rng.sample(range(1, 25), n)]


def halfway(rng: random.Random, n: int) -> Pairs:
    """Plus two in the first half, plus seven in the second."""
    return [(str(x), str(x + (2 if i < n // 2 else 7))) for i, x in enumerate(rng.sample(range(1, 45), n))]


def words(label: Callable[[random.Random, str], str]) -> Draw:
    """A noun and what is made of it."""
    return lambda rng, n: [(word, label(rng, word)) for word, _ in rng.sample(NOUNS, n)]


def shuffled(rng: random.Random, n: int) -> Pairs:
    """Every noun with the French of another one."""
    rows = rng.sample([row for row in NOUNS if row[0] != row[1]], n)
    return [(word, rows[(i + 1) % n][1]) for i, (word, _) in enumerate(rows)]


def off_by_one(rng: random.Random, n: int) -> Pairs:
    """Sums that are one too large."""
    drawn = [(rng.randint(1, 15), rng.randint(1, 15)) for _ in range(n)]
    return [(f"{a} + {b}", str(a + b + 1)) for a, b in drawn]


def sentences(rng: random.Random, n: int) -> Pairs:
    """English and French sentences."""
    drawn = [rng.sample(NOUNS, 2) for _ in range(n)]
    return [(f"I see a {a} and a {b}.", f"Je vois {c} et {d}.") for (a, c), (b, d) in drawn]


OUTSIDE: dict[str, Draw] = {
    "numbers, 2x + 1": numbers(lambda x: 2 * x + 1),
    "numbers, 3x − 1": numbers(lambda x: 3 * x - 1),
    "numbers, x²": numbers(lambda x: x * x),
    "plus two, then plus seven": halfway,
    "sums, one too large": off_by_one,
    "French of another noun": shuffled,
    "nouns spelled backwards": words(lambda _, word: word[::-1]),
    "length of a noun": words(lambda _, word: str(len(word))),
    "nouns and made-up words": words(lambda rng, _: "".join(rng.choices(LETTERS, k=5))),
    "English and French sentences": sentences,
}
CODEBOOK = "foo or bar by a noun's length"  # a rule of no task, but codebooks hold any labels of their list


def study_of(pairs: Sequence[tuple[str, str]], instruction: str = "") -> tuple[Study, tuple[str, ...]]:
    """All pairs but the last are shown, and the last one's input is asked for."""
    shown = tuple(Demonstration(input=x, label=y) for x, y in pairs[:-1])
    labels = tuple(dict.fromkeys(y for _, y in pairs))
    return Study(demonstrations=shown, query=pairs[-1][0], instruction=instruction), labels


def measure(model: LanguageModel, pairs: Sequence[tuple[str, str]], instruction: str = "") -> dict[str, Any]:
    """What the two signs say of one study."""
    study, labels = study_of(pairs, instruction)
    assert model.mixture is not None
    bayes = ExactBayes(Question.of(study, study.demonstrations, labels), model.mixture)
    residual = implicit_posterior(bayes, model).residual
    assert residual is not None
    return {"k": len(pairs) - 1, "chance": bayes.fit.chance, "fits": bayes.fit.fits, "residual": float(residual[-1])}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Shares of alarms with 95 % Wilson intervals."""
    shown = [not row["fits"] for row in rows]
    read = [row["residual"] > UNLIKELY_RESIDUAL for row in rows]
    either = [a or b for a, b in zip(shown, read, strict=True)]
    found: dict[str, Any] = {"studies": len(rows)}
    for name, alarms in (("demonstrations", shown), ("reading", read), ("either", either)):
        low, high = wilson(sum(alarms), len(alarms))
        found[name] = {"share": sum(alarms) / len(alarms), "low": low, "high": high}
    found["residual"] = {str(q): float(np.quantile([row["residual"] for row in rows], q)) for q in (0.5, 0.98, 0.99)}
    return found


def main() -> None:
    """Measure and write."""
    model = load_model()
    assert model.mixture is not None
    rng = random.Random(SEED)
    result: dict[str, Any] = {"seed": SEED, "fingerprint": model.fingerprint, "limit": UNLIKELY_RESIDUAL}
    inside = []
    for i in range(INSIDE):
        document = draw_document(model.mixture, rng, count=WITHIN[i % len(WITHIN)] + 1, reversed_share=0.0)
        inside.append(measure(model, document.pairs, document.instruction))
    result["inside"] = summary(inside)
    result["inside by k"] = {str(k): summary([row for row in inside if row["k"] == k]) for k in WITHIN}
    kinds = OUTSIDE | {CODEBOOK: words(lambda _, word: "foo" if len(word) % 2 else "bar")}
    measured = {
        name: [measure(model, draw(rng, SHOWN[i % len(SHOWN)] + 1)) for i in range(EACH)]
        for name, draw in kinds.items()
    }
    result["outside"] = {name: summary(rows) for name, rows in measured.items()}
    result["all outside"] = summary([row for name in OUTSIDE for row in measured[name]])
    result["all outside by k"] = {
        str(k): summary([row for name in OUTSIDE for row in measured[name] if row["k"] == k]) for k in SHOWN
    }
    write_results("misfit", result, report(result))
    print(report(result))


def row_of(name: str, found: dict[str, Any]) -> str:
    """One line of the table."""
    cells = [
        f"{found[sign]['share']:.3f} ({found[sign]['low']:.3f} – {found[sign]['high']:.3f})"
        for sign in ("demonstrations", "reading", "either")
    ]
    return f"| {name} | {found['studies']} | {' | '.join(cells)} | {found['residual']['0.5']:.3f} |"


def report(result: dict[str, Any]) -> str:
    """results/misfit.md."""
    lines = [
        "# Signs of a misfit",
        "",
        f"Embedded model {result['fingerprint']}, seed {result['seed']}. *Demonstrations*: so many that no task "
        "explains that at most one document of the mixture in a hundred is as odd. *Reading*: the residual of the "
        f"implicit posterior is above {result['limit']} nats. Shares of studies with 95 % Wilson intervals.",
        "",
        "| studies | number | demonstrations | reading | either | median residual |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        row_of("**of the mixture: false alarms**", result["inside"]),
        *(row_of(f"with {k} demonstrations", found) for k, found in result["inside by k"].items()),
        row_of("**of none of its tasks: right alarms**", result["all outside"]),
        *(row_of(f"with {k} demonstrations", found) for k, found in result["all outside by k"].items()),
        *(row_of(name, found) for name, found in result["outside"].items() if name != CODEBOOK),
        "",
        f"Not counted above: {CODEBOOK}. No task has the rule, but a codebook of the mixture gives any input either "
        "label, so the demonstrations do fit, and the posterior says that only memory explains them:",
        "",
        "| studies | number | demonstrations | reading | either | median residual |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        row_of(CODEBOOK, result["outside"][CODEBOOK]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
