"""Training of the embedded model: `python -m core.pretraining.training`.

Every batch is drawn from (seed, step), the schedule is by step, and weights and optimisers are saved as it goes, so a
run that was interrupted goes on with the same batches. One command regenerates the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from core.pretraining.architecture import CHECKPOINT, initial_model, save_checkpoint
from core.pretraining.batches import draw_batch
from core.pretraining.documents import Writer
from core.pretraining.mixture import load_mixture
from core.pretraining.muon import Muon
from core.pretraining.tokenizer import build_tokenizer
from core.pretraining.validation import Validation


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run.

    Attributes:
        seed: of the initial weights and of every batch.
        steps: updates; the schedule is a share of them.
        documents, groups: documents in a batch, and how many groups of like length they are padded in.
        muon_lr, adam_lr: rates, for the matrices and for embedding, norms and biases.
        early: steps at the start that take the larger rates `early_muon_lr` and `early_adam_lr`. They move fast and
            then hover: KL stood near .9 at them and fell to .6 within 600 steps of leaving them.
        warmup: steps of linear warm-up.
        decay: share of the steps over which the rates fall linearly to zero at the end.
        memory: steps at the start in which half of the documents are codebooks, so that copying from the context
            comes early; what follows is the true mixture, which is what Bayes assumes.
    """

    seed: int = 0
    steps: int = 20_000
    documents: int = 24
    groups: int = 3
    muon_lr: float = 0.006
    adam_lr: float = 0.0015
    early: int = 4_000
    early_muon_lr: float = 0.02
    early_adam_lr: float = 0.003
    warmup: int = 100
    decay: float = 0.6
    memory: int = 2_000

    def rates(self, step: int) -> tuple[float, float]:
        """Rates of Muon and Adam at a step."""
        share = min(1.0, (step + 1) / self.warmup, (self.steps - step) / (self.decay * self.steps))
        if step < self.early:
            return share * self.early_muon_lr, share * self.early_adam_lr
        return share * self.muon_lr, share * self.adam_lr


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
        self.muon = Muon([p for n, p in self.masters.items() if self._is_matrix(n, p)], lr=recipe.muon_lr)
        self.adam = torch.optim.AdamW(
            [p for n, p in self.masters.items() if not self._is_matrix(n, p)],
            lr=recipe.adam_lr,
            betas=(0.9, 0.98),
            weight_decay=0.0,
        )
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.curve: list[dict[str, float]] = []
        self._mixture, self._writer = load_mixture(), Writer(build_tokenizer())

    @staticmethod
    def _is_matrix(name: str, p: torch.Tensor) -> bool:
        return p.ndim == 2 and "embed" not in name

    def update(self) -> float:
        """One step; returns the mean loss in nats over the tokens that carry one."""
        recipe = self.recipe
        share = 0.5 if self.step < recipe.memory else 0.0
        batch = draw_batch(self._mixture, self._writer, recipe.seed, self.step, recipe.documents, recipe.groups, share)
        count = sum(len(group.scored) for group in batch)
        total = 0.0
        for group in batch:
            tokens = torch.from_numpy(group.tokens).to(self.device)
            hidden = self.model.model(input_ids=tokens, use_cache=False).last_hidden_state.flatten(0, 1)
            logits = self.model.lm_head(hidden[torch.from_numpy(group.scored).to(self.device)])
            targets = torch.from_numpy(group.targets).to(self.device)
            loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum") / count
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
            self.tokens += int((group.tokens > 0).sum())
        self._apply(*recipe.rates(self.step))
        self.step += 1
        return total

    @torch.no_grad()
    def _apply(self, muon_lr: float, adam_lr: float) -> None:
        parameters = dict(self.model.named_parameters())
        for name, master in self.masters.items():
            gradient = parameters[name].grad
            master.grad = None if gradient is None else gradient.float()
        self.muon.param_groups[0]["lr"] = muon_lr
        self.adam.param_groups[0]["lr"] = adam_lr
        self.muon.step()
        self.adam.step()
        torch._foreach_copy_(list(parameters.values()), list(self.masters.values()))
        self.model.zero_grad(set_to_none=True)

    def float_model(self) -> Any:
        """A float32 copy with the exact weights."""
        model = _fresh(self.device)
        model.load_state_dict({**self.masters, "lm_head.weight": self.masters["model.embed_tokens.weight"]})
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
        """Go on from a saved state."""
        state = torch.load(folder / "state.pt", map_location=self.device, weights_only=True)
        for name, value in state["masters"].items():
            self.masters[name].copy_(value)
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.step, self.tokens = state["counts"]
        self.seconds, self.curve = state["seconds"], state["curve"]
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                p.copy_(self.masters[name])


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


def main() -> None:
    """Command line: every field of the recipe, and where to run and write."""
    parser = argparse.ArgumentParser(description="Train the embedded model on its mixture.")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--folder", type=Path, default=CHECKPOINT)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's state.pt")
    parser.add_argument("--every", type=int, default=500, help="steps between validations and saves")
    given = vars(parser.parse_args())
    recipe = Recipe(**{name: given.pop(name) for name in asdict(Recipe())})
    train(recipe, **given)


if __name__ == "__main__":
    main()
