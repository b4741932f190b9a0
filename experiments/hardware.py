"""What the processor can do, where a setting would otherwise be a trap."""

import re
import warnings
from pathlib import Path

import pytorch_lightning as pl

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Names of bf16 instructions in Linux' /proc/cpuinfo: x86 AVX512-BF16 and AMX, and Arm."""


def has_bf16_instructions(cpuinfo: str) -> bool | None:
    """Whether the processor that `/proc/cpuinfo` describes computes in bf16; None where it lists no flags."""
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    return None if flags is None else not _BF16_FLAGS.isdisjoint(flags[1].split())


def warn_of_emulated_bf16(trainer: pl.Trainer, cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Warn when bf16 autocast would run on a CPU that has to emulate it, which is many times slower than float32."""
    if not str(trainer.precision).startswith("bf16") or trainer.strategy.root_device.type != "cpu":
        return
    if cpuinfo.is_file() and has_bf16_instructions(cpuinfo.read_text(encoding="utf-8")) is False:
        warnings.warn(
            f"trainer.precision={trainer.precision} on a CPU without bf16 instructions is many times slower than "
            "float32; stack configs/trainer/cpu.yaml or set --trainer.precision=32-true",
            stacklevel=2,
        )
