"""All optimizer steps of a run, on which learning rate and scheduled weights depend."""

from types import SimpleNamespace
from typing import Any

import pytest

from lightning_modules.run.total_steps import total_steps
from lightning_modules.taught import TaughtModule


def trainer(resumed_after: tuple[int, int], batches: int, accumulated: int, max_epochs: int, max_steps: int) -> Any:
    estimated = max_steps if max_epochs == -1 else -(-batches // accumulated) * max_epochs
    return SimpleNamespace(
        datamodule=SimpleNamespace(resumed_after=resumed_after),
        num_training_batches=batches,
        accumulate_grad_batches=accumulated,
        max_epochs=max_epochs,
        max_steps=max_steps,
        estimated_stepping_batches=min(estimated, max_steps) if max_steps != -1 else estimated,
        global_step=300,
        state=SimpleNamespace(fn="fit"),
    )


@pytest.mark.parametrize(
    ("resumed_after", "accumulated", "max_epochs", "max_steps", "total"),
    [
        ((0, 0), 1, 6, -1, 600),
        ((3, 300), 1, 6, -1, 600),
        ((3, 300), 2, 6, -1, 450),
        ((3, 300), 3, 6, -1, 402),
        ((3, 300), 2, 6, 400, 400),
        ((3, 300), 2, 6, 500, 450),
        ((3, 300), 2, -1, 500, 500),
        ((3, 300), 1, 2, -1, 300),
    ],
)
def test_steps_taken_and_steps_to_come(
    resumed_after: tuple[int, int], accumulated: int, max_epochs: int, max_steps: int, total: int
) -> None:
    made = trainer(resumed_after, 100, accumulated, max_epochs, max_steps)
    assert total_steps(made) == total
    assert TaughtModule.progress.fget(SimpleNamespace(trainer=made)) == 300 / total  # type: ignore[attr-defined]
