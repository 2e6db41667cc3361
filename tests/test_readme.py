"""The README is true: its Python runs and prints what stands there. `python -m tests.test_readme` writes it anew."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.readme_figures import best_heads, curve, effects, figures, judged, plainly, sums
from tests.readme_forms import forms

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<printed>.*?)```", re.DOTALL)
FIGURES = re.compile(r"(?<=results -->\n).*?(?=<!-- end -->)", re.DOTALL)
EFFECTS = re.compile(r"(?<=<!-- effects, by the program -->\n).*?(?=<!-- end of effects -->)", re.DOTALL)
PLAINLY = re.compile(r"(?<=<!-- plainly, by the program -->\n).*?(?=<!-- end of plainly -->)", re.DOTALL)
CURVE = re.compile(r"(?<=<!-- curve, by the program -->\n).*?(?=<!-- end of curve -->)", re.DOTALL)
HEADS = re.compile(r"(?<=<!-- heads, by the program -->\n).*?(?=<!-- end of heads -->)", re.DOTALL)
SUMS = re.compile(r"(?<=results/embedded.json -->\n).*?(?=<!-- end of sums -->)", re.DOTALL)
FORMS = re.compile(r"(?<=readme_forms.py -->\n).*?(?=<!-- end of forms -->)", re.DOTALL)
TABLES = (
    (FIGURES, figures),
    (EFFECTS, effects),
    (PLAINLY, plainly),
    (CURVE, curve),
    (HEADS, best_heads),
    (SUMS, sums),
    (FORMS, forms),
)
NUMBER = re.compile(r"-?\d+\.\d+")


def examples() -> list[re.Match[str]]:
    return list(EXAMPLE.finditer(README.read_text(encoding="utf-8")))


def output_of(code: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), names)
    return printed.getvalue()


def test_the_python_in_the_readme_prints_what_it_says() -> None:
    names: dict[str, Any] = {}  # a later example goes on where the one before ended, as in a notebook
    assert examples()
    for example in examples():
        printed, promised = output_of(example["code"], names), example["printed"]
        assert NUMBER.sub("#", printed) == NUMBER.sub("#", promised)
        # Another processor may round the second digit the other way.
        values = [[float(n) for n in NUMBER.findall(text)] for text in (printed, promised)]
        assert values[0] == pytest.approx(values[1], abs=0.011)


@pytest.mark.parametrize(("place", "table"), TABLES)
def test_tables_are_what_the_program_and_the_benchmarks_say(place: re.Pattern[str], table: Callable[[], str]) -> None:
    found = place.search(README.read_text(encoding="utf-8"))
    assert found
    assert found[0] == table() != ""


@pytest.mark.parametrize(
    ("ends", "smaller", "met"),
    [((0.013, 0.029), True, None), ((0.01, 0.02), True, True), ((0.021, 0.03), True, False),
     ((0.963, 0.983), False, None), ((0.97, 0.98), False, True), ((0.9, 0.96), False, False)],
)  # fmt: skip
def test_a_target_is_met_by_the_whole_interval(ends: tuple[float, float], smaller: bool, met: bool | None) -> None:
    assert judged(*ends, 0.02 if smaller else 0.97, smaller) is met


def test_files_that_the_readme_names_exist() -> None:
    text = README.read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(
        r"`((?:bin|core|pages|benchmarks|docs)/[\w./-]*)`", text
    ):
        assert (ROOT / name).exists(), name


def rewritten(text: str) -> str:
    """The README with what its examples print now and what the benchmarks measured last."""
    names: dict[str, Any] = {}

    def run(example: re.Match[str]) -> str:
        return f"```python\n{example['code']}```\n\n```text\n{output_of(example['code'], names)}```"

    text = EXAMPLE.sub(run, text)
    for place, table in TABLES:
        written = table()
        text = place.sub(lambda _, written=written: written, text)
    return text


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
