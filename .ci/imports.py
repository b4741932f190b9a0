"""Import every module and ask every command for --help. Run from the checkout's root: python .ci/imports.py"""

import contextlib
import importlib
import io
import pkgutil
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("distilkobert", "lightning_modules", "datamodules", "experiments")


def modules() -> Iterator[str]:
    """Names of all modules but the commands themselves."""
    for package in PACKAGES:
        yield package
        for found in pkgutil.walk_packages([package], f"{package}."):
            if found.name not in commands():
                yield found.name


def commands() -> list[str]:
    """The modules that `python -m experiments.NAME` runs."""
    parts = sorted(path for path in Path("experiments").iterdir() if not path.name.startswith(("_", ".")))
    names = [f"experiments.{path.stem}" for path in parts]
    return [f"{name}.__main__" if path.is_dir() else name for name, path in zip(names, parts, strict=True)]


def ask_for_help(command: str) -> None:
    """Run a command with `--help`, in this process.

    Raises:
        SystemExit: it fails, or prints nothing.
    """
    sys.argv = [command, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            runpy.run_module(command, run_name="__main__")
        except SystemExit as end:
            if end.code or not printed.getvalue():
                raise SystemExit(f"{command} --help ended with {end.code}") from end


if __name__ == "__main__":
    sys.path.insert(0, ".")
    for name in commands():
        ask_for_help(name)
    names = list(modules())
    for name in names:
        importlib.import_module(name)
    print(f"{len(commands())} commands answered --help, {len(names)} modules imported")
