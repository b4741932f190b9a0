"""The four tasks on synthetic files, fine-tuned for a few steps through the trainer's command line."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from distilkobert.synthetic_tasks import write_klue_ner, write_korquad, write_naver_ner, write_nsmc
from tests.world import World

TASKS = ("nsmc", "naver_ner", "klue_ner", "korquad")
_WRITERS = {"nsmc": write_nsmc, "naver_ner": write_naver_ner, "klue_ner": write_klue_ner, "korquad": write_korquad}
TRAIN, TEST = 240, 30
EVERY_STEP = 4
"""Validation and end of the short runs, in steps."""


@dataclass(frozen=True)
class TaskWorld:
    """Synthetic files of the four tasks beside the small world."""

    world: World
    root: Path

    def options(self, task: str, runs: Path, *options: str, recipe: tuple[str, ...] = ()) -> list[str]:
        """A fine-tuning of four steps; later options win."""
        windows = ("--data.max_question=12", "--data.stride=16") if task == "korquad" else ()
        return [
            "-c", f"configs/finetune/{task}.yaml", *(f"-c=configs/finetune/{name}.yaml" for name in recipe),
            f"--data.data_dir={self.root / task}", f"--data.tokenizer={self.world.tokenizer}",
            f"--data.cache_dir={self.root / 'cache'}", f"--model.init_from={self.world.teacher}", f"--run.root={runs}",
            "--data.max_length=48", *windows, "--data.batch_size=8", "--trainer.accelerator=cpu",
            "--trainer.devices=1", "--trainer.enable_progress_bar=false", "--trainer.log_every_n_steps=1",
            "--trainer.max_epochs=-1", f"--trainer.max_steps={EVERY_STEP}",
            f"--trainer.val_check_interval={EVERY_STEP}", *options,
        ]  # fmt: skip


@pytest.fixture(scope="session")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    root = tmp_path_factory.mktemp("tasks")
    for task in TASKS:
        _WRITERS[task](root / task, train=TRAIN, test=TEST, seed=3)
    return TaskWorld(world, root)
