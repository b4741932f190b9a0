"""Log loss terms, throughput, padding and learning rate: means over all micro-batches and ranks since the last log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from distilkobert.io.metric_names import TRAIN, TRAIN_LOSS, TRAIN_TOKENS
from distilkobert.stop_signals import StoppedBySignal
from lightning_modules.callbacks.gradients import GradientWatch
from lightning_modules.run.callbacks import first_callback

_SOURCE = "tokens/"
"""Before the name of a source in a batch."""


class TrainingLog(pl.Callback):
    """Write `train/{loss,weighted}/<term>` and `train/{tokens_per_s,tokens_seen,padding,lr}` at intervals.

    The interval is `log_every_n_steps`.

    Lightning logs what rank 0 saw in one micro-batch. Here every logged loss is the mean over ranks and over the
    micro-batches since the last log, gathered in one reduction, so that a run on two processes and a run on one with
    twice the accumulation write the same curve.

    The module's `training_step` returns its terms as detached scalars under `terms`, and where there are several, each
    times its weight under `weighted`; tokens are counted from the
    batch's `attention_mask`, padding excluded. A batch of several sources says the tokens of each under
    `tokens/<source>`; they are added up as `train/tokens_seen/<source>`.
    """

    def __init__(self) -> None:
        self.tokens_seen = 0
        """Real tokens trained on up to the last log or the end, over all ranks, resumed parts included."""
        self.tokens_of: dict[str, int] = {}
        """The same of each source, where there are several."""
        self.train_seconds = 0.0
        """Seconds spent in training up to then, resumed parts included; without validations and discarded batches."""
        self._sums: dict[str, Tensor] = {}
        self._whole: dict[str, Tensor] = {}
        self._clock: float | None = None
        self._seconds = self._whole_seconds = 0.0
        self._step = 0
        self.logged_step = 0
        """Optimizer step of the last log."""
        self._lr = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._step = self.logged_step = trainer.global_step
        self._clock = time.monotonic()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock while validating."""
        if self._sums:
            self._seconds_until_now()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the clock run on."""
        self._clock = time.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock around what another callback does while training waits."""
        self._seconds_until_now()
        yield
        self._clock = time.monotonic()

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Note the rate this step is taken with; the schedule moves on before the batch ends."""
        self._lr = optimizer.param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add up one micro-batch; log when an optimizer step that is due has just ended."""
        self._add("batches", torch.ones((), device=pl_module.device))
        for name, value in outputs["terms"].items():
            self._add(f"loss/{name}", value.detach())
        for name, value in outputs.get("weighted", {}).items():
            self._add(f"weighted/{name}", value.detach())
        self._add("tokens", batch["attention_mask"].sum())
        for name in batch:
            if name.startswith(_SOURCE):
                self._add(name, batch[name])
        padded = batch["attention_mask"].numel()
        self._add("padded_tokens", torch.full((), padded, dtype=torch.float64, device=pl_module.device))
        step = trainer.global_step
        if step != self._step:
            watch = first_callback(trainer, GradientWatch)
            if watch is not None and watch.has_skipped:  # no weight has learnt from it, and its loss is no number
                self._sums = dict(self._whole)
            self._step, self._whole, self._whole_seconds = step, dict(self._sums), self._seconds_until_now()
        if step != self.logged_step and step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self.logged_step = step
            if self._sums:
                self._log(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count what came after the last log, as far as weights have learnt from it."""
        self._sums, self._seconds, self._clock = self._whole, self._whole_seconds, None
        self._flush(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Count it for a training that a signal has stopped, on all ranks at once."""
        if isinstance(exception, StoppedBySignal) and exception.in_training:
            self.on_train_end(trainer, pl_module)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count what came after the last log of a run that was resumed when nothing was left to train."""
        if self._sums:
            self._flush(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the totals, and time and every rank's sums since the last log up to the last whole optimizer step."""
        checkpoint["training_log"] = {
            "tokens_seen": self.tokens_seen,
            "tokens_of": self.tokens_of,
            "train_seconds": self.train_seconds,
            "seconds": self._whole_seconds,
            "sums": dict(zip(self._whole, self._of_all_ranks(trainer), strict=True)),
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take totals and sums up again when a run resumes; of another number of ranks the first takes all sums."""
        if trainer.state.fn != "fit":
            return
        saved = checkpoint["training_log"]
        self.tokens_seen, self.train_seconds = saved["tokens_seen"], saved["train_seconds"]
        self._seconds = self._whole_seconds = saved["seconds"]
        self.tokens_of = saved.get("tokens_of", {})  # checkpoints of earlier versions have one source
        rank, ranks = trainer.global_rank, trainer.world_size
        for name, values in saved["sums"].items():
            own = values[rank] if len(values) == ranks else sum(values) * (rank == 0)
            self._sums[name] = torch.tensor(own, dtype=torch.float64, device=trainer.strategy.root_device)
        self._whole = dict(self._sums)

    def _add(self, name: str, value: Tensor) -> None:
        # float64, because float32 would lose single tokens of a long interval.
        value = value.double()
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def _seconds_until_now(self) -> float:
        now = time.monotonic()
        # Without a training there is no clock: a run of no steps.
        self._seconds += now - self._clock if self._clock is not None else 0.0
        self._clock = now
        return self._seconds

    def _reduced(self, trainer: pl.Trainer, names: list[str]) -> dict[str, float]:
        """Sums over ranks; one reduction, one wait for the device."""
        if not self._sums:
            return dict.fromkeys(names, 0.0)
        stacked = torch.stack([self._sums[name] for name in names])
        total = trainer.strategy.reduce(stacked, reduce_op="sum")
        assert isinstance(total, Tensor)
        return dict(zip(names, total.tolist(), strict=True))

    def _of_all_ranks(self, trainer: pl.Trainer) -> list[list[float]]:
        """For each sum at the end of the last optimizer step what every rank has."""
        if not self._whole:
            return []
        gathered = trainer.strategy.all_gather(torch.stack(list(self._whole.values())))
        return gathered.reshape(-1, len(self._whole)).T.tolist()

    def _flush(self, trainer: pl.Trainer) -> tuple[dict[str, float], float]:
        """Sums over ranks since the last flush and the seconds they took; both start again at 0."""
        sums = self._reduced(trainer, list(self._sums))
        seconds = self._seconds_until_now()
        self.tokens_seen += round(sums.get("tokens", 0.0))
        for name, value in sums.items():
            if name.startswith(_SOURCE):
                source = name.removeprefix(_SOURCE)
                self.tokens_of[source] = self.tokens_of.get(source, 0) + round(value)
        self.train_seconds += seconds
        self._sums, self._whole, self._seconds, self._whole_seconds = {}, {}, 0.0, 0.0
        return sums, seconds

    def _log(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        sums, seconds = self._flush(trainer)
        scalars = {
            f"{TRAIN}{name}": value / sums["batches"]
            for name, value in sums.items()
            if name.startswith(("loss/", "weighted/"))
        }
        scalars[f"{TRAIN}tokens_per_s"] = sums["tokens"] / max(seconds, 1e-9)
        scalars[TRAIN_TOKENS] = self.tokens_seen
        scalars |= {f"{TRAIN_TOKENS}/{source}": float(count) for source, count in self.tokens_of.items()}
        scalars[f"{TRAIN}padding"] = 1.0 - sums["tokens"] / sums["padded_tokens"]
        scalars[f"{TRAIN}lr"] = self._lr
        for logger in trainer.loggers:
            logger.log_metrics(scalars, step=trainer.global_step)
        shown = {"loss": scalars[TRAIN_LOSS], "tokens/s": scalars[f"{TRAIN}tokens_per_s"]}
        pl_module.log_dict(shown, prog_bar=True, logger=False, on_step=True, on_epoch=False, batch_size=1)
        trainer.callback_metrics.update({name: torch.tensor(value) for name, value in scalars.items()})
