"""Ways that are measured in turns: order, the round that does not count, ratios within rounds."""

import pytest

from experiments.bench.timing import turns as module
from experiments.bench.timing.turns import Spread, Turns, take_turns


@pytest.mark.parametrize(("clock", "function"), [("wall", "perf_counter"), ("cpu", "process_time")])
def test_every_way_has_its_turn_and_a_round_before_does_not_count(
    clock: module.Clock, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, order = [0.0], []

    def way(name: str, seconds: float) -> None:
        order.append(name)
        now[0] += 50.0 if len(order) <= 3 else seconds

    monkeypatch.setattr(module.time, function, lambda: now[0])
    ways = {name: lambda name=name, s=s: way(name, s) for name, s in (("a", 1.0), ("b", 2.0), ("c", 4.0))}
    found = take_turns(ways, 4, clock)
    assert found.seconds == {"a": [1.0] * 4, "b": [2.0] * 4, "c": [4.0] * 4}
    assert ["".join(order[place : place + 3]) for place in range(0, 15, 3)] == ["cab", "abc", "bca", "cab", "abc"]


def test_ratios_are_of_the_pairs_of_a_round() -> None:
    """A round in which everything takes ten times as long changes no ratio."""
    turns = Turns({"fast": [1.0, 10.0, 1.0], "slow": [2.0, 20.0, 2.0]})
    assert turns.ratio("fast", "slow") == Spread(2.0, 2.0, 2.0)
    assert turns.spread("slow") == Spread(2.0, 2.0, 11.0)
    assert turns.spread("slow").text(".1f") == "2.0 [2.0, 11.0]"
    numbers = turns.as_json("slow")
    assert numbers["fast"]["times_faster_than_slow"] == [2.0, 2.0, 2.0]
    assert numbers["fast"]["seconds"] == [1.0, 10.0, 1.0]


def test_no_round_is_refused() -> None:
    with pytest.raises(ValueError, match="rounds is 0; expected at least 1"):
        take_turns({"a": int}, 0)
