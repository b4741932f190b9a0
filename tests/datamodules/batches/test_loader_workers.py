"""Loader workers need neither /dev/shm for their batches nor a folder for temporary files."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules.base import PlannedDataModule
from datamodules.batches.loading import PlannedLoader
from distilkobert.batching import BatchKey


class Numbers:
    """Batches of every type that the project's batches have."""

    fingerprint = "numbers"

    def __getitem__(self, key: BatchKey) -> dict[str, Any]:
        rows = torch.tensor(key.rows)
        return {
            "ids": rows,
            "flags": rows > 1,
            "scores": rows / 2,
            "loss": rows.sum(),
            "rows": key.rows,
            "texts": ["가"],
        }


class NumberData(PlannedDataModule):
    def train_dataloader(self) -> PlannedLoader:
        return self.planned_train_loader(Numbers(), [5] * 4, max_tokens=10)


def _batches(num_workers: int) -> list[dict[str, Any]]:
    return list(NumberData(7, num_workers).train_dataloader())


@pytest.mark.timeout(120)
def test_batches_of_workers_need_no_shared_memory_and_no_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = _batches(0)
    long = tmp_path / ("x" * 150)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))  # too long for the address of a socket

    def full(*args: Any) -> None:
        raise RuntimeError("unable to allocate shared memory: No space left on device")

    monkeypatch.setattr(torch.UntypedStorage, "_share_fd_cpu_", full)
    monkeypatch.setattr(torch.UntypedStorage, "_share_filename_cpu_", full)
    found = _batches(1)
    assert len(found) == 2
    for ours, theirs in zip(found, expected, strict=True):
        assert type(ours) is type(theirs) is dict
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            assert type(ours[name]) is type(value)
            same = torch.equal(ours[name], value) if isinstance(value, torch.Tensor) else ours[name] == value
            assert same, name
        assert all(ours[name].dtype == theirs[name].dtype for name in ("ids", "flags", "scores", "loss"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a half-made iterator of torch
def test_workers_that_cannot_start_name_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", full)
    with pytest.raises(OSError, match=r"num_workers=1: workers cannot start .*No space.*--data\.num_workers=0"):
        _batches(1)
