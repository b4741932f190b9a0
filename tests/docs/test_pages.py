"""Links lead somewhere, commands and options are ones that the project has."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from experiments._shared.parsing.parsers import StrictParser
from experiments.study.plan.check import CommandParser
from tests.docs.pages import PAGES, RUNNABLE, Command, anchors, blocks, commands, inline_code, links

DISTIL = ("fit", "-c", "configs/distill/distilkobert.yaml")
OPTION = re.compile(r"--(?!\w+\.help|variables)\w+\.[\w.]+=\S+$")
FILE = re.compile(r"-c$|configs/\S+\.yaml$")
TASK = ("fit", "-c", "configs/finetune/nsmc.yaml")


class Parsed(BaseException):
    """The command line was accepted."""


@pytest.fixture(scope="module")
def parser() -> CommandParser:
    return CommandParser()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for path, anchor in links(page):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", RUNNABLE, ids=str)
def test_trainings_are_accepted_by_the_trainer_s_parser(page: Path, parser: CommandParser) -> None:
    refused = []
    for command in commands(page):
        if command.name != "train" or "--help" in command.arguments or "--print_config" in command.arguments:
            continue
        try:
            arguments = [_existing(word) for word in command.arguments]
            if "-c" not in arguments:  # the settings of the checkpoint's run
                arguments[1:1] = DISTIL[1:]
            parser.resolve(arguments)
        except ValueError as error:
            refused.append(f"{command}: {error}")
    assert refused == []


def _existing(word: str) -> str:
    """A configuration that exists, for a run's own one."""
    return "configs/distill/distilkobert.yaml" if re.fullmatch(r"(.*/)?config\.yaml|CONFIG", word) else word


@pytest.mark.parametrize("page", RUNNABLE, ids=str)
def test_other_commands_are_accepted_by_their_parsers(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = [
        str(command) for command in commands(page) if command.name != "train" and not accepted(command, monkeypatch)
    ]
    assert refused == []


def accepted(command: Command, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a command parses its arguments; nothing else of it is run."""
    original = StrictParser.parse_args

    def parse_only(self: StrictParser, args: Any = None, *others: Any, **kwargs: Any) -> None:
        original(self, args, *others, **kwargs)
        raise Parsed

    try:
        package = import_module(f"experiments.{command.name}.__main__")
    except ModuleNotFoundError:
        package = import_module(f"experiments.{command.name}")
    with monkeypatch.context() as patched:
        patched.setattr(StrictParser, "parse_args", parse_only)
        patched.setattr("sys.argv", [command.name, *command.arguments])
        try:
            package.main()
        except Parsed:
            return True
        except (SystemExit, ValueError):
            return "--help" in command.arguments
    raise AssertionError(f"{command}: nothing was parsed")


@pytest.mark.parametrize("page", RUNNABLE, ids=str)
def test_options_and_files_in_sentences_and_tables_exist(page: Path, parser: CommandParser) -> None:
    """An option with a dot, such as `--data.max_tokens=2048`, belongs to a distillation or to a task."""
    refused = []
    for code in inline_code(page):
        words = code.split()
        if code.startswith("configs/") and code.endswith(".yaml") and "{" not in code and not Path(code).exists():
            refused.append(code)
        if not any(map(OPTION.match, words)) or not all(OPTION.match(word) or FILE.match(word) for word in words):
            continue
        if not any(_resolves(parser, [*start, *words]) for start in (DISTIL, TASK)):
            refused.append(code)
    assert refused == []


def _resolves(parser: CommandParser, arguments: list[str]) -> bool:
    try:
        parser.resolve(arguments)
    except ValueError:
        return False
    return True


def test_make_targets_on_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in RUNNABLE:
        code = "\n".join([*blocks(page, "bash"), *inline_code(page)])
        assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) <= targets, page
