"""The arms of a study: declared ones times the axes, and the controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from experiments._shared.parsing.mistakes import meant_or_known
from experiments._shared.plan_file import TEACHER, Arm
from experiments.study.plan.declaration import SearchPart, Study, TaskPart
from experiments.study.plan.keys import check_name, check_names

MLM_ONLY_CONFIG = "configs/ablation/mlm_only.yaml"
TASK_DISTIL = "+task_distil"
"""Behind the name of an arm: the row of its exports that a fine-tuned teacher taught on the tasks."""
MAX_SEED = 2**32 - 1
"""NumPy's generator takes no larger one."""


@dataclass(frozen=True)
class Point:
    """A point of the search: an arm that is known once it has been proposed.

    Args:
        number: its number, from 0.
        values: option, without dashes, to value.
    """

    number: int
    values: Mapping[str, str | int | float | bool]

    @property
    def name(self) -> str:
        """Name of its arm."""
        return f"search-{self.number:03d}"

    @property
    def args(self) -> tuple[str, ...]:
        """What its distillation adds to the base arm."""
        return tuple(f"--{option}={_text(value)}" for option, value in self.values.items())


def sample_points(search: SearchPart) -> tuple[Point, ...]:
    """Points that together hold both ends of every range and every choice, to be checked before the search."""
    values = {name: span.choices or [span.low or 0, span.high or 0] for name, span in search.options.items()}
    count = max(len(choices) for choices in values.values())
    return tuple(Point(n, {name: own[min(n, len(own) - 1)] for name, own in values.items()}) for n in range(count))


def arms_of(study: Study, points: tuple[Point, ...] = ()) -> tuple[Arm, ...]:
    """All arms in the order of the table: the teacher, the students, the points of the search, the controls, models.

    An arm that is distilled on tasks too has a second row after its own.

    Raises:
        ValueError: a name repeats or cannot be a folder, an arm sets what the study sets, two arms have the same
            args, or seeds or the base arm name an arm that does not exist.
    """
    students = declared_students(study)
    controls = [name for name in study.controls if name != TEACHER]
    if len(set(study.controls)) != len(study.controls):
        raise ValueError(f"controls: {study.controls} names a control twice")
    trials = max(study.search.trials if study.search else 0, len(points))
    searched = [Point(number, {}).name for number in range(trials)]
    declared = [arm.name for arm in students]
    taught = _taught(study, declared, controls)
    names = [*declared, *searched, *study.controls, *study.models, *(f"{name}{TASK_DISTIL}" for name in taught)]
    check_names(names, "arms (controls are arms too; `controls: []` leaves them out)")
    of_arms: list[tuple[str, Mapping[str, object], list[str], str]] = [
        ("arm_seeds", study.arm_seeds, names, ""),
        ("arm_fine_tuning", study.arm_fine_tuning, names, ""),
    ]
    for task, part in study.then.items():
        tuned = names if part.arms is None else [*part.arms, *(f"{name}{TASK_DISTIL}" for name in taught)]
        of_arms.append((f"then.{task}.arm_fine_tuning", part.arm_fine_tuning, tuned, f" on {task}"))
    for key, given, known, where in of_arms:
        for name in given:
            if name not in known:
                raise ValueError(f"{key}.{name}: no such arm{where}; {meant_or_known(name, known)}")
    if TEACHER in declared:
        raise ValueError(f"arms.{TEACHER}: this name is reserved for the teacher; choose another name")
    base = next(arm for arm in students if arm.name == base_arm(study))
    special = {"undistilled": ("--trainer.max_steps=0",), "mlm_only": ("-c", MLM_ONLY_CONFIG)}
    arms = [Arm(TEACHER, "teacher", seeds=seeds_of(study, TEACHER))] if TEACHER in study.controls else []
    arms += students
    for point in points:
        labels = {option: _text(value) for option, value in point.values.items()}
        arms.append(Arm(point.name, axes=labels, args=(*base.args, *point.args), seeds=(study.seeds[0],)))
    for name in controls:
        arms.append(Arm(name, "control", args=(*base.args, *special[name]), seeds=seeds_of(study, name)))
    for name, model in study.models.items():
        seeds = seeds_of(study, name)
        arms.append(Arm(name, "control", args=tuple(model.overrides), seeds=seeds, init_from=model.init_from))
    seen: dict[tuple[str, ...], str] = {}
    for arm in students:
        if arm.args in seen:
            same = " ".join(arm.args) or "the base as it is"
            raise ValueError(f"the arms {seen[arm.args]} and {arm.name} are the same command ({same})")
        seen[arm.args] = arm.name
    rows = [row for arm in arms for row in (arm, *([_taught_row(study, arm)] if arm.name in taught else []))]
    return tuple(replace(row, **_tuning(study, row.name)) for row in rows)


def _tuning(study: Study, name: str) -> dict[str, Any]:
    """Options of an arm's fine-tunings: of all, and by task."""
    of_tasks = {task: part.arm_fine_tuning for task, part in study.then.items()}
    return {
        "fine_tuning": tuple(study.arm_fine_tuning.get(name, ())),
        "task_fine_tuning": {task: tuple(given[name]) for task, given in of_tasks.items() if name in given},
    }


def _taught(study: Study, students: Sequence[str], controls: Sequence[str]) -> list[str]:
    """Arms that are distilled on a task, checked along with those that are fine-tuned on it."""
    found: list[str] = []
    for task, part in study.then.items():
        if part.arms == []:
            raise ValueError(f"then.{task}.arms: is empty; name arms, or leave it out for all, or remove then.{task}")
        everybody = [*students, *controls, *study.models, *study.controls]
        if unknown := [name for name in part.arms or () if name not in everybody]:
            raise ValueError(f"then.{task}.arms: no such arm {unknown[0]!r}; {meant_or_known(unknown[0], everybody)}")
        if part.distil is None:
            continue
        if part.distil.arms == []:
            raise ValueError(f"then.{task}.distil.arms: is empty; name arms, or leave it out for all declared ones")
        chosen = distilled_on(study, part)
        if unknown := [name for name in chosen if name not in (*students, *controls)]:
            known = meant_or_known(unknown[0], [*students, *controls])
            raise ValueError(f"then.{task}.distil.arms: no such student {unknown[0]!r}; {known}")
        found += chosen
    return list(dict.fromkeys(found))


def distilled_on(study: Study, part: TaskPart) -> list[str]:
    """Names of the arms whose exports are distilled on a task."""
    if part.distil is None:
        return []
    if part.distil.arms is not None:
        return part.distil.arms
    return [arm.name for arm in declared_students(study) if part.arms is None or arm.name in part.arms]


def _taught_row(study: Study, arm: Arm) -> Arm:
    name = f"{arm.name}{TASK_DISTIL}"
    seeds = seeds_of(study, name) if name in study.arm_seeds else arm.seeds
    return Arm(name, arm.kind, arm.axes, arm.name, seeds=seeds)


def base_arm(study: Study) -> str:
    """Name of the arm that the others are compared with.

    Raises:
        ValueError: it is none of the students.
    """
    names = [arm.name for arm in declared_students(study)]
    base = study.base_arm or names[0]
    if base not in names:
        raise ValueError(f"base_arm: there is no arm {base!r}; the arms are {', '.join(names)}")
    return base


def declared_students(study: Study) -> list[Arm]:
    """The declared arms, multiplied by all combinations of the axes' labels.

    Raises:
        ValueError: see `check_name`; or an axis has no labels.
    """
    for name in study.arms:
        check_name(name, "arms")
    for axis, labels in study.axes.items():
        if not labels:
            raise ValueError(f"axes.{axis}: has no labels")
        for label in labels:
            check_name(label, f"axes.{axis}")
    if not study.arms and not study.axes:
        return [Arm("distilled", seeds=seeds_of(study, "distilled"))]
    students = []
    for name, args in study.arms.items() if study.arms else [("", [])]:
        for combination in product(*(labels.items() for labels in study.axes.values())):
            chosen = dict(zip(study.axes, (label for label, _ in combination), strict=True))
            every = (*args, *(arg for _, more in combination for arg in more))
            full = "-".join(part for part in (name, *chosen.values()) if part)
            students.append(Arm(full, axes=chosen, args=every, seeds=seeds_of(study, full)))
    return students


def seeds_of(study: Study, arm: str) -> tuple[int, ...]:
    """Seeds of an arm.

    Raises:
        ValueError: see `check_seeds`.
    """
    key = f"arm_seeds.{arm}" if arm in study.arm_seeds else "seeds"
    return check_seeds(study.arm_seeds.get(arm, study.seeds), key)


def check_seeds(seeds: list[int], key: str) -> tuple[int, ...]:
    """The seeds, if they are some, different, and of the size that the random generators take.

    Raises:
        ValueError: they are not; names `key`.
    """
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0 or max(seeds) > MAX_SEED:
        raise ValueError(f"{key}: {seeds} must be one or more different whole numbers from 0 to {MAX_SEED}")
    return tuple(seeds)


def _text(value: str | int | float | bool) -> str:
    """The value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
