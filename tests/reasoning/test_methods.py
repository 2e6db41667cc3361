"""Every method against a model whose writing is known, and prompts against strings written by hand."""

from __future__ import annotations

import pytest

from core import TEMPLATES, Demonstration, Prompt, Study
from core.errors import StudyError
from core.reasoning import reasonings
from core.reasoning.forms import chained, growing, questions_in, same, sum_steps
from core.reasoning.rationales import NO_STEPS
from core.study.demonstrations import Step
from tests.reasoning.scripted import SUMS, play, rows, writer

STUDY = Study(query="3 + 3 + 1", gold="7", reasoning="steps")
CHAIN = "2 + 3 = 5, 5 + 4 = 9. So the answer is 9"
ASKED = "Follow up: 2 + 3 Intermediate answer: 5 Follow up: 5 + 4 Intermediate answer: 9 So the final answer is 9"
BY_HAND = {
    "arrow": "2 + 3 + 4 -> {}\n3 + 3 + 1 ->",
    "equals": "2 + 3 + 4 = {}\n3 + 3 + 1 =",
    "bar": "2 + 3 + 4 | {}\n3 + 3 + 1 |",
    "input-label": "Input: 2 + 3 + 4\nLabel: {}\n\nInput: 3 + 3 + 1\nLabel:",
    "question-answer": "Q: 2 + 3 + 4\nA: {}\n\nQ: 3 + 3 + 1\nA:",
}
FIRST = {"steps": CHAIN, "self-ask": ASKED, "least-to-most": "2 + 3; 2 + 3 + 4", "none": "9"}


def covers(prompt: Prompt) -> bool:
    """Whether the parts hold every character once, in order."""
    ends = [0, *(part.end for part in prompt.parts)]
    return [part.start for part in prompt.parts] == ends[:-1] and ends[-1] == len(prompt.text)


def of(name: str, **changes: object) -> Study:
    return STUDY.model_copy(update={"reasoning": name, **changes})


def test_every_template_is_known_here() -> None:
    assert set(BY_HAND) == set(TEMPLATES)


@pytest.mark.parametrize("template", list(TEMPLATES))
@pytest.mark.parametrize("name", list(FIRST))
def test_prompts_equal_hand_written_strings(name: str, template: str) -> None:
    study = of(name, template=TEMPLATES[template], instruction="Add.")
    _, asks = play(study, SUMS[:1], lambda ask: "7")
    assert asks[0].prompt.text == "Add.\n\n" + BY_HAND[template].format(FIRST[name])
    assert asks[0].prompt.gap == " "
    assert all(covers(ask.prompt) for ask in asks)


def test_chain_of_thought_in_two_stages() -> None:
    found, asks = play(of("steps"), SUMS[:1], writer(" 3 + 3 = 6, 6 + 1 = 7. So the answer is 7\n"))
    assert [(stage.name, stage.written) for stage in found.stages] == [
        ("Reason", "3 + 3 = 6, 6 + 1 = 7."),
        ("Answer", "7"),
    ]
    assert asks[1].prompt == found.final
    assert found.final.text == BY_HAND["arrow"].format(CHAIN) + " 3 + 3 = 6, 6 + 1 = 7. So the answer is"
    assert found.final.gap == " "
    assert covers(found.final)
    assert found.answer is found.stages[-1]
    assert found.notes == ()


def test_self_ask_stage_by_stage() -> None:
    text = " Follow up: 3 + 3 Intermediate answer: 6 Follow up: 6 + 1 Intermediate answer: 7 So the final answer is 7\n"
    found, asks = play(of("self-ask"), SUMS[:1], writer(text))
    assert [(stage.name, stage.written) for stage in found.stages] == [
        ("Follow up 1", "Follow up: 3 + 3"),
        ("Intermediate answer 1", "6"),
        ("Follow up 2", "6 + 1"),
        ("Intermediate answer 2", "7"),
        ("Final answer", "7"),
    ]
    assert found.final.text == BY_HAND["arrow"].format(ASKED) + text.rstrip("7\n").rstrip()
    start = BY_HAND["arrow"].format(ASKED)
    assert [ask.prompt.text[len(start) :] for ask in asks][:3] == [
        "",
        " Follow up: 3 + 3 Intermediate answer:",
        " Follow up: 3 + 3 Intermediate answer: 6 Follow up:",
    ]
    assert all(covers(ask.prompt) for ask in asks)


def test_self_ask_may_need_no_question() -> None:
    found, _ = play(of("self-ask"), SUMS, writer(" So the final answer is 7\n"))
    assert [stage.written for stage in found.stages] == ["", "7"]
    assert found.answer is not None


def test_self_ask_that_never_stops_is_stopped() -> None:
    asking = {"Follow": " again Intermediate answer: ", "Intermediate": " more Follow up: "}
    found, asks = play(of("self-ask"), SUMS, lambda ask: asking[ask.name.split()[0]])
    assert len(asks) == 16
    assert found.answer is None
    assert any("8 questions" in note for note in found.notes)


def test_least_to_most_decomposes_then_solves() -> None:
    said = {"Decompose": " 3 + 3; 3 + 3 + 1\n", "Solve 3 + 3": " 6\n", "Answer": " 7\n"}
    found, asks = play(of("least-to-most"), SUMS[:1], lambda ask: said[ask.name])
    assert [stage.name for stage in found.stages] == list(said)
    assert [ask.prompt.text for ask in asks] == [
        BY_HAND["arrow"].format("2 + 3; 2 + 3 + 4"),
        "2 + 3 + 4 -> 9\n3 + 3 ->",
        "2 + 3 + 4 -> 9\n3 + 3 -> 6\n3 + 3 + 1 ->",
    ]
    assert found.final.text == asks[2].prompt.text
    assert all(covers(ask.prompt) for ask in asks)
    # What was solved is no demonstration of the study's.
    assert {part.demonstration for part in found.final.parts} == {0, None}
    (solved,) = [part for part in found.final.parts if part.kind == "steps"]
    assert found.final.text[solved.start : solved.end] == "3 + 3 -> 6\n"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("decomposition", "asked", "note"),
    [
        (" 3 + 3 ; 3 + 3 + 1", ["Solve 3 + 3"], None),
        (" 3 + 3", ["Solve 3 + 3"], "put last"),
        (" 3 + 3 + 1", [], None),
        (" 3 + 3; 3 + 3 + 1; 9 + 9", ["Solve 3 + 3"], "left out"),
        ("", [], "put last"),
        ("; ".join("abcdefghij") + "; 3 + 3 + 1", [f"Solve {c}" for c in "abcdefg"], "10 sub-questions"),
    ],
)
def test_decompositions_as_models_write_them(decomposition: str, asked: list[str], note: str | None) -> None:
    found, _ = play(of("least-to-most"), SUMS, lambda ask: decomposition if ask.name == "Decompose" else "1")
    assert [stage.name for stage in found.stages] == ["Decompose", *asked, "Answer"]
    assert bool(found.notes) == (note is not None)
    assert note is None or note in found.notes[0]


def test_half_a_question_is_not_solved() -> None:
    found, _ = play(
        of("least-to-most"),
        SUMS,
        lambda ask: " 3 + 3; 3 +" if ask.name == "Decompose" else "1",
        lambda ask: ask.name != "Decompose",
    )
    assert [stage.name for stage in found.stages] == ["Decompose", "Solve 3 + 3", "Answer"]
    assert any("cut off" in note for note in found.notes)


@pytest.mark.parametrize(("name", "closing"), [("steps", "So the answer is"), ("self-ask", "So the final answer is")])
@pytest.mark.parametrize("finished", [True, False])
def test_a_rationale_without_its_closing_words_gives_no_answer(name: str, closing: str, finished: bool) -> None:
    """The last number is not taken for the answer; labels can be scored all the same, and a note says how."""
    found, asks = play(of(name), SUMS, lambda ask: " 3 + 3 is 6 and 7", lambda ask: finished)
    assert len(asks) == 1
    assert found.answer is None
    assert found.final.text.endswith(closing)
    assert any(closing in note for note in found.notes)
    assert any("cut off" in note for note in found.notes) != finished


@pytest.mark.parametrize("name", ["steps", "self-ask", "least-to-most"])
def test_without_steps_the_answer_comes_at_once(name: str) -> None:
    for shown in ((), rows(("cat", "chat", ""))):
        found, asks = play(of(name), shown, lambda ask: " 7\n")
        assert [ask.name for ask in asks] == ["Answer"]
        assert found.answer is not None
        assert found.notes == (NO_STEPS,)


@pytest.mark.parametrize("name", ["steps", "self-ask", "least-to-most"])
def test_demonstrations_without_steps_are_written_plainly(name: str) -> None:
    shown = (*SUMS[:1], *rows(("1 + 1", "2", "")))
    found, asks = play(of(name), shown, lambda ask: " 7\n")
    plain = "\n1 + 1 -> 1 + 1\n" if name == "least-to-most" else "\n1 + 1 -> 2\n"
    assert plain in asks[0].prompt.text
    assert "1 of the 2 demonstrations shown has no steps and is written plainly." in found.notes


def test_a_rationale_is_a_part_of_its_own() -> None:
    _, asks = play(of("steps"), SUMS, lambda ask: "")
    prompt = asks[0].prompt
    texts = {
        (part.kind, part.demonstration): prompt.text[part.start : part.end]
        for part in prompt.parts
        if part.kind in ("steps", "label")
    }
    assert texts["steps", 0] == "2 + 3 = 5, 5 + 4 = 9. So the answer is "
    assert texts["label", 0] == "9"
    assert texts["label", 1] == "6"


def test_thoughts_are_sentences() -> None:
    shown = rows(("x", "4", "Roger has 2. ; He buys 2 more = 4"))
    _, asks = play(of("steps"), shown, lambda ask: "")
    assert "Roger has 2. He buys 2 more = 4. So the answer is 4\n" in asks[0].prompt.text
    _, asks = play(of("self-ask"), shown, lambda ask: "")
    said = "Intermediate answer: Roger has 2. Follow up: He buys 2 more Intermediate answer: 4 So the final answer is 4"
    assert said in asks[0].prompt.text


def test_both_forms_of_steps_come_from_either() -> None:
    chain = tuple(Step(question=q, answer=a) for q, a in (("2 + 3", "5"), ("5 + 4", "9"), ("9 + 1", "10")))
    grown = tuple(Step(question=q, answer=a) for q, a in (("2 + 3", "5"), ("2 + 3 + 4", "9"), ("2 + 3 + 4 + 1", "10")))
    assert growing(chain) == growing(grown) == grown
    assert chained(grown) == chained(chain) == chain
    other = (Step(question="who?", answer="Ada"), Step(answer="so it is"), Step(question="5 apples", answer="5"))
    assert growing(other) == chained(other) == other
    tens = (Step(question="5 + 5", answer="1"), Step(question="10 + 1", answer="11"))
    assert growing(tens) == tens  # "10" does not begin with the answer 1
    assert questions_in(Demonstration(input="2 + 3 + 4", label="9", steps=chain[:2])) == ("2 + 3", "2 + 3 + 4")
    assert questions_in(Demonstration(input="2+3+4", label="9", steps=chain[:2])) == ("2 + 3", "2+3+4")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 + 4", [("2 + 3", "5"), ("5 + 4", "9")]),
        ("2+3", [("2 + 3", "5")]),
        ("9 - 4 - 6", [("9 - 4", "5"), ("5 - 6", "-1")]),
        ("7", []),
        ("2 + x", []),
        ("two + three", []),
        ("", []),
        ("1 + 2 =", []),
    ],
)
def test_steps_of_sums(text: str, expected: list[tuple[str, str]]) -> None:
    found = sum_steps(text)
    assert [(step.question, step.answer) for step in found] == expected
    if found:
        assert int(found[-1].answer) == eval(text)


def test_the_registry() -> None:
    assert reasonings.names() == ("none", "steps", "self-ask", "least-to-most")
    assert all(entry.help and entry.title for entry in reasonings)
    with pytest.raises(StudyError, match="telepathy"):
        reasonings.find("telepathy")
    assert same("2 + 3", "2+3")
    assert not same("2 + 3", "2 + 33")
