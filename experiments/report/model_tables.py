"""The tables of what the arms are and what their models cost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from operator import methodcaller
from typing import TypeAlias

from distilkobert.io.metric_names import LIMITED_TEST, LIMITED_VAL, TEST, TORCH
from experiments._shared.exported.forms import FORMS
from experiments._shared.exported.latency_file import ModelLatency, time_text
from experiments._shared.plan_file import Arm
from experiments.report.arm_tables import arm_table, measured
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Study
from experiments.report.reading.tasks import Metric
from experiments.report.tables import MISSING, NONE, Cell, Column, Table

_TIME = ("", "first quartile", "third quartile")
_Timed: TypeAlias = tuple[Cell, ModelLatency | None]
"""The size and the latency of a row."""


def axes_table(study: Study) -> Table | None:
    """The place of every arm on the study's axes, and what a search proposed; None where there is neither."""
    axes = dict.fromkeys(axis for arm in study.arms for axis in arm.axes)
    if not axes:
        return None

    def label(axis: str, arm: Arm) -> Cell:
        return Cell(arm.axes.get(axis, NONE))

    columns = [Column(axis, of=partial(label, axis)) for axis in axes]
    explained = "Labels of the study's axes; for a point of a search, the values of the options that it proposed."
    if study.metric:
        stage, _, key = study.metric.partition("/")
        limited = LIMITED_TEST if key.startswith(TEST) else LIMITED_VAL
        columns.append(measured(study, study.metric, stage, methodcaller("number", key), "{:.4f}".format, limited))
        explained += f" {study.metric} is the metric by which the study decides."
    rows = [(arm.name, arm) for arm in study.arms if arm.axes]
    return arm_table(study, "arms", "What the arms are", columns, rows, explained=explained)


def size_of(deployment: Deployment, arm: Arm) -> Cell:
    """The arm's size, marked where it is computed, and with the type of weights that are not float32."""
    mark = "≈ " if arm.name in deployment.computed else ""
    precision = deployment.precisions.get(arm.name)
    return _size_cell(deployment.sizes.get(arm.name), mark, f" ({precision})" if precision else "")


def _size_cell(megabytes: float | None, mark: str = "", precision: str = "") -> Cell:
    """Megabytes, with two decimals below ten."""
    if megabytes is None:
        return Cell(MISSING)
    return Cell(f"{mark}{megabytes:.{1 if megabytes >= 10 else 2}f}{precision}", (megabytes,))


def deployment_table(study: Study, deployment: Deployment) -> Table:
    """Size and, where it was measured, latency; ratios are to the reference, or to the first arm measured."""
    latencies, rows = deployment.latencies, list[tuple[str, _Timed]]()
    for arm in study.arms:
        rows.append((arm.name, (size_of(deployment, arm), latencies.get(arm.name))))
        for (name, form), found in deployment.forms.items():
            if name == arm.name:
                rows.append((f"{name}, {form}", (_size_cell(found.mb), found)))
    size = Column("size MB", ("",), lambda row: row[0])
    if not latencies:
        return arm_table(study, "deployment", "Size", [size], rows)
    reference = next((name for name in latencies if name == study.reference), next(iter(latencies)))
    note = (
        "Parameters are those of the encoder without a head; ONNX files are timed with theirs. Add the tokenizer's "
        "time for one sentence to the model's. Models of one shape should have the same times; if they differ, or if "
        "the quartiles are far apart, the machine was busy."
    )
    return arm_table(
        study,
        slug="deployment",
        title="Size and latency of the encoder",
        columns=[size, *_latency_columns(latencies[reference].batch_1_ms)],
        rows=rows,
        explained=f"Measured on {deployment.conditions}: medians of interleaved passes over random sentences, in "
        f"brackets the first and third quartile, one model of each arm; times faster than {reference}.",
        notes=(note,),
    )


def _latency_columns(reference_ms: float) -> list[Column]:
    def column(heading: str, of: Callable[[ModelLatency], Cell], parts: tuple[str, ...] = ("",)) -> Column:
        return Column(heading, parts, lambda row: Cell(MISSING) if row[1] is None else of(row[1]))

    def number(value: float, form: str) -> Cell:
        return Cell(format(value, form), (value,))

    def time(ms: float, quartiles: tuple[float, float]) -> Cell:
        return Cell(time_text(ms, quartiles), (ms, *quartiles))

    def several(values: tuple[float, ...]) -> Cell:
        return Cell(", ".join(f"{value:.2f}" for value in values), values)

    return [
        column("parameters", lambda found: number(found.parameters, ",")),
        column("batch 1 ms", lambda found: time(found.batch_1_ms, found.batch_1_quartiles_ms), _TIME),
        column("p95, p99", lambda found: several(found.batch_1_tail_ms), ("p95", "p99")),
        column(
            "tokenizer ms", lambda found: number(found.tokenizer_ms[0], ".2f") if found.tokenizer_ms else Cell(NONE)
        ),
        column("batch 32 ms", lambda found: time(found.batch_32_ms, found.batch_32_quartiles_ms), _TIME),
        column("sentences/s", lambda found: number(found.sentences_per_s, ",.1f")),
        column("times faster, batch 1", lambda found: number(reference_ms / found.batch_1_ms, ".2f")),
    ]


def forms_table(study: Study, metrics: Sequence[Metric]) -> Table | None:
    """Scores of every form of the models that was scored by its export; None where none was."""

    def column(metric: Metric) -> Column:
        reads = {form: partial(metric.percent, form=f"{form}/") for form in FORMS}
        # The export reads the whole file, whatever part of it the run's own test has read.
        by_form = {
            form: measured(study, metric.heading, metric.stage, read, limited=None) for form, read in reads.items()
        }
        return replace(by_form[TORCH], of=lambda row: by_form[row[1]].of(row[0]))

    columns = [column(metric) for metric in metrics]
    rows = [(arm.name, (arm, form)) for arm in study.arms for form in FORMS]
    rows = [row for row in rows if any(column.of(row[1]).values for column in columns)]
    if not rows:
        return None
    return arm_table(
        study,
        slug="forms",
        title="Scores of the exported forms, in per cent",
        columns=[Column("form", of=lambda row: Cell(FORMS[row[1]])), *columns],
        rows=rows,
        explained="Measured again by `experiments.export --evaluate=test`, from the files.",
    )
