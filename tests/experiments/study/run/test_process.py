"""A command in a process of its own."""

from pathlib import Path
from typing import IO, Any

import pytest

from experiments.study.run.process import Child

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
def test_a_log_that_cannot_be_written_is_named_and_nothing_is_started() -> None:
    started: list[Any] = []

    def start(args: Any, output: IO[bytes], lock: int) -> Any:
        started.append(args)

    with pytest.raises(OSError, match=r"^/dev/full could not be written: No space left on device; make space there"):
        Child(["experiments.train"], start, FULL, 0)
    assert started == []
