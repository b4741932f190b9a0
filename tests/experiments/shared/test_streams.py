"""Commands whose standard streams are closed, or read by nobody any more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
_COMMAND = """
import os, sys, time
from experiments._shared.commandline import run_command

def command():
    for number in range(3):
        print("line", number, flush=True)
        print("note", number, file=sys.stderr)
        if number == 0 and sys.argv[2] == "wait":
            sys.stdin.readline()
    sys.stdout.isatty(), sys.stderr.isatty(), sys.stdin.read()
    with open(sys.argv[1], "w") as stream:
        stream.write("done")
    os.write(1, b"from C"), os.write(2, b"from C")
    raise ValueError("what is wrong")

sys.exit(run_command(command))
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_without_streams_does_its_work(closed: str, tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(_COMMAND, encoding="utf-8")
    shell = ["sh", "-c", f"{sys.executable} {tmp_path}/command.py {tmp_path}/result go {closed}"]
    ended = subprocess.run(shell, input="", capture_output=True, text=True, check=False, env=_ENVIRONMENT)
    assert ended.returncode == 2, ended.stderr
    assert (tmp_path / "result").read_text() == "done"  # and nothing of what was printed
    assert "Traceback" not in ended.stderr + ended.stdout
    assert ("error: what is wrong" in ended.stderr) == ("2>&-" not in closed)
    assert ("line 2" in ended.stdout) == (" >&-" not in f" {closed}")


def test_readers_that_end_stop_no_work(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(_COMMAND, encoding="utf-8")
    words = [sys.executable, str(tmp_path / "command.py"), str(tmp_path / "result"), "wait"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=_ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "line 0\n"
        process.stdout.close()
        process.stderr.close()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait() == 2
    assert (tmp_path / "result").read_text() == "done"
