"""Studies survive JSON, and refuse what makes no sense."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import Demonstration, Hypothesis, ModelChoice, Study, Template
from core.errors import InvalidValue

TEXT = st.text(max_size=20)
ROWS = st.lists(st.builds(Demonstration, input=TEXT, label=TEXT, excluded=st.booleans()), max_size=4).map(tuple)
SEED = st.integers(0, 2**31 - 1)
HEAD = st.tuples(st.integers(0, 9), st.integers(0, 9))
STUDY = st.builds(
    Study,
    model=st.builds(ModelChoice, name=TEXT, dtype=st.sampled_from(["float32", "bfloat16", "float16"])),
    demonstrations=ROWS,
    pool=ROWS,
    query=TEXT,
    gold=st.none() | TEXT,
    labels=st.lists(TEXT, max_size=3).map(tuple),
    template=st.builds(Template, name=TEXT, label_prefix=TEXT, end=TEXT),
    instruction=TEXT,
    k=st.integers(0, 10_000),
    selection_seed=SEED,
    ordering_seed=SEED,
    hypotheses=st.lists(
        st.builds(Hypothesis, name=TEXT, instruction=TEXT, prior=st.floats(1e-300, 1e300)), max_size=2
    ).map(tuple),
    heads=st.lists(HEAD, max_size=3).map(tuple),
    token_head=st.none() | HEAD,
)


@given(STUDY)
def test_json_brings_the_same_study_back(study: Study) -> None:
    again = Study.model_validate_json(study.model_dump_json())
    assert again == study
    assert hash(again) == hash(study)


@pytest.mark.parametrize("wrong", [{"k": -1}, {"probes": 0}, {"selection_seed": 2**31}, {"unheard": 1}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        Study.model_validate(wrong)
    with pytest.raises(InvalidValue):
        Hypothesis(name="h", instruction="i", prior=float("inf"))


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: 0} for name in ("shortlist", "neighbours", "organisations", "selection_probes", "validation")),
        *({"mmr_lambda": value} for value in (-0.1, 1.1, float("nan"))),
        *({"concept_tokens": value} for value in (0, 101)),
    ],
)
def test_selections_are_set_within_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValue):
        Study.model_validate(wrong)


def test_a_link_from_before_a_setting_existed_has_its_default() -> None:
    body = Study(query="x").model_dump()
    for name in ("shortlist", "mmr_lambda", "neighbours", "organisations", "validation", "concept_tokens"):
        del body[name]
    assert Study.model_validate(body) == Study(query="x")


def test_a_study_saved_under_former_names_opens_and_is_written_under_the_present_ones() -> None:
    body = Study(query="x", shortlist=7, posterior_solver="least-squares").model_dump()
    body["candidates"], body["decoding"] = body.pop("shortlist"), body.pop("posterior_solver")
    opened = Study.model_validate_json(json.dumps(body))

    assert opened == Study(query="x", shortlist=7, posterior_solver="least-squares")
    assert {"candidates", "decoding"}.isdisjoint(opened.model_dump())
    with pytest.raises(InvalidValue):
        Study.model_validate({"candidates": 7, "shortlist": 7})
    with pytest.raises(InvalidValue):
        Study.model_validate({"candidates": 0})
