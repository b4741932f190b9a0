"""Check a plan before its first run: the trainer's own parser takes every command, and the arms differ.

A mistake that would surface hours later, in the last arm, surfaces here. Nothing is instantiated.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from jsonargparse import ArgumentError, Namespace

from distilkobert.stop_signals import StopSignals
from experiments._shared.parsing.explanations import explain
from experiments._shared.parsing.parsers import StrictParser
from experiments._shared.plan_file import CORPUS, DISTIL, TEACHER, Arm, Plan, PlannedRun
from experiments._shared.settings import places_of
from experiments._shared.trainer_cli import TRAINER_OPTIONS, TrainerCLI
from experiments._shared.training.data_tokenizer import AUTO
from experiments.study.plan.mappings import group_args

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""How ids on the Hugging Face hub look: `name` or `owner/name`; so does many a folder's path."""
_MODELS = ("model.teacher", "model.init_from")
"""Options that take a checkpoint too."""
_ON_HUB = (*_MODELS, "data.tokenizer")

TASK_DISTILLATION = "TaskDistillation"
_EXPECTED = f"expected {TASK_DISTILLATION}: add configs/finetune/distil.yaml to its configs"


@dataclass
class Lack:
    """What the runs of a plan name that is not there, each with the key and the option that name it.

    Args:
        missing: folders that are not there.
        asked: names that are no folder here and have the form of a hub id, so that the run will ask the hub.
    """

    missing: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, key: str, settings: Mapping[str, Any], made: Path) -> None:
        """Look for what a run with these settings reads; what was looked for already is passed over.

        Args:
            key: the key of the study file that the run comes from.
            settings: the settings that its command comes to.
            made: the study's folder; what is below it is made by the study.
        """
        for option, name in _sources(settings):
            if (option, name) in self._seen:
                continue
            self._seen.add((option, name))
            there = bool(name) and (Path(name).is_dir() or (option in _MODELS and Path(name).is_file()))
            if there or made.resolve() in Path(name).resolve().parents:
                continue
            on_hub = option in _ON_HUB and _HUB_ID.fullmatch(name) and not name.endswith(".ckpt")
            (self.asked if on_hub else self.missing).append(f"{key}: {option}={name or repr(name)}")


def _sources(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options that name what is read, with their values; an option that the run does not have is left out."""
    for part, name in (("data", "data_dir"), ("model", "teacher"), ("model", "init_from"), ("data", "tokenizer")):
        for place in places_of(settings[part].get("init_args", {}).get(name)):
            if place != AUTO:
                yield f"{part}.{name}", place
    if probe := settings["probe"]["data_dir"]:
        yield "probe.data_dir", probe


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

    def resolve(self, args: Sequence[str]) -> dict[str, Any]:
        """The settings that these arguments of `experiments.train` come to, without seed and run folder.

        Raises:
            ValueError: the trainer would refuse them; in its words.
        """
        try:
            cast(StrictParser, self.parser).forget_files()
            settings = self.parser.parse_args(list(args))[args[0]].as_dict()
        except (ArgumentError, ValueError, OSError) as error:
            raise ValueError(explain(str(error), ())) from error
        except SystemExit as end:
            raise ValueError("one of these arguments prints the help and starts nothing") from end
        for part in ("model", "data"):
            if settings[part].get("dict_kwargs"):
                names = ", ".join(f"{part}.{name}" for name in settings[part]["dict_kwargs"])
                raise ValueError(f"{names}: {settings[part]['class_path']} has no such option")
        for name in ("config", "run", "seed_everything"):
            del settings[name]
        settings["data"].get("init_args", {}).pop("seed", None)
        return dict(json.loads(json.dumps(settings, default=str)))


def check_plan(plan: Plan, folder: Path, samples: Collection[str] = ()) -> Lack:
    """Parse the teacher, every arm and every task once, and compare what the arms come to.

    Args:
        plan: the plan.
        folder: the study's folder; what is below it is made by the study.
        samples: arms at the ends of a search; they may have the same settings as others.

    Returns:
        What the runs read that is not there.

    Raises:
        ValueError: a command is refused, two arms have the same settings, or an argument changes nothing; names
            the arm.
    """
    parser = CommandParser()
    arms = {arm.name: arm for arm in plan.arms}
    seen: dict[str, str] = {}
    plain: dict[str, dict[str, Any]] = {}
    lack = Lack()
    for run in _first_runs(plan):
        arm = arms.get(run.arm)
        key = _key(run, arm)
        try:
            settings = parser.resolve(run.commands[0][1:])
        except ValueError as error:
            no_teacher = arm is not None and arm.taught_from and re.search("'(teacher|init_from)' is not", str(error))
            raise ValueError(f"{key}: {error}{f'; {_EXPECTED}' if no_teacher else ''}") from error
        lack.add(key, settings, folder)
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


def _first_runs(plan: Plan) -> Iterator[PlannedRun]:
    """The first training of the teacher and of each arm; of each task one, one with a teacher, one of each special arm.

    Special are models that are not distilled, and arms with options of their own for fine-tuning.
    """
    seen: set[tuple[str, str]] = set()
    usual = [arm for arm in plan.arms if arm.init_from is None and not arm.fine_tuning]
    same = {arm.name: "taught" if arm.taught_from else "" for arm in usual}
    for run in plan.runs:
        key = (run.stage, same.get(run.arm, run.arm) if run.stage in plan.tasks else run.arm)
        if run.stage != CORPUS and key not in seen:
            seen.add(key)
            yield run


def _key(run: PlannedRun, arm: Arm | None) -> str:
    """The key of the study file that a run comes from."""
    if run.stage == DISTIL:
        return f"arm {run.arm}"
    if run.stage == TEACHER:
        return "teacher"
    if arm is not None and arm.init_from is not None:
        return f"models.{run.arm} in then.{run.stage}"
    if arm is not None and arm.fine_tuning:
        return f"arm_fine_tuning.{run.arm} in then.{run.stage}"
    return f"then.{run.stage}" if arm is None or arm.taught_from is None else f"then.{run.stage}.distil"
