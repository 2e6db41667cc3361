"""Training of the embedded model: `python -m core.pretraining.training --help`.

Every batch is drawn from (seed, step), the schedule is by step, and the state is saved as it goes, so a run that was
interrupted goes on to the same batches. One command regenerates the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from core.pretraining.architecture import CHECKPOINT, model_config, save_checkpoint
from core.pretraining.documents import Writer, draw_document
from core.pretraining.first_token import FirstToken
from core.pretraining.mixture import load_mixture
from core.pretraining.muon import Muon
from core.pretraining.tokenizer import CONTEXT, build_tokenizer

VALIDATION_SEED = 1_000_003
VALIDATION_DOCUMENTS = 256


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run.

    Attributes:
        seed: of the initial weights and of every batch.
        steps: updates; the schedule is a share of them.
        rows: rows of CONTEXT tokens in a batch.
        muon_lr, adam_lr: peak rates, for the matrices and for the embedding and norms.
        warmup: steps of linear warm-up.
        decay: share of the steps over which the rates fall to zero at the end.
        memory: share of the steps at the start in which half of the documents are codebooks, so that copying from the
            context comes early; the rest of the run is the true mixture, which is what Bayes assumes.
        workers: processes that draw batches.
    """

    seed: int = 0
    steps: int = 20_000
    rows: int = 128
    muon_lr: float = 0.02
    adam_lr: float = 0.003
    warmup: int = 100
    decay: float = 0.5
    memory: float = 0.06
    workers: int = 2

    def rate(self, step: int) -> float:
        """Share of the peak rate at a step."""
        return min(1.0, (step + 1) / self.warmup, (self.steps - step) / (self.decay * self.steps))


class Batches(Dataset[dict[str, torch.Tensor]]):
    """Batch number `step` of a recipe: packed rows, with the document and position of every token."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._writer: Writer | None = None

    def __len__(self) -> int:
        return self.recipe.steps

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        recipe, mixture = self.recipe, load_mixture()
        if self._writer is None:
            self._writer = Writer(build_tokenizer())
        books = [family.name for family in mixture.details if family.kind == "codebook"]
        rng = random.Random(f"{recipe.seed}/{step}")
        shape = (recipe.rows, CONTEXT)
        tokens, owner = np.zeros(shape, np.int64), np.full(shape, -1, np.int16)
        position, weight = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        used = np.zeros(recipe.rows, np.int64)
        document, row, misses = 0, 0, 0
        # First fit over a short window of open rows: full enough, and no document is ever cut.
        while row < recipe.rows and misses < 8:
            remember = step < recipe.memory * recipe.steps and rng.random() < 0.5
            ids, weights, _ = self._writer.write(draw_document(mixture, rng, family=rng.choice(books) if remember else None))
            place = next((r for r in range(row, min(row + 6, recipe.rows)) if used[r] + len(ids) <= CONTEXT), None)
            if place is None:
                row, misses = row + 1, misses + (row + 6 >= recipe.rows)
                continue
            start, end = used[place], used[place] + len(ids)
            tokens[place, start:end], weight[place, start:end] = ids, weights
            owner[place, start:end], position[place, start:end] = document, range(len(ids))
            used[place], document = end, document + 1
        return {k: torch.from_numpy(v) for k, v in zip(
            ("tokens", "owner", "position", "weight"), (tokens, owner, position, weight), strict=True)}


def weighted_loss(model: Any, tokens: torch.Tensor, owner: torch.Tensor, position: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean next-token cross-entropy in nats, weighted; attention stays inside a document."""
    length = tokens.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=tokens.device).tril()
    mask = ((owner[:, :, None] == owner[:, None, :]) & causal)[:, None]
    logits = model(input_ids=tokens, attention_mask=mask, position_ids=position, use_cache=False).logits[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten(), reduction="none")
    weights = weight[:, 1:].flatten()
    return (loss * weights).sum() / weights.sum()


class Validation:
    """KL(Bayes‖model) in nats a label over fixed fresh documents, by first token."""

    def __init__(self) -> None:
        mixture, writer = load_mixture(), Writer(build_tokenizer())
        bayes = FirstToken(mixture)
        rng = random.Random(VALIDATION_SEED)
        self.rows: list[tuple[list[int], list[int], np.ndarray[Any, Any]]] = []
        for _ in range(VALIDATION_DOCUMENTS):
            document = draw_document(mixture, rng, reversed_share=0.0)
            ids, _, spans = writer.write(document)
            pairs = document.pairs[: len(spans)]
            exact = bayes.predictive(pairs[:-1], [x for x, _ in pairs], document.instruction)
            self.rows.append((ids, [start - 1 for start, _ in spans], exact))

    @torch.no_grad()
    def __call__(self, model: Any, device: str) -> float:
        total, count = 0.0, 0
        for first in range(0, len(self.rows), 64):
            some = self.rows[first : first + 64]
            width = max(len(ids) for ids, _, _ in some)
            tokens = torch.tensor([ids + [0] * (width - len(ids)) for ids, _, _ in some], device=device)
            logs = model(input_ids=tokens, use_cache=False).logits.float().log_softmax(-1)
            for i, (_, places, exact) in enumerate(some):
                p = torch.from_numpy(exact).float().to(device)
                total += float((p * ((p + 1e-30).log() - logs[i, places])).sum())
                count += len(places)
        return total / count


def train(recipe: Recipe, folder: Path, device: str, resume: bool, limit_seconds: float, every: int) -> None:
    """Run the recipe, or go on with it; stops early, with its state saved, at the time limit."""
    from transformers import LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    torch.set_float32_matmul_precision("high")
    model = LlamaForCausalLM(model_config()).to(device)
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    muon = Muon(matrices, lr=recipe.muon_lr)
    adam = torch.optim.AdamW(others, lr=recipe.adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=device != "cpu")
    step, tokens_seen, seconds, curve = 0, 0, 0.0, []
    state_file = folder / "state.pt"
    if resume and state_file.exists():
        state = torch.load(state_file, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        muon.load_state_dict(state["muon"])
        adam.load_state_dict(state["adam"])
        step, tokens_seen, seconds, curve = state["step"], state["tokens"], state["seconds"], state["curve"]
    folder.mkdir(parents=True, exist_ok=True)
    validation = Validation()
    loader = DataLoader(
        Batches(recipe), batch_size=None, sampler=range(step, recipe.steps), num_workers=recipe.workers,
        prefetch_factor=8 if recipe.workers else None, pin_memory=device != "cpu",
    )
    loss_of = torch.compile(weighted_loss) if device != "cpu" else weighted_loss
    began, recent = time.monotonic(), []
    for batch in loader:
        rate = recipe.rate(step)
        for group in (*muon.param_groups, *adam.param_groups):
            group["lr"] = rate * (recipe.muon_lr if group in muon.param_groups else recipe.adam_lr)
        moved = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=device != "cpu"):
            loss = loss_of(model, **moved)
        loss.backward()
        muon.step()
        adam.step()
        model.zero_grad(set_to_none=True)
        tokens_seen += int((batch["owner"] >= 0).sum())
        recent.append(loss.detach())
        step += 1
        stop = time.monotonic() - began > limit_seconds
        if step % every == 0 or step == recipe.steps or stop:
            model.eval()
            kl = validation(model, device)
            model.train()
            curve.append({"step": step, "tokens": tokens_seen, "loss": float(torch.stack(recent).mean()), "kl": kl})
            recent = []
            print(json.dumps({**curve[-1], "seconds": round(time.monotonic() - began, 1)}), flush=True)
            spent = seconds + time.monotonic() - began
            torch.save({"model": model.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(), "step": step,
                        "tokens": tokens_seen, "seconds": spent, "curve": curve}, state_file.with_suffix(".new"))
            state_file.with_suffix(".new").replace(state_file)
            save_checkpoint(model, folder)
            log = {"recipe": asdict(recipe), "device": torch.cuda.get_device_name() if device != "cpu" else "cpu",
                   "torch": torch.__version__, "seconds": round(spent, 1), "parameters": sum(p.numel() for p in model.parameters()), "curve": curve}
            (folder / "training.json").write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
        if stop:
            break


def main() -> None:
    """Command line: every field of the recipe, and where to run and write."""
    parser = argparse.ArgumentParser(description="Train the embedded model on its mixture.")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--folder", type=Path, default=CHECKPOINT)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's state.pt")
    parser.add_argument("--limit-seconds", type=float, default=float("inf"))
    parser.add_argument("--every", type=int, default=250, help="steps between validations and saves")
    given = vars(parser.parse_args())
    fields = {name: given.pop(name) for name in asdict(Recipe())}
    train(Recipe(**fields), **given)


if __name__ == "__main__":
    main()
