"""The classes that an option may name, and why a name is none of them."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import resolve_name
from typing import Any, get_args

from jsonargparse import ArgumentParser

from experiments._shared.parsing.mistakes import expected_one_of


def named_by(hint: Any) -> list[str]:
    """Names of the classes that an option of this type may name; none where it names none."""
    bases = [base for base in (hint, *get_args(hint)) if isinstance(base, type) and base.__module__ != "builtins"]
    return [found for base in bases for found in class_names(base)]


def no_class(names: Sequence[str], given: str) -> str:
    """Why a class cannot be taken: its module cannot be imported or has no such name, or it is none of the choices."""
    module, _, name = given.rpartition(".")
    if not module:
        return expected_one_of(names, given)
    try:
        found = import_module(module)
    except Exception as error:  # noqa: BLE001 - a user's file may raise anything
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return f"cannot import {module} ({reason}); the folder of a file of your own goes into PYTHONPATH"
    own = module.partition(".")[0] in ("datamodules", "distilkobert", "lightning_modules")  # the choices are listed
    if not own and not hasattr(found, name):
        return f"{module} has no class {name}"
    return expected_one_of(names, given)


def class_names(base: type) -> list[str]:
    """Names of the classes below `base` that can be named alone, sorted."""
    return list(named_classes(base))


def named_classes(base: type) -> dict[str, type]:
    """The classes below `base` that can be named alone: those that a package above their module offers; sorted."""

    def below(parent: type) -> Iterator[type]:
        children: list[type] = parent.__subclasses__()
        for child in children:
            yield child
            yield from below(child)

    found = {kind.__name__: kind for kind in below(base)}

    def offered(name: str, kind: type) -> bool:
        parts = kind.__module__.split(".")
        packages = {parts[0], *(".".join(parts[:count]) for count in range(2, len(parts)))}
        return any(getattr(sys.modules.get(package), name, None) is kind for package in packages)

    return {name: kind for name, kind in sorted(found.items()) if offered(name, kind)}


def option_names(class_path: str) -> list[str]:
    """Options that a class' constructor has on the command line, those of its groups included."""
    parser = ArgumentParser()
    parser.add_class_arguments(resolve_name(class_path), fail_untyped=False)
    names = [option.lstrip("-") for action in parser._actions for option in action.option_strings]
    return [name for name in names if not name.endswith(".help")]
