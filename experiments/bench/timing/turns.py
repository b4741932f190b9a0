"""Measure several ways of doing one thing in turns, so that a busy moment hits all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of repeated measurements.

    Args:
        low: a quarter of them is below.
        median: half of them is below.
        high: three quarters are below.
    """

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of some values."""
        return cls(*(float(value) for value in np.quantile(values, (0.25, 0.5, 0.75))))

    def text(self, form: str = ".3f") -> str:
        """`median [low, high]`, each in a format of Python's."""
        return f"{self.median:{form}} [{self.low:{form}}, {self.high:{form}}]"


def times_faster(way: Mapping[str, Any]) -> Spread:
    """How many times faster than its reference a way is, from what `Turns.as_json` gives of it.

    Raises:
        ValueError: that has no such values, or more than one set of them.
    """
    (values,) = (value for name, value in way.items() if name.startswith("times_faster"))
    return Spread(*values)


@dataclass(frozen=True)
class Turns:
    """Seconds of each way, one entry per round.

    Args:
        seconds: by way, (rounds,).
    """

    seconds: Mapping[str, Sequence[float]]

    def spread(self, way: str) -> Spread:
        """Seconds of one way."""
        return Spread.of(self.seconds[way])

    def ratio(self, way: str, reference: str) -> Spread:
        """How many times faster `way` is than `reference`, from the pairs of each round."""
        pairs = zip(self.seconds[way], self.seconds[reference], strict=True)
        return Spread.of([its / own for own, its in pairs])

    def as_json(self, reference: str) -> dict[str, Any]:
        """Seconds and ratios to `reference` in plain types; quartiles are low, median, high."""
        return {
            way: {
                "seconds": list(self.seconds[way]),
                "quartiles_s": list(vars(self.spread(way)).values()),
                f"times_faster_than_{reference}": list(vars(self.ratio(way, reference)).values()),
            }
            for way in self.seconds
        }


Clock = Literal["wall", "cpu"]
"""Time that passes, or processor time of all threads of the process, which other processes do not lengthen."""


def gives_speed(clock: Clock, threads: int) -> bool:
    """Whether an amount of work by seconds of a clock is a speed: processor time adds up the threads."""
    return clock == "wall" or threads == 1


def seconds_of(call: Callable[[], object], clock: Clock = "wall") -> float:
    """Seconds of a clock that a call takes."""
    now = time.perf_counter if clock == "wall" else time.process_time
    started = now()
    call()
    return now() - started


def take_turns(ways: Mapping[str, Callable[[], object]], rounds: int, clock: Clock = "wall") -> Turns:
    """Call every way once per round, beginning with another one each time; a round before the first does not count.

    Args:
        ways: by name.
        rounds: that count.
        clock: what is read before and after each call.

    Raises:
        ValueError: there is no round.
    """
    return in_turns({name: partial(seconds_of, way, clock) for name, way in ways.items()}, rounds)


def in_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> Turns:
    """As `take_turns`, of ways that give their seconds themselves.

    Raises:
        ValueError: there is no round.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; expected at least 1")
    names = list(ways)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-1, rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            taken = ways[name]()
            if turn >= 0:
                seconds[name].append(taken)
    return Turns(seconds)
