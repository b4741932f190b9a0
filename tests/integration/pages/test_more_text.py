"""The commands of docs/recipes.md on more text for a task's student, as the page has them."""

import re
import shlex
from pathlib import Path

import pytest

from experiments.export.__main__ import export
from experiments.prepare.__main__ import main as prepare
from experiments.train import main
from tests.world import World, read_json

PAGE = Path("docs/recipes.md").read_text(encoding="utf-8")
SMALL = [
    "--trainer.max_epochs=-1", "--trainer.max_steps=2", "--trainer.val_check_interval=2", "--trainer.accelerator=cpu",
    "--trainer.enable_progress_bar=false", "--data.max_length=48",
]  # fmt: skip


def test_augmented_rows_teach_a_student_by_the_page_s_commands(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (section,) = re.findall(r"^## More text for a task's student\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    (commands,) = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    augment, fit = (shlex.split(line) for line in commands.replace("\\\n", " ").splitlines())
    monkeypatch.setattr("sys.argv", ["train"])
    options = [
        *SMALL, f"--data.tokenizer={world.tokenizer}", f"--data.cache_dir={tmp_path / 'cache'}",
        f"--run.root={tmp_path / 'runs'}", "--data.unknown_limit=1",
    ]  # fmt: skip
    recipe = ["fit", "-c", "examples/emotions/emotions.yaml"]
    main([*recipe, *options, f"--model.init_from={world.teacher}", "--run.arm=teacher"])
    runs = tmp_path / "runs" / "emotions"
    export(str(runs / "teacher_seed42" / "checkpoints" / "best.ckpt"), str(tmp_path / "teacher"))
    more = tmp_path / "more.csv"
    places = {
        "data/kobert_lm": str(world.teacher), "exported/emotions_teacher": str(tmp_path / "teacher"),
        "exported/student": str(world.teacher), "$PWD/data/more.csv": str(more), "data/more.csv": str(more),
    }  # fmt: skip

    def placed(words: list[str]) -> list[str]:
        for name, place in places.items():
            words = [word.replace(name, place) for word in words]
        return words

    assert augment[:3] == ["python", "-m", "experiments.prepare"]
    small = ["--copies=2", "--proposals=4", "--beam=2", f"--tokenizer={world.tokenizer}"]
    assert prepare([*placed(augment[3:]), *small]) == 0
    assert fit[:3] == ["python", "-m", "experiments.train"]
    main([*placed(fit[3:]), *options])
    counts = read_json(tmp_path / "more.csv.augment.json")["counts"]
    metrics = read_json(runs / "more_seed42" / "metrics.json")
    assert metrics["data/unlabelled_examples"] == counts["kept"] == counts["rows_out"] > 20
    assert metrics["data/train_examples"] == counts["rows"] < counts["rows_in"] == 60
