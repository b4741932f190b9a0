"""Commands answer `--help`, and what is wrong on their line, without loading what only their work needs."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "pytorch_lightning", "transformers", "datasets", "pandas", "matplotlib", "scipy", "onnxruntime")

ASK = """
import contextlib, io, json, runpy, sys
command, lines = sys.argv[1], json.loads(sys.argv[2])
codes = []
for line in lines:
    sys.argv = [command, *line]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            runpy.run_module(command, run_name="__main__")
        except SystemExit as end:
            codes.append(end.code)
    assert len(out.getvalue() + err.getvalue()) > 20, line
print(json.dumps([codes, [name for name in HEAVY if name in sys.modules]]))
"""

LINES = {
    "bench": ["--help", "distil --help", "latency --help", "latency --lengths x"],
    "demo": ["--help", "--oops=1"],
    "export": [
        "--help", "--checkpoint=gone.ckpt", "--checkpoint=gone.ckpt --output=tests", "--checkpoint=gone.ckpt --output=o"
    ],
    "predict": ["--help", "--model=gone --batch_size=x", "--model=gone --text=a --input=b", "--model=gone"],
    "prepare": [
        "--help", "corpus --help", "merge --help", "fetch --help", "verify --help", "vocabulary --help",
        "vocabulary trim --help", "corpus --oops=1",
    ],
    "report": ["--help", "", "tests --oops=1"],
    "study": ["--help", "--config=gone.yaml"],
}  # fmt: skip


@pytest.mark.parametrize("command", LINES)
def test_help_and_refusals_load_nothing_heavy(command: str) -> None:
    lines = [line.split() for line in LINES[command]]
    script = f"HEAVY = {HEAVY!r}\n{ASK}"
    done = subprocess.run(
        [sys.executable, "-c", script, f"experiments.{command}", json.dumps(lines)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    codes, loaded = json.loads(done.stdout)
    assert codes == [0 if "--help" in line else 2 for line in lines]
    assert loaded == []


def test_data_modules_start_without_an_arrow_library() -> None:
    code = "import datamodules, sys; print({'datasets', 'pyarrow', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
