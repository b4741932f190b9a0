"""The demo's study with its real commands, cut short: killed twice and restarted, it ends with the same table."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from distilkobert.synthetic.contexts import generate_text
from distilkobert.synthetic.lexicon import make_lexicon
from distilkobert.synthetic.lexicon_tasks import write_tasks
from experiments._shared.exported.latency_file import model_key
from experiments.demo.files import LEXICON, PRETRAINED

SHORT = {"max_steps": 24, "val_check_interval": 12}


def options(demo: Path, root: Path, workers: int = 2, last: str = "latency*") -> list[str]:
    """The demo's study for one model and task, with a few steps for each training and a checkpoint every four.

    Args:
        demo: folder of text and tasks.
        root: folder of studies.
        workers: runs at a time; each worker imports the libraries.
        last: what else is run; the latencies need the undistilled student.
    """
    keys = ["--overrides", "--then.nsmc.overrides"]
    cut = [f"{key}+=--trainer.{name}={value}" for key in keys for name, value in SHORT.items()]
    saved = [f"{key}+=--last_checkpoint.every_n_steps=4" for key in keys]
    return [
        "--config", "configs/study/demo.yaml", f"--variables.demo={demo}", "--root", str(root), f"--workers={workers}",
        f"--only=[nsmc/distilled*,{last}]", *cut, *saved,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    lexicon = make_lexicon(LEXICON)
    (folder / "text.txt").write_text("\n".join(generate_text(lexicon, 1500, seed=3)), encoding="utf-8")
    write_tasks(folder / "tasks", lexicon, seed=3, train=(200, 200, 200), test=40)
    return folder


def table(study: Path) -> dict[str, dict[str, float]]:
    """The metrics that a report's table is made from: tests of the tasks, and the distillation's end."""
    found = {}
    for path in sorted(study.glob("*/*/metrics.json")):
        metrics = json.loads(path.read_text(encoding="utf-8"))
        stage = path.parent.parent.name
        prefix = "val/" if stage == "distil" else "test/"
        found[f"{stage}/{path.parent.name}"] = {name: metrics[name] for name in metrics if name.startswith(prefix)}
    assert all(found.values())
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_twice_it_ends_with_the_table_of_an_undisturbed_run(demo: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "experiments.study"]
    undisturbed = options(demo, tmp_path / "whole", workers=1, last="distil/undistilled*")
    subprocess.run([*command, *undisturbed], check=True)

    seed = time.time_ns()
    random, outputs = Random(seed), []
    for kill in (True, True, False):
        with subprocess.Popen(
            [*command, *options(demo, tmp_path / "killed")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as worker:
            assert worker.stdout is not None
            lines, begun = [], random.randint(1, 2)  # of five runs, which take some seconds each
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
    assert len(whole) == 3
    for figures in (*whole.values(), *killed.values()):
        figures.pop("val/step", None)  # of the training's last validation, not of the final validation
    assert killed == whole, f"Random({seed})"
    done = [line.split()[1] for out in outputs for line in out.splitlines() if " done in " in line]
    assert len(done) == len(set(done)), "a finished run was run again"
    study = tmp_path / "killed" / "demo"
    latency = json.loads((study / "latency.json").read_text(encoding="utf-8"))
    assert set(latency["models"]) == {
        model_key(study, Path(PRETRAINED)), "exported/distilled_seed42", "exported/undistilled_seed42"
    }  # fmt: skip
