"""`plan.json` of a study: its runs with their commands, and what is compared; written by studies, read by reports."""

import json
from pathlib import Path
from typing import Any, Final, Literal, TypedDict, cast, get_args

PLAN_FILE: Final = "plan.json"

CORPUS: Final = "corpus"
DISTIL: Final = "distil"
LATENCY: Final = "latency"
"""Stages other than the teacher's and the tasks'."""
TEACHER: Final = "teacher"
"""Stage and arm."""

ArmKind = Literal["teacher", "student", "control"]


class ArmEntry(TypedDict):
    """One thing that is compared: its name, what it is compared as, and axis to label, or option to value.

    `taught_from` is the arm whose exports it fine-tunes, where the teacher that was fine-tuned on a task teaches them.
    """

    arm: str
    kind: ArmKind
    axes: dict[str, str]
    taught_from: str | None


class RunEntry(TypedDict):
    """A run: `<stage>/<arm>_seed<k>`, its folder, export and log below the study's folder, and the runs it needs."""

    label: str
    stage: str
    arm: str
    seed: int
    folder: str
    export: str | None
    log: str | None
    commands: list[list[str]]
    needs: list[str]


class PlanJson(TypedDict):
    """The whole file; `configs` are the sums of the settings in the config files that it names."""

    study: str
    question: str
    base_arm: str
    arms: list[ArmEntry]
    tasks: list[str]
    runs: list[RunEntry]
    latency: RunEntry | None
    metric: str | None
    trials: int
    points: int
    configs: dict[str, str]


_ARM_DEFAULTS: Final[dict[str, Any]] = {"axes": {}, "taught_from": None}
_RUN_DEFAULTS: Final[dict[str, Any]] = {"label": "", "export": None, "log": None, "commands": [], "needs": []}
_DEFAULTS: Final[dict[str, Any]] = {"latency": None, "metric": None, "trials": 0, "points": 0, "configs": {}}
"""What older files leave out."""


def read_plan(folder: Path) -> PlanJson | None:
    """Content of the plan in a study's folder; None where there is none.

    Raises:
        ValueError: the file is no plan; names what is wrong in it.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        return None
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not readable as JSON ({error}); start the study again to rewrite it") from error
    for key in ("arms", "runs", "tasks"):
        if not isinstance(plan, dict) or not isinstance(plan.get(key), list):
            raise ValueError(f"{path}: expected an object with a list '{key}'; start the study again to rewrite it")
    filled = _DEFAULTS | plan
    filled["arms"] = [_entry(path, _ARM_DEFAULTS, arm, f"arms[{number}]") for number, arm in enumerate(plan["arms"])]
    filled["runs"] = [_entry(path, _RUN_DEFAULTS, run, f"runs[{number}]") for number, run in enumerate(plan["runs"])]
    for number, arm in enumerate(filled["arms"]):
        where = f"arms[{number}]"
        _check(path, arm, {"kind": str, "arm": str, "axes": dict}, where)
        if arm["kind"] not in get_args(ArmKind):
            raise ValueError(f"{path}: {where} has kind {arm['kind']!r}; expected {', '.join(get_args(ArmKind))}")
    for number, run in enumerate(filled["runs"]):
        kinds = {"stage": str, "arm": str, "folder": str, "seed": int, "commands": list, "needs": list}
        _check(path, run, kinds, f"runs[{number}]")
    _check(path, filled, {"study": str, "question": str, "base_arm": str, "configs": dict}, "the plan")
    return cast(PlanJson, filled)


def _entry(path: Path, defaults: dict[str, Any], entry: Any, where: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{path}: {where} is {entry!r}; expected an object")
    return defaults | entry


def _check(path: Path, entry: dict[str, Any], kinds: dict[str, type], where: str) -> None:
    for key, kind in kinds.items():
        value = entry.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{path}: {where} has {key}={value!r}; expected a {kind.__name__}")
