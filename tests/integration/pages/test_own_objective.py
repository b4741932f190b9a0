"""The objective of docs/extending.md, as the page has it: exact resume, export, the control, a study and its report."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from distilkobert.models.checkpoints import read_checkpoint
from experiments.export.__main__ import export
from experiments.report.figures.curves import curve_figures
from experiments.report.reading.scan import open_runs
from tests.world import Run, World, scalars

PAGE = Path("docs/extending.md")


def block(kind: str) -> str:
    """The only code block of a language in the page's section on objectives."""
    (section,) = re.findall(
        r"^## An objective of your own\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    (found,) = re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)
    return str(found)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write the page's two files into a folder outside the checkout; options that add its objective to a recipe."""
    (tmp_path / "my_objectives.py").write_text(block("python"), encoding="utf-8")
    (tmp_path / "own.yaml").write_text(block("yaml"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return ["-c", str(tmp_path / "own.yaml")]


def outside(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that finds the page's file."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}


KILLED = """
import os, signal, sys
from lightning_modules.callbacks import GradientWatch
from experiments.train import main
step = GradientWatch.on_before_optimizer_step
def killed(self, trainer, *args):
    step(self, trainer, *args)
    trainer.global_step == 4 and os.kill(os.getpid(), signal.SIGKILL)
GradientWatch.on_before_optimizer_step = killed
main(sys.argv[1:])
"""
"""A training that is killed inside its fifth step."""


def test_it_resumes_exactly_and_is_not_exported(own: list[str], world: World, run: Run, tmp_path: Path) -> None:
    options = [*own, "--trainer.max_steps=6", "--last_checkpoint.every_n_steps=3", "--model.student.dropout=0.1"]
    run("fit", world.distil(tmp_path / "whole", *options))
    broken = tmp_path / "broken" / "distilkobert" / "base_seed42"
    command = [sys.executable, "-c", KILLED, "fit", *world.distil(tmp_path / "broken", *options)]
    ended = subprocess.run(command, env=outside(tmp_path), capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr.decode()[-2000:]
    last = broken / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 3
    run("fit", ["-c", str(broken / "config.yaml"), f"--ckpt_path={last}"])
    whole = tmp_path / "whole" / "distilkobert" / "base_seed42"
    expected, resumed = (read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in (whole, broken))
    assert "objectives.active.middle.projection.weight" in expected["state_dict"]
    for name, value in expected["state_dict"].items():
        if name.startswith(("network.", "objectives.")):
            assert torch.equal(resumed["state_dict"][name], value), name
    assert scalars(broken)["train/loss/middle"] == scalars(whole)["train/loss/middle"]
    export(str(whole / "checkpoints" / "last.ckpt"), str(tmp_path / "out"))
    names = load_file(tmp_path / "out" / "model.safetensors").keys()
    assert names
    assert not [name for name in names if "middle" in name or "objective" in name]


def test_a_layer_that_is_not_there_is_refused(own: list[str], world: World, run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"objective middle: layer map \[\[1, 12\]\]: the teacher has layers 0 to 11"):
        run("fit", world.distil(tmp_path / "runs", *own, "--model.objectives.middle.teacher_layer=12"))


def test_the_control_leaves_out_what_needs_the_teacher(
    own: list[str], world: World, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cli = run("fit", world.distil(tmp_path, *own, "-c", "configs/ablation/mlm_only.yaml", "--trainer.max_steps=1"))
    assert cli.model.objectives.weights_at(0.0) == {"masked_lm": 1.0}
    assert cli.config.fit.model.init_args.without_teacher
    assert "removes the objectives that need the teacher: soft_target, cosine, middle" in caplog.text
    assert [name for name, _ in cli.model.named_parameters() if name.startswith("objectives.")] == []


@pytest.mark.slow
def test_a_study_switches_it_off_in_the_control_and_the_report_shows_its_curve(
    own: list[str], world: World, tmp_path: Path
) -> None:
    options = world.distil(tmp_path)
    words = [word for word in options[2:] if not word.startswith(("--run.root", "--model.teacher", "--trainer.enable"))]
    study = {
        "base": [options[1], own[1]],
        "teacher": str(world.teacher),
        "overrides": [{name.lstrip("-"): value} for name, _, value in (word.partition("=") for word in words)],
        "arms": {"own": {}},
        "controls": ["mlm_only"],
        "latency": False,
    }
    file = tmp_path / "s.yaml"
    file.write_text("# Does the middle help?\n" + yaml.safe_dump(study), encoding="utf-8")
    folder = tmp_path / "studies" / "s"
    for command in (["study", "--config", str(file), f"--root={folder.parent}"], ["report", str(folder)]):
        words = [sys.executable, "-m", f"experiments.{command[0]}", *command[1:]]
        ended = subprocess.run(words, env=outside(tmp_path), capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr + ended.stdout
    runs = {arm: folder / "distil" / f"{arm}_seed1" for arm in ("own", "mlm_only")}
    settings = {
        arm: yaml.safe_load((place / "config.yaml").read_text(encoding="utf-8"))["model"]["init_args"]
        for arm, place in runs.items()
    }
    assert "middle" in settings["own"]["objectives"]
    assert (settings["own"]["without_teacher"], settings["mlm_only"]["without_teacher"]) == (False, True)
    terms = {
        arm: {name.rpartition("/")[2] for name in scalars(place) if name.startswith("train/loss/")}
        for arm, place in runs.items()
    }
    assert terms == {
        "own": {"total", "soft_target", "masked_lm", "cosine", "middle"},
        "mlm_only": {"total", "masked_lm"},
    }
    for arm, place in runs.items():
        state = read_checkpoint(place / "checkpoints" / "last.ckpt")["state_dict"]
        assert any(name.startswith("objectives.") for name in state) == (arm == "own")
        exported = load_file(folder / "exported" / f"{arm}_seed1" / "model.safetensors")
        assert not [name for name in exported if "middle" in name or "objective" in name]
    assert (folder / "report" / "report.html").is_file()
    (drawing,) = curve_figures(open_runs(folder, []), "distil", [])
    panels = {axes.get_title("left") or axes.get_title(): axes for axes in drawing.figure.axes}
    assert [len(panels[f"loss term: {name}"].lines) for name in ("middle", "masked LM")] == [1, 2]
