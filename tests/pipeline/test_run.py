"""The whole flow, on a model whose mixture is not known and on the embedded one."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from tokenizers import normalizers

from core import Cancelled, Demonstration, Hypothesis, Study, StudyError, load_model, run
from core.mixture.documents import LENGTHS
from core.models import LanguageModel
from core.ordering import orderings
from core.scoring import scorers
from core.selection import selections, self_generated, table_of
from tests.tiny import REVIEWS, folder, rows, tiny

STUDY = Study(demonstrations=REVIEWS[:4], pool=REVIEWS, query="a good dog", k=3, probes=2)
FRENCH = rows([("cat", "chat"), ("dog", "chien"), ("house", "maison"), ("bread", "pain"), ("tree", "arbre")])


@pytest.fixture(scope="module")
def embedded() -> LanguageModel:
    return load_model()


# Every selection as given, and every ordering of what two of them choose: an ordering sees places alone.
PAIRS = dict.fromkeys([*product(selections.names(), ["given"]), *product(["hand-picked", "random"], orderings.names())])


@pytest.mark.parametrize(("selection", "ordering"), PAIRS)
def test_every_strategy_and_scorer(selection: str, ordering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_generated, "TOKENS", 6)  # a model of random weights would not stop by itself
    for scoring in scorers.names():
        study = STUDY.model_copy(update={"selection": selection, "ordering": ordering, "scoring": scoring})
        outcome = run(study, tiny())
        source = table_of(study, outcome.chosen)
        assert outcome.demonstrations == tuple(source[i] for i in outcome.chosen.indices)
        assert len(outcome.demonstrations) == (4 if selection == "hand-picked" else 3)
        assert outcome.answer.labels == ("positive", "negative")
        assert outcome.bayes is None
        assert outcome.attention is not None
        stages = {"select", "order", "render", "reason", "score", "posteriors", "attention", "kernels"}
        assert set(outcome.timings) == stages
        for kernel in outcome.kernels.values():
            assert kernel.raw.shape == (len(outcome.demonstrations),)


def test_the_same_study_gives_the_same_numbers() -> None:
    study = STUDY.model_copy(update={"selection": "random", "ordering": "globale"})
    first, second = run(study, tiny()), run(Study.model_validate_json(study.model_dump_json()), tiny())
    assert first.chosen.indices == second.chosen.indices
    assert np.array_equal(first.answer.scores, second.answer.scores)
    assert first.prompt == second.prompt
    assert first.model == tiny().name
    assert first.fingerprint == tiny().fingerprint


def test_outer_white_space_is_not_read() -> None:
    spaced = STUDY.model_copy(
        update={
            "demonstrations": tuple(Demonstration(input=f" {d.input}\n", label=f"{d.label} ") for d in REVIEWS[:4]),
            "query": "  a good dog ",
            "instruction": "\n",
        }
    )
    outcome = run(spaced, tiny())
    assert outcome.study is spaced
    assert outcome.prompt == run(STUDY, tiny()).prompt


def test_no_demonstrations_is_zero_shot() -> None:
    outcome = run(Study(query="a good film", labels=("positive", "negative")), tiny())
    assert outcome.demonstrations == ()
    assert outcome.prompt.text == "a good film ->"
    assert outcome.answer.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        ({"query": " "}, "type an input"),
        ({"demonstrations": (), "pool": ()}, "name the candidate labels"),
        ({"selection": "random", "pool": ()}, "add examples to the pool"),
        ({"selection": "oracle"}, "choose one of hand-picked"),
        ({"ordering": "oracle"}, "choose one of given"),
        ({"scoring": "oracle"}, "choose one of direct"),
        ({"ordering": "nearest-last", "encoder": "oracle"}, "choose one of hidden"),
    ],
)
def test_what_cannot_be_run_says_what_to_do(wrong: dict[str, Any], cure: str) -> None:
    with pytest.raises(StudyError, match=cure):
        run(STUDY.model_copy(update=wrong), tiny())


def test_stop_is_honoured_at_every_question() -> None:
    study = STUDY.model_copy(update={"selection": "entropy", "ordering": "locale"})
    asked = 0

    def count() -> bool:
        nonlocal asked
        asked += 1
        return False

    run(study, tiny(), stop=count)
    assert asked >= 5
    for last in range(asked):
        left = iter(range(last))
        with pytest.raises(Cancelled):
            run(study, tiny(), stop=lambda left=left: next(left, None) is None)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"demonstrations": REVIEWS[:3] + REVIEWS[:1]}, "1 of the 4 demonstrations shown repeat"),
        ({"demonstrations": rows([("a", "positive"), ("a", "negative")])}, "“a” is shown with more than one label"),
        ({"demonstrations": rows([("a", "yes"), ("b", "yes")])}, "has the label “yes”"),
        ({"query": REVIEWS[0].input}, "one of the demonstrations shown"),
        ({"labels": ("positive",)}, "one candidate label"),
        ({"labels": ("positive", "positive film")}, "begins with the tokens of “positive”"),
        ({"scoring": "perplexity", "labels": ("good", "very")}, "exactly as direct scoring"),
        ({"demonstrations": (*REVIEWS, Demonstration(input="x", label=""))}, "Row 7 of the demonstrations lacks"),
        ({"selection": "random", "k": 50}, "k = 50 is more than the pool can give; all 6"),
        ({"selection": "random", "query": REVIEWS[0].input}, "The query is in the pool too"),
        ({"demonstrations": REVIEWS[:1] * 3, "ordering": "globale"}, "same entropy"),
        ({"labels": ("a", "")}, "1 blank label"),
    ],
)
def test_notes(change: dict[str, Any], note: str) -> None:
    assert any(note in line for line in run(STUDY.model_copy(update=change), tiny()).notes)


def test_a_study_without_trouble_has_no_notes() -> None:
    """But that random weights give every other word as much as the candidates."""
    (note,) = run(STUDY, tiny()).notes
    assert note.startswith("Outside the candidates")
    assert run(STUDY.model_copy(update={"scoring": "channel"}), tiny()).notes == ()


def test_markup_is_text() -> None:
    table = rows([("<script>alert(1)</script>", "**bold**"), ("${x} {y} %s", "[a](b)")])
    outcome = run(Study(demonstrations=table, query="<b>"), tiny())
    assert outcome.prompt.text == "<script>alert(1)</script> -> **bold**\n${x} {y} %s -> [a](b)\n<b> ->"


def test_instruction_posterior_on_any_model() -> None:
    study = STUDY.model_copy(
        update={
            "posteriors": ("exact", "implicit", "instruction"),
            "hypotheses": (Hypothesis(name="a", instruction="Judge."), Hypothesis(name="b", instruction="Say no.")),
        }
    )
    outcome = run(study, tiny())
    assert set(outcome.posteriors) == {"instruction"}
    assert outcome.posteriors["instruction"].weights.shape == (5, 2)


def test_embedded_model(embedded: LanguageModel) -> None:
    outcome = run(Study(demonstrations=FRENCH[:4], query="tree", gold="arbre"), embedded)
    assert set(outcome.posteriors) == {"exact", "implicit"}
    assert {"attention", "hidden", "exact"} <= set(outcome.kernels)
    assert outcome.notes == ()
    assert outcome.bayes is not None
    assert outcome.bayes.best == "arbre"
    assert outcome.bayes.probabilities.sum() == pytest.approx(1)
    assert outcome.bayes.outside is not None
    assert 0 <= outcome.bayes.outside < 0.5
    assert {"chat", "arbre"} <= set(outcome.answer.labels)


def test_bayes_is_the_mixtures_own(embedded: LanguageModel) -> None:
    mixture = embedded.mixture
    assert mixture is not None
    pairs = [(d.input, d.label) for d in FRENCH[:3]]
    labels = ("arbre", "trees", "chat")
    study = Study(demonstrations=FRENCH[:3], query="tree", labels=labels, posteriors=())
    forward = run(study, embedded).bayes
    p = mixture.predictive(pairs, "tree", labels)[-1]
    assert forward is not None
    assert np.exp(forward.scores) == pytest.approx(p)
    assert forward.outside == pytest.approx(1 - p.sum())
    channel = run(study.model_copy(update={"scoring": "channel"}), embedded).bayes
    assert channel is not None
    assert channel.scores == pytest.approx(mixture.channel(pairs, "tree", labels))
    assert channel.outside is None


def test_candidates_of_the_same_tokens_are_said(embedded: LanguageModel) -> None:
    """On every model: both are unknown to one tokenizer, and another strips what makes the difference."""
    study = Study(demonstrations=FRENCH[:2], query="tree", labels=("👍", "👎", "arbre"))
    outcome = run(study, embedded)
    assert outcome.answer.probabilities[0] == pytest.approx(outcome.answer.probabilities[1])
    (said,) = [line for line in outcome.notes if "same tokens" in line]
    assert "“👍” and “👎”" in said
    assert any("cannot read “👍”, “👎”" in line for line in outcome.notes)
    assert not [line for line in run(study, tiny("gpt2")).notes if "same tokens" in line or "cannot read" in line]
    stripping = load_model(str(folder("gpt2")))
    stripping.encoder._backend.normalizer = normalizers.Replace("\u200b", "")
    twins = study.model_copy(update={"labels": ("arbre", "arbre\u200b", "chat"), "scoring": "channel"})
    (said,) = [line for line in run(twins, stripping).notes if "same tokens" in line]
    assert "“arbre” and “arbre\u200b”" in said


def test_one_label_and_more_than_training_showed_are_said(embedded: LanguageModel) -> None:
    rows = tuple(Demonstration(input=x, label="noun") for x in ("tree", "wall", "dog"))
    said = run(Study(demonstrations=rows, query="cat", labels=("noun", "verb")), embedded).notes
    assert any("whoever repeats this label fits them all" in line for line in said)
    most = max(LENGTHS) - 1  # a document's last answer stands after the others
    for count in (most, most + 1):
        many = Study(demonstrations=tuple(FRENCH[i % len(FRENCH)] for i in range(count)), query="tree", posteriors=())
        assert any("trained on answers after at most 19" in n for n in run(many, embedded).notes) == (count > most)
        assert not any("trained on" in line for line in run(many, tiny("gpt2")).notes)


def test_notes_of_the_embedded_model(embedded: LanguageModel) -> None:
    study = Study(demonstrations=FRENCH[:3], pool=FRENCH, query="tree 🙂", k=2, posteriors=("exact",))
    assert any("cannot read" in line and "🙂" in line for line in run(study, embedded).notes)
    chosen = study.model_copy(update={"selection": "similarity", "query": "wall"})
    assert any("misspecified" in line for line in run(chosen, embedded).notes)
    assert not any(
        "misspecified" in line for line in run(chosen.model_copy(update={"selection": "random"}), embedded).notes
    )
