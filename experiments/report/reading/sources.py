"""Where an arm's encoder is: in its exports, or in what its fine-tuning started from."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from distilkobert.io.run_files import CONFIG_FILE
from experiments._shared.plan_file import Arm
from experiments.report.reading.runs import Run, Study


@dataclass(frozen=True)
class Origin:
    """What is known of an arm's encoder.

    Args:
        folders: that hold it.
        elsewhere: what its runs started from and what is not a folder here: hub ids, or files that are gone.
    """

    folders: tuple[Path, ...]
    elsewhere: tuple[str, ...] = ()


def origin_of(study: Study, arm: Arm) -> Origin:
    """What the arm's runs export, else what its fine-tuning, or the distillation from it, was started from.

    Args:
        study: its runs say it, or the configurations in their folders.
        arm: whose encoder is sought.
    """
    exports = [run.export for run in study.runs if run.arm == arm.name and run.export is not None]
    if exports:
        return Origin(tuple(dict.fromkeys(exports)))
    tuned = [run for run in study.runs if run.arm == arm.name and run.stage in study.tasks]
    named = [setting(run, "init_from") for run in tuned]
    if not any(named) and arm.kind == "teacher":
        named = [setting(run, "teacher") for run in study.runs if run.stage in study.distil_stages]
    sources = dict.fromkeys(source for source in named if source is not None)
    folders = [folder for folder in map(_folder, sources) if folder is not None]
    return Origin(tuple(folders), tuple(source for source in sources if not Path(source).is_dir()))


def shown_path(path: Path) -> str:
    """A path as others may read it: relative to the working directory, or only its name where it is elsewhere."""
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else absolute.name


def setting(run: Run, name: str) -> str | None:
    """A setting of the run's module; None where its configuration is not there or does not have it."""
    path = run.folder / CONFIG_FILE
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["init_args"][name]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None  # a run without its configuration has no encoder to weigh, which the size's own note says
    return value if isinstance(value, str) else None


def _folder(source: str) -> Path | None:
    """The folder of a source: itself, or the copy that the hub's client keeps of it; the network is never asked."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if Path(source).is_dir():
        return Path(source)
    try:
        return Path(snapshot_download(source, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None
