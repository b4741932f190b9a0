"""The tables of what the arms are and what their models cost."""

from operator import methodcaller

from experiments._shared.latency_file import time_text
from experiments.report.formatting import marks_explained, size_cell, spread_cell, spread_column
from experiments.report.reading.deployment import Deployment
from experiments.report.reading.runs import Study
from experiments.report.scores import spread_of
from experiments.report.tables import MISSING, NONE, Cell, Column, Table, text_column

_TIME = ("", "first quartile", "third quartile")


def axes_table(study: Study) -> Table | None:
    """Where every arm stands on the study's axes, and what a search proposed; None where there is neither."""
    axes = list(dict.fromkeys(axis for arm in study.arms for axis in arm.axes))
    if not axes:
        return None
    metric = [study.metric] if study.metric else []
    rows = []
    for arm in (arm for arm in study.arms if arm.axes):
        row = [Cell(arm.name), *(Cell(arm.axes.get(axis, NONE)) for axis in axes)]
        for stage, _, key in (name.partition("/") for name in metric):
            runs = study.of(stage, arm.name)
            row.append(spread_cell(spread_of(runs, methodcaller("number", key)), len(runs), "{:.4f}".format))
        rows.append(tuple(row))
    return Table(
        slug="arms",
        title="What the arms are",
        columns=(text_column("arm"), *map(text_column, axes), *map(spread_column, metric)),
        rows=tuple(rows),
        notes=(
            "Labels of the study's axes; for a point of a search, the values of the options that it proposed.",
            *(f"{name} is the figure by which the study decides." for name in metric),
            *marks_explained(rows),
        ),
    )


def deployment_table(study: Study, deployment: Deployment) -> Table:
    """Size and, where it was measured, latency; ratios are to the teacher, or to the first arm measured."""
    latencies = deployment.latencies
    reference = study.teacher if study.teacher in latencies else next(iter(latencies), None)
    headings = (
        (Column("parameters", ("",)), Column("batch 1 ms", _TIME), Column("batch 32 ms", _TIME),
         Column("sentences/s", ("",)), Column("times faster, batch 1", ("",)))
        if latencies else ()
    )  # fmt: skip
    rows = []
    for arm in study.arms:
        found = latencies.get(arm.name)
        cells = [Cell(MISSING)] * len(headings)
        if found is not None and reference is not None:
            ratio = latencies[reference].batch_1_ms / found.batch_1_ms
            cells = [
                Cell(f"{found.parameters:,}", (found.parameters,)),
                _time_cell(found.batch_1_ms, found.batch_1_quartiles_ms),
                _time_cell(found.batch_32_ms, found.batch_32_quartiles_ms),
                Cell(f"{found.sentences_per_s:,.1f}", (found.sentences_per_s,)),
                Cell(f"{ratio:.2f}", (ratio,)),
            ]
        rows.append((Cell(arm.name), arm_size(deployment, arm.name), *cells))
    measured = (
        f"Measured on {deployment.conditions}: medians of interleaved passes over random sentences, in brackets the "
        f"first and third quartile, one model of each arm; times faster than {reference}. Parameters are those of the "
        "encoder without a head. Models of one shape should have the same times; where theirs differ, or the quartiles "
        "lie far apart, the machine was busy with other things."
    )
    return Table(
        slug="deployment",
        title="Size and latency of the encoder" if latencies else "Size",
        columns=(text_column("arm"), Column("size MB", ("",)), *headings),
        rows=tuple(rows),
        notes=(*([measured] if latencies else []), *marks_explained(rows)),
    )


def _time_cell(ms: float, quartiles: tuple[float, float] | None) -> Cell:
    return Cell(time_text(ms, quartiles), (ms, *(quartiles or (None, None))))


def arm_size(deployment: Deployment, arm: str) -> Cell:
    """The arm's size, marked where it is computed."""
    return size_cell(deployment.sizes.get(arm), computed=arm in deployment.computed)
