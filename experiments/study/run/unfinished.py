"""What is left to do of a run, by what it has left in its folder; that is what makes a restart go on.

A training that was killed or stopped resumes from its last checkpoint, bit for bit; one that has none starts again.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from distilkobert.corpus.manifest import MANIFEST_NAME
from distilkobert.io.locks import LOCK_FILE, only_process
from distilkobert.io.metric_names import LIMITED_TEST, STEPS, TEST, VAL, VAL_STEP, has_any
from distilkobert.io.prediction_files import read_records
from distilkobert.io.run_files import CONFIG_FILE, METRICS_FILE, read_metrics, why_unfinished
from experiments._shared.exported.latency_file import model_key, read_latencies
from experiments._shared.parsing.words import option_values
from experiments._shared.plan_file import CORPUS, Command, Plan, PlannedRun
from experiments._shared.run.results import differing_owner, no_numbers


@dataclass(frozen=True)
class UnfinishedWork:
    """What is left of a run.

    Args:
        commands: to be executed, in this order; empty where the run is whole.
        notes: what was found that is not as a run leaves it, and what becomes of it.
        remove: files and folders that must be gone before.
        for_others: the run's own results are whole; what is missing is read only by runs that need it.
    """

    commands: tuple[Command, ...]
    notes: tuple[str, ...] = ()
    remove: tuple[Path, ...] = ()
    for_others: bool = False

    def clear(self) -> None:
        """Remove what is in the way."""
        for path in self.remove:
            if path.is_dir():
                with only_process(path / LOCK_FILE, f"the run folder {path}"):  # somebody may have started it by hand
                    shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def unfinished_work(run: PlannedRun, study: Path, plan: Plan | None = None) -> UnfinishedWork:
    """What is left of `run` in the study's folder `study`.

    Args:
        run: the run.
        study: the study's folder, which may be a copy without weights and corpus.
        plan: what is to be run: what only its whole runs have read is not made again, and a fine-tuned teacher without
            its checkpoint is trained again for a run that still reads it. Without a plan neither counts.
    """
    left = _left(run, study)
    gone = _missing(run.commands[1:]) if run.export is None and not left.commands else []
    readers = [other for other in plan.runs if run.label in other.needs] if plan else []
    if not readers or not (gone or (left.commands and left.for_others)):
        return left
    if not any(unfinished_work(reader, study, plan).commands for reader in readers):
        return UnfinishedWork(())
    if left.commands:
        return left
    return UnfinishedWork(run.commands, (f"{gone[0]} is missing, which other runs read",), (study / run.label,))


def _left(run: PlannedRun, study: Path) -> UnfinishedWork:
    """What is left of a run for itself and for all that need it."""
    folder, export = study / run.label, study / run.export if run.export else None
    if run.commands[0][:2] != ("experiments.train", "fit"):
        left = tuple(command for command in run.commands if not _made(command, folder))
        return UnfinishedWork(left, for_others=run.stage == CORPUS)
    notes: list[str] = []
    remove: list[Path] = []
    try:
        metrics = read_metrics(folder)
    except (ValueError, OSError) as error:
        notes.append(f"broken {METRICS_FILE} ({error})")
        metrics, remove = {}, [folder / METRICS_FILE]
    other = differing_owner(metrics, run.stage, run.arm, run.seed)
    if other:  # so is everything next to it
        notes.append(f"its {METRICS_FILE} is that of {other}")
    strange = no_numbers(metrics, TEST if export is None else VAL)
    if strange:
        notes.append(f"{strange[0]} in its {METRICS_FILE} is not a number ({metrics[strange[0]]!r})")
    # A model that is exported is measured as it is exported; one killed before that resumes at its end and is measured.
    measured = export is None or (metrics.get(VAL_STEP) == metrics.get(STEPS) and not strange)
    last_result = export.is_dir() if export else not strange and _tested(metrics, folder, notes)
    after = () if last_result else run.commands[1:]
    is_whole = bool(metrics) and not why_unfinished(metrics) and measured and not other
    if is_whole:
        gone = _missing(after)
        if not gone:
            return UnfinishedWork(after, tuple(notes), tuple(remove))
        notes.append(f"{gone[0]} is missing, which `{after[0][0]}` reads")
    last, config = folder / "checkpoints" / "last.ckpt", folder / CONFIG_FILE
    if last.is_file() and config.is_file() and not other:
        fit = ("experiments.train", "fit", "-c", str(config), f"--ckpt_path={last}")
        return UnfinishedWork((fit, *after), tuple(notes), tuple(remove))
    remove = [path for path in (folder, export) if path is not None and path.exists()]
    return UnfinishedWork(run.commands, tuple(notes), tuple(remove), for_others=is_whole and export is not None)


def _missing(commands: Sequence[Command]) -> list[str]:
    """The checkpoints that commands read and that are not there, as in a copy of the study without weights."""
    read = [name for command in commands for name in option_values(command, "--ckpt_path", "--checkpoint")]
    return [name for name in read if not Path(name).is_file()]


def _tested(metrics: Mapping[str, Any], folder: Path, notes: list[str]) -> bool:
    """Whether a fine-tuning has its scores and its predictions, as a report reads them; notes what is wrong."""
    if not has_any(metrics, TEST):
        return False
    if LIMITED_TEST in metrics and not _limits_its_test(folder):
        notes.append(f"tested on {metrics[LIMITED_TEST]} only, by another command")
        return False
    try:
        read_records(folder)
    except (ValueError, OSError) as error:
        notes.append(str(error))
        return False
    return True


def _limits_its_test(folder: Path) -> bool:
    """Whether the run's own configuration lets its test read a part of the batches; 1.0 is all of them, 1 is one."""
    try:
        limit = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))["trainer"]["limit_test_batches"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return False  # the test that follows reads the file, and says what is wrong with it
    return limit is not None and not (isinstance(limit, float) and limit == 1.0)


def _made(command: Command, folder: Path) -> bool:
    """Whether a command that trains nothing has left what it makes."""
    if command[:2] == ("experiments.prepare", "corpus"):
        return (folder / MANIFEST_NAME).is_file()
    output = Path(option_values(command, "--output")[-1])
    named = [Path(word) for word in command[command.index("--models") + 1 :] if not word.startswith("--")]
    there = [model for model in named if model.is_dir()]
    try:
        measured = set(read_latencies(output).models)
    except (OSError, ValueError):
        return False
    # Each model as it is now, and none that the study has no more.
    since = output.stat().st_mtime_ns
    if any(file.stat().st_mtime_ns > since for model in there for file in model.iterdir()):
        return False
    wanted, known = ({model_key(output.parent, model) for model in part} for part in (there, named))
    return wanted <= measured <= known
