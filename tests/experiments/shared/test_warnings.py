"""How warnings are shown: the project's own in a line, those of others as they are."""

import warnings
from pathlib import Path

import pytest

from datamodules import tasks
from experiments._shared.commandline import run_command
from experiments._shared.quiet import plain_warnings


def test_own_warnings_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = warnings.formatwarning
    monkeypatch.setattr(warnings, "formatwarning", usual)  # restored at the end
    plain_warnings()
    plain_warnings()
    message = UserWarning("no text in 5 rows")
    assert warnings.formatwarning(message, UserWarning, str(tasks.__file__), 3) == "warning: no text in 5 rows\n"
    elsewhere = str(Path(tasks.__file__).parents[1] / "torch" / "nn.py")
    for kind, file in (
        (UserWarning, elsewhere),
        (FutureWarning, str(tasks.__file__)),
    ):
        assert warnings.formatwarning(message, kind, file, 3) == usual(message, kind, file, 3)


def test_every_command_shows_them_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "formatwarning", warnings.WarningMessage.__init__)  # any other; restored at the end
    shown: list[str] = []

    def command() -> None:
        shown.append(warnings.formatwarning("odd rows", UserWarning, str(tasks.__file__), 3))

    assert run_command(command) == 0
    assert shown == ["warning: odd rows\n"]
