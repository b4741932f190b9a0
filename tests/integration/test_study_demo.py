"""The demo's study with its real commands, cut short: killed twice and restarted, it ends with the same table."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from distilkobert.synthetic.generation import generate_sentences
from distilkobert.synthetic.tasks import write_korquad, write_naver_ner, write_nsmc
from distilkobert.tokenizers.training import train_tokenizer

SHORT = {"max_steps": 24, "val_check_interval": 12}


def options(demo: Path, root: Path) -> list[str]:
    """The command line of the demo's study, with a few steps for each training and a checkpoint every four."""
    keys = [
        "--teacher.overrides",
        "--overrides",
        *(f"--then.{task}.overrides" for task in ("nsmc", "naver_ner", "korquad")),
    ]
    cut = [f"{key}+=--trainer.{name}={value}" for key in keys for name, value in SHORT.items()]
    saved = [f"{key}+=--last_checkpoint.every_n_steps=4" for key in keys]
    return [
        "--config", "configs/study/demo.yaml", f"--variables.demo={demo}", "--root", str(root), "--workers=2",
        *cut, *saved,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    sentences = generate_sentences(1500, seed=3)
    (folder / "text.txt").write_text("\n".join(sentences), encoding="utf-8")
    train_tokenizer(sentences, folder / "tokenizer", vocab_size=600, seed=3)
    for task, write in (("nsmc", write_nsmc), ("naver_ner", write_naver_ner), ("korquad", write_korquad)):
        write(folder / "tasks" / task, train=200, test=40, seed=3)
    return folder


def table(study: Path) -> dict[str, dict[str, float]]:
    """The figures that a report's table is made from: tests of the tasks, and the distillation's end."""
    found = {}
    for path in sorted(study.glob("*/*/metrics.json")):
        metrics = json.loads(path.read_text(encoding="utf-8"))
        stage = path.parent.parent.name
        prefix = {"distil": "val/", "teacher": "parameters"}.get(stage, "test/")
        found[f"{stage}/{path.parent.name}"] = {name: metrics[name] for name in metrics if name.startswith(prefix)}
    assert all(found.values())
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_twice_it_ends_with_the_table_of_an_undisturbed_run(demo: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "experiments.study"]
    subprocess.run([*command, *options(demo, tmp_path / "whole")], check=True)

    seed = time.time_ns()
    random, outputs = Random(seed), []
    for kill in (True, True, False):
        with subprocess.Popen(
            [*command, *options(demo, tmp_path / "killed")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as worker:
            assert worker.stdout is not None
            lines, begun = [], random.randint(1, 2)  # of twelve runs, which take some seconds each
            for line in worker.stdout:
                lines.append(line)
                begun -= " starts; " in line or " resumes " in line
                if kill and not begun:
                    time.sleep(random.uniform(0, 4))
                    worker.kill()
                    break
            worker.wait()
            outputs.append("".join(lines))
        assert worker.returncode == (-signal.SIGKILL if kill else 0), f"Random({seed}): {outputs[-1]}"
    whole, killed = (table(tmp_path / name / "demo") for name in ("whole", "killed"))
    assert len(whole) == 12
    for figures in (*whole.values(), *killed.values()):
        figures.pop("val/step", None)  # of the training's last validation, not of the final validation
    assert killed == whole, f"Random({seed})"
    done = [line.split()[1] for out in outputs for line in out.splitlines() if " done in " in line]
    assert len(done) == len(set(done)), "a finished run was run again"
    latency = json.loads((tmp_path / "killed" / "demo" / "latency.json").read_text(encoding="utf-8"))
    assert set(latency["models"]) == {f"exported/{arm}_seed42" for arm in ("teacher", "distilled", "undistilled")}
