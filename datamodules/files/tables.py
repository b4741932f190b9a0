"""Where the tables of a task are: files of a folder, or splits of a data set on the hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datamodules.files.parts import TaskFiles
from distilkobert.io.reading.streams import SUFFIXES
from distilkobert.tasks.feature_cache import default_cache
from distilkobert.tasks.files.hub_tables import hub_table
from distilkobert.tasks.splits import shares

_PARTS = ("train", "dev", "test")


@dataclass(frozen=True)
class Hub:
    """A data set of the hub.

    Args:
        name: `owner/name`.
        config: its configuration; None where it has one.
        splits: its splits for `train`, `dev` and `test`.
    """

    name: str
    config: str | None
    splits: Mapping[str, str]


def hub_of(name: str | None, config: str | None, splits: Mapping[str, str] | None) -> Hub | None:
    """The data set of the hub that a data module's options name; None where they name none.

    Raises:
        ValueError: its configuration or its splits are given without its name.
    """
    if name is not None:
        return Hub(name, config, {"train": "train"} if splits is None else splits)
    for option, value in (("hub_config", config), ("hub_splits", splits)):
        if value is not None:
            raise ValueError(f"{option}={value}, but hub is not set; set hub: owner/name, or leave {option} out")
    return None


def named_files(
    data_dir: str,
    names: Mapping[str, str | None],
    dev_share: float,
    test_share: float,
    hub: Hub | None = None,
    cache: Path | None = None,
) -> TaskFiles:
    """Find the files of a task.

    Args:
        data_dir: folder that relative names are looked for in.
        names: file of each part, None where it is cut from the training file.
        dev_share: share of the training file for the dev split if it has no file.
        test_share: the same for the test split.
        hub: takes the place of the files.
        cache: where the hub's splits are kept; None: the default of `feature_cache`.

    Raises:
        FileNotFoundError: a file is missing; says what is there.
        ValueError: there is no training file, a file is that of two parts, a share is out of range, or files and
            a hub data set are both given.
    """
    found: dict[str, Path]
    if hub is not None:
        if any(names.values()):
            raise ValueError("hub and file names are both given; give only one of them")
        strange = sorted(set(hub.splits) - set(_PARTS))
        if strange or "train" not in hub.splits:
            raise ValueError(f"hub_splits has {', '.join(hub.splits) or 'nothing'}; expected train, and dev and test")
        folder = default_cache() if cache is None else cache
        found = {part: hub_table(hub.name, hub.config, split, folder) for part, split in hub.splits.items()}
    else:
        found = {part: find_table(data_dir, name) for part, name in names.items() if name is not None}
    if "train" not in found:
        raise ValueError("no train_file; give the training table, which also defines the labels")
    uses = {"train": "are trained on", "dev": "select the checkpoint"}
    for one, part in (("dev", "test"), ("train", "dev"), ("train", "test")):
        if one in found and part in found and found[one].resolve() == found[part].resolve():
            given = f"hub_splits names one split for {one} and {part}" if hub else f"{part}_file is {one}_file as well"
            raise ValueError(
                f"{given} ({found[part]}), so {part} scores would be those of examples that {uses[one]}; name another "
                f"one, or none: {part} is then cut from the training file ({part}_share)"
            )
    split = shares(0.0 if "dev" in found else dev_share, 0.0 if "test" in found else test_share)
    if "dev" not in found and not split.dev:
        raise ValueError("dev_share is 0 and there is no dev_file; a dev part is needed to select the checkpoint")
    return TaskFiles(found["train"], split, found.get("dev"), found.get("test"))


def find_table(data_dir: str, name: str) -> Path:
    """A file by its name, as it is or compressed.

    Raises:
        FileNotFoundError: there is none; says which tables are there.
        ValueError: it occurs twice.
    """
    path = Path(data_dir) / name
    found = [other for other in (path, *(path.with_name(f"{path.name}{end}") for end in SUFFIXES)) if other.is_file()]
    if len(found) > 1:
        raise ValueError(f"{path.parent} contains {' and '.join(file.name for file in found)}; keep one of them")
    if found:
        return found[0]
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{path}: the folder {path.parent} does not exist; set data_dir or the name of the file"
        )
    there = sorted(file.name for file in path.parent.iterdir() if file.is_file())
    listed = ", ".join(there[:6]) + (", ..." if len(there) > 6 else "")
    raise FileNotFoundError(f"{path} does not exist, plain or compressed; {path.parent} contains {listed or 'no file'}")
