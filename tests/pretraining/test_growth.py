"""A tokenizer that grew: every token keeps its row by name, in the weights and in the optimiser."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.pretraining.architecture import CHECKPOINT
from core.pretraining.batches import Menu
from core.pretraining.growth import regrown, tokens_of
from core.pretraining.recipe import Phase, Recipe
from core.pretraining.tokenizer import token_list
from core.pretraining.training import EMBEDDING, Trainer


def test_rows_follow_their_names() -> None:
    rows = torch.arange(6.0).reshape(3, 2)
    out = regrown(rows, ("a", "b", "c"), ("b", "new", "a", "c"), torch.tensor([9.0, 9.0]))
    assert out.tolist() == [[2, 3], [9, 9], [0, 1], [4, 5]]
    with pytest.raises(ValueError, match="one row"):
        regrown(rows, ("a",), ("a",), rows[0])


def test_tokens_of_a_saved_tokenizer() -> None:
    assert tokens_of(CHECKPOINT) == token_list()


def test_a_run_goes_on_with_a_larger_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the last three tokens were new and the first two had stood the other way round."""
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, *args, **kwargs: None)
    recipe = Recipe(documents=3, groups=1, warmup=1, phases=(Phase(2, 0.01, 0.001, menu=Menu(codebooks=0.5)),))
    trainer = Trainer(recipe, "cpu")
    trainer.update()
    trainer.save(tmp_path)
    after = token_list()
    before = (after[1], after[0], *after[2:-3])
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    moments = next(m for m in state["adam"]["state"].values() if len(m["exp_avg"]) == len(after))
    for holder, name in ((state["masters"], EMBEDDING), (moments, "exp_avg"), (moments, "exp_avg_sq")):
        rows = holder[name]
        holder[name] = torch.cat([rows[1:2], rows[:1], rows[2:-3]])
    torch.save(state, tmp_path / "state.pt")
    monkeypatch.setattr("core.pretraining.training.tokens_of", lambda folder: before)
    second = Trainer(recipe, "cpu")
    second.resume(tmp_path)
    old, new = trainer.masters[EMBEDDING], second.masters[EMBEDDING]
    assert torch.equal(new[:-3], old[:-3])
    # The fixed row is the mean of those that were there.
    assert torch.allclose(new[-3:], old[:-3].mean(0).expand(3, -1), atol=1e-6)
    ours = next(m for m in second.adam.state_dict()["state"].values() if len(m["exp_avg"]) == len(after))
    theirs = next(m for m in trainer.adam.state_dict()["state"].values() if len(m["exp_avg"]) == len(after))
    assert torch.equal(ours["exp_avg"][:-3], theirs["exp_avg"][:-3])
    assert not ours["exp_avg"][-3:].any()
    second.update()
    assert torch.isfinite(second.masters[EMBEDDING]).all()
