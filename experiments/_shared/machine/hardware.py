"""What the machine can do, where a setting would otherwise be a trap."""

import time
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.utilities import rank_zero_warn

from experiments._shared.machine.processor import CPUINFO, processor_flags

_FLAGS = {
    "bf16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "float16": frozenset({"avx512_fp16", "amx_fp16", "asimdhp"}),
}
"""Names of a number format's instructions in Linux' /proc/cpuinfo, x86 and Arm, by the start of `trainer.precision`."""


_TOKENS, _WIDTH, _REPEATS = 1024, 768, 5


def suit_processor(trainer: pl.Trainer, allow_slow: bool = False, cpuinfo: Path = CPUINFO) -> None:
    """Refuse number formats that the CPU must emulate, and take the attention kernel that is fast there.

    Instructions for bf16 do not say that it is faster: of two processors with AVX512-BF16 one trained 1.7 times as fast
    in it, the other's linear layers ran at 0.6 times the speed of float32 (docs/log.md). So a layer is timed, in
    less than a second, and where it is slower in bf16 there is a warning.

    torch's fused attention runs bf16 slowly on x86 processors without AMX. Attention by plain matrix products is used
    there instead: on an AVX512-BF16 one, training steps were 14 % faster (`python -m experiments.bench precision`,
    docs/log.md). Everywhere else torch chooses.

    Args:
        trainer: made, not begun.
        allow_slow: take an emulated format anyway.
        cpuinfo: what Linux says of the processor; where there is no such file nothing is refused.

    Raises:
        ValueError: the CPU has no instructions for `trainer.precision`; or the device is Apple's, which has no float64;
            sums and scores are taken in it.
    """
    if trainer.strategy.root_device.type == "mps":
        raise ValueError("Apple's mps device has no float64, which sums need; add -c configs/trainer/cpu.yaml")
    on_cpu, precision = trainer.strategy.root_device.type == "cpu", str(trainer.precision)
    kind = next((name for name in _FLAGS if precision.startswith(name.removeprefix("float"))), None)
    kind = kind if on_cpu else None
    flags = processor_flags(cpuinfo.read_text(encoding="utf-8")) if kind and cpuinfo.is_file() else None
    if kind and flags is not None and _FLAGS[kind].isdisjoint(flags) and not allow_slow:
        raise ValueError(
            f"--trainer.precision={precision}: this CPU has no {kind} instructions, which makes it many times slower "
            "than float32; add -c configs/trainer/cpu.yaml last or set --trainer.precision=32-true (to run it "
            "anyway: --run.allow_slow_precision=true)"
        )
    # The switch is under `cuda`, and holds for the CPU's kernel as well.
    in_bf16 = kind == "bf16" and flags is not None and "avx512_bf16" in flags and "amx_bf16" not in flags
    torch.backends.cuda.enable_flash_sdp(not in_bf16)
    if kind == "bf16" and not allow_slow and (ratio := bf16_speed()) < 1:
        rank_zero_warn(
            f"--trainer.precision={precision}: a linear layer runs {ratio:.2f} times as fast in bf16 as in float32 on "
            "this CPU; python -m experiments.bench precision measures whole steps; -c configs/trainer/cpu.yaml is in "
            "float32"
        )


def bf16_speed() -> float:
    """How many times as fast as in float32 a linear layer of 768 x 768 runs in bf16 here, with torch's threads."""
    seconds = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    layers = {
        dtype: partial(F.linear, torch.ones(_TOKENS, _WIDTH, dtype=dtype), torch.ones(_WIDTH, _WIDTH, dtype=dtype))
        for dtype in seconds
    }
    with torch.inference_mode():
        for _ in range(_REPEATS):  # in turns; the shortest time is the one that least else has disturbed
            for dtype, layer in layers.items():
                started = time.perf_counter()
                layer()
                seconds[dtype] = min(seconds[dtype], time.perf_counter() - started)
    return seconds[torch.float32] / seconds[torch.bfloat16]
