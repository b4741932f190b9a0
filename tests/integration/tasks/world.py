"""The four tasks on synthetic files, fine-tuned for a few steps through the trainer's command line."""

from dataclasses import dataclass
from pathlib import Path

from distilkobert.synthetic.tasks import write_nsmc
from tests.support.tasks.synthetic import write_klue_ner, write_korquad, write_naver_ner
from tests.world import World

TASKS = ("nsmc", "naver_ner", "klue_ner", "korquad")
_WRITERS = {"nsmc": write_nsmc, "naver_ner": write_naver_ner, "klue_ner": write_klue_ner, "korquad": write_korquad}
_TRAIN, _TEST, _STEPS = 240, 30, 4


@dataclass(frozen=True)
class TaskWorld:
    """Synthetic files of the four tasks beside the small world."""

    world: World
    root: Path

    @property
    def tests(self) -> int:
        """Examples of each test file."""
        return _TEST

    def options(self, task: str, runs: Path, *options: str) -> list[str]:
        """A fine-tuning of four steps; later options win."""
        windows = ("--data.max_question=12", "--data.stride=16") if task == "korquad" else ()
        return [
            "-c", f"configs/finetune/{task}.yaml",
            f"--data.data_dir={self.root / task}", f"--data.tokenizer={self.world.tokenizer}",
            f"--data.cache_dir={self.root / 'cache'}", f"--model.init_from={self.world.teacher}", f"--run.root={runs}",
            "--data.max_length=48", *windows, "--data.batch_size=8", "--trainer.accelerator=cpu",
            "--trainer.devices=1", "--trainer.enable_progress_bar=false", "--trainer.log_every_n_steps=1",
            "--trainer.max_epochs=-1", f"--trainer.max_steps={_STEPS}",
            f"--trainer.val_check_interval={_STEPS}", *options,
        ]  # fmt: skip


def make_task_world(world: World, root: Path) -> TaskWorld:
    """Write the files of the four tasks under `root`."""
    for task in TASKS:
        _WRITERS[task](root / task, train=_TRAIN, test=_TEST, seed=3)
    return TaskWorld(world, root)
