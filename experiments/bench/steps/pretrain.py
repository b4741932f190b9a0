"""How fast a masked-LM step is, against one that makes the logits of every place."""

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from experiments._shared.machine.processor import processor_name
from experiments._shared.quiet import quieten_lightning
from experiments.bench.steps.distil import NAIVE, OURS
from experiments.bench.steps.distilling import CLIP, PAD, Distilling, make_batch, with_positions
from experiments.bench.steps.flops import Shape, masked_lm_flops, matrix_peak
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import Turns, gives_speed, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


def bench_pretrain(training: Distilling) -> tuple[Turns, float]:
    """Seconds of both ways, and the operations of one step.

    Args:
        training: its teacher's shape is that of the network.

    Raises:
        ValueError: a setting is out of range.
    """
    with torch_threads(training.threads):
        batch = make_batch(training)
        turns = take_turns(make_steps(training, batch), training.rounds, training.clock)
    masked = int((batch["labels"] >= 0).sum())
    return turns, masked_lm_flops(training.teacher, Shape(training.batch, training.length, masked, training.vocab_size))


def make_steps(training: Distilling, batch: "dict[str, torch.Tensor]") -> "dict[str, Callable[[], object]]":
    """A step of ours, and a naive one with the same network."""
    import torch

    from distilkobert.optim import build_optimizer
    from experiments.bench.baselines.naive_masked_lm import NaiveMaskedLM
    from lightning_modules import MaskedLanguageModeling

    torch.manual_seed(0)
    module = MaskedLanguageModeling(
        encoder=training.teacher, vocab_size=training.vocab_size, pad_token_id=PAD, max_length=training.length
    )
    module.configure_model()
    naive = NaiveMaskedLM(copy.deepcopy(module.network), lr=module.optimizer_spec.lr, clip=CLIP)
    given, optimizer = with_positions(batch), build_optimizer(module.learning(), module.optimizer_spec)

    def step() -> None:
        optimizer.zero_grad()
        module.training_step(given, 0)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()

    return {OURS: step, NAIVE: partial(naive.step, **batch)}


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    quieten_lightning()
    width = options.hidden_size
    training = Distilling(
        EncoderSpec(options.layers, width, options.heads, 4 * width), (0,), options.vocab_size, options.batch,
        options.length, options.rounds, options.threads, options.clock,
    )  # fmt: skip
    turns, flops = bench_pretrain(training)
    with torch_threads(options.threads) as threads:
        peak = matrix_peak(options.clock)
    ours = turns.spread(OURS)
    print(
        f"{processor_name()}, threads: {threads}; masked LM of {options.layers} x {width}, {options.batch} x "
        f"{options.length} tokens, {options.clock} time\nstep {ours.text()} s, naive {turns.spread(NAIVE).text()} s: "
        f"{turns.ratio(OURS, NAIVE).text('.2f')} times as fast"
    )
    if gives_speed(options.clock, threads):
        print(f"{flops / ours.median / 1e9:.1f} of {peak / 1e9:.1f} GFLOP/s that matrix products reach")
    return {
        "processor": processor_name(), "threads": threads, "clock": options.clock, "layers": options.layers,
        "hidden_size": width, "tokens": options.batch * options.length, "flops": flops, "peak_flops_per_s": peak,
        "ways": turns.as_json(NAIVE),
    }  # fmt: skip
