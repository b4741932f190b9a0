"""The scores of the hparams tab: of the last weights after training, of the tested checkpoint after a test."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distilkobert.models.checkpoints import read_checkpoint
from tests.integration.tasks.world import make_task_world
from tests.world import Run, World, scalars


def shown(folder: Path, name: str) -> float:
    """The value that the tab shows: the last one of the curve."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    value: float = events.Scalars(name)[-1].value
    return value


def test_final_scores_are_of_the_checkpoint_that_was_tested(world: World, run: Run, tmp_path: Path) -> None:
    # The learning rate is so large that the last weights are not the best.
    options = ["--best_checkpoint.monitor=val/loss", "--best_checkpoint.mode=min", "--trainer.max_steps=4"]
    options += ["--trainer.val_check_interval=2", "--trainer.check_val_every_n_epoch=null"]
    tasks = make_task_world(world, tmp_path / "tasks")
    run("fit", tasks.options("nsmc", tmp_path, *options, "--model.optimizer.lr=0.01"))
    folder = tmp_path / "nsmc" / "base_seed42"
    curve = scalars(folder)["val/loss"]
    assert shown(folder, "final/loss") == curve[4]
    best = folder / "checkpoints" / "best.ckpt"
    assert read_checkpoint(best)["global_step"] == 2
    run("test", [f"--ckpt_path={best}"])
    assert shown(folder, "final/loss") == curve[2] != curve[4]
    run("test", [f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"])
    assert shown(folder, "final/loss") == curve[4]
