"""Names that become folders, and the arguments of a command line that a study file may hold."""

import re
from collections.abc import Iterable, Sequence

from experiments._shared.parsing.words import CONFIG_OPTIONS

Args = Sequence[str]

_NAME = re.compile(r"\w[\w.+=-]{0,99}")
_OWN_OPTIONS = ("run", "seed_everything", "ckpt_path", "model.teacher", "model.init_from")
_NO_SETTINGS = ("help", "print_config")


def check_name(name: str, what: str) -> None:
    """Refuse a name that cannot be a folder everywhere.

    Raises:
        ValueError: it holds other signs than letters, digits and `-_.+=`, starts with one of these, or is too long.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise ValueError(
            f"{what}: {name!r} cannot be a folder name; use up to 100 letters, digits and '-', '_', '.', '+', '=', "
            "starting with a letter or a digit"
        )


def check_names(names: Iterable[str], what: str) -> None:
    """Check several names that are folders beside each other.

    Raises:
        ValueError: one cannot be a folder name, or two are the same where case does not count.
    """
    seen: dict[str, str] = {}
    for name in names:
        check_name(name, what)
        if name.casefold() in seen:
            other = seen[name.casefold()]
            reason = "is there twice" if other == name else f"differs from {other!r} by case alone"
            raise ValueError(f"{what}: {name!r} {reason}; every name is a folder, so give each its own")
        seen[name.casefold()] = name


def check_args(args: Args, where: str) -> None:
    """Refuse arguments that the study would overrule, or that set nothing.

    Raises:
        ValueError: an argument is no option and no value of one, lacks its value, or sets what the study sets itself.
    """
    for group in group_args(args, where):
        name = group[0].partition("=")[0].lstrip("-").removesuffix("+").replace(".init_args.", ".")
        if name in _NO_SETTINGS or name.endswith(".help"):
            raise ValueError(f"{where}: {group[0]} is no setting; leave it out")
        if any(name == own or name.startswith(f"{own}.") for own in _OWN_OPTIONS):
            raise ValueError(f"{where}: {group[0]} is set by the study itself; leave it out")
        if len(group) == 1 and "=" not in group[0]:  # it would take the next argument of the command line
            right = f"{group[0]} FILE" if group[0] in CONFIG_OPTIONS else f"{group[0]}=VALUE"
            raise ValueError(f"{where}: {group[0]} has no value; write {right}")


def group_args(args: Args, where: str) -> list[tuple[str, ...]]:
    """The arguments, each option together with its value: `-c FILE`, `--option=value`, `--option value`.

    Raises:
        ValueError: an argument is no option and no value of one.
    """
    groups: list[tuple[str, ...]] = []
    for arg in args:
        if arg.startswith("-") and not re.fullmatch(r"-[\d.].*", arg):
            groups.append((arg,))
        elif groups and len(groups[-1]) == 1 and "=" not in groups[-1][0]:
            groups[-1] = (groups[-1][0], arg)
        else:
            raise ValueError(f"{where}: {arg!r} is no option; write -c FILE or --option=value")
    return groups
