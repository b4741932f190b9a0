"""What all data modules share: planned batches, processes, workers, and resuming in the middle of an epoch.

A subclass gives data sets whose items are whole batches, requested by `BatchKey`; this module plans the keys for every
rank, builds the loaders and keeps the position. The position saved in a checkpoint is what training has *used*, counted
as its batches end (`datamodules/resuming/exact_resume.py`): loader workers are always some batches ahead.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import numpy.typing as npt
import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities import rank_zero_info

from datamodules.batches.loading import BatchDataset, PlannedLoader, TrainingDataset
from datamodules.resuming.exact_resume import ExactResume
from datamodules.resuming.loop_counters import place_of
from distilkobert.batching import TokenBudgetSampler


class PlannedDataModule(pl.LightningDataModule):
    """Base of the project's data modules.

    Args:
        seed: Seed of the batch order, and of other random choices of a subclass.
        num_workers: Loader processes per loader and rank; 0 loads in the training process. Batches do not depend on it.

    Raises:
        ValueError: A setting out of range.
    """

    least: ClassVar[Mapping[str, int]] = {"seed": 0, "num_workers": 0}  # smallest values of settings

    def __init__(self, seed: int, num_workers: int) -> None:
        super().__init__()
        self.check_settings({"seed": seed, "num_workers": num_workers})
        self.seed, self.num_workers = seed, num_workers
        self._train_sampler: TokenBudgetSampler | None = None
        self._resume = ExactResume()
        self._plan_of_checkpoint = self._content_of_checkpoint = self._content = ""

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """Check some of the constructor's arguments; no file is read. A study does so before its first run.

        Raises:
            ValueError: A setting out of range.
        """
        for name, least in cls.least.items():
            if (value := settings.get(name)) is not None and value < least:
                raise ValueError(f"data.{name} is {value}; expected at least {least}")

    @staticmethod
    def check_trainer(trainer: Any) -> None:
        """Check the trainer, or its settings; as `check_settings`.

        Raises:
            ValueError: it would replace the planned batches.
        """
        if trainer.overfit_batches:
            raise ValueError(
                f"overfit_batches is {trainer.overfit_batches}, which would replace the planned batches; "
                "set trainer.limit_train_batches instead, or prepare a smaller data set"
            )

    def __str__(self) -> str:
        # Lightning's own text makes every loader, and so would read the test file wherever a message names this module.
        return type(self).__name__

    def setup(self, stage: str) -> None:
        """Check that the trainer leaves the division of batches among processes to this module.

        Raises:
            ValueError: The trainer would replace the planned batches.
        """
        trainer = self.trainer
        if trainer is None:
            return
        if trainer.world_size > 1 and trainer._accelerator_connector.use_distributed_sampler:
            raise ValueError(
                f"use_distributed_sampler is on with {trainer.world_size} processes, which would divide the planned "
                "batches a second time; set trainer.use_distributed_sampler to false"
            )
        self.check_trainer(trainer)
        if self._resume not in trainer.callbacks:  # type: ignore[attr-defined]
            trainer.callbacks.insert(0, self._resume)  # type: ignore[attr-defined]

    def rank_and_world_size(self) -> tuple[int, int]:
        """This process and their number, from the trainer; (0, 1) without one."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)

    def planned_train_loader(
        self,
        dataset: TrainingDataset,
        lengths: npt.ArrayLike,
        max_tokens: int,
        max_sequences: int | None = None,
        pad_to_multiple_of: int = 1,
    ) -> PlannedLoader:
        """Loader of shuffled training batches, at the position of a loaded checkpoint; arguments as in the sampler.

        Raises:
            ValueError: the checkpoint's run was trained on other data.
        """
        self._content = dataset.fingerprint
        if self._content_of_checkpoint not in ("", self._content):
            raise ValueError(
                f"the run was trained on data of fingerprint {self._content_of_checkpoint}, but the data now has "
                f"{self._content}: other texts or labels. Give the run's data; to train on other data, start a new run "
                "with --model.init_from"
            )
        rank, world_size = self.rank_and_world_size()
        accumulated = self.trainer.accumulate_grad_batches if self.trainer is not None else 1
        sampler = TokenBudgetSampler(
            lengths,
            max_tokens,
            self.seed,
            rank,
            world_size,
            max_sequences=max_sequences,
            divisible_by=world_size * accumulated,
            pad_to_multiple_of=pad_to_multiple_of,
        )
        place = self._resume.place
        if self._plan_of_checkpoint and (place.ended or not place.batches) and sampler.plan != self._plan_of_checkpoint:
            rank_zero_info(
                "note: the batches of later epochs differ from those the run was started with: the data, or "
                "the number of processes times accumulation, has changed"
            )
            self._plan_of_checkpoint = ""
        # Now, because loader workers ask for batches before Lightning tells the sampler which epoch it is.
        if place.ended:
            sampler.go_to(place.epoch, len(sampler) * world_size, sampler.plan)
        else:
            sampler.go_to(place.epoch, place.batches, self._plan_of_checkpoint or sampler.plan)
        self._train_sampler = sampler
        return PlannedLoader(dataset, sampler, self.num_workers)

    def planned_evaluation_loader(
        self, dataset: BatchDataset, lengths: npt.ArrayLike, max_tokens: int, max_sequences: int | None = None
    ) -> PlannedLoader:
        """Loader of the same batches in the same order every time, each sequence on exactly one rank."""
        rank, world_size = self.rank_and_world_size()
        sampler = TokenBudgetSampler(
            lengths, max_tokens, self.seed, rank, world_size, shuffle=False, max_sequences=max_sequences
        )
        return PlannedLoader(dataset, sampler, self.num_workers)

    @property
    def epochs_begun(self) -> int:
        """Epochs that were trained on, the last one perhaps in part."""
        return self._resume.place.epoch + (self._resume.place.batches > 0)

    @property
    def resumed_after(self) -> tuple[int, int]:
        """Epochs that were over where the run was resumed, and optimizer steps in them; zeros where it was not."""
        return self._resume.resumed_after

    def state_dict(self) -> dict[str, Any]:
        """The place of training and the name of its plan, while training; empty otherwise."""
        if self._train_sampler is None:
            return {}
        return {
            **asdict(self._resume.place),
            "plan": self._train_sampler.plan,
            "processes": self.rank_and_world_size()[1],
            "content": self._content,
            "early_stopped": self._resume.early_stopped(self.trainer),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember the place for training; evaluation runs do not need it.

        Raises:
            ValueError: an earlier version of the project wrote the state.
        """
        if self.trainer is not None and self.trainer.state.fn == TrainerFn.FITTING:
            self._resume.resume_at(place_of(state_dict), state_dict.get("early_stopped", ""))
            self._plan_of_checkpoint = state_dict["plan"]
            self._content_of_checkpoint = state_dict["content"]
            before, now = state_dict["processes"], self.trainer.world_size
            if now != before:
                rank_zero_info(
                    f"note: resumed with {now} processes in place of {before}. With the same number of processes times "
                    "accumulation they train on the same batches, and weights are equal up to rounding, not bit for bit"
                )
