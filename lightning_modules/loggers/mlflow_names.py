"""Names of metrics for MLflow, which takes few characters."""

import re
from typing import Final

_OTHERS: Final = re.compile(r"[^a-zA-Z0-9_/. -]|-(?=u[0-9a-f]+-)")
"""What Lightning's logger deletes, so that the names of Korean labels became one; and what looks like a code."""


def mlflow_name(name: str) -> str:
    """The name with `-uXXXX-`, the code of the character in Unicode, for each character that MLflow does not take.

    Different names stay different: `re.sub("-u([0-9a-f]+)-", lambda code: chr(int(code[1], 16)), name)` gives the first
    name again.
    """
    return _OTHERS.sub(lambda found: f"-u{ord(found[0]):04x}-", name)
