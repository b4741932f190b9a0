"""Stop a training that a signal has asked to stop, at the next moment from which it can be resumed."""

import os
import signal
import subprocess
from typing import Any, NoReturn

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, WeightAveraging
from pytorch_lightning.utilities import rank_zero_info

from distilkobert.stop_signals import StoppedBySignal, StopSignals, signal_name
from lightning_modules.callbacks.checkpoints.last import LastCheckpoint
from lightning_modules.callbacks.checkpoints.trial import gives_finite_loss
from lightning_modules.run.agreement import Agreement
from lightning_modules.run.callbacks import first_callback


class OwnSignals:
    """Takes the place of the trainer's signal connector, and leaves signals to `StopSignals`.

    Lightning's handlers answer SIGTERM inside the handler with a collective operation, at which processes in the middle
    of a step hang (Lightning-AI/pytorch-lightning issue 20806, seen with 2.6.6), and under Slurm write
    `hpc_ckpt_<n>.ckpt` into the working folder, which other runs that start there resume from.
    """

    received_sigterm = False

    def register_signal_handlers(self) -> None:
        """Nothing: the command has set its own."""

    def teardown(self) -> None:
        """Nothing: the command sets back what it has set."""


class GracefulStop(Checkpoint):
    """Stop all processes after the running micro-batch, or batch of a validation, and save the last whole step.

    What was accumulated since that step is dropped; a resumed run repeats it. Several processes agree after each
    micro-batch, and after a validation, whose batches they count differently; so does a run with a `WeightAveraging`,
    which has the average in the place of the weights within one. It is a `Checkpoint` so that Lightning calls it after
    all other callbacks.

    Args:
        signals: where signals are noted.
        requeue: whether SIGUSR1 puts a Slurm job back into the queue; its command must resume by itself.
    """

    def __init__(self, signals: StopSignals, requeue: bool = False) -> None:
        self.signals = signals
        self.requeue = requeue
        self._agreement = Agreement()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From here on signals wait for a moment at which the run can be resumed."""
        launcher: Any = trainer.strategy.launcher
        if launcher is not None:
            self.signals.before_the_end = lambda: launcher.kill(signal.SIGKILL)
        self.signals.deferring = True

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop after a micro-batch.

        Raises:
            StoppedBySignal: on all ranks.
        """
        number = self._agreement.largest(trainer, self.signals.number)
        if number:
            self._stop(trainer, pl_module, number)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop in the middle of a validation, in a run of one process.

        Raises:
            StoppedBySignal: the validation is repeated when the run resumes.
        """
        if self.signals.number and self.signals.deferring and not _whole_validations(trainer):
            self._stop(trainer, pl_module, self.signals.number)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop after a validation, where that cannot be done within it.

        Raises:
            StoppedBySignal: on all ranks.
        """
        if not self.signals.deferring or not _whole_validations(trainer):
            return
        number = self._agreement.largest(trainer, self.signals.number)
        if number:
            self._stop(trainer, pl_module, number)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From here on a signal ends the process at once: the end of training is saved.

        Raises:
            StoppedBySignal: on all ranks, where one has come since the last batch.
        """
        self.signals.deferring = False
        number = self._agreement.largest(trainer, self.signals.number)
        if number:
            self._stop(trainer, pl_module, number)

    def requeue_after(self, trainer: pl.Trainer, number: int) -> None:
        """Put a Slurm job that SIGUSR1 stops back into the queue.

        Args:
            trainer: of the run.
            number: of the signal.
        """
        if number == signal.SIGUSR1 and trainer.is_global_zero and "SLURM_JOB_ID" in os.environ:
            self._requeue()

    def _stop(self, trainer: pl.Trainer, pl_module: pl.LightningModule, number: int) -> NoReturn:
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        last = next(callback for callback in callbacks if isinstance(callback, LastCheckpoint))
        step, broken = trainer.global_step, False
        if step and last.is_behind(trainer):
            broken = not gives_finite_loss(trainer, pl_module)
            if not broken:
                last.save(trainer)
        why = ", whose weights give a NaN or Inf loss and are not saved" if broken else ""
        name, place = signal_name(number), last.resume_from(trainer)
        rank_zero_info(f"stopped by {name} after optimizer step {step}{why}; {place}")
        self.requeue_after(trainer, number)
        # Lightning kills the processes of a run once one that it has started itself ends with another code than 0.
        child = trainer.local_rank > 0 and not _started_from_outside(trainer)
        raise StoppedBySignal(number, code=0 if child else None, in_training=True)

    def _requeue(self) -> None:
        if not self.requeue:
            rank_zero_info("the job is not requeued: that needs --run.resume=auto")
            return
        array, task = (os.environ.get(f"SLURM_ARRAY_{name}") for name in ("JOB_ID", "TASK_ID"))
        job = f"{array}_{task}" if array else os.environ["SLURM_JOB_ID"]
        try:
            done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False)
            failure = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}" if done.returncode else ""
        except OSError as error:
            failure = str(error)
        rank_zero_info(f"scontrol requeue {job}: {failure}" if failure else f"job {job} was requeued")


def _whole_validations(trainer: pl.Trainer) -> bool:
    return trainer.world_size > 1 or first_callback(trainer, WeightAveraging) is not None


def _started_from_outside(trainer: pl.Trainer) -> bool:
    environment = getattr(trainer.strategy, "cluster_environment", None)
    return environment is None or bool(environment.creates_processes_externally)
