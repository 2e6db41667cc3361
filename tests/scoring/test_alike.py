"""Candidates are scored after the same text, whatever the tokenizer joins; or there is a sentence why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core import Study, Template, load_model
from core.analysis.format.tokens import tokens_of
from core.analysis.scoring.breakdown import score_breakdown
from core.analysis.scoring.grid import combination_of, combinations
from core.analysis.scoring.table import score_tables
from core.errors import ModelError, StudyError
from core.models import LanguageModel
from core.posterior.instruction import instruction_posterior
from core.scoring.direct import label_probabilities
from core.scoring.together import score, score_together
from core.study.prompts import render
from core.study.question import Question
from core.study.study import Hypothesis
from tests.models import plain
from tests.tiny import folder, rows, tiny

SUMS = rows([("7-5", "2"), ("2-5", "-3"), ("1-6", "-5"), ("4-7", "-3")])
EQUALS = Template(label_prefix="=")
MINUS = Study(query="3-5", template=EQUALS, labels=("2", "-2"), demonstrations=SUMS)
BARE = Template(label_prefix="")


def after_the_same_text(
    checkpoint: Path, context: str, endings: Sequence[str], start: Sequence[int] = ()
) -> NDArray[np.float64]:
    """log p of each ending from the first token in which any two texts differ, or from the context's end if earlier.

    One text at a time in float64, by token numbers alone.
    """
    model, tokenizer = plain.load(checkpoint, dtype=torch.float64)
    texts = [tokenizer(context + ending, return_offsets_mapping=True) for ending in endings]
    ids = [[*start, *text["input_ids"]] for text in texts]
    ends = [[0] * len(start) + [end for _, end in text["offset_mapping"]] for text in texts]
    parting = next(i for i in range(min(map(len, ids))) if len({own[i] for own in ids}) > 1)
    first = min([parting, *(next(i for i, end in enumerate(own) if end > len(context)) for own in ends)])
    assert first > 0
    found = []
    for own in ids:
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.tensor([own])).logits[0].double(), dim=-1)
        found.append(sum(float(logs[i - 1, own[i]]) for i in range(first, len(own))))
    return np.array(found)


def shares(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logs - logs.max())
    return np.asarray(powers / powers.sum())


def test_minus_two_after_an_equals_sign(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    """Since "=-" is one token, both labels are read after "3-5": −2 is the likelier (.569), not 2 (.622)."""
    prompt = render(SUMS, "3-5", EQUALS)
    logs = after_the_same_text(smollm2_folder, prompt.text, MINUS.labels)
    answer = score(MINUS, smollm2, SUMS, MINUS.labels)
    assert answer.scores == pytest.approx(logs, abs=1e-4)
    assert answer.best == "-2"
    assert answer.probabilities[1] == pytest.approx(0.569, abs=0.002)
    assert [text.tokens for text in answer.scored] == [("=", "2"), ("=-", "2")]
    assert answer.outside == pytest.approx(1 - np.exp(logs).sum(), abs=1e-4)
    perplexity = score(MINUS.model_copy(update={"scoring": "perplexity"}), smollm2, SUMS, MINUS.labels)
    assert perplexity.probabilities == pytest.approx(answer.probabilities, abs=1e-4)  # as many tokens: the same


def test_every_reader_of_the_joined_labels_agrees(smollm2: LanguageModel) -> None:
    """Alone, with others, in the table, in the breakdown, for selections, on the Format page."""
    answer = score(MINUS, smollm2, SUMS, MINUS.labels)
    (together, _) = score_together([(MINUS, SUMS, MINUS.labels), (MINUS, SUMS[:2], MINUS.labels)], smollm2)
    assert together.probabilities == pytest.approx(answer.probabilities, abs=1e-5)
    (table,) = score_tables(MINUS, smollm2, [("3-5", SUMS, MINUS.labels)], [combination_of(MINUS)])
    assert table.probabilities[0] == pytest.approx(answer.probabilities, abs=1e-5)
    working = score_breakdown(MINUS, smollm2, SUMS, MINUS.labels, combination_of(MINUS))
    assert [line.score for line in working.query.lines] == pytest.approx(answer.scores, abs=1e-4)
    p = label_probabilities(MINUS, smollm2, [(SUMS, "3-5"), (SUMS[:2], "3-5")], MINUS.labels)
    assert p[0] == pytest.approx(answer.probabilities, abs=1e-5)
    shown = tokens_of(smollm2, render(SUMS, "3-5", EQUALS), EQUALS, MINUS.labels)
    assert [row.tokens for row in shown.labels] == [text.tokens for text in answer.scored]
    assert [row.merged for row in shown.labels] == [False, True]


def test_hypotheses_are_compared_after_the_same_text(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    """Under one hypothesis the label is written "2" and under the other "-2"."""
    hypotheses = (
        Hypothesis(name="minus", instruction="Subtract."),
        Hypothesis(name="other", instruction="Count back.", words=(("2", "-2"),)),
    )
    study = MINUS.model_copy(update={"hypotheses": hypotheses, "labels": ("2",)})
    found = instruction_posterior(Question.of(study, SUMS[:1], ("2",)), smollm2)
    logs = []
    for hypothesis in hypotheses:
        context = f"{hypothesis.instruction}\n\n7-5"
        logs.append(plain.score(smollm2_folder, context, f"={hypothesis.word('2')}", torch.float64).sum())
    assert found.weights[1] == pytest.approx(shares(np.array(logs)), abs=1e-4)


CASES = [
    ("", "a cat\nthe do", ("g", "g -> chien", "or")),  # "dog" is a token: its "do" is scored with each label
    ("", "was po", ("sitive", "wer", "s")),
    ("->", "a do", ("g", " positive", "x")),  # nothing is joined
    ("the hous", "was", ("e", "es", "ing")),
]


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize(("prefix", "query", "labels"), CASES)
def test_any_join_against_token_numbers(architecture: str, prefix: str, query: str, labels: tuple[str, ...]) -> None:
    template = Template(label_prefix=prefix)
    study = Study(query=query, template=template)
    answer = score(study, tiny(architecture), (), labels)
    logs = after_the_same_text(folder(architecture), query + prefix, labels)
    assert answer.probabilities == pytest.approx(shares(logs), abs=1e-4)
    assert answer.scores == pytest.approx(logs, abs=1e-4)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_what_is_not_joined_is_asked_once(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = tiny(architecture), []
    answer = model.answer
    monkeypatch.setattr(model, "answer", lambda *a, **k: asked.append(a) or answer(*a, **k))
    score(Study(query="the film"), model, (), ("positive", "negative"))
    assert len(asked) == 1


@pytest.mark.parametrize("scoring", ["direct", "perplexity", "pmi"])
def test_what_has_nothing_left_to_score_is_refused(smollm2: LanguageModel, scoring: str) -> None:
    """ "Answer" is one token and the text's first, so P("wer" | "Ans") was 1 whatever the model thinks."""
    study = Study(query="Ans", template=BARE, scoring=scoring)
    for labels in (("wer", "kle"), ("kle", "wer")):
        with pytest.raises(StudyError, match="before which this model reads nothing"):
            score(study, smollm2, (), labels)
    assert score(study, smollm2, SUMS[:1], ("wer", "kle")).best == "wer"


def test_candidates_that_differ_in_the_first_token_are_refused() -> None:
    study = Study(query="do", template=BARE)
    with pytest.raises(StudyError, match="differ in the text's first token"):
        score(study, tiny("gpt2"), (), ("g was", "or was"))
    answer = score(study, tiny("gpt2"), (), ("g was", "g film"))  # both begin with "dog": the rest tells them apart
    with pytest.raises(StudyError, match="differ in the text's first token"):
        score(study.model_copy(update={"scoring": "perplexity"}), tiny("gpt2"), (), ("g was", "or was"))
    logs = [plain.score(folder("gpt2"), "dog", ending).sum() for ending in (" was", " film")]
    assert answer.scores == pytest.approx(logs, abs=1e-4)


def test_a_label_that_the_tokenizer_does_not_read_is_refused() -> None:
    """A zero-width space that a normaliser takes away scored nothing, and won."""
    from tokenizers import normalizers

    model = load_model(str(folder("gpt2")))
    model.encoder._backend.normalizer = normalizers.Replace("\u200b", "")
    for template in (Template(), EQUALS):
        with pytest.raises(StudyError, match=r"tokenizer reads nothing of “U\+200B”"):
            score(Study(query="the film", template=template), model, (), ("good", "\u200b"))


def test_a_channel_that_cannot_tell_label_from_query_is_refused() -> None:
    joined = Template(channel_input_prefix="")
    study = Study(query="g is a bird", template=joined, scoring="channel")
    with pytest.raises(StudyError, match="joined to what stands before it"):
        score(study, tiny("llama"), (), ("a do", "a cat"))
    parted = study.model_copy(update={"template": Template(channel_input_prefix=" <- ")})
    assert score(parted, tiny("llama"), (), ("a do", "a cat")).probabilities.sum() == pytest.approx(1)


def test_pmi_without_a_premise_begins_at_the_start_token() -> None:
    """GPT-2's tokenizer puts none in front, and so a label's first token had no probability after a blank prefix."""
    study = Study(query="the film", template=Template(label_prefix="\n"), scoring="pmi")
    labels = ("good", "positive and the plot", "a")
    answer = score(study, tiny("gpt2"), (), labels)
    after = after_the_same_text(folder("gpt2"), "the film\n", labels)
    bare = after_the_same_text(folder("gpt2"), "", labels, start=[0])
    assert answer.scores == pytest.approx(after - bare, abs=2e-4)
    (with_bos,) = score_together([(study, (), labels)], tiny("llama"))
    bare = after_the_same_text(folder("llama"), "", labels)
    after = after_the_same_text(folder("llama"), "the film\n", labels)
    assert with_bos.scores == pytest.approx(after - bare, abs=2e-4)


def test_pmi_of_a_real_model_without_a_premise(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    study = Study(query="The capital of France is", template=Template(label_prefix="\n"), scoring="pmi")
    labels = ("Paris", "Ouagadougou")
    _, tokenizer = plain.load(smollm2_folder, dtype=torch.float64)
    after = after_the_same_text(smollm2_folder, f"{study.query}\n", labels)
    bare = after_the_same_text(smollm2_folder, "", labels, start=[tokenizer.bos_token_id])
    assert score(study, smollm2, (), labels).scores == pytest.approx(after - bare, abs=2e-4)


def test_pmi_without_a_start_token_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(str(folder("gpt2")))
    monkeypatch.setattr(model, "_start", None)
    study = Study(query="the film", template=Template(label_prefix="\n"), scoring="pmi")
    with pytest.raises(ModelError, match="write a premise"):
        score(study, model, (), ("good", "bad"))
    ways = combinations()
    (table,) = score_tables(study, model, [("the film", (), ("good", "bad"))], ways)
    unsaid = {way.variant.scoring for way, error in zip(ways, table.errors, strict=True) if "premise" in error}
    assert unsaid == {"pmi"}
    premised = study.model_copy(update={"premise": "The label is"})
    assert score(premised, model, (), ("good", "bad")).probabilities.sum() == pytest.approx(1)
