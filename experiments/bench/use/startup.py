"""What a command costs before it does anything: processor seconds of `--help`, each in a process of its own."""

import resource
import subprocess
import sys
from typing import Any, Final

from jsonargparse import Namespace

from experiments._shared.machine.processor import processor_name
from experiments.bench.timing.turns import Spread

COMMANDS: Final = ("export", "predict", "prepare", "report", "study", "bench", "demo", "train")
OTHERS: Final = {
    "python alone": "pass",
    "import torch": "import torch",
    "import pytorch_lightning": "import pytorch_lightning",
}
"""What the commands are compared with."""


def cpu_seconds(words: list[str]) -> float:
    """Processor seconds, user's and system's, of a process that must end well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(options: Namespace) -> dict[str, Any]:
    """Measure in turns, print, and give the numbers."""
    if options.rounds < 1:
        raise ValueError(f"rounds is {options.rounds}; expected at least 1")
    ways = {name: ["-c", code] for name, code in OTHERS.items()}
    ways |= {f"{name} --help": ["-m", f"experiments.{name}", "--help"] for name in COMMANDS}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, words in ways.items():
            seconds[name].append(cpu_seconds(words))
    spreads = {name: Spread.of(found) for name, found in seconds.items()}
    wide = max(map(len, spreads))
    print(f"{processor_name()}; processor seconds, {options.rounds} rounds")
    print("\n".join(f"{name:<{wide}}  {spread.text('.2f')}" for name, spread in spreads.items()))
    return {
        "processor": processor_name(),
        "cpu_seconds": {name: list(vars(one).values()) for name, one in spreads.items()},
    }
