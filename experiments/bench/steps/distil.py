"""How fast a distillation step is, against a naive one, and what it costs to keep hidden states and attention.

The step is `training_step` of the module that trains, with clipping and optimizer, without Lightning's loop, log and
loader. Networks have random weights, batches random ids: speed depends on shapes alone.
"""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from experiments._shared.machine.measure import peak_memory_mb
from experiments._shared.machine.processor import processor_name
from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments.bench.steps.distilling import CLIP, Distilling, flops_of, make_batch, make_module, with_positions
from experiments.bench.steps.flops import matrix_peak
from experiments.bench.steps.split import split_step
from experiments.bench.timing.threads import torch_threads
from experiments.bench.timing.turns import Turns, gives_speed, take_turns

if TYPE_CHECKING:
    import torch

    from lightning_modules import Distillation

OURS, NAIVE, REFERENCE = "step", "naive step", "the original's step"
PLAIN, HIDDEN, ATTENTION = "teacher pass", "teacher pass, hidden states kept", "teacher pass, attention kept"


def bench_distil(distilling: Distilling) -> tuple[Turns, int]:
    """Seconds of each way, and the real tokens in a batch.

    Raises:
        ValueError: a setting is out of range.
    """
    with torch_threads(distilling.threads):
        batch = make_batch(distilling)
        turns = take_turns(make_ways(distilling, batch), distilling.rounds, distilling.clock)
    return turns, int(batch["attention_mask"].sum())


def make_ways(
    distilling: Distilling, batch: "dict[str, torch.Tensor]", device: str = "cpu"
) -> dict[str, Callable[[], object]]:
    """A step of ours and a naive one, and passes of the teacher that keep nothing, hidden states, or attention."""
    import torch

    from distilkobert.models.forward import NetworkRun
    from distilkobert.objectives import Batch
    from distilkobert.objectives.weighted_sum import Captured
    from experiments.bench.baselines.naive_distillation import NaiveDistillation
    from experiments.bench.baselines.reference import reference_step

    batch = {name: value.to(device) for name, value in batch.items()}
    module, given = _placed(make_module(distilling), device), with_positions(batch)
    teacher = module.teacher_run.model
    naive = NaiveDistillation(teacher, copy.deepcopy(module.network), lr=module.optimizer_spec.lr, clip=CLIP)

    steps: dict[str, Callable[[], object]] = {OURS: step_of(module, given), NAIVE: partial(naive.step, **batch)}
    if distilling.reference is not None:
        steps[REFERENCE] = partial(
            reference_step(
                Path(distilling.reference),
                teacher,
                copy.deepcopy(module.network),
                lr=module.optimizer_spec.lr,
                clip=CLIP,
            ),
            **batch,
        )
    for option in distilling.options:
        steps[f"step, {option}"] = step_of(_placed(make_module(distilling, option), device), given)
    every, nothing = frozenset(range(distilling.teacher.layers)), frozenset[int]()
    keeping = {PLAIN: (nothing, nothing), HIDDEN: (every, nothing), ATTENTION: (nothing, every)}
    tokens = Batch(batch["input_ids"], batch["attention_mask"], batch["labels"])

    @torch.no_grad()
    def teach(run: NetworkRun) -> None:
        run(tokens)

    shared = {id(parameter): parameter for parameter in teacher.parameters()}
    passes = {
        name: partial(teach, NetworkRun(copy.deepcopy(teacher, dict(shared)), Captured(hidden, attention, None)))
        for name, (hidden, attention) in keeping.items()
    }
    return {**steps, **passes}


def _placed(module: "Distillation", device: str) -> "Distillation":
    """The module on a device, with its teacher, which is no part of it."""
    module.teacher_run.model.to(device)  # type: ignore[arg-type]
    return module.to(device)


def step_of(module: "Distillation", batch: "dict[str, torch.Tensor]") -> Callable[[], object]:
    """A step of the module over one batch: forward, backward, clipping and optimizer."""
    import torch

    from distilkobert.optim import build_optimizer

    optimizer = build_optimizer(module.learning(), module.optimizer_spec)

    def step() -> None:
        optimizer.zero_grad()
        module.training_step(batch, 0)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()

    return step


def main(options: Namespace) -> dict[str, Any]:
    """Measure, print, and give the numbers."""
    quieten_transformers()
    quieten_lightning()
    width = options.hidden_size
    distilling = Distilling(
        EncoderSpec(options.layers, width, options.heads, 4 * width),
        tuple(options.student_layers),
        options.vocab_size,
        options.batch,
        options.length,
        options.rounds,
        options.threads,
        options.clock,
        tuple(options.options),
        options.reference,
    )
    turns, tokens = bench_distil(distilling)
    with torch_threads(options.threads) as threads:
        peak, split = (
            matrix_peak(options.clock),
            split_step(make_module(distilling), with_positions(make_batch(distilling)), options.rounds, CLIP),
        )
        flops = flops_of(distilling, tokens)
        print(
            f"{processor_name()}, threads: {threads}; {options.layers} x {width} into {len(options.student_layers)} "
            f"layers, {options.vocab_size} pieces, {tokens} tokens per step, {options.rounds} rounds in turns, "
            f"{options.clock} time"
        )
    has_speed = gives_speed(options.clock, threads)
    print("\n".join(distil_lines(turns, tokens if has_speed else None)))
    if has_speed:
        speed = flops / turns.spread(OURS).median
        print(f"{speed / 1e9:.1f} of {peak / 1e9:.1f} GFLOP/s that matrix products reach ({speed / peak:.0%})")
    print("; ".join(f"{name} {spread.median:.3f} s" for name, spread in split.items()))
    return {
        "processor": processor_name(), "threads": threads, "layers": options.layers, "hidden_size": width,
        "student_layers": len(options.student_layers), "vocab_size": options.vocab_size, "tokens": tokens,
        "flops": flops, "peak_flops_per_s": peak, "peak_memory_mb": peak_memory_mb(), "clock": options.clock,
        "split_s": {name: list(vars(spread).values()) for name, spread in split.items()},
        "ways": turns.as_json(NAIVE),
    }  # fmt: skip


def distil_lines(turns: Turns, tokens: int | None) -> list[str]:
    """The numbers as lines of text; in brackets half of the rounds.

    Args:
        turns: seconds of each way.
        tokens: of a step; None where its seconds give no speed.
    """
    wide = max(map(len, turns.seconds))
    lines = [f"{way:<{wide}}  {turns.spread(way).text()} s" for way in turns.seconds]
    if tokens is not None:
        for place, way in enumerate((OURS, NAIVE)):
            lines[place] += f"  {tokens / turns.spread(way).median:,.0f} tokens/s"
    lines.append(f"the step is {turns.ratio(OURS, NAIVE).text('.2f')} times as fast as the naive one")
    if REFERENCE in turns.seconds:
        lines.append(f"the step is {turns.ratio(OURS, REFERENCE).text('.2f')} times as fast as the original's")
    lines += [
        f"{way}: {turns.ratio(way, OURS).text('.2f')} times as fast as the step without it"
        for way in turns.seconds
        if way.startswith("step, ")
    ]
    for way in (HIDDEN, ATTENTION):
        lines.append(f"{way}: {turns.ratio(PLAIN, way).text()} times the seconds of one that keeps nothing")
    return lines
