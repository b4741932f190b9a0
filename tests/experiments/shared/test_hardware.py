"""The warning before bf16 runs on a processor without bf16 instructions, and the attention kernel for one with them."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch.nn.functional import scaled_dot_product_attention

from experiments._shared.hardware import suit_processor
from experiments._shared.processor import int8_instructions, processor_flags, processor_name

WITH = "processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16 sse\n"
WITHOUT = "processor\t: 0\nflags\t\t: fpu avx2 sse\n"
AMX = "processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16 amx_bf16\n"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = torch.backends.cuda.flash_sdp_enabled()
    yield
    torch.backends.cuda.enable_flash_sdp(before)


def _trainer(precision: str) -> pl.Trainer:
    return pl.Trainer(accelerator="cpu", precision=precision, logger=False, enable_checkpointing=False)  # type: ignore[arg-type]


def test_flags_are_read() -> None:
    assert processor_flags(WITH) == {"fpu", "avx2", "avx512_bf16", "sse"}
    assert processor_flags("processor : 0\nFeatures\t: fp asimd bf16\n") == {"fp", "asimd", "bf16"}
    assert processor_flags("processor : 0\n") is None


@pytest.mark.parametrize(
    ("precision", "flags", "warned", "fused"),
    [
        ("bf16-mixed", WITHOUT, True, True),
        ("bf16-mixed", WITH, False, False),
        ("bf16-mixed", AMX, False, True),
        ("32-true", WITHOUT, False, True),
        ("32-true", WITH, False, True),
    ],
)
def test_the_warning_and_the_kernel(precision: str, flags: str, warned: bool, fused: bool, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(flags)
    torch.backends.cuda.enable_flash_sdp(not fused)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        suit_processor(_trainer(precision), cpuinfo)
    assert any("many times slower" in str(w.message) for w in caught) is warned
    assert torch.backends.cuda.flash_sdp_enabled() is fused


def test_a_device_without_float64_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = _trainer("32-true")
    monkeypatch.setattr(type(trainer.strategy), "root_device", torch.device("mps"))
    with pytest.raises(ValueError, match=r"mps device has no float64, .*configs/trainer/cpu\.yaml"):
        suit_processor(trainer)


def test_the_switch_reaches_the_cpu(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    query = torch.randn(2, 4, 16, 32, requires_grad=True)
    nodes = []
    for flags in (AMX, WITH):
        cpuinfo.write_text(flags)
        suit_processor(_trainer("bf16-mixed"), cpuinfo)
        nodes.append(type(scaled_dot_product_attention(query, query, query).grad_fn).__name__)
    assert "Flash" in nodes[0]
    assert "Flash" not in nodes[1]


def test_names_of_processors_and_their_int8(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Some CPU 3000 \nflags : fpu avx2 avx_vnni avx512_vnni\n", encoding="utf-8")
    assert processor_name(info) == "Some CPU 3000"
    assert processor_name(tmp_path / "none").startswith("cpu ")
    assert int8_instructions(info) == "avx512_vnni avx_vnni avx2"
    info.write_text("Features : fp asimd\n", encoding="utf-8")
    assert int8_instructions(info) == "none"
    assert int8_instructions(tmp_path / "none") == "unknown"
