"""The arms of a study: declared ones times the axes, and the controls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from experiments._shared.plan_file import TEACHER, ArmKind
from experiments.study.plan.args import check_args, check_name, check_names
from experiments.study.plan.declaration import SearchPart, Study

MLM_ONLY_CONFIG = "configs/ablation/mlm_only.yaml"
MAX_SEED = 2**32 - 1
"""NumPy's generator takes no larger one."""


@dataclass(frozen=True)
class Arm:
    """One thing that is compared.

    Args:
        name: part of its folders' names.
        kind: a student of the question, a control, or the teacher.
        args: what its distillation adds to the base.
        seeds: its seeds.
        axes: axis to the label that it has there.
    """

    name: str
    kind: ArmKind
    args: tuple[str, ...]
    seeds: tuple[int, ...]
    axes: Mapping[str, str] = field(default_factory=dict)


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
    """All arms in the order of the table: the teacher, the students, the points of the search, the controls.

    Raises:
        ValueError: a name repeats or cannot be a folder, an arm sets what the study sets, two arms have the same
            args, or seeds or the base arm name an arm that does not exist.
    """
    students = _students(study)
    controls = [name for name in study.controls if name != TEACHER]
    if len(set(study.controls)) != len(study.controls):
        raise ValueError(f"controls: {study.controls} names a control twice")
    trials = max(study.search.trials if study.search else 0, len(points))
    searched = [Point(number, {}).name for number in range(trials)]
    names = [*(name for name, _, _ in students), *searched, *study.controls]
    check_names(names, "arms (controls are arms too; `controls: []` leaves them out)")
    for name in study.arm_seeds:
        if name not in names:
            raise ValueError(f"arm_seeds.{name}: no such arm; the arms are {', '.join(names)}")
    if any(name == TEACHER for name, _, _ in students):
        raise ValueError(f"arms.{TEACHER}: this is the name of the teacher itself; name the arm otherwise")
    base = base_arm(study)
    base_args = next(args for name, args, _ in students if name == base)
    special = {"undistilled": ("--trainer.max_steps=0",), "mlm_only": ("-c", MLM_ONLY_CONFIG)}
    arms = [Arm(TEACHER, "teacher", (), _seeds(study, TEACHER))] if TEACHER in study.controls else []
    arms += [Arm(name, "student", args, _seeds(study, name), axes) for name, args, axes in students]
    for point in points:
        labels = {option: _text(value) for option, value in point.values.items()}
        arms.append(Arm(point.name, "student", (*base_args, *point.args), (study.seeds[0],), labels))
    arms += [Arm(name, "control", (*base_args, *special[name]), _seeds(study, name)) for name in controls]
    seen: dict[tuple[str, ...], str] = {}
    for arm in arms:
        if arm.kind == "student" and arm.name not in {point.name for point in points}:
            if arm.args in seen:
                same = " ".join(arm.args) or "the base as it is"
                raise ValueError(f"the arms {seen[arm.args]} and {arm.name} are the same command ({same})")
            seen[arm.args] = arm.name
    return tuple(arms)


def base_arm(study: Study) -> str:
    """Name of the arm that the others are compared with.

    Raises:
        ValueError: it is none of the students.
    """
    names = [name for name, _, _ in _students(study)]
    base = study.base_arm or names[0]
    if base not in names:
        raise ValueError(f"base_arm: there is no arm {base!r}; the arms are {', '.join(names)}")
    return base


def _students(study: Study) -> list[tuple[str, tuple[str, ...], dict[str, str]]]:
    """Name, arguments and axes of the declared arms, multiplied by all combinations of the axes' labels."""
    for name, args in study.arms.items():
        check_name(name, "arms")
        check_args(args, f"arms.{name}")
    for axis, labels in study.axes.items():
        if not labels:
            raise ValueError(f"axes.{axis}: has no labels")
        for label, args in labels.items():
            check_name(label, f"axes.{axis}")
            check_args(args, f"axes.{axis}.{label}")
    if not study.arms and not study.axes:
        return [("distilled", (), {})]
    students = []
    for name, args in study.arms.items() if study.arms else [("", [])]:
        for combination in product(*(labels.items() for labels in study.axes.values())):
            chosen = dict(zip(study.axes, (label for label, _ in combination), strict=True))
            every = (*args, *(arg for _, more in combination for arg in more))
            students.append(("-".join(part for part in (name, *chosen.values()) if part), every, chosen))
    return students


def _seeds(study: Study, arm: str) -> tuple[int, ...]:
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
