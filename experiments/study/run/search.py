"""The search of a study: points proposed by Optuna's TPE, which then are arms like the declared ones."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distilkobert.io.metric_names import BEST, VAL
from distilkobert.io.run_files import read_metrics
from experiments._shared.plan_file import CORPUS, DISTIL, TEACHER, Plan
from experiments.study.plan.arms import Point
from experiments.study.plan.declaration import SearchPart, SearchRange
from experiments.study.run.locks import FileLock
from experiments.study.run.metric import direction_of, no_such_metric
from experiments.study.run.status import ENDED, Status

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import JournalStorage
    from optuna.trial import FrozenTrial

_DECLARED = "declared"
"""Attribute of the search that holds what its values mean."""
_WHOLE = "whole"
"""Mark of a trial whose values are all written; a worker killed while it asked leaves one without it."""

_RETOLD = "retold"
"""Mark of a trial that tells what became of a point that had failed: that point's number."""


@dataclass
class Search:
    """Proposes points, and tells Optuna what came of them.

    Args:
        storage: the journal, with the search and the runs.
        name: the study's name.
        part: what to search.
        metric: deciding metric, as STAGE/KEY.
        folder: the study's folder.
        enter: makes the plan with these points, writes it and enters its runs; called while holding the study's lock.

    Raises:
        ValueError: the journal holds a search of other options, or by another metric; says what differs.
    """

    storage: "JournalStorage"
    name: str
    part: SearchPart
    metric: str
    folder: Path
    enter: Callable[[tuple[Point, ...]], Plan]

    def __post_init__(self) -> None:
        self._stage, _, self._key = self.metric.partition("/")
        self._lock = FileLock(self.folder / "locks" / "study.lock")
        self._direction = self.part.direction or direction_of(self.metric)
        self._study: Study | None = None
        self._load()

    def points(self) -> tuple[Point, ...]:
        """All points proposed so far, by any worker."""
        return tuple(Point(trial.number, dict(trial.params)) for trial in self._trials() if _WHOLE in trial.user_attrs)

    def propose(self, plan: Plan, status: Mapping[str, Status]) -> Plan:
        """Tell what has ended; where no point waits to be started and there is budget, propose another.

        Returns:
            The plan with all points; the same object where there is no new one.

        Raises:
            ValueError: a run that ended well does not have the metric; names the metrics that it has.
        """
        with self._lock.held():
            self._load()
            self._tell(plan, status)
            points = self.points()
            if len(points) == sum(1 for arm in plan.arms if arm.name in {point.name for point in points}):
                first = [run for run in plan.runs if run.stage in (CORPUS, TEACHER, DISTIL)]
                held_up = any(status[run.label] == "waiting" for run in first)
                ready = any(status[run.label] == "ready" for run in plan.runs)
                if held_up or ready or len(points) >= self.part.trials or not self._metric_is_there(plan, status):
                    return plan
                self._ask(len(points))
            return self.enter(self.points())

    def best(self) -> str:
        """The best point, in words; empty while none has been measured."""
        measured = [trial for trial in self._trials() if trial.value is not None]
        if self._study is None or not measured:
            return ""
        best = self._study.best_trial
        values = ", ".join(f"{option}={value}" for option, value in best.params.items())
        name = Point(best.user_attrs.get(_RETOLD, best.number), {}).name
        return (
            f"best of {len(measured)} points by {self.metric}, {self._direction}: {name} ({values}): {best.value:.4f}"
        )

    def _trials(self) -> "list[FrozenTrial]":
        return self._study.get_trials(deepcopy=False) if self._study else []

    def _load(self, *, make: bool = False) -> None:
        """Open the search if any worker has begun it; until then its declaration may change."""
        import optuna

        name = f"{self.name}/search"
        if self._study is not None or (not make and name not in optuna.get_all_study_names(self.storage)):
            return
        study = optuna.create_study(
            storage=self.storage, study_name=name, direction=self._direction, load_if_exists=True
        )
        options = {name: asdict(values) for name, values in self.part.options.items()}
        now = {"metric": self.metric, "search.direction": self._direction, "search.options": options}
        before = study.user_attrs.get(_DECLARED, now)
        for key, value in now.items():
            if before[key] != value:
                raise ValueError(
                    f"{key}: the search in this folder was begun with {before[key]}, now it is {value}. Undo the "
                    "change, or take another --name"
                )
        if _DECLARED not in study.user_attrs:
            study.set_user_attr(_DECLARED, now)
        self._study = study

    def _metric_is_there(self, plan: Plan, status: Mapping[str, Status]) -> bool:
        """Whether the first run of the deciding stage has the metric: a mistake in its name shows early.

        True as well where no arm's run can show it any more.

        Raises:
            ValueError: it does not have it; names the metrics that it has.
        """
        shown = [run.label for run in plan.runs if run.stage == self._stage]
        for label in shown:
            if status[label] == "done":
                self._value(label)
                return True
        return all(status[label] in ENDED for label in shown)

    def _value(self, label: str) -> float:
        metrics = read_metrics(self.folder / label)
        if self._key not in metrics:
            raise ValueError(no_such_metric(self.metric, label, metrics, (BEST, VAL)))
        return float(metrics[self._key])

    def _ask(self, count: int) -> None:
        """One more point. The seed moves with their number, so that a restart does not propose the first one again."""
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        self._load(make=True)
        assert self._study is not None
        for trial in self._trials():
            if trial.state == TrialState.RUNNING and _WHOLE not in trial.user_attrs:
                self._study.tell(trial.number, state=TrialState.FAIL)
        self._study.sampler = TPESampler(seed=self.part.seed + count)
        asked = self._study.ask({option: _distribution(values) for option, values in self.part.options.items()})
        asked.set_user_attr(_WHOLE, True)

    def _tell(self, plan: Plan, status: Mapping[str, Status]) -> None:
        """Tell Optuna what has ended. A trial ends once: a point that failed first becomes another trial."""
        from optuna.trial import TrialState, create_trial

        if self._study is None:
            return
        trials = self._trials()
        retold = {trial.user_attrs.get(_RETOLD) for trial in trials}
        for trial in trials:
            open_ = trial.state == TrialState.RUNNING
            if _WHOLE not in trial.user_attrs or not (open_ or trial.state == TrialState.FAIL):
                continue
            name = Point(trial.number, {}).name
            runs = [run for run in plan.runs if run.arm == name]
            if not runs or any(status[run.label] not in ENDED for run in runs):
                continue
            decided = next(run for run in runs if run.stage == self._stage)
            if status[decided.label] != "done":
                if open_:
                    self._study.tell(trial.number, state=TrialState.FAIL)
            elif open_:
                self._study.tell(trial.number, self._value(decided.label))
            elif trial.number not in retold:
                again = create_trial(
                    value=self._value(decided.label),
                    params=trial.params,
                    distributions=trial.distributions,
                    user_attrs={_RETOLD: trial.number},
                )
                self._study.add_trial(again)


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
