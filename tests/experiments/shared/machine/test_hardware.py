"""Number formats that a processor emulates are refused; the attention kernel for one that has bf16 instructions."""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from torch.nn.functional import scaled_dot_product_attention

from experiments._shared.machine import hardware
from experiments._shared.machine.hardware import bf16_speed, suit_processor
from experiments._shared.machine.processor import int8_instructions, processor_flags, processor_name
from experiments._shared.training.trainer_checks import check_device, check_trainer, settle_sanity_steps

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
    ("precision", "flags", "refused", "fused"),
    [
        ("bf16-mixed", WITHOUT, "bf16", True),
        ("bf16-true", WITHOUT, "bf16", True),
        ("16-true", WITHOUT, "float16", True),
        ("16-true", WITH, "float16", True),
        ("bf16-mixed", WITH, "", False),
        ("bf16-mixed", AMX, "", True),
        ("32-true", WITHOUT, "", True),
        ("32-true", WITH, "", True),
    ],
)
def test_what_is_refused_and_the_kernel(precision: str, flags: str, refused: str, fused: bool, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(flags)
    torch.backends.cuda.enable_flash_sdp(not fused)
    trainer = _trainer(precision)
    if refused:
        with pytest.raises(
            ValueError, match=rf"no {refused} instructions.*cpu\.yaml.*--run\.allow_slow_precision=true"
        ):
            suit_processor(trainer, cpuinfo=cpuinfo)
    suit_processor(trainer, allow_slow=bool(refused), cpuinfo=cpuinfo)
    assert torch.backends.cuda.flash_sdp_enabled() is fused


@pytest.mark.parametrize(("ratio", "warned"), [(0.55, True), (1.7, False)])
def test_bf16_that_is_slower_gets_a_warning(
    ratio: float, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "cpuinfo").write_text(WITH)
    trainer = _trainer("bf16-mixed")
    monkeypatch.setattr(hardware, "bf16_speed", lambda: ratio)
    suit_processor(trainer, cpuinfo=tmp_path / "cpuinfo")
    found = [str(one.message) for one in recwarn if "a linear layer runs" in str(one.message)]
    assert len(found) == warned
    assert not warned or "precision=bf16-mixed: a linear layer runs 0.55 times as fast in bf16" in found[0]


def test_the_ratio_is_of_float32_to_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that moves by 3 in float32 and by 2 in bf16: 1.5 times as fast."""
    moments = iter(range(1000))
    used = {torch.float32: 3.0, torch.bfloat16: 2.0}
    clock = [0.0]

    def linear(inputs: torch.Tensor, weight: torch.Tensor) -> None:
        assert inputs.dtype is weight.dtype
        assert (inputs.shape, weight.shape) == ((1024, 768), (768, 768))
        clock[0] += used[inputs.dtype] + (next(moments) < 4)  # the first ones are slower

    monkeypatch.setattr(hardware.F, "linear", linear)
    monkeypatch.setattr(hardware.time, "perf_counter", lambda: clock[0])
    assert bf16_speed() == 1.5


def trainer(**changes: object) -> SimpleNamespace:
    """Settings of the trainer that nothing is wrong with, and others."""
    usual = {
        "accelerator": "cpu", "strategy": "auto", "logger": None, "callbacks": None, "default_root_dir": None,
        "precision": "32-true", "devices": 1, "num_nodes": 1, "val_check_interval": None, "num_sanity_val_steps": None,
        "gradient_clip_val": None, "gradient_clip_algorithm": None, "limit_train_batches": None,
    }  # fmt: skip
    return SimpleNamespace(**usual | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val_check_interval": "00:15:00", "devices": 2}, "val_check_interval=00:15:00: a time, .*number of batches"),
        ({"val_check_interval": timedelta(minutes=5), "num_nodes": 2}, "val_check_interval=0:05:00: a time"),
        ({"gradient_clip_val": math.nan}, "gradient_clip_val=nan: expected a finite number of 0 or more"),
        ({"gradient_clip_val": math.inf}, "gradient_clip_val=inf"),
        ({"gradient_clip_val": -1.0}, "gradient_clip_val=-1.0"),
        ({"gradient_clip_algorithm": "norm"}, "gradient_clip_algorithm=norm: nothing is clipped without"),
        ({"gradient_clip_algorithm": "norm", "gradient_clip_val": 0}, "nothing is clipped"),
        ({"gradient_clip_algorithm": "norm", "gradient_clip_val": 1}, ""),
        ({"limit_train_batches": 0}, "limit_train_batches=0: nothing would be trained; .*max_steps=0"),
        ({"limit_train_batches": 0.0}, "limit_train_batches=0"),
        ({"limit_train_batches": 1}, ""),
        ({"val_check_interval": "00:15:00"}, ""),
        ({"val_check_interval": 0.5, "devices": 2}, ""),
    ],
)
def test_what_deadlocks_or_has_no_effect_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) if message else nullcontext():
        check_trainer(trainer(**changes))


def test_one_validation_batch_is_always_tried() -> None:
    settings = trainer(num_sanity_val_steps=0)
    check_trainer(settings)
    assert settings.num_sanity_val_steps == 0  # a check changes nothing
    settle_sanity_steps(settings)
    assert settings.num_sanity_val_steps == 1


@pytest.mark.parametrize("name", ["LearningRateFinder", "BatchSizeFinder"])
def test_searches_of_lightning_are_refused(name: str) -> None:
    finder = SimpleNamespace(class_path=f"pytorch_lightning.callbacks.{name}")
    settings = trainer(callbacks=[finder])
    with pytest.raises(ValueError, match=f"{name} is unsupported; .*(study|check_only)"):
        check_trainer(settings)


@pytest.mark.parametrize("precision", ["16-true", "bf16-true", "transformer-engine", "32-true", "bf16-mixed", 16])
def test_weights_and_sums_in_16_bits_are_refused(precision: object) -> None:
    settings = trainer(precision=precision)
    refused = precision in ("16-true", "bf16-true", "transformer-engine")
    with pytest.raises(ValueError, match=r"16 bits: .*Use bf16-mixed") if refused else nullcontext():
        check_trainer(settings)


@pytest.mark.parametrize(("strategy", "overlay"), [("auto", "trainer/cpu.yaml, or add"), ("ddp", "ddp_cpu.yaml")])
def test_gpu_settings_without_a_gpu_name_the_overlay(
    strategy: str, overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = trainer(accelerator="gpu", strategy=strategy)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=rf"finds no CUDA GPU here; .*{overlay}"):
        check_device(settings)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_device(settings)


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
        suit_processor(_trainer("bf16-mixed"), cpuinfo=cpuinfo)
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
