"""The scores of the hparams tab: of the last weights after training, of the tested checkpoint after a test."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distilkobert.models.checkpoints import read_checkpoint
from tests.world import Run, World, scalars


def shown(folder: Path, name: str) -> float:
    """The value that the tab shows: the last one of the curve."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    value: float = events.Scalars(name)[-1].value
    return value


def test_final_scores_are_of_the_checkpoint_that_was_tested(world: World, run: Run, tmp_path: Path) -> None:
    # The best is the worst here, so that it is another one than the last.
    options = ["--best_checkpoint.mode=max", "--trainer.val_check_interval=2", "--trainer.max_steps=4"]
    run("fit", world.distil(tmp_path, *options, "--model.optimizer.lr=0.01"))
    folder = tmp_path / "distilkobert" / "base_seed42"
    curve = scalars(folder)["val/loss"]
    assert shown(folder, "final/loss") == curve[4]
    best = folder / "checkpoints" / "best.ckpt"
    assert read_checkpoint(best)["global_step"] == 2
    run("test", [f"--ckpt_path={best}"])
    assert shown(folder, "final/loss") == curve[2] != curve[4]
    run("test", [f"--ckpt_path={folder / 'checkpoints' / 'last.ckpt'}"])
    assert shown(folder, "final/loss") == curve[4]
