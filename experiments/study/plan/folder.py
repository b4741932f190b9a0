"""A study's folder: `study.yaml` and `plan.json`, and whether it belongs to the study that is being started."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import yaml

from distilkobert.io.files import write_text
from distilkobert.io.run_files import write_json
from distilkobert.listing import few
from experiments._shared.parsing.config_files import settings_sum
from experiments._shared.parsing.words import CONFIG_OPTIONS, option_values
from experiments._shared.plan_file import PLAN_FILE, Plan, PlannedRun, read_plan
from experiments.study.plan.declaration import Declared, Study
from experiments.study.plan.expand import expand
from experiments.study.plan.keys import CONFIGS, TRAINING_OPTIONS, holds_options, values_at
from experiments.study.plan.mappings import from_words

STUDY_FILE = "study.yaml"


def planned(declared: Declared) -> Plan:
    """The plan of a study, with the sums of its config files; see `expand` and `config_sums` for what is refused."""
    plan = expand(declared)
    return replace(plan, configs=config_sums(declared, plan))


def config_sums(declared: Declared, plan: Plan) -> dict[str, str]:
    """Config files that the study names, with the sums of their settings: a comment may change while a study runs.

    Raises:
        FileNotFoundError: one is not there; names the key.
        ValueError: one holds no settings; names file and line.
    """
    study = declared.study
    named = {file: key for key, files in values_at(study, CONFIGS) for file in files}
    for key, words in values_at(study, TRAINING_OPTIONS):
        named |= dict.fromkeys(option_values(words, *CONFIG_OPTIONS), key)
    own = {
        file for run in plan.runs for command in run.commands[:1] for file in option_values(command, *CONFIG_OPTIONS)
    }
    sums = {}
    for file in sorted(own | set(named)):
        path = Path(file)
        if not path.is_file():
            raise FileNotFoundError(f"{named.get(file, 'controls')}: {file}: no such file; looked in {Path.cwd()}")
        sums[file] = settings_sum(path)
    return sums


def check_folder(folder: Path, plan: Plan, journal: Plan | None) -> list[str]:
    """Refuse a folder that belongs to another study.

    Args:
        folder: the study's folder.
        plan: what is to be written.
        journal: the plan that the journal knows; None where there is no journal.

    Returns:
        Runs that were declared otherwise and have left nothing yet: they may change as long as nobody runs them.

    Raises:
        ValueError: runs of the same name were made by other commands, or by nobody knows whom; says which, and what
            differs.
    """
    before = read_plan(folder)
    known = {run.label: run for one in (journal, before) if one is not None for run in one.runs}
    strangers = sorted(run.label for run in plan.runs if run.label not in known and _left(folder, run))
    if strangers:
        raise ValueError(
            f"{folder / strangers[0]} exists, but this study did not make it: no {PLAN_FILE} and no journal name it. "
            "Take another --name, or move the folder away"
        )
    left = {label: places for label, run in known.items() if (places := _left(folder, run))}
    if journal is None and not left:
        return []  # a dry run, and nothing since
    compared = (differences(one, plan) for one in (before, journal) if one is not None)
    found = next(filter(None, compared), {})
    made = [label for label in found if label in left]
    if made:
        changes = few([f"{label} {found[label]}" for label in made], separator="; ")
        places = [place for label in made for place in left[label]]
        remedy = f"what these runs have left there ({', '.join(places)})" if len(places) <= 6 else "the folder"
        raise ValueError(
            f"{folder} belongs to a study that was declared otherwise: {changes}. Undo the change, take another "
            f"--name, or remove {remedy}"
        )
    return list(found)


def _left(folder: Path, run: PlannedRun) -> list[str]:
    """Folders that a run has made, relative to the study's."""
    return [place for place in (run.label, run.export) if place and (folder / place).exists()]


def write_study(folder: Path, declared: Declared, plan: Plan) -> None:
    """Write plan.json and study.yaml, which can be started again as it is; each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    defaults = {part.name: getattr(declared.study, part.name) for part in fields(Study)}
    keys = {name: value for name, value in _plain(asdict(declared.study)).items() if defaults[name] not in (None, {})}
    keys |= {"root": _plain(declared.settings.root), "name": declared.name}
    text = yaml.safe_dump(_in_mappings(keys, ()), allow_unicode=True, sort_keys=False, width=120)
    write_text(folder / STUDY_FILE, f"# {declared.question}\n{text}")
    write_json(folder / PLAN_FILE, plan.as_json())


def _plain(value: Any) -> Any:
    """The value with the sign of variables escaped, as all variables are filled in."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _in_mappings(content: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The keys below `path` with options as a study file writes them; the other way from `read_study`."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        place = (*path, key)
        if holds_options(place):
            mappings = from_words(value, ".".join(place))
            found[key] = mappings[0] if len(mappings) == 1 else mappings
        else:
            found[key] = _in_mappings(value, place) if isinstance(value, dict) else value
    return found


def differences(before: Plan, now: Plan) -> dict[str, str]:
    """What two plans do not agree about; empty where they are the same study.

    Runs may be added: more seeds, arms and tasks do not change what is there. A run is another one when its arguments
    change, a config file that they name, or a run that it needs. The machine's words do not count: a study may go on
    with other devices or another precision, and a run's own configuration says what it had.

    Returns:
        Of every run that is another one what to say behind its label: `had '--x=1', has now '--x=2'`.
    """
    found: dict[str, str] = {}
    planned_now = {run.label: run for run in now.runs}
    changed = {file for file, sha in before.configs.items() if now.configs.get(file, sha) != sha}
    for run in before.runs:
        other = planned_now.get(run.label)
        if other is None:
            found[run.label] = "is gone"
        elif run.settings != other.settings and run.commands != other.commands:  # 0.2.0 named no words for the machine
            args, new = ([arg for command in one.settings for arg in command] for one in (run, other))
            gone, come = (" ".join(w for w in a if w not in b) for a, b in ((args, new), (new, args)))
            found[run.label] = f"had {gone or 'other arguments'!r}, has now {come or 'their order changed'!r}"
        elif files := changed.intersection(option_values(run.settings[0], *CONFIG_OPTIONS)):
            found[run.label] = f"was made with {min(files)}, which has changed"
        elif need := next((need for need in run.needs if need in found), None):
            found[run.label] = f"was made from {need}, which {found[need]}"
    return found


def on_other_machines(folder: Path, now: Plan) -> list[str]:
    """Labels of the runs in the study's folder that began with other words for the machine, by its plan.json."""
    before, commands = read_plan(folder), {run.label: run.commands for run in now.runs}
    runs = before.runs if before else ()
    return [run.label for run in runs if commands.get(run.label, run.commands) != run.commands and _left(folder, run)]


def together(before: Plan | None, now: Plan) -> Plan:
    """A plan with all that either of two has; `now` as it is where nothing is missing in it."""
    if before is None:
        return now
    names, labels = {arm.name for arm in now.arms}, {run.label for run in now.runs}
    return replace(
        now,
        arms=(*now.arms, *(arm for arm in before.arms if arm.name not in names)),
        runs=(*now.runs, *(run for run in before.runs if run.label not in labels)),
        tasks=(*now.tasks, *(task for task in before.tasks if task not in now.tasks)),
        configs={**before.configs, **now.configs},
    )
