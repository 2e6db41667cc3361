"""An analysis is kept by the fields of the study that it reads, and can read no others."""

from __future__ import annotations

from core import Demonstration, Study
from core.study.study import Study as Whole
from pages.ui.jobs import analysis, engine

STUDY = Study(demonstrations=(Demonstration(input="cat", label="chat"),), query="dog", gold="chien", token_head=(1, 0))


def test_a_cut_study_holds_what_is_read_and_nothing_else() -> None:
    found = analysis.cut(STUDY, {"query", "demonstrations"})
    assert (found.query, found.demonstrations) == (STUDY.query, STUDY.demonstrations)
    assert (found.gold, found.token_head) == (None, None)
    assert found == Study(query=STUDY.query, demonstrations=STUDY.demonstrations)
    assert hash(found) == hash(Study(query=STUDY.query, demonstrations=STUDY.demonstrations))
    assert engine.body(found) == Study(query=STUDY.query, demonstrations=STUDY.demonstrations).model_dump_json()


def test_fields_are_those_of_a_study() -> None:
    assert set(Whole.model_fields) >= analysis.EXPLAINS
    assert analysis.cut(STUDY, analysis.ANSWERS) == STUDY.model_copy(update={"gold": None, "token_head": None})
