"""A command that says what it is, and then does what its words say: `exit N` or `sleep S`."""

import json
import os
import sys
import time


def main() -> None:
    """See above."""
    facts = {
        "name": __name__,
        "spec": sys.modules["__main__"].__spec__.name,  # type: ignore[union-attr]
        "words": sys.argv[1:],
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "leads": os.getpid() == os.getpgrp(),
        "input": sys.stdin.read(),
        "libraries": [name for name in ("datasets", "torch") if name in sys.modules],
        "ours": [name for name in sys.modules if name.startswith(("lightning_modules", "datamodules", "distilkobert"))],
    }
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stderr.write("to standard error\n")
    verb, number = sys.argv[1:]
    if verb == "sleep":
        sys.stdout.flush()
        time.sleep(float(number))
    sys.exit(int(number))


if __name__ == "__main__":
    main()
