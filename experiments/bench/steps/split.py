"""Where the time of a distillation step goes: data, teacher, student, objectives with heads, backward, optimizer."""

import time
from typing import TYPE_CHECKING

from experiments.bench.timing.turns import Spread

if TYPE_CHECKING:
    import torch

    from lightning_modules import Distillation

PARTS = ("masking a batch", "teacher", "student", "heads and objectives", "backward", "clipping and optimizer")


def split_step(module: "Distillation", batch: "dict[str, torch.Tensor]", rounds: int, clip: float) -> dict[str, Spread]:
    """Seconds of each part of a step, from steps that are taken apart; a step before the first does not count.

    Args:
        module: its networks are built.
        batch: `input_ids`, `attention_mask` and `labels`, (B, T).
        rounds: steps that count.
        clip: largest norm of the gradient.
    """
    import torch

    from distilkobert.corpus.masking import MaskingSpec, mask_tokens
    from distilkobert.objectives.contract.outputs import batch_of
    from distilkobert.optim import build_optimizer

    optimizer = build_optimizer(module.learning(), module.optimizer_spec)
    weights = torch.ones(module.vocab_size, dtype=torch.float64)
    weights[: module.pad_token_id + 1] = 0
    generator, seconds = torch.Generator().manual_seed(0), {name: list[float]() for name in PARTS}
    for turn in range(-1, rounds):
        clock = [time.perf_counter()]
        mask_tokens(batch["input_ids"], batch["attention_mask"], weights, 4, MaskingSpec(), generator)
        clock.append(time.perf_counter())
        tokens = batch_of(batch)
        with torch.no_grad():
            teacher = module.teacher_run(tokens)
        clock.append(time.perf_counter())
        student = module.student_run(tokens)
        clock.append(time.perf_counter())
        loss = module.objectives(student, teacher, tokens).total
        clock.append(time.perf_counter())
        optimizer.zero_grad()
        loss.backward()
        clock.append(time.perf_counter())
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
        clock.append(time.perf_counter())
        if turn >= 0:
            for name, start, end in zip(PARTS, clock, clock[1:], strict=False):
                seconds[name].append(end - start)
    return {name: Spread.of(found) for name, found in seconds.items()}
