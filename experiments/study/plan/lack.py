"""What the runs of a plan read that is not there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distilkobert.io.hub_names import may_be_on_hub
from experiments._shared.settings import places_of
from experiments._shared.training.data_tokenizer import AUTO

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""How ids on the Hugging Face hub look: `name` or `owner/name`; so does many a folder's path."""
_MODELS = ("model.teacher", "model.init_from")
"""Options that take a checkpoint too."""
_ON_HUB = (*_MODELS, "data.tokenizer")


@dataclass
class Lack:
    """What the runs of a plan name that is not there, each with the key and the option that name it.

    Args:
        missing: folders that are not there.
        later: the same, of runs that are not wanted now.
        asked: names that are no folder here and may be of a repository on the hub, which the run will ask.
    """

    missing: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, key: str, settings: Mapping[str, Any], made: Path, wanted: bool = True) -> None:
        """Look for what a run with these settings reads; what was looked for already is passed over.

        Args:
            key: the key of the study file that the run comes from.
            settings: the settings that its command comes to.
            made: the study's folder; what is below it is made by the study.
            wanted: whether such a run is wanted now; add those first.
        """
        for option, name in _sources(settings):
            if (option, name) in self._seen:
                continue
            self._seen.add((option, name))
            there = bool(name) and (Path(name).is_dir() or (option in _MODELS and Path(name).is_file()))
            if there or made.resolve() in Path(name).resolve().parents:
                continue
            named = option in _ON_HUB and _HUB_ID.fullmatch(name) and not name.endswith(".ckpt")
            on_hub = named and may_be_on_hub(Path(name))
            (self.asked if on_hub else self.missing if wanted else self.later).append(
                f"{key}: {option}={name or repr(name)}"
            )


def _sources(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options that name what is read, with their values; an option that the run does not have is left out."""
    for part, name in (("data", "data_dir"), ("model", "teacher"), ("model", "init_from"), ("data", "tokenizer")):
        for place in places_of(settings[part].get("init_args", {}).get(name)):
            if place != AUTO:
                yield f"{part}.{name}", place
    if probe := settings["probe"]["data_dir"]:
        yield "probe.data_dir", probe
