"""What modules share whose network learns from a frozen teacher: its loss, which teacher it was, and its progress."""

from typing import Any

from torch import nn

from distilkobert.objectives import Loss, WeightedSum
from lightning_modules.base import EncoderModule
from lightning_modules.run.total_steps import total_steps

TEACHER_ENTRY = "teacher"
"""Key under which a checkpoint keeps the sum of the teacher's weights."""

PROGRESS_ENTRY = "progress"
"""Key under which a checkpoint keeps the share of training that is behind it, on which scheduled weights depend."""


class TaughtModule(EncoderModule):
    """A module with a teacher; a subclass sets `objectives`, `teacher_source` and, once it is loaded, `teacher_sum`."""

    objectives: WeightedSum
    teacher_source: str
    teacher_sum: str
    _loaded_progress = 0.0

    @property
    def progress(self) -> float:
        """Share of the optimizer steps taken, 0 to 1; in evaluation that of the checkpoint."""
        if self.trainer.state.fn != "fit":
            return self._loaded_progress
        return self.trainer.global_step / max(1, int(total_steps(self.trainer)))

    def learning(self) -> list[nn.Module]:
        """The student, and what objectives own."""
        return [self.network, *([self.objectives] if any(True for _ in self.objectives.parameters()) else [])]

    def on_train_end(self) -> None:
        """Keep the progress for the validation and the checkpoints that follow training in the same process."""
        self._loaded_progress = self.progress

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Note which teacher the student learnt from, and how far training is."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[TEACHER_ENTRY] = self.teacher_sum
        checkpoint[PROGRESS_ENTRY] = self.progress

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a student of another teacher, in whatever folder the teacher is.

        Raises:
            ValueError: the teacher's weights are not those that the student has learnt from so far.
        """
        super().on_load_checkpoint(checkpoint)
        if checkpoint.get(TEACHER_ENTRY, self.teacher_sum) != self.teacher_sum:
            raise ValueError(
                f"--ckpt_path={self.trainer.ckpt_path}: its student was trained with another teacher than "
                f"{self.teacher_source}: the weights differ. Give the same teacher with --model.teacher, or start a "
                "new run with another --run.arm"
            )
        self._loaded_progress = checkpoint.get(PROGRESS_ENTRY, 1.0)


def step_output(loss: Loss) -> dict[str, Any]:
    """What `training_step` returns: the total, which has the gradient, and the terms for the log."""
    return {
        "loss": loss.total,
        "terms": {name: term.detach() for name, term in {"total": loss.total, **loss.terms}.items()},
        "weighted": {name: term.detach() for name, term in loss.weighted.items()},
    }
