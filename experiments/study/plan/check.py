"""Check a plan before its first run: the trainer takes the settings of every command, and the arms differ.

A mistake that would surface hours later, in the last arm, surfaces here. No data is read, no network built.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from jsonargparse import ArgumentError, Namespace

from distilkobert.stop_signals import StopSignals
from experiments._shared.command_checks import refuse_other_seeds
from experiments._shared.parsing.explanations import explain
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.plan_file import CORPUS, DISTIL, TEACHER, Arm, Plan, PlannedRun
from experiments._shared.trainer_cli import TRAINER_OPTIONS, TrainerCLI
from experiments.study.plan.lack import Lack
from experiments.study.plan.mappings import group_args
from experiments.study.plan.values import check_tested, check_values

TASK_DISTILLATION = "TaskDistillation"
_EXPECTED = f"expected {TASK_DISTILLATION}: add configs/finetune/distil.yaml to its configs"


class CommandParser(TrainerCLI):
    """The trainer's parser alone."""

    def __init__(self) -> None:
        strict = {"exit_on_error": False}
        kwargs = {**strict, **{name: dict(strict) for name in self.subcommands()}}
        super().__init__(StopSignals(), ExitStack(), **TRAINER_OPTIONS, parser_kwargs=kwargs)

    def parse_arguments(self, parser: Any, args: Any) -> None:
        """Nothing is parsed yet, and no seed is set."""
        self.config = Namespace(subcommand=None, seed_everything=False)  # type: ignore[no-untyped-call]

    def before_instantiate_classes(self) -> None:
        """There will be no run."""

    def instantiate_classes(self) -> None:
        """There is nothing to make."""

    def parse(self, args: Sequence[str]) -> Namespace:
        """The settings that these arguments of `experiments.train` come to.

        Raises:
            ValueError: the trainer's parser would refuse them; in its words. Or an overlay has a seed.
        """
        try:
            cast(StrictParser, self.parser).forget_files()
            settings: Namespace = self.parser.parse_args(list(args))[args[0]].clone(with_meta=False)
        except (ArgumentError, ValueError, OSError) as error:
            raise ValueError(explain(str(error), ())) from error
        except SystemExit as end:
            raise ValueError("one of these arguments prints the help and starts nothing") from end
        for part in ("model", "data"):
            if settings[part].get("dict_kwargs"):
                names = ", ".join(f"{part}.{name}" for name in settings[part]["dict_kwargs"])
                raise ValueError(f"{names}: {settings[part]['class_path']} has no such option")
        files = cast(StrictParser, self._parser(args[0])).config_files
        refuse_other_seeds((), files)
        for file in files:
            if "seed_everything" in file.lines and not file.classes:  # a recipe's is its default
                raise ValueError(f"{file.place('seed_everything')}: seed_everything is set by the study; write `seeds`")
        return settings

    def resolve(self, args: Sequence[str]) -> dict[str, Any]:
        """The same in plain types, without seed and run folder; raises as `parse`."""
        return in_plain_types(self.parse(args))


def in_plain_types(config: Namespace) -> dict[str, Any]:
    """Parsed settings in plain types, without seed and run folder."""
    settings = config.as_dict()
    for name in ("config", "run", "seed_everything"):
        del settings[name]
    settings["data"].get("init_args", {}).pop("seed", None)
    return dict(json.loads(json.dumps(settings, default=str)))


def check_plan(plan: Plan, folder: Path, samples: Collection[str] = (), wanted: Plan | None = None) -> Lack:
    """Parse the teacher, every arm and every task once, and compare what the arms come to.

    Args:
        plan: the plan.
        folder: the study's folder; what is below it is made by the study.
        samples: arms at the ends of a search; they may have the same settings as others.
        wanted: the part of the plan that is to run; all of it by default.

    Returns:
        What the runs read that is not there.

    Raises:
        ValueError: a command or a value in it is refused, two arms have the same settings, or an argument changes
            nothing; names the arm.
    """
    parser = CommandParser()
    arms = {arm.name: arm for arm in plan.arms}
    seen: dict[str, str] = {}
    plain: dict[str, dict[str, Any]] = {}
    alike = _likeness(plan)
    now: list[tuple[str, dict[str, Any]]] = []
    later: list[tuple[str, dict[str, Any]]] = []
    runs_now = {alike(run) for run in (wanted or plan).runs}
    for run in _first_runs(plan, alike):
        arm = arms.get(run.arm)
        key = _key(run, arm)
        try:
            config = parser.parse(run.commands[0][1:])
            settings = in_plain_types(config)  # before objects are made of it
            check_values(config)
            if run.stage in plan.tasks:
                check_tested(config)
        except ValueError as error:
            no_teacher = arm is not None and arm.taught_from and re.search("'(teacher|init_from)' is not", str(error))
            raise ValueError(f"{key}: {error}{f'; {_EXPECTED}' if no_teacher else ''}") from error
        (now if alike(run) in runs_now else later).append((key, settings))
        if run.stage in plan.tasks and arm is not None:
            _check_task(key, settings, None if arm.taught_from is None else plain[run.stage])
            plain.setdefault(run.stage, settings)
        if run.stage != DISTIL or run.arm in samples:
            continue
        text = json.dumps(settings, sort_keys=True)
        if text in seen:
            raise ValueError(f"the arms {seen[text]} and {run.arm} have the same settings; one of them is enough")
        seen[text] = run.arm
        if arms[run.arm].kind == "student" and not arms[run.arm].axes:
            _check_effect(parser, arms[run.arm], run, settings)
    lack = Lack()
    for part in (now, later):
        for key, settings in part:
            lack.add(key, settings, folder, wanted=part is now)
    return lack


def _check_task(key: str, settings: Mapping[str, Any], of_teacher: Mapping[str, Any] | None) -> None:
    """Refuse a plain recipe that distils, and one that does not, or whose data are not its teacher's, as the other.

    Args:
        key: the key of the study file.
        settings: of a fine-tuning.
        of_teacher: of the teacher's fine-tuning where `settings` are those of a distillation on the task.
    """
    distils = settings["model"]["class_path"].rpartition(".")[2] == TASK_DISTILLATION
    if of_teacher is None:
        if distils:
            raise ValueError(
                f"{key}: the recipe is a {TASK_DISTILLATION}, whose teacher the study fine-tunes on this task itself; "
                f"write the task's own recipe here, and the config file of the distillation under {key}.distil.configs"
            )
        return
    if not distils:
        found = settings["model"]["class_path"].rpartition(".")[2]
        raise ValueError(f"{key}: the module is {found}; {_EXPECTED}")
    for name in ("class_path", "kind", "labels", "tokenizer"):
        mine, its = (
            part["data"].get(name, part["data"].get("init_args", {}).get(name)) for part in (settings, of_teacher)
        )
        if mine != its:
            raise ValueError(
                f"{key}: the teacher is fine-tuned with data.{name}={its}, the student would learn from it with "
                f"{mine}; both must be of one task"
            )


def _check_effect(parser: CommandParser, arm: Arm, run: PlannedRun, settings: Mapping[str, Any]) -> None:
    """Refuse an argument without which an arm's settings are the same; an axis may have the base's value as a label."""
    args, length = run.commands[0][1:], len(arm.args)
    start = next(place for place in range(len(args)) if args[place : place + length] == arm.args)
    groups = group_args(arm.args, arm.name)
    for place, group in enumerate(groups):
        others = [arg for other in groups[:place] + groups[place + 1 :] for arg in other]
        try:
            without = parser.resolve([*args[:start], *others, *args[start + length :]])
        except ValueError:
            continue  # the other arguments need this one
        if without == settings:
            raise ValueError(
                f"arms.{arm.name}: {' '.join(group)} changes nothing, the base has these values already; change it"
            )


def _likeness(plan: Plan) -> Callable[[PlannedRun], tuple[str, str]]:
    """What runs have in common that are checked once: the stage, and the arm; on a task only an arm that is special.

    Special are models that are not distilled, arms with options of their own for fine-tuning, and students that a
    teacher teaches the task, as one.
    """
    usual = [arm for arm in plan.arms if arm.init_from is None and not arm.fine_tuning]
    same = {
        (task, arm.name): "taught" if arm.taught_from else ""
        for arm in usual
        for task in plan.tasks
        if task not in arm.task_fine_tuning
    }
    return lambda run: (run.stage, same.get((run.stage, run.arm), run.arm))


def _first_runs(plan: Plan, alike: Callable[[PlannedRun], tuple[str, str]]) -> Iterator[PlannedRun]:
    """The first run of each likeness; preparing a corpus has nothing to check."""
    seen: set[tuple[str, str]] = set()
    for run in plan.runs:
        if run.stage != CORPUS and alike(run) not in seen:
            seen.add(alike(run))
            yield run


def _key(run: PlannedRun, arm: Arm | None) -> str:
    """The key of the study file that a run comes from."""
    if run.stage == DISTIL:
        return f"arm {run.arm}"
    if run.stage == TEACHER:
        return "teacher"
    if arm is not None and run.stage in arm.task_fine_tuning:
        return f"then.{run.stage}.arm_fine_tuning.{run.arm}"
    if arm is not None and arm.init_from is not None:
        return f"models.{run.arm} in then.{run.stage}"
    if arm is not None and arm.fine_tuning:
        return f"arm_fine_tuning.{run.arm} in then.{run.stage}"
    return f"then.{run.stage}" if arm is None or arm.taught_from is None else f"then.{run.stage}.distil"
