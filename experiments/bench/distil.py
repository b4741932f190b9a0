"""How fast a distillation step is, against a naive one, and what it costs to keep hidden states and attention.

The step is `training_step` of the module that trains, with clipping and optimizer, without Lightning's loop, log and
loader. Networks have random weights, batches random ids: speed depends on shapes alone.
"""

import copy
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from jsonargparse import Namespace

from distilkobert.models.teachers import EncoderSpec
from experiments._shared.measure import peak_memory_mb
from experiments._shared.processor import processor_name
from experiments._shared.quiet import quieten_lightning, quieten_transformers
from experiments.bench.flops import Shape, distillation_flops, matrix_peak
from experiments.bench.split import split_step
from experiments.bench.threads import torch_threads
from experiments.bench.turns import Clock, Turns, take_turns

if TYPE_CHECKING:
    import torch

    from lightning_modules import Distillation

OURS, NAIVE = "step", "naive step"
Option = Literal["fused", "bf16_teacher", "compile", "gradient_checkpointing", "soft_targets_in_parts"]
"""Options of the module whose step is timed beside the step without them."""
PLAIN, HIDDEN, ATTENTION = "teacher pass", "teacher pass, hidden states kept", "teacher pass, attention kept"
MASKED, PADDING = 0.15, 0.05
"""Shares of masked tokens (Devlin et al. 2019) and of padding (3 to 5 % under a token budget, docs/log.md)."""
PART_ROWS = 512
"""Tokens whose logits exist at a time in `soft_targets_in_parts`."""
CLIP, PAD = 5.0, 1
"""Largest norm of the gradient (configs/distill/distilkobert.yaml), and KoBERT's id of [PAD]."""


@dataclass(frozen=True)
class Distilling:
    """What is distilled in one step.

    Args:
        teacher: shape of the teacher.
        student_layers: teacher layers that the student is made of, from 0.
        vocab_size: pieces.
        batch: sequences in a step.
        length: tokens in the longest sequence.
        rounds: steps of each way that count.
        threads: of torch; by default torch's own number.
        clock: time that passes, or processor time.
        options: of the module, each timed by itself.
    """

    teacher: EncoderSpec = field(default_factory=EncoderSpec)
    student_layers: tuple[int, ...] = (0, 4, 8)
    vocab_size: int = 8002
    batch: int = 16
    length: int = 128
    rounds: int = 9
    threads: int | None = None
    clock: Clock = "wall"
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("batch", 1), ("length", 8), ("vocab_size", 8), ("rounds", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if self.length > self.teacher.max_positions:
            raise ValueError(f"length is {self.length}; the teacher has {self.teacher.max_positions} positions")


def bench_distil(distilling: Distilling) -> tuple[Turns, int]:
    """Seconds of each way, and the real tokens in a batch.

    Raises:
        ValueError: a setting is out of range.
    """
    with torch_threads(distilling.threads):
        batch = make_batch(distilling)
        turns = take_turns(make_ways(distilling, batch), distilling.rounds, distilling.clock)
    return turns, int(batch["attention_mask"].sum())


def make_batch(distilling: Distilling) -> "dict[str, torch.Tensor]":
    """Random `input_ids`, `attention_mask` and `labels`, (B, T), with sequences of unlike lengths."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shape = (distilling.batch, distilling.length)
    shortest = distilling.length - int(2 * PADDING * distilling.length)
    lengths = torch.linspace(shortest, distilling.length, distilling.batch).round()
    mask = (torch.arange(distilling.length) < lengths[:, None]).long()
    ids = torch.randint(5, distilling.vocab_size, shape, generator=generator)
    masked = (torch.rand(shape, generator=generator) < MASKED) & (mask == 1)
    masked[:, 1] = True
    return {
        "input_ids": ids.masked_fill(mask == 0, PAD),
        "attention_mask": mask,
        "labels": ids.masked_fill(~masked, -100),
    }


def make_ways(distilling: Distilling, batch: "dict[str, torch.Tensor]") -> dict[str, Callable[[], object]]:
    """A step of ours and a naive one, and passes of the teacher that keep nothing, hidden states, or attention."""
    import torch

    from distilkobert.models.forward import NetworkRun
    from distilkobert.objectives import Batch
    from distilkobert.objectives.weighted_sum import Captured
    from experiments.bench.naive_distillation import NaiveDistillation

    module = make_module(distilling)
    teacher = module.teacher.model
    naive = NaiveDistillation(teacher, copy.deepcopy(module.network), lr=module.optimizer_spec.lr, clip=CLIP)

    steps: dict[str, Callable[[], object]] = {OURS: _step(module, batch), NAIVE: partial(naive.step, **batch)}
    for option in distilling.options:
        steps[f"step, {option}"] = _step(make_module(distilling, option), batch)
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


def _step(module: "Distillation", batch: "dict[str, torch.Tensor]") -> Callable[[], object]:
    import torch

    from distilkobert.optim import build_optimizer

    optimizer = build_optimizer(module.learning(), module.optimizer_spec)

    def step() -> None:
        optimizer.zero_grad()
        module.training_step(batch, 0)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()

    return step


def make_module(distilling: Distilling, option: Option | None = None) -> "Distillation":
    """The module that trains, with the objectives of the published recipe, networks built and trainer attached."""
    import pytorch_lightning as pl
    import torch

    from distilkobert.models.compute import ComputeSpec
    from distilkobert.models.students import StudentSpec
    from distilkobert.models.teachers import build_encoder
    from distilkobert.objectives import HiddenCosine, MaskedLM, SoftTargets
    from distilkobert.optim import OptimizerSpec
    from lightning_modules import Distillation

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(prefix="bench_distil_") as folder:
        build_encoder(distilling.teacher, vocab_size=distilling.vocab_size, pad_token_id=PAD).save_pretrained(folder)
        module = Distillation(
            teacher=folder,
            objectives={
                "soft_target": SoftTargets(rows=PART_ROWS if option == "soft_targets_in_parts" else None),
                "masked_lm": MaskedLM(),
                "cosine": HiddenCosine(),
            },
            student=StudentSpec(layers=distilling.student_layers),
            vocab_size=distilling.vocab_size,
            pad_token_id=PAD,
            max_length=distilling.length,
            optimizer=OptimizerSpec(fused=option == "fused"),
            teacher_dtype="bfloat16" if option == "bf16_teacher" else "float32",
            compute=ComputeSpec(option == "compile", option == "gradient_checkpointing"),
        )
        module.trainer = pl.Trainer(accelerator="cpu", devices=1, logger=False, enable_checkpointing=False)
        module.configure_model()
    module.train()
    return module


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
    )
    turns, tokens = bench_distil(distilling)
    with torch_threads(options.threads) as threads:
        peak, split = matrix_peak(), split_step(make_module(distilling), make_batch(distilling), options.rounds, CLIP)
        flops = flops_of(distilling, tokens)
        print(
            f"{processor_name()}, threads: {threads}; {options.layers} x {width} into {len(options.student_layers)} "
            f"layers, {options.vocab_size} pieces, {tokens} tokens a step, {options.rounds} rounds in turns, "
            f"{options.clock} time"
        )
    print("\n".join(distil_lines(turns, tokens)))
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


def flops_of(distilling: Distilling, tokens: int) -> float:
    """Operations of a step; see `flops`."""
    student = replace(distilling.teacher, layers=len(distilling.student_layers))
    shape = Shape(distilling.batch, distilling.length, tokens, distilling.vocab_size)
    return distillation_flops(distilling.teacher, student, shape)


def distil_lines(turns: Turns, tokens: int) -> list[str]:
    """The numbers as lines of text; in brackets half of the rounds."""
    wide = max(map(len, turns.seconds))
    lines = [f"{way:<{wide}}  {turns.spread(way).text()} s" for way in turns.seconds]
    for place, way in enumerate((OURS, NAIVE)):
        lines[place] += f"  {tokens / turns.spread(way).median:,.0f} tokens/s"
    lines.append(f"the step is {turns.ratio(OURS, NAIVE).text('.2f')} times as fast as the naive one")
    lines += [
        f"{way}: {turns.ratio(way, OURS).text('.2f')} times as fast as the step without it"
        for way in turns.seconds
        if way.startswith("step, ")
    ]
    for way in (HIDDEN, ATTENTION):
        lines.append(f"{way}: {turns.ratio(PLAIN, way).text()} times the seconds of one that keeps nothing")
    return lines
