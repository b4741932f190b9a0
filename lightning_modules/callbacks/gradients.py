"""Watch losses and gradients: log the gradient norm; all ranks together stop at a non-finite step, or leave it out."""

import math
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from torch.nn.utils import get_total_norm

from distilkobert.io.metric_names import HELD_OUT_LOSSES, TRAIN
from lightning_modules.callbacks.bad_batches import StepBatches
from lightning_modules.callbacks.checkpoints.last import LastCheckpoint
from lightning_modules.callbacks.checkpoints.trial import TrainedBatch, gives_finite_loss
from lightning_modules.run.remedies import new_run

MAX_SKIPPED = 10
"""Default of `max_skipped`."""


class GradientWatch(TrainedBatch):
    """Log `train/grad_norm` (before clipping), refuse to step on a loss or gradient that is not finite.

    The check runs before the optimizer changes any weight, on flags summed over the ranks, so that every rank raises
    at the same step and the checkpoints written before stay good. It costs one norm and one small reduction for each
    optimizer step. Under 16-mixed a gradient that is not finite is no error while the loss scale is above 1: the scaler
    leaves out the step and scales less.

    A step that makes the weights NaN shows in the next loss; where none comes, at the end of training, or where a
    validation finds no number, the last batch is run through the weights once more before they are saved.

    In both cases the batches that did it are written into the run's folder `nonfinite/`, with ids and pieces.

    Args:
        on_nonfinite: `stop` ends training; `skip_step` skips the whole optimizer step on all ranks: weights and
            optimizer state do not change, the step counts, the learning-rate schedule advances.
        max_skipped: largest number of skipped steps in a run; the next one ends it.

    Raises:
        ValueError: `max_skipped` is less than 1, or has no effect.
    """

    def __init__(self, on_nonfinite: Literal["stop", "skip_step"] = "stop", max_skipped: int = MAX_SKIPPED) -> None:
        if max_skipped < 1:
            raise ValueError(f"gradients.max_skipped={max_skipped}: expected 1 or more; on_nonfinite=stop skips none")
        if on_nonfinite == "stop" and max_skipped != MAX_SKIPPED:
            raise ValueError(
                f"gradients.max_skipped={max_skipped}: no step is skipped with on_nonfinite=stop; set "
                "--gradients.on_nonfinite=skip_step, or leave it out"
            )
        self.on_nonfinite, self.max_skipped = on_nonfinite, max_skipped
        self.skipped: list[dict[str, int]] = []
        """Where steps were left out: `step`, `epoch` and `batch`, all counted from 0."""
        self._step = StepBatches()
        self.has_skipped = False
        """Whether the optimizer step that has just come was left out."""

    def state_dict(self) -> dict[str, Any]:
        """Where steps were left out."""
        return {"skipped": self.skipped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Count on from what the run has left out before."""
        self.skipped = list(state_dict["skipped"])

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep the batches of a step until it is made."""
        self.has_skipped = False
        self._step.begin(batch_idx, batch)

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Remember, on the device, whether this micro-batch's loss is finite."""
        bad = (~torch.isfinite(loss.detach())).float()
        self._step.end(bad)

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Stop or skip if any rank saw a loss or gradient that is not finite; log the gradient norm when that is due.

        Raises:
            FloatingPointError: on all ranks, naming the step; where steps are skipped, after the last that may be.
        """
        norm = get_total_norm([p.grad for p in pl_module.parameters() if p.grad is not None])
        bad_losses = self._step.bad_losses()
        bad_gradient = (~torch.isfinite(norm)).to(bad_losses)
        flags = trainer.strategy.reduce(torch.stack([bad_losses, bad_gradient]), reduce_op="sum")
        assert isinstance(flags, Tensor)
        loss_is_bad, gradient_is_bad = flags.tolist()
        if loss_is_bad or (gradient_is_bad and not _is_left_to_scaler(trainer)):
            self._meet("loss" if loss_is_bad else "gradient", trainer, pl_module)
        latest = self._step.latest
        self._step.forget()
        if self.has_skipped:
            return
        self.trained = latest
        if (trainer.global_step + 1) % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            for logger in trainer.loggers:
                logger.log_metrics({f"{TRAIN}grad_norm": float(norm)}, step=trainer.global_step + 1)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop where the held-out loss is NaN or Inf; accuracies look like numbers even then.

        The sanity check only tries the weights: its few batches may have nothing to take a mean of.

        Raises:
            FloatingPointError: on all ranks, before the weights can be chosen as the best.
        """
        name = next((name for name in HELD_OUT_LOSSES if name in trainer.callback_metrics), "")
        if trainer.state.fn != "fit" or not name or torch.isfinite(trainer.callback_metrics[name]):
            return
        self._try(trainer, pl_module)
        if not trainer.sanity_checking:
            raise FloatingPointError(
                f"{name} is {float(trainer.callback_metrics[name])} after optimizer step {trainer.global_step}, but "
                "the loss of the last training batch is finite: broken weights of pieces that this batch does not "
                "have, too little precision, or held-out data that gives no loss; the weights were not saved as the "
                f"best. {_remedy(trainer, pl_module, best_good(trainer))}"
            )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Try the weights that training has ended with.

        Raises:
            FloatingPointError: on all ranks, before they are saved.
        """
        self._try(trainer, pl_module)

    def _meet(self, what: str, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at a step that is not finite, or leave it out."""
        saved, batch = self._step.save(trainer, what == "loss"), trainer.fit_loop.epoch_loop.batch_idx
        found = (
            f"the {what} is NaN or Inf at optimizer step {trainer.global_step} (epoch {trainer.current_epoch}, batch "
            f"{batch}); no weight was changed"
        )
        kept = f"The batches: {saved[0].parent}" if saved else "The batches are those of other ranks"
        if self.on_nonfinite == "stop":
            raise FloatingPointError(f"{found}. {kept}. {_remedy(trainer, pl_module)}")
        if len(self.skipped) == self.max_skipped:
            raise FloatingPointError(
                f"{found}. {self.max_skipped} steps were skipped before, which is the limit (gradients.max_skipped). "
                f"{kept}. {_remedy(trainer, pl_module)}"
            )
        rank_zero_warn(
            f"{found}, and the step is skipped ({len(self.skipped) + 1} of at most {self.max_skipped}). {kept}"
        )
        self.skipped.append({"step": trainer.global_step, "epoch": trainer.current_epoch, "batch": batch})
        for parameter in pl_module.parameters():
            parameter.grad = None
        self.has_skipped = True

    def _try(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not gives_finite_loss(trainer, pl_module):
            raise FloatingPointError(
                f"the weights after optimizer step {trainer.global_step} give a NaN or Inf loss; "
                f"they were not saved. {_remedy(trainer, pl_module)}"
            )


def _is_left_to_scaler(trainer: pl.Trainer) -> bool:
    """Whether a smaller loss scale may give finite gradients. It waits for the device: ask only where some are not."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    return scaler is not None and scaler.get_scale() > 1


def _remedy(trainer: pl.Trainer, pl_module: pl.LightningModule, path: str | None = None) -> str:
    path = last_good(trainer) if path is None else path
    exact = "" if str(trainer.precision).startswith(("32", "64")) else ", or --trainer.precision=32-true"
    return (
        f"Last good checkpoint: {path or 'none was written yet'}. A resumed run keeps its learning rate: "
        f"{new_run(getattr(pl_module, 'settings', ()), path)}, and with a lower --model.optimizer.lr or a longer "
        f"--model.optimizer.warmup{exact}"
    )


def last_good(trainer: pl.Trainer) -> str:
    """The checkpoint with the latest weights that were seen to work; empty where there is none.

    That is what `LastCheckpoint` has written, then what the run was resumed from, then the best one.
    """
    last = [one.last_model_path for one in trainer.checkpoint_callbacks if isinstance(one, LastCheckpoint)]
    return next((str(path) for path in (*last, trainer.ckpt_path) if path), best_good(trainer))


def best_good(trainer: pl.Trainer) -> str:
    """The best checkpoint, where its score is finite; `ModelCheckpoint` makes NaN an infinite one. Else empty."""
    return next(
        (
            callback.best_model_path
            for callback in trainer.checkpoint_callbacks
            if isinstance(callback, ModelCheckpoint)
            and callback.best_model_score is not None
            and math.isfinite(callback.best_model_score)
        ),
        "",
    )
