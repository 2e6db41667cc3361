"""What goes home with an experiment: a script and a notebook that give the same numbers, a paragraph on methods, and
its sources."""

from __future__ import annotations

import textwrap
from typing import Any

from core.experiments.design import Design
from core.experiments.experiment import Experiment
from core.experiments.fields import title_of, words_of
from core.ordering import orderings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections

SOURCES = {
    ("ordering", "nearest-last"): ("liu2022",),
    ("ordering", "globale"): ("lu2022",),
    ("ordering", "locale"): ("lu2022",),
    ("ordering", "random"): ("lu2022",),
    ("selection", "similarity"): ("liu2022",),
    ("scoring", "channel"): ("min2022channel",),
    ("scoring", "pmi"): ("holtzman2021",),
    ("calibration", "contextual"): ("zhao2021",),
    ("calibration", "domain-context"): ("fei2023",),
}
"""Whom a method is from, where it is on screen under its name."""
BIBTEX = {
    "liu2022": (
        "inproceedings",
        "What Makes Good In-Context Examples for {GPT}-3?",
        "Liu, Jiachang and Shen, Dinghan and Zhang, Yizhe and Dolan, Bill and Carin, Lawrence and Chen, Weizhu",
        "DeeLIO Workshop at ACL",
        2022,
    ),
    "lu2022": (
        "inproceedings",
        "Fantastically Ordered Prompts and Where to Find Them: Overcoming Few-Shot Prompt Order Sensitivity",
        "Lu, Yao and Bartolo, Max and Moore, Alastair and Riedel, Sebastian and Stenetorp, Pontus",
        "ACL",
        2022,
    ),
    "min2022channel": (
        "inproceedings",
        "Noisy Channel Language Model Prompting for Few-Shot Text Classification",
        "Min, Sewon and Lewis, Mike and Hajishirzi, Hannaneh and Zettlemoyer, Luke",
        "ACL",
        2022,
    ),
    "min2022labels": (
        "inproceedings",
        "Rethinking the Role of Demonstrations: What Makes In-Context Learning Work?",
        "Min, Sewon and Lyu, Xinxi and Holtzman, Ari and Artetxe, Mikel and Lewis, Mike and Hajishirzi, Hannaneh and "
        "Zettlemoyer, Luke",
        "EMNLP",
        2022,
    ),
    "holtzman2021": (
        "inproceedings",
        "Surface Form Competition: Why the Highest Probability Answer Isn't Always Right",
        "Holtzman, Ari and West, Peter and Shwartz, Vered and Choi, Yejin and Zettlemoyer, Luke",
        "EMNLP",
        2021,
    ),
    "zhao2021": (
        "inproceedings",
        "Calibrate Before Use: Improving Few-Shot Performance of Language Models",
        "Zhao, Tony Z. and Wallace, Eric and Feng, Shi and Klein, Dan and Singh, Sameer",
        "ICML",
        2021,
    ),
    "fei2023": (
        "inproceedings",
        "Mitigating Label Biases for In-Context Learning",
        "Fei, Yu and Hou, Yifan and Chen, Zeming and Bosselut, Antoine",
        "ACL",
        2023,
    ),
}


def script(experiment: Experiment) -> str:
    """A Python script that computes the experiment and prints its means and verdicts; nothing but `core` is needed."""
    body = experiment.model_dump_json(exclude_defaults=True)
    return f'''"""{experiment.name or "An experiment of ICLens"}: {_safe(experiment.sentence())}.

Run it in the folder of ICLens: the items are kept in experiment.sqlite, and what is there is not computed again.
"""

from core.experiments.findings import findings_of
from core.experiments.design import Design
from core.experiments.experiment import read
from core.experiments.ledger import Ledger
from core.experiments.run import run_experiment

EXPERIMENT = read({body!r})


def main() -> None:
    ledger = Ledger("experiment.sqlite")
    run_experiment(EXPERIMENT, ledger, listener=lambda now: print(f"{{now.done:,}} of {{now.total:,}} items"))
    answers = findings_of(Design(EXPERIMENT), ledger.items(EXPERIMENT.key))
    for setting, mean in zip(answers.settings, answers.means, strict=True):
        print(f"{{setting.name}}: {{mean.mean:.4f}} ({{mean.low:.4f}} to {{mean.high:.4f}})")
    for pair in answers.pairs:
        print(pair.said.text)


if __name__ == "__main__":  # the processes that compute import this file too
    main()
'''


def notebook(experiment: Experiment) -> str:
    """A Jupyter notebook, as JSON, that does the same and draws the table of items as a frame of pandas."""
    import nbformat

    make: Any = nbformat.v4  # it has no types
    body = experiment.model_dump_json(exclude_defaults=True)
    cells = [
        make.new_markdown_cell(f"# {experiment.name or 'An experiment of ICLens'}\n\n{methods(experiment)}"),
        make.new_code_cell(
            "from core.experiments.findings import findings_of\n"
            "from core.experiments.design import Design\n"
            "from core.experiments.experiment import read\n"
            "from core.experiments.ledger import Ledger\n"
            "from core.experiments.run import run_experiment\n"
            "from core.experiments.table import records"
        ),
        make.new_code_cell(f"experiment = read({body!r})\ndesign = Design(experiment)\nexperiment.sentence()"),
        make.new_code_cell(
            'ledger = Ledger("experiment.sqlite")  # what is there is not computed again\n'
            "run_experiment(experiment, ledger)"
        ),
        make.new_code_cell(
            "items = ledger.items(experiment.key)\nanswers = findings_of(design, items)\n"
            "for setting, mean in zip(answers.settings, answers.means, strict=True):\n"
            '    print(f"{setting.name}: {mean.mean:.4f} ({mean.low:.4f} to {mean.high:.4f})")\n'
            "for pair in answers.pairs:\n    print(pair.said.text)"
        ),
        make.new_code_cell("import pandas as pd\n\npd.DataFrame(records(design, items))"),
    ]
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"  # the same file for the same experiment
    return str(make.writes(make.new_notebook(cells=cells)))


def methods(experiment: Experiment) -> str:
    """A paragraph for a paper: what was asked of what, what was drawn, and how the intervals came about."""
    design = Design(experiment)
    study, draws = experiment.study, experiment.draws
    said = [
        f"We asked {_listed([words_of('model', choice) for choice in experiment.models])} "
        f"{len(experiment.questions):,} questions with {_listed([f'“{label}”' for label in design.labels[:6]])}"
        f"{' and others' if len(design.labels) > 6 else ''} as candidate answers."
    ]
    fixed = {one.field for one in experiment.vary}
    kept = [
        (field, registry.find(getattr(study, field)).title)
        for field, registry in (
            ("selection", selections),
            ("ordering", orderings),
            ("scoring", scorers),
            ("calibration", calibrations),
        )
        if field not in fixed
    ]
    varied = [
        f"{title_of(one.field).lower()} ({_listed([words_of(one.field, value) for value in one.values])})"
        for one in experiment.vary
    ]
    if varied:
        said.append(f"We varied {_listed(varied)}.")
    said.append(
        f"The rest was fixed: {'' if 'k' in fixed else f'{study.k} demonstrations, '}"
        f"{_listed([f'{title_of(field).lower()} “{title}”' for field, title in kept])}."
    )
    sets = max((cell.drawn for cell in design.cells), default=0) + 1
    said.append(
        f"Demonstrations came from {len(design.rows):,} rows that share no input with the questions; {sets} "
        f"{'sets were' if sets > 1 else 'set was'} drawn"
        + (f", each from {draws.share:.0%} of them" if draws.share < 1 and sets > 1 else "")
        + (f", in {draws.orders} orders each where orders are drawn" if draws.orders > 1 else "")
        + f" (seed {draws.seed}). Settings share questions and sets, and differences are paired. Intervals are 95 % "
        "and cover what was drawn: questions, and demonstration sets and orders where several were drawn; p-values are "
        "of a paired permutation test, corrected by Holm over all comparisons."
    )
    said.append(f"All numbers were computed with ICLens (experiment {experiment.key}).")
    return " ".join(said)


def bibtex(experiment: Experiment) -> str:
    """Entries of BibTeX for the methods that the experiment compares or uses."""
    keys: list[str] = []
    for setting in Design(experiment).settings:
        for field in ("selection", "ordering", "scoring", "calibration"):
            keys += SOURCES.get((field, getattr(setting.study, field)), ())
        keys += ["min2022labels"] * any(name == "right_labels" for name, _ in setting.values)
    return "\n\n".join(_entry(key) for key in dict.fromkeys(keys))


def _entry(key: str) -> str:
    kind, title, authors, venue, year = BIBTEX[key]
    lines = textwrap.indent(
        f"title = {{{title}}},\nauthor = {{{authors}}},\nbooktitle = {{{venue}}},\nyear = {{{year}}},", "  "
    )
    return f"@{kind}{{{key},\n{lines}\n}}"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _safe(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")
