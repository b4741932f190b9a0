"""The tutorial as a notebook: made from the page, and run without Jupyter.

python -m tests.docs.notebook        writes examples/tutorial.ipynb from docs/tutorial.md
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path("docs/tutorial.md")
NOTEBOOK: Final = Path("examples/tutorial.ipynb")
BASH: Final = "%%bash\nset -e\n"
_PART: Final = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"\]\((?!https?://|#)([^)]+)\)")


def make() -> dict[str, Any]:
    """The notebook: text as it is, with links from its folder, commands and code as cells, outputs left out."""
    cells: list[dict[str, Any]] = []
    end = 0
    text = PAGE.read_text(encoding="utf-8")
    for part in _PART.finditer(text):
        _add(cells, "markdown", text[end : part.start()])
        end = part.end()
        if part[1] != "text":
            _add(cells, "code", (BASH if part[1] == "bash" else "") + part[2])
    _add(cells, "markdown", text[end:])
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _add(cells: list[dict[str, Any]], kind: str, source: str) -> None:
    source = source.strip()
    if not source:
        return
    if kind == "markdown":
        source = _LINK.sub(lambda link: f"]({os.path.relpath(PAGE.parent / link[1], NOTEBOOK.parent)})", source)
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    cells.append(cell | {"source": source.splitlines(keepends=True)})


def written(notebook: dict[str, Any]) -> str:
    """The notebook's file."""
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def code_cells(notebook: dict[str, Any]) -> list[str]:
    """What its code cells hold."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def execute(cells: list[str], environment: dict[str, str]) -> str:
    """Run cells in one fresh process, as a kernel does: Python with one namespace, `%%bash` in a shell.

    Returns:
        What they print.

    Raises:
        AssertionError: a cell fails.
    """
    script = "import os, subprocess, sys\n"
    for cell in cells:
        if cell.startswith(BASH):
            shell = ["bash", "-c", cell.removeprefix("%%bash")]
            script += f"sys.stdout.flush(); subprocess.run({shell!r}, check=True)\n"
        else:
            script += f"{cell}\n"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    NOTEBOOK.write_text(written(make()), encoding="utf-8")
    sys.stdout.write(f"written: {NOTEBOOK}\n")
