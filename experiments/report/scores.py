"""The task scores of a study: spread over seeds, retention of the teacher's score, difference to the base arm."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from distilkobert.io.metric_names import FILE_CONTENT, LIMITED_TEST
from experiments.report.constants import Constant, constant_answers
from experiments.report.reading.predictions import Outcomes, difference, read_outcomes
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric, metrics_of
from experiments.report.statistics import Delta, Ratio, Seeds, Spread, mean_ratio, paired_deltas, ratio_of

_TOLERANCE = 0.01
"""Percentage points by which stored predictions may miss the score in `metrics.json`, which is kept in float32."""


@dataclass(frozen=True)
class Scores:
    """All task scores, in per cent, by (arm, column heading).

    Args:
        metrics: the columns.
        spreads: scores over the seeds that are there.
        retention: per cent of the mean score of the study's reference, which is the teacher where no other is named.
        deltas: differences to the base arm, where they could be computed.
        constants: what the most frequent answer scores, by column heading, where the task has classes.
        alike: sentences on runs that answer every example alike.
        of_some: tasks that the study gives to some of its arms only.
    """

    metrics: tuple[Metric, ...]
    spreads: Mapping[tuple[str, str], Spread]
    retention: Mapping[tuple[str, str], Ratio]
    deltas: Mapping[tuple[str, str], Delta]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    alike: tuple[str, ...] = ()
    of_some: tuple[str, ...] = ()

    def is_in_mean(self, metric: Metric) -> bool:
        """Whether the mean retention counts a score: the main one of a task that all arms go through."""
        return metric.main and metric.stage not in self.of_some

    def mean_retention(self, arm: str) -> Ratio | None:
        """Mean over the scores of `is_in_mean`; None where one is missing."""
        found = [self.retention.get((arm, metric.heading)) for metric in self.metrics if self.is_in_mean(metric)]
        values = [value for value in found if value is not None]
        return mean_ratio(values) if values and len(values) == len(found) else None

    def constant_retention(self, reference_arm: str | None, heading: str) -> Constant | None:
        """Per cent of the reference arm's mean score that the most frequent answer has; None where there is neither."""
        reference, constant = self.spreads.get((reference_arm or "", heading)), self.constants.get(heading)
        if not (reference and constant and reference.mean > 0):
            return None
        in_part = constant.in_part or reference.seeds.in_part > 0
        return Constant(constant.answer, 100 * constant.percent / reference.mean, in_part)


def score_study(study: Study, notes: list[str]) -> Scores:
    """Compute them.

    Args:
        study: what to score.
        notes: every difference that could not be computed is named here.
    """
    metrics = metrics_of(study)
    spreads = {
        (arm.name, metric.heading): spread
        for metric in metrics
        for arm in study.arms
        if (spread := spread_of(study.of(metric.stage, arm.name), metric.percent)) is not None
    }
    of_reference = {heading: spread for (arm, heading), spread in spreads.items() if arm == study.reference}
    retention = {
        key: ratio_of(spread, of_reference[key[1]])
        for key, spread in spreads.items()
        if key[1] in of_reference and of_reference[key[1]].mean > 0
    }
    if study.reference is None:
        notes.append("No arm is the teacher, so there is no retention; name one with --teacher.")
    elif spreads and not retention:
        notes.append(f"There is no retention: {study.reference} has no score above 0.")
    deltas: dict[tuple[str, str], Delta] = {}
    if study.base_arm is not None:
        for stage in study.tasks:
            deltas |= _stage_deltas(study, stage, study.base_arm, notes)
    constants: dict[str, Constant] = {}
    alike: list[str] = []
    for stage in study.tasks:
        found, sentences = constant_answers(study, [metric for metric in metrics if metric.stage == stage])
        constants |= found
        alike += sentences
    return Scores(metrics, spreads, retention, deltas, constants, tuple(alike), study.tasks_of_some)


def spread_of(
    runs: Sequence[Run], read: Callable[[Run], float | None], limited: str | None = LIMITED_TEST
) -> Spread | None:
    """One quantity over the runs that have it; None where none has.

    Args:
        runs: those that were planned.
        read: gives the value of a run.
        limited: entry of `metrics.json` that a run has where the value is that of a part of the file; None
            where no part changes it.
    """
    found = [(run, value) for run in runs if (value := read(run)) is not None]
    if not found:
        return None
    there = [run for run, _ in found]
    in_part = sum(limited in run.metrics for run in there)
    seeds = Seeds(len(there), starting_models(there), planned=len(runs), in_part=in_part)
    return Spread(tuple(value for _, value in found), seeds)


def starting_models(runs: Iterable[Run]) -> int:
    """How many distillations or other models the runs start from; a run of unknown source counts by itself."""
    return len({run.source or run.label for run in runs})


def _stage_deltas(study: Study, stage: str, base: str, notes: list[str]) -> dict[tuple[str, str], Delta]:
    """Differences to the base arm in the scores of one task, all from the same resampled examples."""
    metrics = [metric for metric in metrics_of(study) if metric.stage == stage]
    outcomes = _outcomes(study, stage, metrics, notes)
    bases = {run.seed: run for run in study.of(stage, base) if run.label in outcomes}
    if not bases:
        notes.append(f"{stage}: no difference to {base}, which has no usable predictions there.")
        return {}
    first = min(bases.values(), key=lambda run: (LIMITED_TEST in run.metrics, run.seed))
    reference = outcomes[first.label]
    for run in [run for run in study.of(stage) if run.label in outcomes]:
        label = run.label
        if why := _other_file(run, first) or difference(outcomes[label], reference):
            notes.append(f"{label} is excluded from differences to {base}: {why}.")
            del outcomes[label]
    bases = {seed: run for seed, run in bases.items() if run.label in outcomes}
    groups = next((found.groups for found in outcomes.values() if found.groups is not None), None)
    if len(reference.keys if groups is None else np.unique(groups)) < 2:
        what = "test examples" if groups is None else "groups of test examples"
        notes.append(f"{stage}: no difference to {base}, because an interval needs at least two {what}.")
        return {}
    places = {label: place for place, label in enumerate(outcomes)}
    pairs: dict[str, list[tuple[int, int]]] = {}
    seeds: dict[str, Seeds] = {}
    for arm in (arm.name for arm in study.arms if arm.name != base):
        planned = study.of(stage, arm)
        runs = [run for run in planned if run.metrics]
        usable = [(run, bases[run.seed]) for run in runs if run.seed in bases and run.label in places]
        if usable:
            pairs[arm] = [(places[run.label], places[other.label]) for run, other in usable]
            origins = min(map(starting_models, zip(*usable, strict=True)))
            in_part = sum(LIMITED_TEST in run.metrics for pair in usable for run in pair)
            n = len(usable)
            seeds[arm] = Seeds(n, origins, len(planned), partial=n < len(planned), in_part=in_part)
        if len(usable) < len(runs):
            left = ", ".join(run.label for run in runs if run not in [pair[0] for pair in usable])
            why = "" if usable else "; none is left"
            notes.append(f"The difference of {arm} to {base} in {stage} is without {left}{why}.")
    deltas = {}
    for metric in metrics:
        sums = [outcome.scores[metric.score.title] for outcome in outcomes.values()]
        if groups is not None:
            sums = [one.of_groups(groups) for one in sums]
        for arm, numbers in paired_deltas(sums, pairs).items():
            deltas[arm, metric.heading] = Delta(*numbers, seeds[arm])
    return deltas


def _other_file(run: Run, reference: Run) -> str:
    """That two runs were tested on files of other content, in words; empty where they were not, or it is not known."""
    own, expected = (one.metrics.get(FILE_CONTENT.format("test")) for one in (run, reference))
    if own is None or expected is None or own == expected:
        return ""
    return f"its test file has other content than that of {reference.label} ({own[:12]}…, not {expected[:12]}…)"


def _outcomes(study: Study, stage: str, metrics: list[Metric], notes: list[str]) -> dict[str, Outcomes]:
    """By the run's label, the predictions that can be read and give the score that the run reported."""
    result = {}
    for run in study.of(stage):
        if not run.metrics:
            continue
        try:
            outcomes = read_outcomes(run.folder, metrics[0].kind)
        except (ValueError, OSError) as error:
            notes.append(f"{run.label} has no usable predictions: {error}.")
            continue
        wrong = _contradiction(run, metrics, outcomes)
        if wrong:
            notes.append(f"{run.label}: the stored predictions are not those of the reported score: {wrong}.")
        else:
            result[run.label] = outcomes
    return result


def _contradiction(run: Run, metrics: list[Metric], outcomes: Outcomes) -> str:
    """Where the predictions give another score than the run reported, in words; empty where they agree."""
    for metric in metrics:
        reported, counted = metric.percent(run), outcomes.percent(metric.score.title)
        if reported is not None and abs(reported - counted) > _TOLERANCE:
            return (
                f"{metric.heading} {counted:.2f} counted from {len(outcomes.keys):,} examples, {reported:.2f} reported"
            )
    return ""
