"""How every command line of this project is read: no abbreviations, help as it was written, errors of a line or two."""

import re
import sys
from argparse import Action, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, DefaultHelpFormatter

from experiments._shared.parsing.class_names import named_by
from experiments._shared.parsing.config_files import RECIPE_PARTS, ConfigFile, read_config
from experiments._shared.parsing.explanations import KEY, NO_CLASS, NO_CONFIG, REFUSED, explain, refused_name
from experiments._shared.parsing.home_folder import with_home_configs, with_home_folder
from experiments._shared.parsing.mistakes import misplaced_word
from experiments._shared.parsing.objective_files import ObjectiveFiles, merge_objectives
from experiments._shared.parsing.words import CONFIG_OPTIONS, words_before


class HelpFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Help that keeps the lines of the description as they were written, and says null as YAML does."""

    def _get_help_string(self, action: Action) -> str:
        return re.sub(r"\bNone\b", "null", super()._get_help_string(action))


class StrictParser(ArgumentParser):
    """A parser that refuses abbreviated options: a shortened name is a typing mistake, never another setting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", HelpFormatter)
        module = getattr(sys.modules["__main__"], "__spec__", None)
        if module is not None:  # pages of help for a class are parsers that nobody names
            kwargs.setdefault("prog", f"python -m {module.name.removesuffix('.__main__')}")
        super().__init__(*args, allow_abbrev=False, **kwargs)
        self.config_files: list[ConfigFile] = []
        self._objective_files = ObjectiveFiles()
        self._reading = False
        self.arguments: list[str] = []

    def add_switch(self, name: str, help: str) -> None:
        """Add an option that is off: `--name` and `--name=true` switch it on, `--name=false` off."""
        self.add_argument(f"--{name}", type=bool, default=False, nargs="?", const=True, metavar="true", help=help)

    def parse_args(self, args: Any = None, *others: Any, **kwargs: Any) -> Any:
        """Parse the command line, whose words errors and files of objectives refer to; see `with_home_folder`."""
        self.arguments = with_home_configs(sys.argv[1:] if args is None else args)
        return with_home_folder(super().parse_args(self.arguments, *others, **kwargs))

    def forget_files(self) -> None:
        """Forget the configuration files of the command line before, where one parser reads several lines."""
        for parser in (self, *self._commands().values()):
            parser.config_files = []
            parser._objective_files = ObjectiveFiles()

    def parse_path(self, cfg_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Parse a configuration file; its errors name it and the line."""
        try:
            file = read_config(Path(cfg_path))
            self._check_order(file)
            self._check_recipes(file)
            self.config_files.append(file)
        except (OSError, ValueError) as error:
            self.error(str(error), error)
        self._reading = True
        try:
            return super().parse_path(cfg_path, *args, **kwargs)
        finally:
            self._reading = False

    def parse_string(self, content: str, path: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Parse the content of a configuration file, with the objectives of the files and options before it."""
        if self._reading:
            try:
                commands = {name: parser._objective_files for name, parser in self._commands().items()}
                words = words_before(self.arguments, len(self.config_files) - 1, *CONFIG_OPTIONS)
                content = merge_objectives(self.config_files[-1].path, content, self._objective_files, commands, words)
            except ValueError as error:
                self._reading = False  # the message names file and line already
                self.error(str(error), error)
        return super().parse_string(content, path, *args, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong and what was probably meant, without the list of all options."""
        # An option that a file alone may hold is refused when all has been read, by the parser above the command's.
        parser = getattr(ex, "subcommand_parser", None) or self._command()
        all_read = not self._reading and NO_CONFIG.search(message) is None
        refused = parser._objective_files.refused(parser.arguments) if all_read else ""
        message = refused or self._misplaced(message) or parser._placed(message)
        if not self.exit_on_error:
            super().error(message, ex)
        options = [name.lstrip("-") for action in parser._actions for name in action.option_strings]
        print(f"error: {explain(message, options, parser._classes())}", file=sys.stderr)
        print(f"All options: {parser._program} --help", file=sys.stderr)
        sys.exit(2)

    def _misplaced(self, message: str) -> str:
        """What is wrong with the words of the line, where it is they that a message is about."""
        if not any(phrase in message for phrase in ("unrecognized arguments", "is not accepted before subcommand")):
            return ""
        return misplaced_word(self._program, self.arguments, self._commands())

    @property
    def _program(self) -> str:
        return " ".join(word for word in self.prog.split() if word != "[options]")

    def _check_order(self, file: ConfigFile) -> None:
        """Refuse settings of a module or of data whose class no file or option before them has chosen.

        Raises:
            ValueError: names file and line.
        """
        for part in RECIPE_PARTS:
            below = [key for key in file.lines if key.startswith(f"{part}.")]
            chosen = any(f"{part}.class_path" in one.lines for one in (*self.config_files, file))
            if (
                below
                and not chosen
                and not any(word.startswith((f"--{part}=", f"--{part}.class_path=")) for word in self.arguments)
            ):
                raise ValueError(
                    f"{file.place(below[0])}: {part}: its class is not set yet; put the recipe first: "
                    f"-c RECIPE -c {file.path}"
                )

    def _check_recipes(self, file: ConfigFile) -> None:
        """Refuse a second recipe: the rest of the first would remain in force.

        Raises:
            ValueError: names file and line.
        """
        for first in self.config_files:
            if all(
                part in first.classes and file.classes.get(part, first.classes[part]) != first.classes[part]
                for part in RECIPE_PARTS
            ):
                raise ValueError(
                    f"{file.place('model.class_path')}: a second recipe: it replaces both model and data of "
                    f"{first.path}, but not that file's other settings, such as trainer; name one recipe, then overlays"
                )

    def _command(self) -> "StrictParser":
        """The parser of the command whose files have been read, where this one only chooses among commands."""
        return next((parser for parser in self._commands().values() if parser.config_files), self)

    def _commands(self) -> "dict[str, StrictParser]":
        """The parsers of the commands by name, where this one only chooses among commands."""
        action = self._subcommands_action
        parsers = action._name_parser_map.items() if action else ()
        return {name: parser for name, parser in parsers if isinstance(parser, StrictParser)}

    def _placed(self, message: str) -> str:
        """The message behind the file and line that it is about, if it is about one."""
        refused = REFUSED.search(message)
        asked = refused_name(refused) if refused and refused["option"] else ""
        key = ".".join([*KEY.findall(message), *([asked] if asked else [])])
        if self._reading:
            files = self.config_files[-1:]
            key += ".class_path" if NO_CLASS.search(message) else ""
        else:
            files = [file for file in self.config_files if asked in file.lines][-1:]
        return f"{files[0].place(key)}: {message}" if files else message

    def _classes(self) -> dict[str, list[str]]:
        """Names of the classes that an option may name, for the options that name one."""
        hints = {action.dest: getattr(action, "_typehint", None) for action in self._actions}
        return {name: named_by(hint) for name, hint in hints.items()}


def add_command(commands: Any, name: str, parser: StrictParser, about: str) -> None:
    """Add a command with one text for the list of commands and, as a sentence, for its own help.

    Args:
        commands: what `add_subcommands` returned.
        name: the command's name.
        parser: its options.
        about: what it does, without capital and full stop.
    """
    parser.description = f"{about[0].upper()}{about[1:]}."
    commands.add_subcommand(name, parser, help=about)
