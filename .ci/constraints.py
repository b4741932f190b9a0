"""Write the versions of the running environment into constraints.txt. `make upgrade` runs it after the tests.

.venv-upgrade/bin/python .ci/constraints.py
"""

import re
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

FILE = Path("constraints.txt")
LEFT_OUT = {"distilkobert", "pip", "wheel"}


def canonical(name: str) -> str:
    """A package's name in the spelling that all of its spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def moved(text: str, installed: Mapping[str, str]) -> str:
    """The constraints with the installed versions.

    Comments at the top and markers stay (`; python_version >= "3.11"` for packages that have left Python 3.10).
    Packages that are gone are dropped, new ones get no marker, and local versions (`2.13.0+cpu`) are cut.

    Args:
        text: the file's content.
        installed: name to version of what is installed.
    """
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("#")]
    markers = {}
    for line in lines:
        requirement, separator, marker = line.partition(" ; ")
        markers[canonical(requirement.partition("==")[0])] = separator + marker
    rows = [
        f"{name}=={version.partition('+')[0]}{markers.get(canonical(name), '')}"
        for name, version in installed.items()
        if canonical(name) not in LEFT_OUT
    ]
    return "\n".join([*head, *sorted(rows, key=lambda row: canonical(row.partition("==")[0]))]) + "\n"


if __name__ == "__main__":
    before = FILE.read_text(encoding="utf-8")
    after = moved(before, {found.metadata["Name"]: found.version for found in distributions()})
    FILE.write_text(after, encoding="utf-8")
    print(f"{len(set(after.splitlines()) - set(before.splitlines()))} versions moved; compare with git diff {FILE}")
