"""Experiments without a browser.

python -m core.experiments run experiment.json                    # or resume it
python -m core.experiments run experiment.json --ledger runs.sqlite --workers 8 --csv items.csv
python -m core.experiments list --ledger runs.sqlite
"""

from __future__ import annotations

import argparse
import csv
import sys
import threading
from pathlib import Path

from core.errors import ICLensError
from core.experiments.design import Design
from core.experiments.experiment import read
from core.experiments.findings import MEASURES, findings_of
from core.experiments.ledger import Ledger
from core.experiments.run import Advance, run_experiment
from core.experiments.table import records


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 1, and a sentence, where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m core.experiments")
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="compute an experiment, or what is missing of it, and print its verdicts")
    runs.add_argument("experiment", type=Path, help="experiment.json, as the Lab saves it")
    runs.add_argument("--ledger", type=Path, default=Path("experiments.sqlite"), help="where items are kept")
    runs.add_argument("--workers", type=int, help="processes; as many as suit this machine where it is left out")
    runs.add_argument("--ray", metavar="ADDRESS", help='a cluster of Ray, "auto" for that of RAY_ADDRESS')
    runs.add_argument("--again", action="store_true", help="compute once more what failed")
    runs.add_argument("--measure", choices=[one.name for one in MEASURES], default="accuracy")
    runs.add_argument("--csv", type=Path, help="write the items")
    lists = commands.add_parser("list", help="what a ledger holds")
    lists.add_argument("--ledger", type=Path, default=Path("experiments.sqlite"))
    chosen = parser.parse_args(arguments)
    try:
        return _list(chosen.ledger) if chosen.command == "list" else _run(chosen)
    except ICLensError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"“{error.filename}” cannot be read or written: {error.strerror}.", file=sys.stderr)
        return 1


def _run(chosen: argparse.Namespace) -> int:
    experiment = read(chosen.experiment.read_bytes())
    design, ledger = Design(experiment), Ledger(chosen.ledger)
    print(f"{experiment.sentence()}: {len(design.cells):,} cells, {design.items:,} items")
    workers = chosen.workers
    if chosen.ray:
        from core.experiments.ray_workers import RayWorkers  # late: needs Ray only where it is asked for

        workers = RayWorkers(experiment, chosen.ray)
    asked_to_stop = threading.Event()
    try:
        run_experiment(
            experiment, ledger, workers=workers, again=chosen.again, stop=asked_to_stop.is_set, listener=_tell
        )
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    items = ledger.items(experiment.key)
    answers = findings_of(design, items, chosen.measure)
    for setting, mean in zip(answers.settings, answers.means, strict=True):
        said = "nothing" if mean is None else f"{mean.mean:.4f}, 95 %: {mean.low:.4f} to {mean.high:.4f}"
        print(f"{setting.name}: {said}")
    for pair in answers.pairs:
        print(pair.said.text)
    for sentence, count in answers.failed.items():
        print(f"{count:,} items failed: {sentence}")
    if chosen.csv:
        rows = records(design, items)
        with chosen.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return 0


def _list(path: Path) -> int:
    for kept in Ledger(path).all():
        print(f"{kept.key}  {kept.done:,} of {kept.total:,} items  {kept.name}")
    return 0


def _tell(now: Advance) -> None:
    left = f", {now.left:.0f} s left" if now.left is not None else ""
    print(f"\r{now.done:,} of {now.total:,} items{left}   ", end="\n" if now.done == now.total else "", flush=True)


if __name__ == "__main__":
    sys.exit(main())
