"""The trainer script as a program that tells, once it is through, which threads of gloo are left in its process."""

import sys
from pathlib import Path

from experiments.train import command_line

if __name__ == "__main__":
    code = command_line()
    names = [task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")]
    sys.stdout.write(f"{len(names)} threads, of gloo: {[name for name in names if 'gloo' in name]}\n")
    sys.exit(code)
