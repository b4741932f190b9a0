"""What the processor can do, where a setting would otherwise be a trap."""

import warnings
from pathlib import Path

import pytorch_lightning as pl
import torch

from experiments._shared.processor import CPUINFO, processor_flags

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Names of bf16 instructions in Linux' /proc/cpuinfo: x86 AVX512-BF16 and AMX, and Arm."""


def suit_processor(trainer: pl.Trainer, cpuinfo: Path = CPUINFO) -> None:
    """Warn of a bf16 that the CPU must emulate, and take the attention kernel that is fast there.

    torch's fused attention runs bf16 slowly on x86 processors without AMX. Attention by plain matrix products is used
    there instead: on an AVX512-BF16 one, training steps were 14 % faster (`python -m experiments.bench precision`,
    docs/log.md). Everywhere else torch chooses.

    Raises:
        ValueError: the device is Apple's, which has no float64; sums and scores are taken in it.
    """
    if trainer.strategy.root_device.type == "mps":
        raise ValueError(
            "Apple's mps device has no float64, in which sums are taken; stack -c configs/trainer/cpu.yaml"
        )
    bf16_on_cpu = str(trainer.precision).startswith("bf16") and trainer.strategy.root_device.type == "cpu"
    flags = processor_flags(cpuinfo.read_text(encoding="utf-8")) if bf16_on_cpu and cpuinfo.is_file() else None
    if flags is not None and _BF16_FLAGS.isdisjoint(flags):
        warnings.warn(
            f"trainer.precision={trainer.precision} on a CPU without bf16 instructions is many times slower than "
            "float32; stack configs/trainer/cpu.yaml or set --trainer.precision=32-true",
            stacklevel=2,
        )
    # The switch stands under `cuda`, and holds for the CPU's kernel as well.
    torch.backends.cuda.enable_flash_sdp(flags is None or "avx512_bf16" not in flags or "amx_bf16" in flags)
