"""What benchmarks of distillation distil: shapes, random batches, and the module that trains."""

import tempfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from distilkobert.models.teachers import EncoderSpec, TeacherType
from experiments.bench.steps.flops import Shape, distillation_flops
from experiments.bench.timing.turns import Clock

if TYPE_CHECKING:
    import torch

    from lightning_modules import Distillation

Option = Literal["fused", "bf16_teacher", "int8_teacher", "compile", "gradient_checkpointing", "soft_targets_in_parts"]
"""Options of the module whose step is compared with the step without them."""

TEACHERS: dict[Option | None, TeacherType] = {"bf16_teacher": "bfloat16", "int8_teacher": "int8"}
"""Number formats of the teacher that options mean."""

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
        reference: checkout of the original, whose step is timed too.
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
    reference: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("batch", 1), ("length", 8), ("vocab_size", 8), ("rounds", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if self.length > self.teacher.max_positions:
            raise ValueError(f"length is {self.length}; the teacher has {self.teacher.max_positions} positions")


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


def with_positions(batch: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The batch with the places of its tokens, as the loader of a corpus gives it."""
    places = {"real_positions": batch["attention_mask"] == 1, "masked_positions": batch["labels"] >= 0}
    return batch | {name: mask.flatten().nonzero().squeeze(-1) for name, mask in places.items()}


def make_module(distilling: Distilling, option: Option | None = None) -> "Distillation":
    """The module that trains, with a teacher of random weights."""
    import torch

    from distilkobert.models.teachers import build_encoder

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(prefix="bench_distil_") as folder:
        build_encoder(distilling.teacher, vocab_size=distilling.vocab_size, pad_token_id=PAD).save_pretrained(folder)
        return module_of(
            folder, distilling.student_layers, distilling.vocab_size, PAD, distilling.length, option=option
        )


def module_of(
    teacher: str,
    student_layers: tuple[int, ...],
    vocab_size: int,
    pad_token_id: int,
    length: int,
    option: Option | None = None,
) -> "Distillation":
    """The module that trains, with the objectives of the published recipe, networks built and trainer attached.

    Args:
        teacher: folder, checkpoint or hub id.
        student_layers: teacher layers that the student is made of, from 0.
        vocab_size: pieces.
        pad_token_id: id of [PAD].
        length: tokens in the longest sequence.
        option: of the module.
    """
    import pytorch_lightning as pl
    import torch

    from distilkobert.models.compute import ComputeSpec
    from distilkobert.models.students import StudentSpec
    from distilkobert.objectives import HiddenCosine, MaskedLM, SoftTargets
    from distilkobert.optim import OptimizerSpec
    from lightning_modules import Distillation

    torch.manual_seed(0)
    module = Distillation(
        teacher=teacher,
        objectives={
            "soft_target": SoftTargets(rows=PART_ROWS if option == "soft_targets_in_parts" else None),
            "masked_lm": MaskedLM(),
            "cosine": HiddenCosine(),
        },
        student=StudentSpec(layers=student_layers),
        vocab_size=vocab_size,
        pad_token_id=pad_token_id,
        max_length=length,
        optimizer=OptimizerSpec(fused=option == "fused"),
        teacher_dtype=TEACHERS.get(option, "float32"),
        compute=ComputeSpec(option == "compile", option == "gradient_checkpointing"),
    )
    module.trainer = pl.Trainer(accelerator="cpu", devices=1, logger=False, enable_checkpointing=False)
    module.configure_model()
    module.train()
    return module


def flops_of(distilling: Distilling, tokens: int) -> float:
    """Operations of a step; see `flops`."""
    student = replace(distilling.teacher, layers=len(distilling.student_layers))
    shape = Shape(distilling.batch, distilling.length, tokens, distilling.vocab_size)
    return distillation_flops(distilling.teacher, student, shape)
