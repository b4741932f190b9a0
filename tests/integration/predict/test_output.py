"""What `experiments.predict` writes to: a pipe whose reader has gone, and streams that are not set to UTF-8."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import DistilBertForTokenClassification

from experiments.predict.__main__ import main
from tests.integration.predict.test_predict import Terminal, config, folder_of, set_by_token
from tests.world import World

LINES = "부산 사람\n".encode()


@pytest.fixture
def tagger(world: World, tmp_path: Path) -> Path:
    """Takes everything for one entity, so that it prints its input."""
    model = set_by_token(DistilBertForTokenClassification(config(["O", "PER-B", "PER-I"])), "classifier", {}, other=2)
    return folder_of(model, world.tokenizer, tmp_path / "tagger")


def call(monkeypatch: pytest.MonkeyPatch, folder: Path, stdout: io.TextIOWrapper) -> None:
    monkeypatch.setattr("sys.argv", ["predict", "--model", str(folder)])
    monkeypatch.setattr("sys.stdin", Terminal(LINES * 3, terminal=False))
    monkeypatch.setattr("sys.stdout", stdout)
    main()


def test_korean_text_comes_out_as_utf_8_in_any_locale(tagger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    call(monkeypatch, tagger, io.TextIOWrapper(raw, encoding="ascii"))
    assert raw.getvalue().decode("utf-8").splitlines() == ["PER:0-5:부산 사람"] * 3


def test_a_reader_that_has_gone_is_no_error(
    tagger: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stdout:
        call(monkeypatch, tagger, stdout)  # type: ignore[arg-type]
        print("what is left in the buffer", file=stdout)
    assert "Broken pipe" not in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("lines", [3, 3000])
def test_head_ends_the_command_quietly(tagger: Path, lines: int) -> None:
    command = [sys.executable, "-m", "experiments.predict", "--model", str(tagger), "--max_length=64"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as process:  # type: ignore[call-overload]
        process.stdout.close()
        _, errors = process.communicate(LINES * lines, timeout=120)
    assert (process.returncode, errors) == (0, b"")
