"""A report as sections of text, tables and drawings, put together from a study."""

import os
from dataclasses import dataclass

from distilkobert.tasks.kinds import SEQUENCE_CLASSIFICATION, TOKEN_CLASSIFICATION
from experiments.report.figures.curves import curve_figures
from experiments.report.figures.labels import label_figures
from experiments.report.figures.scores import difference_figure, entity_figure, retention_figure
from experiments.report.figures.style import Drawing
from experiments.report.model_tables import axes_table, deployment_table, forms_table
from experiments.report.provenance import counts, data_table, mixed_facts, provenance_table
from experiments.report.published import published_table
from experiments.report.reading.deployment import Deployment, read_deployment
from experiments.report.reading.runs import Study
from experiments.report.reading.tasks import metrics_of
from experiments.report.score_tables import (
    class_names,
    class_table,
    delta_table,
    distillation_table,
    retention_table,
    scores_table,
)
from experiments.report.scores import Scores, score_study
from experiments.report.statistics import BOOTSTRAP_SEED, RESAMPLES
from experiments.report.tables import Table

METHOD = (
    f"Intervals are 95 % paired bootstrap intervals with {RESAMPLES:,} resamples (random seed {BOOTSTRAP_SEED}). Each "
    "resample draws the test examples (texts, sentences with their entity counts, questions) with replacement from the "
    "stored predictions, the same ones for both arms. Where the predictions say which examples belong together "
    "(questions of one article, rows with the same value of split_by, equal texts), whole groups are drawn. The "
    "difference is taken per seed and averaged over seeds; the interval is from the 2.5th to the 97.5th percentile. It "
    "shows how much a difference depends on the choice of test examples. Only the spread over seeds shows how much it "
    "depends on the training seed."
)


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        title: its heading.
        text: paragraphs above the tables.
        tables: its tables.
        drawings: its figures.
    """

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True)
class Report:
    """All that is written, in the order in which it is read.

    Args:
        title: the study's name.
        question: what the study asks.
        lack: how many planned runs have no results yet; empty where all have them.
        sections: its parts.
        notes: what is missing or was left out, and why.
    """

    title: str
    question: str
    lack: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...]

    @property
    def tables(self) -> list[Table]:
        """All tables."""
        return [table for section in self.sections for table in section.tables]

    @property
    def drawings(self) -> list[Drawing]:
        """All figures."""
        return [drawing for section in self.sections for drawing in section.drawings]


def compose(study: Study, notes: list[str]) -> Report:
    """Compute every table and draw every figure; call it within `reports.style.style`.

    Args:
        study: what the report is about.
        notes: what was noted while reading; what is noted here is added, and all end up in the report.
    """
    declared, study = study, study.begun
    deployment = read_deployment(study, notes)
    notes += mixed_facts(study)
    axes = axes_table(study)
    sections = [] if axes is None else [Section(axes.title, (), (axes,))]
    if study.tasks:
        sections += _task_sections(study, score_study(study, notes), deployment, notes)
    else:
        notes.append("No run was fine-tuned and tested, so there are no task scores.")
    if deployment.latencies or (deployment.sizes and not study.tasks):  # the table of scores has the sizes too
        sections.append(Section("Deployment", (), (deployment_table(study, deployment),)))
    if forms := forms_table(study, metrics_of(study)):
        sections.append(Section(forms.title, (), (forms,)))
    for stage in study.distil_stages:
        if study.of(stage):
            table = distillation_table(study, stage)
            sections.append(Section(table.title, (), (table,), tuple(curve_figures(study, stage, notes))))
    published = published_table()
    sections.append(Section(published.title, (), (published,)))
    data = data_table(study)
    produced = (*([data] if data else []), provenance_table(study, declared))
    sections.append(Section("What produced these results", (), produced))
    # A note must not show where somebody's files are.
    shown = dict.fromkeys(note.replace(f"{study.folder}{os.sep}", "") for note in notes)
    return Report(study.name, study.question, _lack(declared, study), tuple(sections), tuple(shown))


def _lack(study: Study, shown: Study) -> str:
    """What of a study is missing, and what its tables therefore do not show."""
    there, planned = counts(study)
    if study.points < study.trials:
        searched = f"{study.points} of {study.trials} points of the search are proposed"
        lack = f"Not complete: {searched}, and {there} of {planned} planned runs have their results."
    elif there < planned:
        lack = (
            f"Not complete: {there} of {planned} planned runs have their results. The notes at the end name the others."
        )
    else:
        return ""
    arms = [arm.name for arm in study.arms if arm not in shown.arms]
    tasks = [task for task in study.tasks if task not in shown.tasks]
    left_out = "; ".join(f"{what}: {', '.join(names)}" for what, names in (("arms", arms), ("tasks", tasks)) if names)
    return f"{lack} Left out of the tables, because no run has results: {left_out}." if left_out else lack


def _task_sections(study: Study, scores: Scores, deployment: Deployment, notes: list[str]) -> list[Section]:
    stored = ", ".join(f"{arm} in {precision}" for arm, precision in deployment.precisions.items())
    weights = f"weights, MB ({stored})" if stored else "weights, MB"
    size = retention_figure(study, scores, deployment.sizes, "size", weights, deployment.computed)
    times = {arm: latency.batch_1_ms for arm, latency in deployment.latencies.items()}
    speed = retention_figure(study, scores, times, "latency", "one sentence, ms")
    sections = [Section("Scores", (), (scores_table(study, scores, deployment),))]
    if scores.retention:
        sections.append(Section("Retention", (), (retention_table(study, scores),), tuple(filter(None, (size, speed)))))
    if study.base_arm is not None:
        drawn = tuple(filter(None, [difference_figure(study, scores)]))
        sections.append(Section("Differences", (METHOD,), (delta_table(study, scores),), drawn))
    for metric in scores.metrics:
        if metric.score is not metric.kind.scores[0]:
            continue  # once per task
        if metric.kind.has_labels and (table := class_table(study, metric)):
            drawn = tuple(filter(None, [entity_figure(study, metric) if metric.kind is TOKEN_CLASSIFICATION else None]))
            sections.append(Section(table.title.removesuffix(", in per cent"), (), (table,), drawn))
        if metric.kind is SEQUENCE_CLASSIFICATION and (drawings := label_figures(study, metric, notes)):
            sections.append(Section(f"{metric.task}: errors and confidence", (), (), tuple(drawings)))
    return sections


def texts_of(study: Study) -> list[str]:
    """Names that may occur in a figure, those of classes and entity types among them, for the choice of its font."""
    return [study.name, *class_names(study.runs), *(arm.name for arm in study.arms), *study.tasks, *study.distil_stages]
