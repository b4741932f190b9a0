"""What the data provides to the module: one name on both sides, declared here.

A name that the module's constructor has and the data does not provide is an error, unless its value is given. What the
data provides and the module does not take is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from inspect import Parameter, signature
from pkgutil import resolve_name
from typing import Any, Final

import numpy as np
from pytorch_lightning.cli import LightningArgumentParser

from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.task_facts import TaskFacts
from experiments._shared.settings import as_json

LINKS: Final = (
    "vocab_size",
    "pad_token_id",
    "max_length",
    "token_counts",
    "labels",
    "multi_label",
    "class_weights",
    "suffix_tags",
    "rouge_w",
    "input_settings",
    "task_facts",
)


LINKED: Final = (*LINKS, "seed")
"""Settings of a module that are no choices of its own: what comes from the data, and the run's seed."""


class LinkError(ValueError):
    """The module and the data do not fit together."""


def add_links(parser: LightningArgumentParser, model: Callable[[], tuple[str, Mapping[str, Any]]]) -> None:
    """Link every name from the data module to the module.

    Args:
        parser: has the arguments `data` and `model`.
        model: gives the module's class path and the settings that it is given, once they are parsed.
    """

    def reader(name: str) -> Callable[[object], Any]:
        def read(data: object) -> Any:
            return linked(name, *model(), data)

        read.__name__ = name  # what --help shows
        return read

    for name in LINKS:
        # The whole data module is the source: where an attribute is missing, jsonargparse passes nothing, silently.
        parser.link_arguments("data", f"model.init_args.{name}", compute_fn=reader(name), apply_on="instantiate")


def linked(name: str, class_path: str, given: Mapping[str, Any], data: object) -> Any:
    """What the module gets under `name`; None, which is not passed on, where it does not take it.

    Args:
        name: one of `LINKS`.
        class_path: the module's class.
        given: the module's settings on the command line; those not given are None or the default of its class.
        data: the data module.

    Raises:
        LinkError: the module takes it and the data does not have it; or it is given, and the data has another.
    """
    parameter = parameters_of(class_path).get(name)
    if parameter is None:
        return None
    value = given.get(name)
    is_given = value is not None and value != parameter.default
    if not hasattr(data, name):
        if is_given:
            return value
        raise LinkError(
            f"{class_path.rpartition('.')[2]} takes {name} from the data, and {type(data).__name__} has no attribute "
            f"of that name; check that data.class_path fits model.class_path, or give {type(data).__name__} a {name}"
        )
    provided = plain(getattr(data, name))
    if is_given and as_json(value) != as_json(provided):
        raise LinkError(
            f"--model.{name}={value}: it comes from the data ({type(data).__name__}), which has {provided}; leave it "
            "out"
        )
    return provided


def parameters_of(class_path: str) -> dict[str, Parameter]:
    """Parameters of a class' constructor, with those of its bases as far as `**kwargs` passes them on."""
    found: dict[str, Parameter] = {}
    for kind in resolve_name(class_path).__mro__:
        if "__init__" not in vars(kind):
            continue
        own = signature(kind.__init__).parameters
        found = {**own, **found}
        if not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in own.values()):
            break
    return found


def plain(value: Any) -> Any:
    """A fact in types that the parser accepts: no NumPy integers, and a group of settings as a dictionary."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return asdict(value) if isinstance(value, (InputSettings, TaskFacts)) else value
