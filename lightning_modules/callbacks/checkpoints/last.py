"""Write the checkpoint a run resumes from."""

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, WeightAveraging
from pytorch_lightning.utilities import rank_zero_info

from distilkobert.io.checkpoint_files import remove_partial_files
from lightning_modules.callbacks.checkpoints.trial import gives_finite_loss
from lightning_modules.run.agreement import Agreement


class LastCheckpoint(Checkpoint):
    """Write `checkpoints/last.ckpt` every N optimizer steps or M minutes and when training ends, replacing the former.

    Lightning's own `save_last` follows the checkpoint that is monitored and may leave out the end of training. The
    file is replaced in one move, so a killed run leaves the former one whole. Before weights replace others in the
    middle of training, the batch that they were last trained on is run through them once more, on every rank: where
    the loss is then NaN or Inf, the previous file stays. A validation right after a
    write has the file written again: what it found, and that it has been run, is in there too.

    Args:
        every_n_steps: optimizer steps between two checkpoints.
        every_minutes: minutes between two checkpoints; whichever of the two comes first.
        keep_every_n_steps: also keep a copy `step<number>.ckpt` at this interval, for studies over training time; 0
            keeps none.
    """

    def __init__(self, every_n_steps: int = 1000, every_minutes: float = 15.0, keep_every_n_steps: int = 0) -> None:
        if every_n_steps < 1:
            raise ValueError(f"last_checkpoint.every_n_steps={every_n_steps}: must be 1 or more")
        if not every_minutes > 0:
            raise ValueError(f"last_checkpoint.every_minutes={every_minutes}: must be more than 0")
        if keep_every_n_steps < 0:
            raise ValueError(f"last_checkpoint.keep_every_n_steps={keep_every_n_steps}: must be 0 or more")
        self.every_n_steps = every_n_steps
        self.every_minutes = every_minutes
        self.keep_every_n_steps = keep_every_n_steps
        self.last_model_path = ""
        """Where this process has written it; empty before."""
        self.saved_step = 0
        """Optimizer step of the checkpoint that there is to resume from; 0 where there is none."""
        self._seen_step = 0
        self._saved_at = 0.0
        self._agreement = Agreement()
        self._moved_on = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock, keep averages to weights, and say how often and where a checkpoint comes.

        A resumed run has its checkpoint of this step already.
        """
        self._seen_step = self.saved_step = trainer.global_step
        self._saved_at = time.monotonic()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, WeightAveraging):
                # It would replace the weights by their average before the end is saved, and a run that continues needs
                # both. Checkpoints have the average as their weights already, validations take it in their place.
                callback.on_train_end = _nothing  # type: ignore[method-assign, assignment]
                # Buffers are tables such as the position ids: their running average, cut to integers, names others.
                assert callback._average_model is not None
                callback._average_model.use_buffers = False
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        folder = self._folder(trainer)  # on every rank: Lightning broadcasts it
        rank_zero_info(
            f"checkpoint every {self.every_n_steps:,} steps or {self.every_minutes:g} min, whichever comes first: "
            f"{folder / 'last.ckpt'}"
        )
        if trainer.is_global_zero:
            remove_partial_files(folder)
        last = folder / "last.ckpt"
        if trainer.ckpt_path and last.is_file() and Path(trainer.ckpt_path).resolve() != last.resolve():
            self.save(trainer)  # the one that is there belongs to steps which are taken out of the curves

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save when an optimizer step that is due has just ended."""
        step = trainer.global_step
        if step == self._seen_step or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        self._seen_step = step
        copied = self.keep_every_n_steps > 0 and step % self.keep_every_n_steps == 0
        late = time.monotonic() - self._saved_at >= 60 * self.every_minutes
        replaced = self._agreement.largest(trainer, late) or step % self.every_n_steps == 0
        if not (copied or replaced) or not gives_finite_loss(trainer, pl_module):
            return
        if copied:
            trainer.save_checkpoint(self._folder(trainer) / f"step{step:08d}.ckpt", weights_only=False)
        if replaced:
            self.save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save again what was saved right before the validation."""
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        if self.last_model_path and trainer.global_step == self.saved_step:
            self.save(trainer)
        else:
            self._moved_on = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that the last write does not include the epoch's end."""
        self._moved_on = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the end of training."""
        if self.is_behind(trainer):
            self.save(trainer)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the start of a run of `trainer.max_steps=0`: the untrained student, the control of a distillation."""
        if trainer.max_steps == 0:
            self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        """Write the file now; a `fast_dev_run` writes none."""
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        path = self._folder(trainer) / "last.ckpt"
        trainer.save_checkpoint(path, weights_only=False)
        self.last_model_path = str(path)
        self.saved_step, self._moved_on = trainer.global_step, False
        self._saved_at = time.monotonic()

    def is_behind(self, trainer: pl.Trainer) -> bool:
        """Whether steps, a validation or an epoch's end have come since the last write."""
        return trainer.global_step != self.saved_step or self._moved_on

    def resume_from(self, trainer: pl.Trainer) -> str:
        """The checkpoint to resume from, in words for a message; says where there is none."""
        path = self.last_model_path or trainer.ckpt_path
        if path:
            return f"resume from {path}"
        return f"no checkpoint yet: last_checkpoint.every_n_steps={self.every_n_steps}, start again"

    def _folder(self, trainer: pl.Trainer) -> Path:
        """Folder of the checkpoints; all ranks must call it."""
        return Path(str(trainer.log_dir)) / "checkpoints"


def _nothing(*_: Any) -> None:
    """In the place of a hook."""
