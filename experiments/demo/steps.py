"""The project's other commands as steps of the demo."""

import os
import shlex
import subprocess
import sys


def run_step(command: str, *arguments: object) -> None:
    """Run one of the project's commands in a fresh process, showing it first.

    Raises:
        ValueError: it failed.
    """
    args = [f"experiments.{command}", *map(str, arguments)]
    print(f"\n$ python -m {shlex.join(args)}", flush=True)
    # Models this small gain nothing from threads, and lose much to their barriers on a busy machine.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    finished = subprocess.run([sys.executable, "-m", *args], check=False, env=environment)
    if finished.returncode:
        raise ValueError(f"the step above failed with exit code {finished.returncode}; its own message says why")
