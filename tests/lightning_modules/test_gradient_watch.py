"""What `GradientWatch` stops at, for ranks that see different things and for a precision that scales its loss."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.callbacks import GradientWatch
from lightning_modules.callbacks.bad_batches import StepBatches

FINE, INFINITE = 3.0, float("inf")


def scaler(scale: float) -> Any:
    """A scaler at this scale; at 1 it has nothing left to reduce."""
    return SimpleNamespace(get_scale=lambda: scale)


def step(*, loss: float, gradient: float, others: tuple[float, float] = (0.0, 0.0), scaler: object = None) -> Any:
    """What one step on this rank logs; `others` is what the other ranks add to the two flags."""

    def reduce(flags: Tensor, reduce_op: str) -> Tensor:
        assert reduce_op == "sum"
        return flags + torch.tensor(others)

    module = nn.Linear(2, 1)
    module.weight.grad, module.bias.grad = torch.tensor([[gradient, 4.0]]), torch.tensor([12.0])
    logged = []
    logger = SimpleNamespace(log_metrics=lambda metrics, step: logged.append((metrics, step)))
    trainer: Any = SimpleNamespace(
        strategy=SimpleNamespace(reduce=reduce), precision_plugin=SimpleNamespace(scaler=scaler), precision="32-true",
        global_step=7, current_epoch=0, log_every_n_steps=4, loggers=[logger], checkpoint_callbacks=[], ckpt_path=None,
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_idx=9)),
    )  # fmt: skip
    watch: Any = GradientWatch()
    watch._step.save = lambda trainer, by_loss: []
    watch.on_before_backward(trainer, module, torch.tensor(loss))
    watch.on_before_optimizer_step(trainer, module, None)
    return logged


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ({"loss": INFINITE, "gradient": FINE}, "loss"),
        ({"loss": FINE, "gradient": INFINITE}, "gradient"),
        ({"loss": FINE, "gradient": float("nan")}, "gradient"),
        ({"loss": FINE, "gradient": FINE, "others": (1.0, 0.0)}, "loss"),
        ({"loss": FINE, "gradient": FINE, "others": (0.0, 1.0)}, "gradient"),
        ({"loss": INFINITE, "gradient": FINE, "scaler": scaler(1024.0)}, "loss"),
        ({"loss": FINE, "gradient": INFINITE, "scaler": scaler(1.0)}, "gradient"),
        ({"loss": FINE, "gradient": FINE, "others": (0.0, 1.0), "scaler": scaler(0.5)}, "gradient"),
    ],
)
def test_a_rank_stops_at_what_any_rank_sees(found: dict[str, Any], word: str) -> None:
    with pytest.raises(FloatingPointError, match=f"the {word} is NaN or Inf at optimizer step 7 .*batch 9"):
        step(**found)


@pytest.mark.parametrize(
    ("losses", "by_loss", "kept"),
    [
        ((FINE, INFINITE), True, [5]),
        ((FINE, FINE), True, []),  # it is a loss of another rank
        ((FINE, FINE), False, [4, 5]),
    ],
)
def test_the_batches_that_are_kept(losses: tuple[float, ...], by_loss: bool, kept: list[int], tmp_path: Path) -> None:
    step = StepBatches()
    for number, loss in enumerate(losses, start=4):
        step.begin(number, {"input_ids": torch.tensor([[number]])})
        step.end(~torch.isfinite(torch.tensor(loss)))
    trainer: Any = SimpleNamespace(
        log_dir=tmp_path, global_step=7, current_epoch=0, global_rank=1, fast_dev_run=False, datamodule=None
    )
    paths = step.save(trainer, by_loss)
    assert [path.name for path in paths] == [f"step00000007_batch00000{number}_rank1.json" for number in kept]
    assert sorted(tmp_path.glob("nonfinite/*")) == paths


@pytest.mark.parametrize("given", [None, scaler(1024.0), scaler(1.0)])
def test_finite_steps_pass_and_log_the_norm_of_all_gradients(given: object) -> None:
    """The root of 3^2 + 4^2 + 12^2, at the eighth step."""
    assert step(loss=FINE, gradient=FINE, scaler=given) == [({"train/grad_norm": 13.0}, 8)]


def test_a_scaler_is_left_to_skip_its_own_steps() -> None:
    step(loss=FINE, gradient=INFINITE, scaler=scaler(2.0))


def test_a_limit_of_skipped_steps_needs_skipping() -> None:
    assert GradientWatch("skip_step", 3).max_skipped == 3
    with pytest.raises(ValueError, match=r"gradients\.max_skipped=3: no step is skipped with on_nonfinite=stop"):
        GradientWatch(max_skipped=3)
