"""Weights and temperatures that change over training."""

import math
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class LinearSchedule:
    """A value that changes linearly over a part of training and is constant before and after.

    Args:
        start: value at the beginning.
        end: value at the end.
        begin: share of the optimizer steps after which it starts to change, 0 to 1.
        until: share of the optimizer steps after which it has reached `end`, above `begin`, at most 1.

    Raises:
        ValueError: a value is not finite, or the shares are out of range or out of order.
    """

    start: float
    end: float
    begin: float = 0.0
    until: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"schedule {name}={getattr(self, name)}: expected a finite number")
        if not 0.0 <= self.begin < self.until <= 1.0:
            raise ValueError(
                f"schedule begin={self.begin}, until={self.until}: expected shares of training with "
                "0 <= begin < until <= 1"
            )

    def at(self, progress: float) -> float:
        """Value after a share of training, 0 to 1."""
        moved = min(max((progress - self.begin) / (self.until - self.begin), 0.0), 1.0)
        return self.start + (self.end - self.start) * moved


Scheduled: TypeAlias = float | LinearSchedule


def value_at(value: Scheduled, progress: float) -> float:
    """The number, or what the schedule gives after a share `progress` of training."""
    return value.at(progress) if isinstance(value, LinearSchedule) else float(value)


def is_off(value: Scheduled) -> bool:
    """Whether a weight is 0 throughout."""
    return value == 0 if not isinstance(value, LinearSchedule) else value.start == value.end == 0


def check_range(name: str, value: Scheduled, *, above: bool = False) -> None:
    """Check that a number, or both ends of a schedule, are finite and at least 0.

    Args:
        name: of the option, for the message.
        value: number or schedule.
        above: 0 itself is out of range too.

    Raises:
        ValueError: it is out of range.
    """
    numbers = (value.start, value.end) if isinstance(value, LinearSchedule) else (value,)
    for number in numbers:
        if not (number > 0 if above else number >= 0) or not math.isfinite(number):
            raise ValueError(f"{name}={number}: expected a finite number {'above 0' if above else 'of 0 or more'}")
