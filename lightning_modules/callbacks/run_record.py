"""Leave a run folder that explains itself: `metrics.json`, the tokenizer's two files and the corpus manifest."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from distilkobert.io.metric_names import (
    EPOCHS,
    FORM_SCORES,
    LIMITED_TEST,
    LIMITED_VAL,
    PARAMETERS,
    PRECISION,
    PROBE,
    SKIPPED_STEPS,
    STATUS,
    STEPS,
    STOPPED_BY,
    TEACHER_CONTENT,
    TEST,
    TESTED_STEP,
    TOKENS_SEEN,
    TRAIN,
    VAL,
    VAL_STEP,
    WALL_TIME,
)
from distilkobert.io.prediction_files import STEMS
from distilkobert.io.run_files import FINISHED, METRICS_FILE, RUNNING, STOPPED, read_metrics, write_json
from distilkobert.stop_signals import StoppedBySignal, signal_name
from lightning_modules.base import RUN_ENTRY, EncoderModule
from lightning_modules.callbacks.checkpoints.best import (
    best_scores,
    check_monitors,
    forget_later_best,
    keep_best_of_moved_run,
)
from lightning_modules.callbacks.gradients import GradientWatch
from lightning_modules.callbacks.training_log import TrainingLog
from lightning_modules.run.callbacks import first_callback
from lightning_modules.run.ending import stopped_by
from lightning_modules.run.environment import environment
from lightning_modules.run.own_data import keeps_whole_test, limits, note_limits, refuse_other_data
from lightning_modules.taught import TaughtModule

DATA_ENTRY = "data_settings"
"""What the data is made with, in a checkpoint."""

_KEPT = (TRAIN, VAL, PROBE)
"""What checkpoints keep of the metrics, by the beginnings of their names."""


class RunRecord(pl.Callback):
    """Write the run's final metrics next to its checkpoints.

    `metrics.json` is flat. `val/...` are those of the last validation of `fit`, or of the `validate` command;
    `best/<monitor>` is the score of the best checkpoint; `test/...` are those of the `test` command, which adds to
    the file of the run it evaluates; training on takes them out again, with the stored predictions. `limited/val` and
    `limited/test` are there where only a part of the batches was evaluated; a test of a part does not replace the
    scores of a whole one, and an evaluation of other data is refused. `status` is `finished`, or `stopped` with
    the reason in `stopped_by`, or `running` while a run that had metrics trains on, also if it is killed then. What the
    data module tells of itself in `facts` (splits, counts, shares) is next to them, and the sum of a teacher's weights.

    Checkpoints carry the metrics as they were, so that a run that is resumed after its last log or validation ends with
    the same file as one that was not interrupted.

    Args:
        folder: the run folder.
        facts: the run's recipe, arm and seed, from the command line.
        data_settings: what the data is made with, flat; checkpoints keep it.
    """

    def __init__(self, folder: Path, facts: dict[str, Any], data_settings: dict[str, Any]) -> None:
        self.folder = folder
        self.facts = facts
        self.data_settings = data_settings
        self.validated_step: int | None = None
        """Optimizer step of the weights that were validated last."""
        self.metrics: dict[str, Tensor] = {}
        """The last value of each metric of training, validation and probe, resumed parts included."""
        self._limited: dict[str, str] = {}
        self._has_sources = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Refuse to replace metrics by those of other data; raises as `refuse_other_data` does."""
        if not trainer.fast_dev_run:  # type: ignore[attr-defined]
            facts = getattr(getattr(trainer, "datamodule", None), "facts", {})
            refuse_other_data(self.folder, TrainerFn(stage).value, facts, getattr(pl_module, "checkpoint", None))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copy what an export will need, once all checks of the start have passed; a resumed run is running."""
        self._keep_sources(trainer)
        for name, value in self.metrics.items():
            if trainer.limit_val_batches or not name.startswith(VAL):
                trainer.callback_metrics.setdefault(name, value)
        if trainer.is_global_zero and not trainer.fast_dev_run and (entries := read_metrics(self.folder)):  # type: ignore[attr-defined]
            self._write_status(entries, RUNNING)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write metrics of training and of the last validation; a run of no steps begins no training."""
        self._keep_sources(trainer)
        self._write(trainer, pl_module, prefixes=_KEPT)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Write those of a training that a signal has stopped."""
        if isinstance(exception, StoppedBySignal) and exception.in_training:
            self._write(trainer, pl_module, prefixes=_KEPT)
            self._end(trainer, signal_name(exception.number))

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the metrics; what is in the curves up to here is on disk before the checkpoint is."""
        self._note(trainer)
        for logger in trainer.loggers:
            try:
                logger.save()
            except OSError as error:
                raise OSError(
                    f"{logger.log_dir}: the curves could not be written ({error.strerror or error})"
                ) from error
        checkpoint[DATA_ENTRY] = self.data_settings
        checkpoint[RUN_ENTRY] = {
            "metrics": self.metrics,
            "validated_step": self.validated_step,
            "limited": self._limited,
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Restore the metrics of a resumed run, and the best score of one whose folder has another name."""
        keep_best_of_moved_run(trainer, checkpoint)
        if trainer.state.fn == "fit":
            forget_later_best(trainer, checkpoint)
            saved = checkpoint[RUN_ENTRY]
            self.metrics, self.validated_step = saved["metrics"], saved["validated_step"]
            self._limited = saved["limited"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note which step `val/...` belongs to, and write the metrics of the `validate` command.

        Raises:
            ValueError: checkpoints are selected by a metric that validation does not give; before training starts.
        """
        if trainer.sanity_checking:
            check_monitors(trainer)
            return
        assert isinstance(pl_module, EncoderModule)
        self.validated_step, self._limited = pl_module.weights_step, limits(trainer)
        if trainer.state.fn == "validate":
            self._write(trainer, pl_module, prefixes=(VAL,))

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the metrics of the `test` command; those of a part do not replace those of a whole test."""
        kept = keeps_whole_test(trainer, self.folder)
        note_limits(trainer, kept)
        if not kept:
            self._write(trainer, pl_module, prefixes=(TEST,))

    def write_end(self, trainer: pl.Trainer) -> str:
        """Write how training has ended, and `best/<monitor>` again, when all that comes behind it is done.

        Returns:
            What has stopped training before its end; empty where it has come to it.
        """
        reason = stopped_by(trainer)
        self._end(trainer, reason)
        return reason

    def _end(self, trainer: pl.Trainer, reason: str) -> None:
        if trainer.is_global_zero and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            entries = read_metrics(self.folder) | best_scores(trainer)
            self._write_status(entries, STOPPED if reason else FINISHED, reason)

    def _write_status(self, entries: dict[str, Any], status: str, reason: str = "") -> None:
        kept = {name: value for name, value in entries.items() if name != STOPPED_BY}
        write_json(self.folder / METRICS_FILE, {**kept, STATUS: status, **({STOPPED_BY: reason} if reason else {})})

    def _keep_sources(self, trainer: pl.Trainer) -> None:
        if self._has_sources or not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        self._has_sources = True
        self.folder.mkdir(parents=True, exist_ok=True)
        data: Any = getattr(trainer, "datamodule", None)
        tokenizer = getattr(data, "tokenizer", None)
        if tokenizer is not None and hasattr(tokenizer, "save_pretrained"):
            tokenizer.save_pretrained(self.folder / "tokenizer")
        manifest = getattr(data, "manifest", None)
        if manifest is not None:
            write_json(self.folder / "corpus_manifest.json", manifest)

    def _write(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *, prefixes: tuple[str, ...]) -> None:
        self._note(trainer)
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        metrics = {**self.metrics, **trainer.callback_metrics}
        measured = {name: float(value) for name, value in metrics.items() if name.startswith(prefixes)}
        data_facts = getattr(getattr(trainer, "datamodule", None), "facts", {})
        limited = limits(trainer) if trainer.state.fn == "test" else self._limited
        entries = self._earlier(trainer) | self.facts | environment() | data_facts | measured | limited
        if self.validated_step is not None:
            entries[VAL_STEP] = self.validated_step
        assert isinstance(pl_module, EncoderModule)
        if isinstance(pl_module, TaughtModule):
            entries[TEACHER_CONTENT] = pl_module.teacher_sum
        entries[PARAMETERS] = sum(p.numel() for p in pl_module.network.parameters())
        if trainer.state.fn == "test":
            entries[TESTED_STEP] = pl_module.weights_step
        if trainer.state.fn == "fit":
            entries |= {**self._training_facts(trainer), STATUS: RUNNING}  # what comes behind training is not done yet
            entries.pop(STOPPED_BY, None)
        write_json(self.folder / METRICS_FILE, entries)

    def _note(self, trainer: pl.Trainer) -> None:
        found = {name: value for name, value in trainer.callback_metrics.items() if name.startswith(_KEPT)}
        self.metrics |= {name: value.detach().cpu() for name, value in found.items()}

    def _earlier(self, trainer: pl.Trainer) -> dict[str, Any]:
        """What the file says already, without what is not true any more."""
        entries = read_metrics(self.folder)
        again = [LIMITED_TEST if trainer.state.fn == "test" else LIMITED_VAL]
        if trainer.state.fn == "fit" and entries.get(STEPS) != trainer.global_step:
            again += [LIMITED_TEST, TESTED_STEP, *(name for name in entries if name.startswith((TEST, *FORM_SCORES)))]
            for path in self.folder.glob(f"{STEMS['test']}.*"):
                path.unlink()
        return {name: value for name, value in entries.items() if name not in again}

    def _training_facts(self, trainer: pl.Trainer) -> dict[str, Any]:
        watch = first_callback(trainer, GradientWatch)
        skipped = [place["step"] for place in watch.skipped] if watch is not None else []
        log = first_callback(trainer, TrainingLog)
        return {
            **best_scores(trainer),
            **({SKIPPED_STEPS: skipped} if skipped else {}),
            STEPS: trainer.global_step,
            EPOCHS: getattr(getattr(trainer, "datamodule", None), "epochs_begun", trainer.current_epoch),
            TOKENS_SEEN: log.tokens_seen if log else 0,
            **({f"{TOKENS_SEEN}/{name}": count for name, count in log.tokens_of.items()} if log else {}),
            WALL_TIME: round(log.train_seconds, 3) if log else 0.0,
            PRECISION: str(trainer.precision),
            "world_size": trainer.world_size,
        }
