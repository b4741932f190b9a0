"""The best checkpoint: the end of training takes part in its choice, and a run that has moved keeps it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor

from distilkobert.io.metric_names import BEST, HELD_OUT_LOSSES, PROBE, TRAIN, VAL
from distilkobert.models.checkpoints import read_checkpoint
from distilkobert.tasks.modes import wrong_mode


def keep_if_best(trainer: pl.Trainer, measured: Mapping[str, Tensor]) -> bool:
    """Save the final weights as the best checkpoint if they are the best; all ranks must call it.

    `ModelCheckpoint` sees only validations during training. Without this a run that is shorter than the interval
    of its validations has no best checkpoint, and others have one that was chosen without the last steps.

    Args:
        trainer: after `fit`, and after the validation of its last step.
        measured: metrics at the end, by name; NaN and Inf are never the best, nor is any score of weights whose
            held-out loss is that.

    Returns:
        Whether they are the best.
    """
    losses = [measured[name] for name in HELD_OUT_LOSSES if name in measured]
    chosen = False
    for callback in trainer.checkpoint_callbacks:
        if not isinstance(callback, ModelCheckpoint) or callback.monitor is None:
            continue
        value = measured.get(callback.monitor)
        saved = callback.best_model_path and callback._last_global_step_saved == trainer.global_step
        if saved or value is None or not all(map(torch.isfinite, (value, *losses))):
            continue
        before = dict(callback.best_k_models)
        callback._save_topk_checkpoint(trainer, {**measured, **callback._monitor_candidates(trainer)})
        chosen = chosen or callback.best_k_models != before
    return chosen


def check_monitors(trainer: pl.Trainer) -> None:
    """Check that validation gives the metrics that checkpoints are chosen by, and by which training stops early.

    A resumed run is not checked: it may have begun with a version that only warned.

    Raises:
        ValueError: it does not, and names those it gives; or the worst checkpoint would be kept, or training would stop
            where the metric gets better.
    """
    given = sorted(name for name in trainer.callback_metrics if name.startswith(VAL))
    for callback in (*trainer.early_stopping_callbacks, *trainer.checkpoint_callbacks):
        option = "EarlyStopping" if isinstance(callback, EarlyStopping) else "best_checkpoint"
        monitor = getattr(callback, "monitor", None)
        if given and monitor is not None and not monitor.startswith((TRAIN, PROBE)) and monitor not in given:
            raise ValueError(f"{option}.monitor={monitor}: validation gives {', '.join(given)}")
        if wrong := wrong_mode(option, monitor, getattr(callback, "mode", "")):
            raise ValueError(wrong)


def best_scores(trainer: pl.Trainer) -> dict[str, float]:
    """`best/<monitor>`: the score of the checkpoint that was selected by it."""
    found = {}
    for callback in trainer.checkpoint_callbacks:
        monitor, score = (getattr(callback, name, None) for name in ("monitor", "best_model_score"))
        if monitor is not None and score is not None:
            found[f"{BEST}{monitor}"] = float(score)
    return found


def forget_later_best(trainer: pl.Trainer, checkpoint: dict[str, Any]) -> None:
    """Forget the best score of a resumed run whose best checkpoint has weights of later steps.

    These were trained after the checkpoint that is loaded, and are no part of the run any more; the file of the score
    was overwritten by them.

    Args:
        trainer: loads the checkpoint.
        checkpoint: its content; the states of the callbacks in it are changed.
    """
    for callback in trainer.checkpoint_callbacks:
        state = checkpoint["callbacks"].get(callback.state_key)
        if state is None or not isinstance(callback, ModelCheckpoint) or state["dirpath"] != callback.dirpath:
            continue
        path = Path(state["best_model_path"])
        if not path.is_file() or path.resolve() == Path(str(trainer.ckpt_path)).resolve():
            continue
        try:
            step = read_checkpoint(path)["global_step"]
        except ValueError:  # a damaged file does not keep a run from going on
            continue
        if step > checkpoint["global_step"]:
            state.update(best_k_models={}, best_model_score=None, best_model_path="", kth_best_model_path="")
            rank_zero_info(
                f"note: {path} is of optimizer step {step}, after step {checkpoint['global_step']} from which the run "
                "resumes; the next validation replaces it"
            )


def keep_best_of_moved_run(trainer: pl.Trainer, checkpoint: dict[str, Any]) -> None:
    """Keep the best score of a run whose folder has another name than when the checkpoint was written.

    `ModelCheckpoint` compares names of folders as text, and else forgets the best score: the next validation would
    overwrite a better checkpoint.

    Args:
        trainer: loads the checkpoint.
        checkpoint: its content; the states of the callbacks in it are changed.
    """
    home = Path(str(trainer.ckpt_path)).resolve().parent
    for callback in trainer.checkpoint_callbacks:
        state = checkpoint["callbacks"].get(callback.state_key)
        if state is None or not isinstance(callback, ModelCheckpoint) or not callback.dirpath:
            continue
        folder = Path(callback.dirpath)
        if folder.resolve() == home:
            state["dirpath"] = callback.dirpath
            state["best_k_models"] = {_moved(path, folder): score for path, score in state["best_k_models"].items()}
            for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[name] = _moved(state[name], folder)


def _moved(path: str, folder: Path) -> str:
    return str(folder / Path(path).name) if path else path
