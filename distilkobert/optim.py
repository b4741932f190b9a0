"""AdamW parameter groups and warm-up schedules."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR


@dataclass(frozen=True)
class OptimizerSpec:
    """AdamW and its learning-rate schedule; the defaults are DistilKoBERT's.

    Args:
        lr: peak learning rate.
        betas: decay rates of the two moments.
        eps: term added to the denominator.
        weight_decay: decoupled decay; biases and LayerNorm weights never decay.
        warmup: share of all optimizer steps over which the rate increases linearly from 0 to `lr`.
        schedule: after the warm-up: linear decay to 0 at the last step, or constant.
        fused: use one kernel for AdamW; equal up to rounding.
    """

    lr: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-6
    weight_decay: float = 0.0
    warmup: float = 0.05
    schedule: Literal["linear", "constant"] = "linear"
    fused: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.lr < float("inf"):
            raise ValueError(f"optimizer.lr={self.lr}: the learning rate must be a finite number above 0")
        if not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise ValueError(f"optimizer.betas={self.betas}: both must be in [0, 1)")
        if not 0.0 < self.eps < float("inf"):
            raise ValueError(f"optimizer.eps={self.eps}: must be a finite number above 0")
        if not 0.0 <= self.weight_decay < float("inf"):
            raise ValueError(f"optimizer.weight_decay={self.weight_decay}: must be a finite number of 0 or more")
        if not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"optimizer.warmup={self.warmup}: a share of all steps, must be in [0, 1)")


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the trainable parameters into a decaying and a non-decaying group.

    Biases and normalisation weights, that is every parameter of fewer than two dimensions, do not decay (the rule of
    BERT's own optimizer). An empty group is left out.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def build_optimizer(models: Iterable[nn.Module], spec: OptimizerSpec) -> AdamW:
    """AdamW over the trainable parameters of all `models`."""
    groups = [group for model in models for group in parameter_groups(model, spec.weight_decay)]
    optimizer = AdamW(groups, lr=spec.lr, betas=spec.betas, eps=spec.eps, fused=spec.fused or None)
    # A fused step offers to unscale gradients itself. Lightning then refuses to clip them, in bf16-mixed too, where
    # nothing is scaled. Without the offer the scaler unscales before clipping, as for any other optimizer.
    optimizer._step_supports_amp_scaling = False
    return optimizer


def steps_of_share(share: float, total_steps: int) -> int:
    """Steps that a share of all steps has, rounded up."""
    return -int(-(share * total_steps) // 1)


def schedule_factor(
    step: int, *, total_steps: int, warmup: float, schedule: Literal["linear", "constant"], second_warmup: int = 0
) -> float:
    """Factor on the peak rate at optimizer step `step` (0-based).

    The warm-up lasts `ceil(warmup * total_steps)` steps and starts at 0; the linear course ends at 0 at `total_steps`.

    Args:
        step: optimizer steps taken before this one.
        total_steps: all optimizer steps.
        warmup: share of them over which the rate climbs.
        schedule: course after the warm-up.
        second_warmup: step at which the rate begins at 0 again and climbs back to its course over as many steps as in
            the first warm-up; 0 for none.
    """
    warmup_steps = steps_of_share(warmup, total_steps)
    if second_warmup and second_warmup <= step < second_warmup + warmup_steps:
        course = schedule_factor(step, total_steps=total_steps, warmup=warmup, schedule=schedule)
        return course * (step - second_warmup) / warmup_steps
    if step < warmup_steps:
        return step / warmup_steps
    if schedule == "constant":
        return 1.0
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))


def build_schedule(optimizer: Optimizer, spec: OptimizerSpec, total_steps: int, second_warmup: int = 0) -> LambdaLR:
    """The schedule of `spec` over `total_steps` optimizer steps, to be stepped once per optimizer step.

    Args:
        optimizer: its rates are set.
        spec: rate, warm-up and course.
        total_steps: all optimizer steps.
        second_warmup: see `schedule_factor`.
    """

    def factor(step: int) -> float:
        return schedule_factor(
            step, total_steps=total_steps, warmup=spec.warmup, schedule=spec.schedule, second_warmup=second_warmup
        )

    return LambdaLR(optimizer, factor)


def apply_schedule(schedule: LambdaLR) -> None:
    """Set the rates of the schedule's present step.

    The rates in an optimizer's state are those of the schedule it was saved under, which is another one where a run
    is continued to another length.
    """
    rates = zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
    for group, (base, factor) in zip(schedule.optimizer.param_groups, rates, strict=True):
        group["lr"] = base * factor(schedule.last_epoch)
