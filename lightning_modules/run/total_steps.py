"""How many optimizer steps a training has, on which learning rate and scheduled weights depend."""

import math
from typing import Any


def total_steps(trainer: Any) -> int | float:
    """All optimizer steps of the run; infinite where nothing limits them.

    Lightning's estimate takes all epochs for as long as those to come. After another number of processes times
    accumulation, or another `limit_train_batches`, this counts the steps that were taken, and adds those to come.

    Args:
        trainer: Lightning's, whose data module may say where training was resumed.
    """
    estimated: int | float = trainer.estimated_stepping_batches
    epochs, steps = getattr(getattr(trainer, "datamodule", None), "resumed_after", (0, 0))
    if not epochs or trainer.max_epochs == -1:
        return estimated
    per_epoch = math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
    total: int = steps + max(0, trainer.max_epochs - epochs) * per_epoch
    return total if trainer.max_steps == -1 else min(total, trainer.max_steps)
