"""What the subtasks are scored by: one description for every column of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from distilkobert.io.metric_names import BEST, TEST, VAL
from distilkobert.tasks.data_sets import DATASETS, kind_of_recipe
from distilkobert.tasks.kinds import SEQUENCE_CLASSIFICATION, Score, TaskKind, kind_of_scores
from experiments.report.reading.runs import Run, Study


@dataclass(frozen=True)
class Metric:
    """A score of one fine-tuning recipe.

    Args:
        stage: the recipe.
        kind: what kind of task it is.
        score: one of the kind's.
        main: it is the one for the task where a single number is wanted: that by which the best checkpoints were
            chosen, or the kind's main one.
    """

    stage: str
    kind: TaskKind
    score: Score
    main: bool = True

    @property
    def task(self) -> str:
        """See `task_title`."""
        return task_title(self.stage)

    @property
    def heading(self) -> str:
        """Column heading, such as `NSMC accuracy`."""
        return f"{self.task} {self.score.title}"

    def percent(self, run: Run, form: str = "") -> float | None:
        """The run's score in per cent, or that of a form that it exports (`int8/`); None where it has none."""
        return run.number(f"{form}{TEST}{self.score.key}", self.score.scale)


def task_title(recipe: str) -> str:
    """Title of a data set, such as `NSMC`, by its recipe; a recipe that is not shipped keeps its own name."""
    titles: dict[str, str] = {known.name: known.title for known in DATASETS}
    return titles.get(recipe, recipe)


def metrics_of(study: Study) -> tuple[Metric, ...]:
    """The scores that the study's tasks are measured by, in the tasks' order."""
    return tuple(metric for stage in study.tasks for metric in _of_stage(stage, study.of(stage)))


def _of_stage(stage: str, runs: Sequence[Run]) -> list[Metric]:
    kind = task_kind(stage, runs)
    chosen_by = {score.key for score in kind.scores if any(f"{BEST}{VAL}{score.key}" in run.metrics for run in runs)}
    main = kind.main_score.key if len(chosen_by) != 1 else next(iter(chosen_by))
    shown = [score for score in kind.scores if not score.minor or score.key in chosen_by]
    return [Metric(stage, kind, score, score.key == main) for score in shown]


def task_kind(stage: str, runs: Sequence[Run]) -> TaskKind:
    """Kind of a task, from the scores that its runs have or, while there are none, from its name."""
    for run in runs:
        if kind := kind_of_scores(name.removeprefix(TEST) for name in run.metrics if name.startswith(TEST)):
            return kind
    return kind_of_recipe(stage) or SEQUENCE_CLASSIFICATION
