"""The search of a study: points proposed by Optuna's TPE, which then are arms like the declared ones."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert.run_files import read_metrics
from experiments.studies.arms import TEACHER, Point
from experiments.studies.declaration import SearchPart, SearchRange
from experiments.studies.locks import FileLock
from experiments.studies.metric import no_such_figure
from experiments.studies.plan import CORPUS, DISTIL, Plan
from experiments.studies.status import ENDED, Status

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import JournalStorage

_DECLARED = "declared"
"""Attribute of the search that holds what its values mean."""
_WHOLE = "whole"
"""Mark of a trial whose values are all written; a worker killed while it asked leaves one without it."""


class Search:
    """Proposes points, and tells Optuna what came of them.

    Args:
        storage: the journal, which holds the search beside the runs.
        name: the study's name.
        part: what to search.
        metric: figure that decides, as STAGE/KEY.
        folder: the study's folder.
        enter: makes the plan with these points, writes it and enters its runs; called while holding the study's lock.

    Raises:
        ValueError: the journal holds a search of other options, or by another metric; says what differs.
    """

    def __init__(
        self,
        storage: "JournalStorage",
        name: str,
        part: SearchPart,
        metric: str,
        folder: Path,
        enter: Callable[[tuple[Point, ...]], Plan],
    ) -> None:
        self._storage = storage
        self._name = f"{name}/search"
        self._part = part
        self._metric = metric
        self._stage, _, self._key = metric.partition("/")
        self._folder = folder
        self._enter = enter
        self._lock = FileLock(folder / "locks" / "study.lock")
        self._study: Study = self._open()

    def points(self) -> tuple[Point, ...]:
        """All points proposed so far, by any worker."""
        trials = self._study.get_trials(deepcopy=False)
        return tuple(Point(trial.number, dict(trial.params)) for trial in trials if _WHOLE in trial.user_attrs)

    def propose(self, plan: Plan, status: Mapping[str, Status]) -> Plan:
        """Tell what has ended; where no point waits to be started and there is budget, propose another.

        Returns:
            The plan with all points; the same object where there is no new one.

        Raises:
            ValueError: a run that ended well does not have the metric; names the figures that it has.
        """
        with self._lock.held():
            self._tell(plan, status)
            points = self.points()
            if len(points) == sum(1 for arm in plan.arms if arm.name in {point.name for point in points}):
                first = [run for run in plan.runs if run.stage in (CORPUS, TEACHER, DISTIL)]
                held_up = any(status[run.label] == "waiting" for run in first)
                ready = any(status[run.label] == "ready" for run in plan.runs)
                if held_up or ready or len(points) >= self._part.trials:
                    return plan
                self._ask(len(points))
            return self._enter(self.points())

    def _open(self) -> "Study":
        import optuna

        direction = self._part.direction
        study = optuna.create_study(
            storage=self._storage, study_name=self._name, direction=direction, load_if_exists=True
        )
        options = {name: asdict(values) for name, values in self._part.options.items()}
        now = {"metric": self._metric, "search.direction": direction, "search.options": options}
        before = study.user_attrs.get(_DECLARED, now)
        for key, value in now.items():
            if before[key] != value:
                raise ValueError(
                    f"{key}: the search in this folder was begun with {before[key]}, now it is {value}. Undo the "
                    "change, or take another --name"
                )
        if _DECLARED not in study.user_attrs:
            study.set_user_attr(_DECLARED, now)
        return study

    def _ask(self, count: int) -> None:
        """One more point. The seed moves with their number, so that a restart does not propose the first one again."""
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if _WHOLE not in trial.user_attrs:
                self._study.tell(trial.number, state=TrialState.FAIL)
        self._study.sampler = TPESampler(seed=self._part.seed + count)
        asked = self._study.ask({option: _distribution(values) for option, values in self._part.options.items()})
        asked.set_user_attr(_WHOLE, True)

    def _tell(self, plan: Plan, status: Mapping[str, Status]) -> None:
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            name = Point(trial.number, {}).name
            runs = [run for run in plan.runs if run.arm == name]
            if not runs or any(status[run.label] not in ENDED for run in runs):
                continue
            decided = next(run for run in runs if run.stage == self._stage)
            if status[decided.label] != "done":
                self._study.tell(trial.number, state=TrialState.FAIL)
                continue
            metrics = read_metrics(self._folder / decided.label)
            if self._key not in metrics:
                raise ValueError(no_such_figure(self._metric, decided.label, metrics, ("best/", "val/")))
            self._study.tell(trial.number, float(metrics[self._key]))


def _distribution(values: SearchRange) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if values.choices is not None:
        return CategoricalDistribution(values.choices)
    low, high = values.low, values.high
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=values.log)
    assert low is not None  # a SearchRange without choices has both ends
    assert high is not None
    return FloatDistribution(low, high, log=values.log)
