"""The warning before bf16 runs on a processor without bf16 instructions."""

import warnings
from pathlib import Path

import pytest
import pytorch_lightning as pl

from experiments.hardware import has_bf16_instructions, warn_of_emulated_bf16

WITH = "processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16 sse\n"
WITHOUT = "processor\t: 0\nflags\t\t: fpu avx2 sse\n"


def test_flags_are_read() -> None:
    assert has_bf16_instructions(WITH) is True
    assert has_bf16_instructions("processor : 0\nFeatures\t: fp asimd bf16\n") is True
    assert has_bf16_instructions(WITHOUT) is False
    assert has_bf16_instructions("processor : 0\n") is None


@pytest.mark.parametrize(
    ("precision", "flags", "warned"),
    [("bf16-mixed", WITHOUT, True), ("bf16-mixed", WITH, False), ("32-true", WITHOUT, False)],
)
def test_the_warning(precision: str, flags: str, warned: bool, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(flags)
    trainer = pl.Trainer(accelerator="cpu", precision=precision, logger=False, enable_checkpointing=False)  # type: ignore[arg-type]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_emulated_bf16(trainer, cpuinfo)
    assert any("many times slower" in str(w.message) for w in caught) is warned
