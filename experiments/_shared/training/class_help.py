"""Help for the classes that options name: `--model.help` lists them, `--model.help=NAME` shows the options of one."""

import inspect
import re
from argparse import SUPPRESS
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from pytorch_lightning import Callback, LightningDataModule, LightningModule
from pytorch_lightning.loggers import Logger

from distilkobert.objectives import Objective
from experiments._shared.links import LINKED
from experiments._shared.parsing.class_names import named_classes, no_class
from experiments._shared.parsing.config_files import compose
from experiments._shared.parsing.home_folder import with_home_configs
from experiments._shared.parsing.objective_files import ObjectiveFiles, class_named
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.parsing.words import CONFIG_OPTIONS, option_values
from experiments._shared.training.data_tokenizer import AUTO
from experiments._shared.training.parser import TrainerHelp, first_sentence, loads_settings
from experiments._shared.training.trainer_checks import REFUSED_CLASSES

_OBJECTIVES: Final = "model.objectives"
_BASES: Final[dict[str, type]] = {
    "model": LightningModule,
    "data": LightningDataModule,
    _OBJECTIVES: Objective,
    "trainer.callbacks": Callback,
    "trainer.logger": Logger,
}
"""Options that name classes, with what these are derived from."""

_BASES_OF_LIGHTNING: Final = frozenset(("BaseFinetuning", "BasePredictionWriter", "Checkpoint", "ProgressBar"))
"""Classes to derive from, not to name in a configuration; Lightning does not mark them as abstract."""

_ASKED: Final = re.compile(r"--(?P<option>[\w.]+)\.help(?:=(?P<name>.*))?")
_SECTION: Final = re.compile(r"\n\s*(?:Args|Returns|Raises|Example|Attributes)\w*:.*", re.DOTALL)
_LINK: Final = re.compile(r"\s<https?://[^>]*>`_|`(?=[\w ]+ <)")
_PROVIDED: Final = {"model": LINKED, "data": ("seed",)}
"""Settings of a class that the run or its data provide."""


def class_help(words: Sequence[str]) -> str:
    """The page of classes or of a class' options that a command line asks for; empty where it asks for none.

    Args:
        words: the command, and its options.

    Raises:
        FileNotFoundError, ValueError: there is no such page, no such class, or a file of settings cannot be read.
    """
    for word, following in zip(words, [*words[1:], ""], strict=False):
        asked = _ASKED.fullmatch(word)
        if asked is None:
            continue
        option = asked["option"].replace(".init_args.", ".")
        name = asked["name"] or ("" if following.startswith("-") else following)
        objective = option.removeprefix(f"{_OBJECTIVES}.") if option.startswith(f"{_OBJECTIVES}.") else ""
        if objective:
            option, name = _OBJECTIVES, name or _class_of(objective, words)
        if option in _BASES:
            return _page(option, _class(option, name), objective or "NAME") if name else _list(option)
        pages = ", ".join(f"--{known}.help" for known in _BASES)
        of_lightning = f"; for the values of {option} see Lightning's documentation of Trainer"
        raise ValueError(
            f"{word}: there is no such page of help; --help shows all options, and classes have {pages}"
            f"{of_lightning if option.startswith('trainer.') else ''}"
        )
    return ""


def _choices(option: str) -> dict[str, type]:
    """The classes that an option may name: no base classes; of callbacks without those that every run has."""
    left_out = {*REFUSED_CLASSES, *_BASES_OF_LIGHTNING}
    classes = named_classes(_BASES[option]).items()
    found = {name: kind for name, kind in classes if name not in left_out and not inspect.isabstract(kind)}
    if option.startswith("trainer."):
        return {name: kind for name, kind in found.items() if not kind.__module__.startswith("lightning_modules.")}
    return found


def _class_of(objective: str, words: Sequence[str]) -> str:
    """Class path of an objective of the files that a command line names."""
    files = ObjectiveFiles()
    for path in map(Path, option_values(with_home_configs(words), *CONFIG_OPTIONS)):
        files.merge(path, compose(path)[1])
    try:
        return files.class_path(objective)
    except ValueError as error:
        raise ValueError(f"--{_OBJECTIVES}.{objective}.help: {error}; or ask for a class: =CLASS") from None


def _class(option: str, name: str) -> type:
    known = _choices(option)
    kind = known.get(name) or class_named(name)
    if isinstance(kind, type) and issubclass(kind, _BASES[option]):
        return kind
    raise ValueError(f"--{option}.help: {no_class(list(known), name)}")


def _list(option: str) -> str:
    found = {name: first_sentence(_about(kind).partition("\n\n")[0]) for name, kind in _choices(option).items()}
    width = max(map(len, found))
    lines = [f"  {name:{width}}  {text}" for name, text in found.items()]
    shows = f"--{option}.help=NAME shows the options of one, with types and defaults."
    return "\n".join([f"Classes for --{option}, or one of your own (MODULE.CLASS):", "", *lines, "", shows])


def _page(option: str, kind: type, objective: str) -> str:
    """The options of a class."""
    names = f"{option}.{objective}" if option == _OBJECTIVES else option
    parameters = inspect.signature(kind).parameters
    provided = [name for name in _PROVIDED.get(option, ()) if name in parameters]
    parser = StrictParser(usage=SUPPRESS, add_help=False, formatter_class=TrainerHelp)
    parser.add_class_arguments(kind, names, skip=set(provided), fail_untyped=False)
    for action in parser._actions:
        if loads_settings(action) or action.dest.endswith(".help"):
            action.help = SUPPRESS
        if action.dest == "data.tokenizer" and action.required:
            action.required, action.default = False, AUTO
            action.help = f"{action.help} {AUTO}: that in the folder of the model, else data/kobert."
    parser.description = f"--{names}={kind.__name__}\n\n{_about(kind)}"
    groups = parser.groups or {}
    for group in groups.values():
        title = group.title or ""
        group.title = "Options" if group is groups[names] else f"{title[:1].upper()}{title[1:]}"
    notes = [f"Not listed, because the run and its data provide them: {', '.join(provided)}."] if provided else []
    parser.epilog = "\n\n".join([*notes, *map(_group, _groups_in_options(kind))])
    return parser.format_help().rstrip()


def _about(kind: type) -> str:
    """A class' docstring without its sections; of those of other packages the first paragraph.

    Where a class has none, that of its constructor, else that of the class above it.
    """
    own = kind.__doc__ or vars(kind).get("__init__", kind).__doc__ or inspect.getdoc(kind) or ""
    text = _SECTION.sub("", f"\n{inspect.cleandoc(own)}").strip()
    return _LINK.sub("", text.partition("\n\n")[0] if kind.__module__.startswith("pytorch_lightning.") else text)


def _groups_in_options(kind: type) -> list[Any]:
    """Groups of settings that an option takes in place of a number or text."""
    hints = get_type_hints(kind.__init__).values()  # type: ignore[misc]
    return list(dict.fromkeys(one for hint in hints for one in get_args(hint) if is_dataclass(one)))


def _group(kind: Any) -> str:
    required = [name for name, one in inspect.signature(kind).parameters.items() if one.default is one.empty]
    form = ", ".join(f"{name}: VALUE" for name in required)
    text = (inspect.getdoc(kind) or "").partition("Raises:")[0].rstrip()
    return f"{kind.__name__}, in place of a value: {{{form}, ...}}\n{text}"
