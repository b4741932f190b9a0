"""The tables of what the arms are and what their models cost."""

from collections.abc import Sequence
from functools import partial
from operator import methodcaller

from distilkobert.io.metric_names import TEST
from experiments._shared.forms import FORMS
from experiments._shared.latency_file import ModelLatency, time_text
from experiments.report.arm_tables import Measure, arm_table
from experiments.report.formatting import size_cell, spread_column
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Run, Study
from experiments.report.reading.tasks import Metric
from experiments.report.tables import MISSING, NONE, Cell, Column, Table, text_column

_TIME = ("", "first quartile", "third quartile")


def axes_table(study: Study) -> Table | None:
    """The place of every arm on the study's axes, and what a search proposed; None where there is neither."""
    axes = list(dict.fromkeys(axis for arm in study.arms for axis in arm.axes))
    if not axes:
        return None
    measures = [
        Measure(name, stage, methodcaller("number", key), "{:.4f}".format)
        for name in ([study.metric] if study.metric else [])
        for stage, _, key in [name.partition("/")]
    ]
    rows = [
        [
            Cell(arm.name),
            *(Cell(arm.axes.get(axis, NONE)) for axis in axes),
            *(measure.cell(study, arm.name) for measure in measures),
        ]
        for arm in study.arms
        if arm.axes
    ]
    return arm_table(
        study,
        slug="arms",
        title="What the arms are",
        columns=[text_column("arm"), *map(text_column, axes), *(measure.column for measure in measures)],
        rows=rows,
        explained=" ".join(
            [
                "Labels of the study's axes; for a point of a search, the values of the options that it proposed.",
                *(f"{measure.heading} is the metric by which the study decides." for measure in measures),
            ]
        ),
    )


def deployment_table(study: Study, deployment: Deployment) -> Table:
    """Size and, where it was measured, latency; ratios are to the teacher, or to the first arm measured."""
    latencies = deployment.latencies
    reference = study.teacher if study.teacher in latencies else next(iter(latencies), None)
    headings = (
        (Column("parameters", ("",)), Column("batch 1 ms", _TIME), Column("p95, p99", ("p95", "p99")),
         Column("tokenizer ms", ("",)), Column("batch 32 ms", _TIME), Column("sentences/s", ("",)),
         Column("times faster, batch 1", ("",)))
        if latencies else ()
    )  # fmt: skip

    def cells(found: ModelLatency | None) -> list[Cell]:
        if found is None or reference is None:
            return [Cell(MISSING)] * len(headings)
        ratio = latencies[reference].batch_1_ms / found.batch_1_ms
        tail, cut = found.batch_1_tail_ms, found.tokenizer_ms
        return [
            Cell(f"{found.parameters:,}", (found.parameters,)),
            _time_cell(found.batch_1_ms, found.batch_1_quartiles_ms),
            Cell(f"{tail[0]:.2f}, {tail[1]:.2f}", tail) if tail else Cell(NONE),
            Cell(f"{cut[0]:.2f}", (cut[0],)) if cut else Cell(NONE),
            _time_cell(found.batch_32_ms, found.batch_32_quartiles_ms),
            Cell(f"{found.sentences_per_s:,.1f}", (found.sentences_per_s,)),
            Cell(f"{ratio:.2f}", (ratio,)),
        ]

    rows = []
    for arm in study.arms:
        rows.append([Cell(arm.name), arm_size(deployment, arm.name), *cells(latencies.get(arm.name))])
        for (name, form), found in deployment.forms.items():
            if name == arm.name:
                rows.append([Cell(f"{name}, {form}"), size_cell(found.mb), *cells(found)])
    measured = (
        f"Measured on {deployment.conditions}: medians of interleaved passes over random sentences, in brackets the "
        f"first and third quartile, one model of each arm; times faster than {reference}."
    )
    note = (
        "Parameters are those of the encoder without a head; ONNX files are timed with theirs. The tokenizer's time "
        "for one sentence comes before the model's. Models of one shape should have the same times; where theirs "
        "differ, or the quartiles are far apart, the machine was busy with other things."
    )
    return arm_table(
        study,
        slug="deployment",
        title="Size and latency of the encoder" if latencies else "Size",
        columns=[text_column("arm"), Column("size MB", ("",)), *headings],
        rows=rows,
        explained=measured if latencies else "",
        notes=(note,) if latencies else (),
    )


def _time_cell(ms: float, quartiles: tuple[float, float] | None) -> Cell:
    return Cell(time_text(ms, quartiles), (ms, *(quartiles or (None, None))))


def arm_size(deployment: Deployment, arm: str) -> Cell:
    """The arm's size, marked where it is computed."""
    return size_cell(deployment.sizes.get(arm), computed=arm in deployment.computed)


def forms_table(study: Study, metrics: Sequence[Metric]) -> Table | None:
    """Scores of every form of the models that was scored by its export; None where none was."""
    rows = []
    for arm in study.arms:
        for form, title in FORMS.items():
            cells = [
                Measure(one.heading, one.stage, partial(_percent, form=form, metric=one)).cell(study, arm.name)
                for one in metrics
            ]
            if any(cell.values for cell in cells):
                rows.append([Cell(arm.name), Cell(title), *cells])
    if not rows:
        return None
    return arm_table(
        study,
        slug="forms",
        title="Scores of the exported forms, in per cent",
        columns=[text_column("arm"), text_column("form"), *(spread_column(metric.heading) for metric in metrics)],
        rows=rows,
        explained="Measured again by `experiments.export --evaluate=test`, from the files.",
    )


def _percent(run: Run, form: str, metric: Metric) -> float | None:
    value = run.number(f"{form}/{TEST}{metric.score.key}")
    return None if value is None else value * metric.score.scale
