"""The exercise in the guide works: each of its diffs applies, touches one file, and what it adds is found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIFF = re.compile(r"```diff\n(.*?)```", re.DOTALL)
CHECKED_OUT = ("core", "pages", ".streamlit", "dashboard.py")
FILES = ["core/kernels/letters.py", "core/scoring/first_token.py", "pages/posterior.py"]

RUN = """
import math

from core import Demonstration, Study, load_model, run
from core.analysis.scoring.breakdown import score_breakdown
from core.analysis.scoring.grid import Combination, ScorerVariant
from core.kernels import kernels
from core.scoring import scorers

assert {"letters"} <= set(kernels.names()) and {"first-token"} <= set(scorers.names())
model = load_model("embedded")
rows = tuple(Demonstration(input=x, label=y) for x, y in (("tall", "petit"), ("latte", "cher")))
study = Study(demonstrations=rows, query="ball", labels=("cheval", "zqx zqx"), scoring="first-token")
found = run(study, model)
assert found.kernels["letters"].raw.tolist() == [3, 2], found.kernels["letters"]

texts = found.answer.scored
assert [len(text.tokens) for text in texts] == [1, 1], texts
(scored,) = model.score([(found.prompt.text, found.prompt.gap + "zqx zqx")])
assert len(scored.logprobs) > 1 and math.isclose(found.answer.scores[1], scored.logprobs[0], abs_tol=1e-4)
lines = score_breakdown(study, model, rows, study.labels, Combination(ScorerVariant("first-token"))).query.lines
assert [(line.length, line.added) for line in lines] == [(1, 0.0)] * 2
assert all(math.isclose(line.score, line.sums[0], abs_tol=1e-6) for line in lines)
"""

SHOW = """
import sys

from streamlit.testing.v1 import AppTest

from core import load_model, run

page = AppTest.from_file(sys.argv[1], default_timeout=120).run().switch_page("pages/posterior.py").run()
assert not page.exception, page.exception[0].message
answer = run(page.session_state["state_history"].study, load_model("embedded")).answer
said = [element.value for element in page.markdown]
assert "**Answer to the query**" in said, said
assert f"{answer.best} {answer.probabilities.max():.2f}" in said, said
"""


def diffs() -> list[str]:
    return DIFF.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def files_of(diff: str) -> list[str]:
    return re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with the exercise done in it."""
    copy = tmp_path_factory.mktemp("exercise")
    for name in CHECKED_OUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, copy / name)
    for diff in diffs():
        # No repository around it: inside one, git passes over what that one ignores.
        environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(copy.parent)}
        command = ["git", "apply", "--whitespace=error", "-"]
        done = subprocess.run(command, cwd=copy, env=environment, input=diff, capture_output=True, text=True)
        assert done.returncode == 0, f"{files_of(diff)}: {done.stderr}"
    return copy


def python(folder: Path, code: str, *arguments: str) -> None:
    """Run it in a process of its own: the registries are the process's, and other tests count their entries."""
    environment = os.environ | {"PYTHONPATH": str(folder), "ICLENS_HOME": str(folder / "home")}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_step_is_one_file() -> None:
    assert [files_of(diff) for diff in diffs()] == [[name] for name in FILES]


def test_the_run_and_the_breakdown_know_the_kernel_and_the_scorer(edited: Path) -> None:
    python(edited, RUN)


def test_the_page_shows_the_card(edited: Path) -> None:
    python(edited, SHOW, str(edited / "dashboard.py"))


def test_its_code_is_as_the_lint_wants_it(edited: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), *FILES]
        done = subprocess.run(ruff, cwd=edited, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
