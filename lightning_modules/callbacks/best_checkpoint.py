"""Let the end of training take part in the choice of the best checkpoint."""

from collections.abc import Mapping

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor


def keep_if_best(trainer: pl.Trainer, figures: Mapping[str, Tensor]) -> bool:
    """Save the weights that training has ended with as the best, if they are; all ranks must call it.

    `ModelCheckpoint` hears of validations inside training only. Without this a run that is shorter than the interval
    of its validations has no best checkpoint, and others have one that was chosen without the last steps.

    Args:
        trainer: after `fit`, and after the validation of its last step.
        figures: what was measured at the end, by name; a figure that is no number is never the best.

    Returns:
        Whether they are the best.
    """
    chosen = False
    for callback in trainer.checkpoint_callbacks:
        if not isinstance(callback, ModelCheckpoint) or callback.monitor is None:
            continue
        figure = figures.get(callback.monitor)
        saved = callback.best_model_path and callback._last_global_step_saved == trainer.global_step
        if saved or figure is None or not torch.isfinite(figure):
            continue
        before = dict(callback.best_k_models)
        callback._save_topk_checkpoint(trainer, {**figures, **callback._monitor_candidates(trainer)})
        chosen = chosen or callback.best_k_models != before
    return chosen
