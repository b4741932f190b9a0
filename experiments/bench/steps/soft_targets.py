"""What soft targets need of memory and time, with the logits of all tokens at once and in parts.

A student's and a teacher's output map on random states, forward and backward; each way in a process of its own.
"""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from jsonargparse import Namespace

from experiments._shared.machine.measure import Measured, in_fresh_process, peak_memory_mb
from experiments._shared.machine.processor import processor_name

TEMPERATURE = 2.0


@dataclass(frozen=True)
class Projecting:
    """What is computed.

    Args:
        tokens: N.
        vocab_size: V.
        width: of the hidden states.
        rounds: passes that count; one more comes before them.
    """

    tokens: int
    vocab_size: int
    width: int
    rounds: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name} is {value}; expected at least 1")


@dataclass(frozen=True)
class Cost:
    """Of one way.

    Args:
        seconds: median of a forward and backward pass.
        before_mb: memory before it, MB (10^6 bytes): Python, torch, weights and states.
    """

    seconds: float
    before_mb: float


def measure(projecting: Projecting, rows: int | None) -> Cost:
    """Time one way in this process; None has all rows at once."""
    import numpy as np
    import torch
    from torch import nn

    from distilkobert.objectives.functions import soft_target_loss, soft_target_loss_in_parts

    torch.manual_seed(0)
    heads = [nn.Linear(projecting.width, projecting.vocab_size, bias=False) for _ in range(2)]
    heads[1].requires_grad_(False)
    student, teacher = (torch.randn(projecting.tokens, projecting.width) for _ in heads)
    student.requires_grad_(True)
    heads[0].weight.grad = torch.zeros_like(heads[0].weight)
    before, seconds = peak_memory_mb(), []
    for _ in range(projecting.rounds + 1):
        started = time.perf_counter()
        if rows is None:
            loss = soft_target_loss(heads[0](student), heads[1](teacher), temperature=TEMPERATURE)
        else:
            loss = soft_target_loss_in_parts(student, teacher, *heads, temperature=TEMPERATURE, rows=rows)
        loss.backward()  # type: ignore[no-untyped-call]
        seconds.append(time.perf_counter() - started)
    return Cost(float(np.median(seconds[1:])), before)


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    if options.rows < 1:
        raise ValueError(f"rows is {options.rows}; expected at least 1")
    projecting = Projecting(options.tokens, options.vocab_size, options.hidden_size, options.rounds)
    ways = {"all at once": None, f"{options.rows} rows at a time": options.rows}
    found = {name: in_fresh_process(partial(measure, projecting, rows)) for name, rows in ways.items()}
    logits = 4e-6 * projecting.tokens * projecting.vocab_size
    print(
        f"{processor_name()}; {projecting.tokens} tokens, {projecting.vocab_size} pieces, width {projecting.width}: "
        f"logits of one network have {logits:,.0f} MB"
    )
    print(
        "\n".join(
            f"{name}: {cost.result.seconds:.2f} s, {added_mb(cost):,.0f} MB on top" for name, cost in found.items()
        )
    )
    numbers = {name: {"seconds": cost.result.seconds, "added_mb": added_mb(cost)} for name, cost in found.items()}
    return {"processor": processor_name(), "logits_mb": logits, **vars(projecting), "ways": numbers}


def added_mb(cost: Measured[Cost]) -> float:
    """The most memory that a pass has added to what was there, in MB."""
    return cost.peak_mb - cost.result.before_mb
