"""Pages of help of commands within a command: each begins with what the command does."""

from collections.abc import Callable

import pytest

from experiments.bench.__main__ import main as bench
from experiments.bench.options import BENCHES
from experiments.prepare.__main__ import main as prepare


@pytest.mark.parametrize(
    ("command", "name", "begins"),
    [
        *((bench, name, row.about) for name, row in BENCHES.items()),
        (prepare, "corpus", "turn texts into token sequences"),
        (prepare, "vocabulary", "give an encoder another vocabulary"),
    ],
)
def test_a_page_begins_with_what_its_command_does(
    command: Callable[[list[str]], int],
    name: str,
    begins: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        command([name, "--help"])
    assert end.value.code == 0
    _, _, page = capsys.readouterr().out.partition("\n\n")
    assert page.startswith(f"{begins[0].upper()}{begins[1:]}")
