"""An experiment is a value: what varies is checked field by field, its key is what decides it, it reads back."""

from __future__ import annotations

import pytest

from core import Demonstration, Study
from core.errors import StudyError
from core.experiments.design import Design
from core.experiments.experiment import Draws, Experiment, Variation, read
from core.experiments.fields import names, offered, title_of, typed, words_of
from core.experiments.standing import standing_questions
from core.study.study import ModelChoice
from tests.experiments.made import experiment, rows


def test_reads_back_from_its_json_with_the_same_key() -> None:
    made = experiment(ordering=["random", "nearest-last"], k=[0, 2], right_labels=[1, 0.5])
    again = read(made.model_dump_json())
    assert again == made
    assert again.key == made.key
    assert read(made.model_dump_json(exclude_defaults=True)).key == made.key


def test_name_and_query_decide_nothing() -> None:
    made = experiment(k=[0, 2])
    other = made.model_copy(update={"name": "x", "study": made.study.model_copy(update={"query": "a", "gold": "b"})})
    assert other.key == made.key
    assert made.model_copy(update={"draws": Draws(sets=3, seed=1)}).key != made.key


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("ordering", ["no such order"], "There is no ordering"),
        ("k", [-1], "cannot be -1"),
        ("k", [], "varies over no value"),
        ("query", ["x"], "cannot vary"),
        ("nonsense", [1], "cannot vary"),
        ("right_labels", [1.5], "lies between 0 and 1"),
        ("template", [7], "cannot be 7"),
    ],
)
def test_a_value_that_a_field_cannot_have_is_one_sentence(field: str, values: list[object], said: str) -> None:
    with pytest.raises(StudyError, match=said) as caught:
        Variation(field=field, values=tuple(values))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"study": {}, "questions": []}', "[" * 2_000, '{"vary": 1}'])
def test_what_is_no_experiment_is_one_sentence(text: str) -> None:
    with pytest.raises(StudyError) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_every_field_has_a_title_and_words_for_what_is_offered() -> None:
    study = Study(pool=rows("sentiment", 4))
    for field in names():
        assert title_of(field)
        for value in offered(field, study):
            assert Variation(field=field, values=(value,)).values == (value,)
            assert words_of(field, value)
        assert typed(field) in (True, False)


def test_the_sentence_says_what_varies_and_what_is_drawn() -> None:
    made = experiment(ordering=["random", "nearest-last"])
    assert made.sentence() == "Order: Random, Nearest last; 12 questions; 3 demonstration sets; the embedded model"
    model = ModelChoice(name="/models/SmolLM2-135M/", dtype="bfloat16")
    assert words_of("model", model) == "SmolLM2-135M in bfloat16"


def test_right_answers_that_nothing_shows_are_refused_where_the_tasks_are_not_known() -> None:
    study = Study(model=ModelChoice(name="/models/x"), pool=rows("sentiment", 6))
    questions = (Demonstration(input="a", label="nowhere"),)
    with pytest.raises(StudyError, match="nowhere"):
        Design(Experiment(study=study, questions=questions))
    with pytest.raises(StudyError, match="without an input or an answer"):
        Design(Experiment(study=study, questions=(Demonstration(input="a", label=" "),)))
    with pytest.raises(StudyError, match="no label"):
        Design(Experiment(study=Study(), questions=(Demonstration(input="a", label="b"),)))


def test_too_many_cells_are_refused_before_anything_is_computed() -> None:
    with pytest.raises(StudyError, match="more than the 20,000"):
        Design(experiment(draws={"sets": 1_000, "orders": 30}))


@pytest.mark.parametrize("name", standing_questions.names())
def test_every_standing_question_is_an_experiment_on_any_rows(name: str) -> None:
    entry = standing_questions.find(name)
    found = rows("sentiment", 125)
    study = Study(pool=found[:120], k=4)
    design = Design(entry.function(study, found[120:]))
    assert entry.title.endswith("?")
    assert entry.help
    for cell in design.cells:
        design.study(cell)
    assert len({(cell.setting, cell.drawn, cell.order) for cell in design.cells}) == len(design.cells)
