"""What a trainer does on a GPU alone, done on the CPU: its device as torch's default, a scaler, the fused optimizer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning.strategies import Strategy

from distilkobert.models.checkpoints import read_checkpoint
from tests.integration.tasks.world import TaskWorld, make_task_world
from tests.world import Run, World, scalars

FUSED = pytest.mark.parametrize("fused", ["true", pytest.param("false", marks=pytest.mark.slow)])
SLOW_CPU = ("--run.allow_slow_precision=true", "--trainer.max_steps=3", "--trainer.val_check_interval=3")


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    return make_task_world(world, tmp_path_factory.mktemp("tasks"))


@contextmanager
def device_context(strategy: Any, empty_init: bool | None = None) -> Iterator[None]:
    """As Lightning's, of a device that is not the CPU: whatever is made on it is of no use to the training."""
    with torch.device("meta"):
        yield


def curve(root: Path) -> dict[str, dict[int, float]]:
    (folder,) = root.glob("*/*_seed42")
    return {name: values for name, values in scalars(folder).items() if "tokens_per_s" not in name}


@pytest.mark.parametrize(
    "kind", ["distil", "nsmc", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("pretrain", "task_distil"))]
)
def test_networks_do_not_depend_on_the_default_device(
    kind: str, world: World, tasks: TaskWorld, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning builds networks while its device is the default one; a run is the same as without."""

    def arguments(root: Path) -> list[str]:
        short = ("--trainer.max_steps=2", "--trainer.val_check_interval=2")
        if kind in ("distil", "pretrain"):
            return getattr(world, kind)(root, *short)  # type: ignore[no-any-return]
        given = tasks.options("nsmc", root, *short)
        overlay = ["-c", "configs/finetune/distil.yaml"] if teacher else []
        taught = ["--model.init_from=null", f"--model.teacher={teacher}", "--model.student.layers=[0,5]"]
        return [*given[:2], *overlay, *given[2:], *(taught if teacher else [])]

    teacher: Path | None = None
    if kind == "task_distil":
        run("fit", arguments(tmp_path / "teacher"))
        (teacher,) = (tmp_path / "teacher").glob("*/*/checkpoints/last.ckpt")
    run("fit", arguments(tmp_path / "plain"))
    monkeypatch.setattr(Strategy, "tensor_init_context", device_context)
    run("fit", arguments(tmp_path / "device"))
    plain, device = curve(tmp_path / "plain"), curve(tmp_path / "device")
    assert plain == device
    assert len(plain["train/loss/total"]) == 2


@pytest.mark.parametrize("precision", ["bf16-mixed", pytest.param("32-true", marks=pytest.mark.slow)])
def test_gradients_are_clipped_before_a_fused_step(precision: str, world: World, run: Run, tmp_path: Path) -> None:
    """`gradient_clip_val` of the recipe with the fused optimizer of configs/trainer/one_gpu.yaml."""
    curves = []
    for fused in ("false", "true"):
        tiny = ("--trainer.gradient_clip_val=0.001", f"--model.optimizer.fused={fused}")
        run("fit", world.pretrain(tmp_path / fused, f"--trainer.precision={precision}", *tiny, *SLOW_CPU))
        curves.append(curve(tmp_path / fused)["train/loss/total"])
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)


def scaled(folder: Path, scale: float, device: str = "cpu") -> list[str]:
    """16-mixed with a scaler that starts at `scale`; on the CPU too, where Lightning has no 16-mixed of its own."""
    path = folder / "scaled.yaml"
    path.write_text(
        f"""
trainer:
  precision: null
  plugins:
  - class_path: pytorch_lightning.plugins.precision.MixedPrecision
    init_args:
      precision: 16-mixed
      device: {device}
      scaler:
        class_path: torch.amp.GradScaler
        init_args: {{device: {device}, init_scale: {scale}, growth_interval: 2}}
""",
        encoding="utf-8",
    )
    return ["-c", str(path)]


def weights(root: Path) -> dict[str, torch.Tensor]:
    (path,) = root.glob("*/*/checkpoints/last.ckpt")
    found: dict[str, torch.Tensor] = read_checkpoint(path)["state_dict"]
    return found


@FUSED
def test_the_scaler_goes_along_with_a_resume(fused: str, world: World, run: Run, tmp_path: Path) -> None:
    steady = ("--model.optimizer.schedule=constant", "--model.optimizer.warmup=0", "--run.allow_slow_precision=true")
    options = [*scaled(tmp_path, 1024.0), f"--model.optimizer.fused={fused}", *steady]
    run("fit", world.pretrain(tmp_path / "whole", *options))
    parts = world.pretrain(tmp_path / "parts", *options, "--trainer.val_check_interval=1")
    run("fit", [*parts, "--trainer.max_steps=3", "--last_checkpoint.every_n_steps=3"])
    (last,) = (tmp_path / "parts").glob("*/*/checkpoints/last.ckpt")
    saved = read_checkpoint(last)["MixedPrecision"]
    assert (saved["scale"], saved["_growth_tracker"]) == (2048.0, 1)
    run("fit", [*parts, f"--ckpt_path={last}"])
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert read_checkpoint(last)["MixedPrecision"]["scale"] == 4096.0


@FUSED
def test_a_step_that_overflows_is_left_out(fused: str, world: World, run: Run, tmp_path: Path) -> None:
    """A scale beyond what float16 holds makes every gradient infinite: no weight changes, and training goes on."""
    options = [f"--model.optimizer.fused={fused}", "--run.allow_slow_precision=true"]
    run("fit", world.pretrain(tmp_path / "start", "--trainer.max_steps=0"))
    cli = run("fit", world.pretrain(tmp_path / "high", *scaled(tmp_path, 2.0**60), *options))
    start, high = weights(tmp_path / "start"), weights(tmp_path / "high")
    assert all(torch.equal(start[name], high[name]) for name in start)
    scaler: Any = cli.trainer.precision_plugin
    assert scaler.scaler.get_scale() == 2.0**56
    assert len(curve(tmp_path / "high")["train/loss/total"]) == 4
