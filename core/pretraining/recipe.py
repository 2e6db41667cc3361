"""What the committed checkpoint went through: phases of training, by step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.mixture.documents import REVERSED
from core.pretraining.batches import MIXTURE_ALONE, Emphasis, Menu


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Attributes:
        steps: updates.
        muon_lr, adam_lr: rates at its start, for the matrices and for embedding, norms and biases.
        end: share of those rates at its end; linear between.
        menu: what its documents are drawn from beside the mixture. Codebooks whatever the prior says make copying from
            the context come early; domains learned last are drawn more often; reasoned documents are no part of the
            mixture.
        weight_decay: of the matrices, times the rate.
        soften: factor on queries and keys before its first step, so on attention's logits squared.
        taught: whether answers are aimed at exact Bayes's distribution (`core.pretraining.teacher`) on the mixture,
            rather than at the draw on its milder beginning.
        blend: share of the weights at its start in those that it leaves. Phases that stress y → x, which the channel
            score needs, cost some of x → y; between the two ends of one both are good.
        warmup: its own first steps over which the rates rise from zero.
    """

    steps: int
    muon_lr: float
    adam_lr: float
    end: float = 1.0
    weight_decay: float = 0.0
    soften: float = 1.0
    taught: bool = False
    menu: Menu = MIXTURE_ALONE
    blend: float = 0.0
    warmup: int = 0


def _hard(share: float, backward: float = REVERSED) -> Menu:
    """The domains that a model of this size learns last, as this share of the documents."""
    shares = {"reviews": 0.7, "spelled words": 0.2, "word pairs": 0.1}
    return Menu(emphasis=tuple(Emphasis(domain, share * s, backward) for domain, s in shares.items()))


# Sums and their steps come fast: after the first of these two menus both are there.
_SUMS = Menu(
    emphasis=(
        Emphasis("reviews", 0.22, 0.65),
        Emphasis("spelled words", 0.04),
        Emphasis("word pairs", 0.04, 0.65),
        Emphasis("long sums", 0.10, 0.15),
    ),
    reasoned=0.10,
)
_ALL = Menu(
    emphasis=(
        Emphasis("reviews", 0.20, 0.7),
        Emphasis("spelled words", 0.04),
        Emphasis("word pairs", 0.03, 0.65),
        Emphasis("long sums", 0.03),
    ),
    reasoned=0.08,
)

# What the committed checkpoint went through. The first two phases move fast and then hover: KL to Bayes stood near .9
# and fell to .6 within 600 steps of leaving them. They also grew queries and keys until nine rows of attention in ten
# were one-hot; the fifth phase softens them and holds the weights back. The taught phases aim at exact Bayes itself.
# The last three joined later: until they began, neither the domain of long sums nor the words of reasoning were there,
# and the other domains had .04 more of the prior among them. Run from nothing, all phases have today's mixture.
PHASES = (
    Phase(2_000, 0.02, 0.003, menu=Menu(codebooks=0.5)),
    Phase(2_000, 0.02, 0.003),
    Phase(4_000, 0.006, 0.0015),
    Phase(7_200, 0.006, 0.0015, end=0.4),
    Phase(8_000, 0.004, 0.001, end=0.0, weight_decay=0.2, soften=0.4),
    Phase(1_800, 0.004, 0.001, weight_decay=0.2, taught=True, menu=_hard(0.2)),
    Phase(7_500, 0.003, 0.00075, end=0.7, weight_decay=0.2, taught=True, menu=_hard(0.2)),
    Phase(12_500, 0.0021, 0.000525, end=0.0, weight_decay=0.2, taught=True, menu=_hard(0.2)),
    Phase(4_500, 0.0015, 0.0004, end=0.0, weight_decay=0.2, taught=True, menu=_hard(0.6, 0.75), blend=0.35),
    Phase(2_750, 0.0015, 0.0004, end=0.831, weight_decay=0.2, taught=True, menu=_SUMS, warmup=200),
    Phase(3_000, 0.00125, 0.00033, end=0.769, weight_decay=0.2, taught=True, menu=_ALL),
    Phase(8_000, 0.00096, 0.000254, end=0.0, weight_decay=0.2, taught=True, menu=replace(_ALL, reasoned=0.10)),
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run.

    Attributes:
        seed: of the initial weights and of every batch.
        documents, groups: documents in a batch, and how many groups of like length they are padded in.
        warmup: steps of linear warm-up.
        phases: one after the other.
    """

    seed: int = 0
    documents: int = 24
    groups: int = 3
    warmup: int = 100
    phases: tuple[Phase, ...] = PHASES

    @property
    def steps(self) -> int:
        """Updates in all."""
        return sum(phase.steps for phase in self.phases)

    @property
    def untaught(self) -> int:
        """Updates before the first taught one."""
        return sum(phase.steps for phase in self.phases if not phase.taught)

    def phase(self, step: int) -> tuple[Phase, int]:
        """The phase of a step, and the step's place in it."""
        for phase in self.phases:
            if step < phase.steps:
                return phase, step
            step -= phase.steps
        raise ValueError("The recipe has no such step.")

    def rates(self, step: int) -> tuple[float, float]:
        """Rates of Muon and Adam at a step."""
        phase, place = self.phase(step)
        share = min(1.0, (step + 1) / self.warmup) * (1 - (1 - phase.end) * place / phase.steps)
        if phase.warmup:
            share *= min(1.0, (place + 1) / phase.warmup)
        return share * phase.muon_lr, share * phase.adam_lr
