"""A study whose task is learnt plainly and from a fine-tuned teacher, with the real commands, killed and resumed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from experiments.report.__main__ import report
from tests.integration.tasks.world import make_task_world
from tests.world import World, read_json

FILE = """# Does distillation on the task bring anything?
base: [configs/distill/distilkobert.yaml]
teacher: {world}/teacher
overrides: {{data.data_dir: {world}/corpus, data.tokenizer: {world}/tokenizer, data.max_tokens: 512}}
arms: {{distilled: {{}}}}
controls: [teacher]
machine:
  trainer.accelerator: cpu
  trainer.devices: 1
  trainer.max_epochs: -1
  trainer.max_steps: 8
  trainer.accumulate_grad_batches: 1
  trainer.val_check_interval: 4
  last_checkpoint.every_n_steps: 2
then:
  nsmc:
    configs: [configs/finetune/nsmc.yaml]
    overrides:
      data.data_dir: {tasks}/nsmc
      data.tokenizer: {world}/tokenizer
      data.cache_dir: {tasks}/cache
      data.max_length: 48
      data.batch_size: 8
    distil: {{configs: [configs/finetune/distil.yaml]}}
latency: false
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_teacher_is_fine_tuned_once_and_its_student_has_a_row(world: World, tmp_path: Path) -> None:
    tasks = make_task_world(world, tmp_path / "tasks")
    (tmp_path / "s.yaml").write_text(FILE.format(world=world.root, tasks=tasks.root), encoding="utf-8")
    command = [sys.executable, "-m", "experiments.study", "--config", str(tmp_path / "s.yaml"), "--root", str(tmp_path)]
    study, outputs = tmp_path / "s", []
    for kill in (True, False):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as worker:
            assert worker.stdout is not None
            lines = []
            for line in worker.stdout:
                lines.append(line)
                if kill and "nsmc/distilled+task_distil_seed1 starts" in line:
                    last = study / "nsmc" / "distilled+task_distil_seed1" / "checkpoints" / "last.ckpt"
                    while not last.is_file():
                        assert worker.poll() is None
                    worker.kill()
                    break
            worker.wait()
            outputs.append("".join(lines))
        assert worker.returncode == (-signal.SIGKILL if kill else 0), outputs[-1]
    assert "nsmc/distilled+task_distil_seed1 resumes from its last checkpoint" in outputs[1]
    assert "4 of 4 runs are done" in outputs[1]
    assert "".join(outputs).count("nsmc/teacher_seed1 starts") == 1
    folder = study / "nsmc" / "distilled+task_distil_seed1"
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))["model"]
    assert config["class_path"].endswith("TaskDistillation")
    assert config["init_args"]["teacher"] == f"{study}/nsmc/teacher_seed1/checkpoints/best.ckpt"
    metrics = {
        row: read_json(study / "nsmc" / f"{row}_seed1" / "metrics.json")
        for row in ("distilled", "distilled+task_distil")
    }
    assert all("test/accuracy" in one for one in metrics.values())
    assert len({one["parameters"] for one in metrics.values()}) == 1
    page = report(str(study)) / "report.md"
    text = page.read_text(encoding="utf-8").replace("\\", "")
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines() if line.startswith("| dist")]
    assert {name for name, *_ in cells} == metrics.keys()
    sizes = {name: size for name, kind, size in cells if kind == "student"}
    assert len(sizes) == 2
    assert len(set(sizes.values())) == 1
    assert "distilled+task_distil: the exports of distilled, fine-tuned with teacher" in text
