"""Training of the embedded model: `python -m core.pretraining.training`.

Every batch is drawn from (seed, step), the schedule is by step, and weights and optimisers are saved as it goes, so a
run that was interrupted goes on with the same batches. One command regenerates the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.mixture.mixture import early_mixture, load_mixture
from core.pretraining.architecture import CHECKPOINT, initial_model, save_checkpoint
from core.pretraining.batches import Group, draw_batch
from core.pretraining.data_loader import Feed
from core.pretraining.first_token import FirstToken
from core.pretraining.growth import regrown, tokens_of
from core.pretraining.muon import Muon
from core.pretraining.recipe import Phase, Recipe
from core.pretraining.tokenizer import build_tokenizer, token_list
from core.pretraining.validation import Validation
from core.pretraining.writer import Writer

EMBEDDING = "model.embed_tokens.weight"


def _fresh(device: str) -> Any:
    """The initial model; transformers' own annotations refuse its methods' plain use."""
    model: Any = initial_model
    return model().to(device)


class Trainer:
    """Weights in bfloat16 for the passes, in float32 for the updates."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device = recipe, device
        self.model = _fresh(device)
        self.masters = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self.model.to(torch.bfloat16)
        # Compiled once, for any length: a third more tokens a second on a processor, after a minute of compiling.
        self.model.model.compile(dynamic=True)
        self.muon = Muon([p for n, p in self.masters.items() if self._is_matrix(n, p)], lr=recipe.phases[0].muon_lr)
        self.adam = torch.optim.AdamW(
            [p for n, p in self.masters.items() if not self._is_matrix(n, p)],
            lr=recipe.phases[0].adam_lr,
            betas=(0.9, 0.98),
            weight_decay=0.0,
        )
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.curve: list[dict[str, float]] = []
        self.kept: dict[str, torch.Tensor] = {}
        self._mixture, self._writer = early_mixture(), Writer(build_tokenizer())
        self._feed: Feed | None = None
        self._anything = torch.from_numpy(FirstToken(load_mixture()).anything).float().to(device)

    @staticmethod
    def _is_matrix(name: str, p: torch.Tensor) -> bool:
        return p.ndim == 2 and "embed" not in name

    def update(self) -> float:
        """One step; returns the mean loss in nats over the tokens that carry one."""
        recipe = self.recipe
        phase, place = recipe.phase(self.step)
        if place == 0:
            self._begin(phase)
        batch = self._batch(phase)
        count = float(sum(group.weights.sum() for group in batch))
        total = 0.0
        for group in batch:
            tokens = torch.from_numpy(group.tokens).to(self.device)
            hidden = self.model.model(input_ids=tokens, use_cache=False).last_hidden_state.flatten(0, 1)
            logits = self.model.lm_head(hidden[torch.from_numpy(group.scored).to(self.device)])
            aims = self._aims(group)
            loss = torch.nn.functional.cross_entropy(logits.float(), aims, reduction="none")
            loss = (loss * torch.from_numpy(group.weights).to(self.device)).sum() / count
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
            self.tokens += int((group.tokens > 0).sum())
        self._apply(*recipe.rates(self.step), phase.weight_decay)
        self.step += 1
        if place == phase.steps - 1 and phase.blend:
            self._blend(phase.blend)
        return total

    def _begin(self, phase: Phase) -> None:
        """What a phase does before its first step."""
        if phase.soften != 1.0:
            self._soften(phase.soften)
        self.kept = {name: master.clone() for name, master in self.masters.items()} if phase.blend else {}

    def _batch(self, phase: Phase) -> list[Group]:
        recipe = self.recipe
        if not phase.taught:
            return draw_batch(
                self._mixture, self._writer, recipe.seed, self.step, recipe.documents, recipe.groups, phase.menu
            )
        if self._feed is None or self._feed.menu != phase.menu:
            self.close()
            self._feed = Feed(recipe.seed, recipe.documents, recipe.groups, phase.menu, self._writer)
        return self._feed.batch(self.step - recipe.untaught)

    def _aims(self, group: Group) -> torch.Tensor:
        """Distributions that the scored places aim at, (n, V)."""
        if not any(group.aims):
            return torch.from_numpy(group.targets).to(self.device)
        dense = np.zeros((len(group.targets), len(self._anything)), np.float32)
        rest = np.zeros(len(dense), np.float32)
        for row, (aim, target) in enumerate(zip(group.aims, group.targets.tolist(), strict=True)):
            if aim is None:
                dense[row, target] = 1.0
            else:
                dense[row, aim.ids] = aim.probabilities
                rest[row] = aim.rest
        aims = torch.from_numpy(dense).to(self.device)
        return aims.addr_(torch.from_numpy(rest).to(self.device), self._anything)

    def close(self) -> None:
        """End the process that makes batches."""
        if self._feed is not None:
            self._feed.close()

    @torch.no_grad()
    def _apply(self, muon_lr: float, adam_lr: float, weight_decay: float) -> None:
        parameters = dict(self.model.named_parameters())
        for name, master in self.masters.items():
            gradient = parameters[name].grad
            master.grad = None if gradient is None else gradient.float()
        self.muon.param_groups[0].update(lr=muon_lr, weight_decay=weight_decay)
        self.adam.param_groups[0]["lr"] = adam_lr
        self.muon.step()
        self.adam.step()
        self._hand_over()
        self.model.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _hand_over(self) -> None:
        """Round the float32 weights into the model that runs."""
        for name, p in self.model.named_parameters():
            p.copy_(self.masters[name])

    @torch.no_grad()
    def _soften(self, factor: float) -> None:
        for name, master in self.masters.items():
            if "q_proj" in name or "k_proj" in name:
                master.mul_(factor)
        self._hand_over()

    @torch.no_grad()
    def _blend(self, share: float) -> None:
        """Mix the weights that were kept at the phase's start into the last ones."""
        for name, kept in self.kept.items():
            self.masters[name].lerp_(kept, share)
        self._hand_over()

    def float_model(self) -> Any:
        """A float32 copy with the exact weights."""
        model = _fresh(self.device)
        model.load_state_dict({**self.masters, "lm_head.weight": self.masters[EMBEDDING]})
        return model.eval()

    def save(self, folder: Path) -> None:
        """State to go on from, the checkpoint, and the log with the learning curve."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "masters": self.masters,
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
            "counts": [self.step, self.tokens],
            "seconds": self.seconds,
            "curve": self.curve,
            "kept": self.kept,
        }
        torch.save(state, folder / "state.new")
        (folder / "state.new").replace(folder / "state.pt")
        save_checkpoint(self.float_model(), folder)
        log = {
            "recipe": asdict(self.recipe),
            "device": self.device,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "parameters": sum(p.numel() for p in self.masters.values()),
            "steps": self.step,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 1),
            "curve": self.curve,
        }
        (folder / "training.json").write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")

    def resume(self, folder: Path) -> None:
        """Go on from a saved state, whose tokenizer may have had fewer tokens."""
        state = torch.load(folder / "state.pt", map_location=self.device, weights_only=True)
        if tokens_of(folder) != token_list():
            _grow(state, tokens_of(folder))
        for name, value in state["masters"].items():
            self.masters[name].copy_(value)
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.step, self.tokens = state["counts"]
        self.seconds, self.curve, self.kept = state["seconds"], state["curve"], state["kept"]
        self._hand_over()


def _grow(state: dict[str, Any], before: tuple[str, ...]) -> None:
    """Give a state's embedding and its optimiser a row for every token of today; new tokens start at the mean row."""
    after = token_list()
    for rows in [state["masters"], state["kept"]]:
        if EMBEDDING in rows:
            rows[EMBEDDING] = regrown(rows[EMBEDDING], before, after, rows[EMBEDDING].mean(0))
    for moments in state["adam"]["state"].values():
        for name, value in moments.items():
            if value.ndim == 2 and len(value) == len(before):
                moments[name] = regrown(value, before, after, torch.zeros_like(value[0]))


def train(recipe: Recipe, folder: Path, device: str, resume: bool, every: int) -> None:
    """Run the recipe to its end, or go on with it, saving as it goes."""
    trainer = Trainer(recipe, device)
    if resume:
        trainer.resume(folder)
    validation = Validation()
    before, began, losses = trainer.seconds, time.monotonic(), []
    while trainer.step < recipe.steps:
        losses.append(trainer.update())
        if trainer.step % every == 0 or trainer.step == recipe.steps:
            kl = validation(trainer.float_model(), device)
            trainer.seconds = before + time.monotonic() - began
            row = {"step": trainer.step, "tokens": trainer.tokens, "loss": sum(losses) / len(losses), "kl": kl}
            trainer.curve.append(row)
            losses = []
            print(json.dumps({**row, "seconds": round(trainer.seconds)}), flush=True)
            trainer.save(folder)
    trainer.close()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train the embedded model on its mixture.")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--folder", type=Path, default=CHECKPOINT)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's state.pt")
    parser.add_argument("--every", type=int, default=500, help="steps between validations and saves")
    given = vars(parser.parse_args())
    train(Recipe(seed=given.pop("seed")), **given)


if __name__ == "__main__":
    main()
